"""What can go wrong with the hub's own servers."""

from app.errors import FixBy, HubError


class EmbeddedUnavailable(HubError):
    """The hub's own servers cannot run here."""

    code = "embedded_unavailable"


class AlreadySupervised(HubError):
    """Another process already runs the servers of this data directory."""

    code = "embedded_already_supervised"
    fix_by = FixBy.CUSTOMER


class NotRunning(HubError):
    """No servers run on this data directory."""

    code = "embedded_not_running"
    fix_by = FixBy.CUSTOMER
