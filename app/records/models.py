"""What the record services return."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any
from uuid import UUID

import msgspec


@dataclass(frozen=True, slots=True)
class Record:
    """One item in the hub's canonical shape; `data` is one of app/records/entities.py as plain values."""

    id: UUID
    organization_id: UUID
    entity: str
    connection_id: UUID | None
    external_id: str | None
    """The provider's id at `connection_id`."""
    data: Mapping[str, Any]
    version: int
    created_at: datetime
    updated_at: datetime
    deleted_at: datetime | None
    name_folded: str | None
    """Its name in lower case, which contacts are listed by."""
    merged_into: UUID | None
    """The contact that it became part of."""


@dataclass(frozen=True, slots=True)
class RecordVersion:
    """What a record was until `replaced_at`."""

    record_id: UUID
    version: int
    data: Mapping[str, Any]
    deleted_at: datetime | None
    replaced_at: datetime
    replaced_by: str


@dataclass(frozen=True, slots=True)
class RecordAsOf:
    """What a record was at a moment."""

    version: int
    data: Mapping[str, Any]
    deleted_at: datetime | None
    replaced_at: datetime | None
    """None: it is so still."""
    replaced_by: str | None


class RecordChange(msgspec.Struct, frozen=True, dict=True):
    """One record before and after a page. `before` is None for a new one, `after` for a deleted one."""

    record_id: UUID
    external_id: str
    entity: str
    before: Mapping[str, Any] | None
    written: Mapping[str, Any] | bytes | None
    """Its data afterwards, or the same as JSON, of which most is never looked at."""

    @cached_property
    def after(self) -> Mapping[str, Any] | None:
        data: Mapping[str, Any] | None = msgspec.json.decode(self.written) if isinstance(self.written, bytes) else self.written
        return data

    @property
    def kind(self) -> str:
        """What became of it: created, updated or deleted."""
        if self.written is None:
            return "deleted"
        return "created" if self.before is None else "updated"

    @property
    def says_something(self) -> bool:
        """Whether anything has become otherwise."""
        return self.written is not None if self.before is None else self.before != self.after
