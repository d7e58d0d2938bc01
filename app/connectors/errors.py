"""What a provider did, in words that say who can fix it.

ConnectorError
├── CredentialsRefused      401, 402, 403: the customer reconnects; never retried blindly
├── AddressRefused          the address is private, unresolvable or not allowed: the customer corrects it
├── ProviderUnavailable     time-outs, network errors, 5xx: time
│   └── OutcomeUnknown      a write got no answer: it may or may not have happened; look before writing again
├── RateLimited             429: time, at `retry_after`
│   └── QuotaExhausted      the day's quota is used up: the connection pauses until `retry_after`
├── RequestRejected         400, 404, 405, 409, 422: the customer or us, with the provider's own words
│   └── ObjectMissing       404: the object is not there (any more)
├── UnexpectedResponse      the shape changed: us, with a trimmed sample
└── NotApplied              a guard found the object changed at the provider: nothing was written
"""

from typing import Any

from app.errors import FixBy, HubError


class ConnectorError(HubError):
    """The provider could not be used."""

    code = "connector_error"


class CredentialsRefused(ConnectorError):
    """The provider refused the credentials; reconnect with valid ones."""

    code = "credentials_refused"
    fix_by = FixBy.CUSTOMER


class AddressRefused(ConnectorError):
    """This address cannot be used for a connection."""

    code = "address_refused"
    fix_by = FixBy.CUSTOMER


class ProviderUnavailable(ConnectorError):
    """The provider did not answer; it will be tried again."""

    code = "provider_unavailable"
    fix_by = FixBy.TIME


class OutcomeUnknown(ProviderUnavailable):
    """The provider did not confirm a write; it is checked before it is sent again."""

    code = "outcome_unknown"


LONGEST_PAUSE_SECONDS = 86_400.0
"""Whoever asks for a longer pause is asked again after a day: a number by mistake must not end all work."""


class RateLimited(ConnectorError):
    """The provider asks for fewer requests; work goes on after a pause."""

    code = "rate_limited"
    fix_by = FixBy.TIME

    def __init__(self, message: str | None = None, *, retry_after: float) -> None:
        super().__init__(message)
        self.retry_after = min(retry_after, LONGEST_PAUSE_SECONDS)
        """Seconds to wait before the next request."""


class QuotaExhausted(RateLimited):
    """The provider's daily quota is used up; work goes on when it is renewed."""

    code = "quota_exhausted"


class RequestRejected(ConnectorError):
    """The provider refused this request."""

    code = "request_rejected"
    fix_by = FixBy.CUSTOMER

    def __init__(self, message: str | None = None, *, status: int = 400) -> None:
        super().__init__(message)
        self.status = status


class ObjectMissing(RequestRejected):
    """The object is not at the provider."""

    code = "object_missing"


class UnexpectedResponse(ConnectorError):
    """The provider answered in a shape that the connector does not know."""

    code = "unexpected_response"
    fix_by = FixBy.US


class NotApplied(ConnectorError):
    """The object changed at the provider, so the decision was not applied."""

    code = "not_applied"
    fix_by = FixBy.CUSTOMER

    def __init__(self, message: str | None = None, *, found: dict[str, Any] | None = None) -> None:
        super().__init__(message)
        self.found = found or {}
        """What the connector saw at the provider, for the comparison that people are shown."""
