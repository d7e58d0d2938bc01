"""What the mapping services return."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Mapping:
    """The link between a record and its counterpart at a connection."""

    id: UUID
    organization_id: UUID
    connection_id: UUID
    stream: str
    external_id: str
    record_id: UUID
    status: str
    base_version: int | None
    provider_version: str | None
    last_synced_at: datetime | None
    last_error: str | None
    synced_by: str | None
    created_at: datetime
    updated_at: datetime
