"""What the service of field mappings returns."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from app.connectors.base import FieldRow

DEFAULT_VERSION = 0
"""The number that stands for the connector's own field mapping."""


@dataclass(frozen=True, slots=True)
class FieldMappingVersion:
    """One version of how a stream of a connection is translated. It never changes; publishing and retiring are noted beside it."""

    connection_id: UUID
    stream: str
    version: int
    """DEFAULT_VERSION: the connector's own."""
    rows: tuple[FieldRow, ...]
    note: str = ""
    created_by: str | None = None
    created_at: datetime | None = None
    published_at: datetime | None = None
    published_by: str | None = None
    retired_at: datetime | None = None
    """When another version took its place."""


@dataclass(frozen=True, slots=True)
class RowChange:
    """A row that two versions do not have in common."""

    target: str
    before: FieldRow | None
    after: FieldRow | None
    differs: tuple[str, ...]
    """Which of its parts differ (path, transforms, …); none for a row that only one of them has."""


@dataclass(frozen=True, slots=True)
class FieldChange:
    """A field of a record before and after."""

    field: str
    before: Any
    after: Any


@dataclass(frozen=True, slots=True)
class PreviewedRecord:
    """What another field mapping would make of a stored object."""

    external_id: str
    changes: tuple[FieldChange, ...]
    error_before: str | None
    """Why the mapping that counts now cannot take it over."""
    error: str | None
    """Why the other one cannot."""
    title: str = ""
    """What people call it, where it can be translated."""


@dataclass(frozen=True, slots=True)
class BackTest:
    """What another field mapping would make of the newest stored objects, failed records among them."""

    examined: int
    unchanged: int
    changed: int
    failing: int
    """Taken over now, and not any more."""
    healed: int
    """Not taken over now, and then they are."""
    still_failing: int
    fields: Mapping[str, int]
    """How many records differ in each field."""
    examples: tuple[PreviewedRecord, ...]
    """Some of those that differ; those that would fail first."""


@dataclass(frozen=True, slots=True)
class Publication:
    """What was published, and how many records it is about."""

    version: FieldMappingVersion
    records: int


@dataclass(frozen=True, slots=True)
class DiscoveredField:
    """A name that objects of the provider have and no row reads."""

    path: str
    seen: int
    """In how many of the examined objects it holds something."""
    example: str
    """The beginning of one value."""
    is_kept: bool
    """Whether it travels in `custom` as it is."""
