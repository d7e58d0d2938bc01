"""The error tree.

HubError                        every error the hub raises on purpose; `fix_by` says who can fix it
├── Refusal                     an expected "no", shown to the person who asked
│   ├── NotSignedIn             no valid token, session or link
│   ├── PermissionDenied        the actor's role does not allow it
│   ├── NotFound                it does not exist within what the actor may see
│   ├── InvalidInput            what was given cannot be used; `fields` says where and why
│   ├── IdempotencyKeyReused    the same key came with another body
│   └── ...                     a feature's own refusals stand at the top of its service.py
├── ConnectorError              what a provider did; the tree is in app/connectors/errors.py
└── LeaseLost                   another worker holds this work now; nothing more may be written

A message is one sentence for the person who can fix it and never holds a secret.
"""

from collections.abc import Mapping
from enum import StrEnum


class FixBy(StrEnum):
    """Who can fix an error: the customer acts, time heals, or we must."""

    CUSTOMER = "customer"
    TIME = "time"
    US = "us"


class HubError(Exception):
    """Base of every error that the hub raises on purpose."""

    code = "hub_error"
    fix_by = FixBy.US

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message or (self.__doc__ or "").strip().split("\n")[0])

    @property
    def message(self) -> str:
        return str(self.args[0])


class Refusal(HubError):
    """This cannot be done as asked."""

    code = "refused"
    fix_by = FixBy.CUSTOMER


class NotSignedIn(Refusal):
    """Sign in first: this request carried no valid token or session."""

    code = "not_signed_in"


class PermissionDenied(Refusal):
    """Your role does not allow this."""

    code = "permission_denied"


class NotFound(Refusal):
    """This does not exist, or you may not see it."""

    code = "not_found"


class InvalidInput(Refusal):
    """Something that was given cannot be used."""

    code = "invalid_input"

    def __init__(self, message: str | None = None, *, fields: Mapping[str, str] | None = None) -> None:
        super().__init__(message or next(iter((fields or {}).values()), None))
        self.fields: Mapping[str, str] = dict(fields or {})


class IdempotencyKeyReused(Refusal):
    """This idempotency key was already used for a different request; use a new key."""

    code = "idempotency_key_reused"


class LeaseLost(HubError):
    """Another worker holds this work now; this one stops without writing."""

    code = "lease_lost"
    fix_by = FixBy.TIME
