"""What the client service returns."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID


@dataclass(frozen=True, slots=True)
class ClientContact:
    """Somebody at a client who may see and decide its quotes in the portal."""

    id: UUID
    client_id: UUID
    email: str
    name: str
    created_at: datetime
    disabled_at: datetime | None


@dataclass(frozen=True, slots=True)
class Site:
    """A client's location."""

    id: UUID
    client_id: UUID
    name: str
    address: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Client:
    """A customer of the organization: one contact record, with the people who decide for it."""

    id: UUID
    name: str
    contact_record_id: UUID | None
    created_at: datetime
    contacts: Sequence[ClientContact]
    sites: Sequence[Site]
