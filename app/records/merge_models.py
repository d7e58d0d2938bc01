"""What the services of merging return."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from app.mappings.models import Mapping as Link
from app.records.models import Record


@dataclass(frozen=True, slots=True)
class FieldChoice:
    """A field in which two contacts differ."""

    field: str
    survivor: Any
    loser: Any
    suggested: str
    """survivor, or loser where the survivor has nothing"""


@dataclass(frozen=True, slots=True)
class Followed:
    """What hangs on a contact beside its record, counted."""

    quotes: int
    people: int
    """Those of its client who sign in at the portal."""
    sites: int


@dataclass(frozen=True, slots=True)
class MergePreview:
    """What a merge would come to."""

    survivor: Record
    loser: Record
    choices: Sequence[FieldChoice]
    counterparts: Sequence[Link]
    """What the loser is at providers; nothing is brought there any more."""
    follow: Followed
    """What comes along to the survivor."""
    has_conflicts: bool
    """The loser waits for somebody's decision, without which it is not merged."""


@dataclass(frozen=True, slots=True)
class RecordMerge:
    """One contact that became part of another."""

    id: UUID
    survivor_id: UUID
    loser_id: UUID
    loser_version: int
    """What the loser was before."""
    changes: Mapping[str, Mapping[str, Any]]
    """Of the survivor's fields: `before` and `after`, each left out where there was nothing."""
    followers: Sequence[UUID]
    """What had been merged into the loser before."""
    moved: Mapping[str, Any]
    """What went from the loser's client to the survivor's."""
    merged_by: str
    merged_at: datetime


@dataclass(frozen=True, slots=True)
class ChangedSince:
    """A field that somebody changed after a merge; it stays as it is now."""

    record_id: UUID
    field: str
    before: Any
    """What it was before the merge."""
    now: Any


@dataclass(frozen=True, slots=True)
class Parted:
    """Two contacts after their merge was taken back."""

    survivor: Record
    loser: Record
    changed_since: Sequence[ChangedSince]


@dataclass(frozen=True, slots=True)
class Duplicates:
    """Contacts that may be one."""

    by: str
    """tax_number, email or name"""
    value: str
    """What they share: in lower case, a tax number as letters and digits alone."""
    count: int
    contacts: Sequence[Record]
    """The first of them."""
