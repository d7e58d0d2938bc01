"""What the conflict services return."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from app.conflicts.rules import Rule

DELETED = "deleted"
"""The field of a conflict in which one side deleted what the other one changed."""


@dataclass(frozen=True, slots=True)
class StreamPolicy:
    """What is done about a stream of a connection when both sides changed, or one side deleted."""

    connection_id: UUID
    stream: str
    conflicts: Rule = Rule.ASK
    field_conflicts: Mapping[str, Rule] = field(default_factory=dict)
    """Field by field, where it differs."""
    provider_deletions: str = "tombstone"
    """propagate (to the other connections too), tombstone (in the hub only) or ignore"""
    hub_deletions: str = "tombstone"
    """propagate (delete at the provider), deactivate (where it cannot delete), tombstone (in the hub only) or ignore"""
    creates_missing: bool = False
    """Whether a push also makes what the provider does not have yet."""
    brake_share: float = 0.05
    brake_minimum: int = 10
    """More deletions at once than this share of what is known, and than this number, are held back."""
    version: int = 0
    """0: nobody has set anything."""
    updated_by: str = ""
    updated_at: datetime | None = None

    def rule(self, name: str) -> Rule:
        """The rule for a field."""
        return self.field_conflicts.get(name, self.conflicts)


@dataclass(frozen=True, slots=True)
class Conflict:
    """One field that both sides changed differently."""

    id: UUID
    organization_id: UUID
    connection_id: UUID
    stream: str
    record_id: UUID
    external_id: str
    field: str
    base: Any
    """What both had; None where nothing is known of that."""
    ours: Any
    theirs: Any
    sync_run_id: UUID | None
    resolution: str | None
    """ours, theirs, value (another one), agreed (both sides came to the same); None while it is open."""
    value: Any
    resolved_by: str | None
    resolved_at: datetime | None
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class FoundConflict:
    """A conflict as a merge finds it."""

    record_id: UUID
    external_id: str
    field: str
    base: Any
    ours: Any
    theirs: Any


@dataclass(frozen=True, slots=True)
class Reopened:
    """What became of decisions that were taken back together."""

    reopened: Sequence[UUID]
    refused: Mapping[UUID, str]
    """Why some were not, in a sentence."""


@dataclass(frozen=True, slots=True)
class Resolved:
    """What became of conflicts that were resolved together."""

    resolved: Sequence[UUID]
    refused: Mapping[UUID, str]
    """Why some were not, in a sentence."""
