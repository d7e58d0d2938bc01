"""What a connector is handed for one piece of work."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from app.connectors.client import ApiClient


class Account(msgspec.Struct, frozen=True, kw_only=True):
    """What the provider says of the account behind a connection."""

    id: str
    name: str
    currency: str = "XXX"
    """ISO 4217; XXX where the provider has none."""
    time_zone: str = "UTC"
    """IANA name; naive provider times are in it."""


@dataclass(frozen=True, slots=True)
class Session:
    """All that a connector gets for one piece of work."""

    client: "ApiClient"
    settings: Any
    """The connector's own settings class, decoded."""
    account: Account | None
    """None only while the connection is tested for the first time."""
