"""Plans: what a run would do, or what would take one back, as values; and why one is not applied."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from app.connectors.base import Item
from app.errors import NotFound, Refusal

PULL, PUSH, UNDO = "pull", "push", "undo"


class PlanNotFound(NotFound):
    """This plan does not exist, or you may not see it."""

    code = "plan_not_found"


class PlanNotReady(Refusal):
    """This plan is still being made; wait for its run."""

    code = "plan_not_ready"


class PlanSettled(Refusal):
    """This plan was dismissed or could not be made; make another one."""

    code = "plan_settled"


class RunNotUndoable(Refusal):
    """This run cannot be taken back."""

    code = "run_not_undoable"


@dataclass(frozen=True, slots=True)
class Moved:
    """One thing that is not what a plan saw."""

    stream: str
    key: str
    """The external id; the record's id for a push or an undo."""
    record_id: UUID | None
    what: str
    """record, mapping, provider, outcome (of what was seen, another one came) or terms (field mapping, policy, age)"""


class PlanOutdated(Refusal):
    """The world has moved since this plan was made, so it is not applied; make another one."""

    code = "plan_outdated"

    def __init__(self, moved: Sequence[Moved] = ()) -> None:
        super().__init__(_sentence(moved))
        self.moved = tuple(moved)


def _sentence(moved: Sequence[Moved]) -> str | None:
    if not moved:
        return None
    first = moved[0]
    named = f"{first.stream} {first.key}".strip() or "its stream"
    more = f" and {len(moved) - 1} more" if len(moved) > 1 else ""
    return f"The world has moved since this plan was made ({first.what} of {named}{more}), so it is not applied; make another one."


@dataclass(frozen=True, slots=True)
class Plan:
    """A stored plan."""

    id: UUID
    organization_id: UUID
    connection_id: UUID
    kind: str
    """sync or undo"""
    status: str
    """making, drafted, applying, applied, outdated, dismissed or failed (it could not be made)"""
    run_id: UUID
    """The run that makes it."""
    applied_run_id: UUID | None
    """The run that applies it; the last one, where it was applied in parts."""
    undoes_run_id: UUID | None
    chosen_only: bool
    terms: Mapping[str, Mapping[str, Any]]
    """By stream: the versions of field mapping and policy that counted, and the state that had been saved."""
    unchanged: int
    """Objects that are as they should be."""
    provider_calls: int
    """How many requests applying it sends, about."""
    seconds: float
    """How long they take by the connection's budget, about."""
    moved: Sequence[Mapping[str, Any]] | None
    """What had moved when it was refused."""
    error: Mapping[str, Any] | None
    """Why it could not be made, or why applying it stopped: {"code", "message", "fix_by"}."""
    requested_by: str
    decided_by: str | None
    created_at: datetime
    drafted_at: datetime | None
    decided_at: datetime | None


@dataclass(frozen=True, slots=True)
class PlanItem:
    """What a plan does to one record."""

    id: UUID
    plan_id: UUID
    stream: str
    record_stream: str
    direction: str
    """pull, push or undo"""
    kind: str
    """create, update, delete, restore (of a deleted one), conflict, failure, refresh (nothing that shows), hold (deletions that the
    brake holds back), remain (what an undo cannot take back)"""
    key: str
    record_id: UUID | None
    fields: Mapping[str, Mapping[str, Any]]
    """By field {"before", "after"}; of a conflict {"base", "ours", "theirs"} as well, of an undo's {"before", "result", "now"}."""
    error: Mapping[str, Any] | None
    is_optional: bool
    """Left alone unless it is chosen."""
    calls: int
    status: str
    """planned, chosen or applied"""

    @property
    def is_selected(self) -> bool:
        """Whether it goes when the plan is applied as it stands."""
        return not self.is_optional and self.kind != "remain"


@dataclass(frozen=True, slots=True)
class KindCount:
    """How many items of a kind a plan has."""

    kind: str
    items: int
    selected: int
    """Of those that are not applied: they go when the plan is applied as it stands."""
    applied: int


@dataclass(frozen=True, slots=True)
class NewItem:
    """An item as a plan's walk finds it."""

    kind: str
    key: str
    record_id: UUID | None = None
    fields: Mapping[str, Any] = field(default_factory=dict)
    error: Mapping[str, Any] | None = None
    effect: bytes | None = None
    shown: bytes | None = None
    payload: bytes | None = None
    provider_version: str | None = None
    is_deleted: bool = False
    is_optional: bool = False
    calls: int = 0


@dataclass(frozen=True, slots=True)
class DueItem:
    """An item as it is applied."""

    id: UUID
    kind: str
    key: str
    record_id: UUID | None
    error: Mapping[str, Any] | None
    effect: bytes | None
    shown: bytes | None
    payload: bytes | None
    provider_version: str | None
    is_deleted: bool
    fields: Mapping[str, Any]

    @property
    def item(self) -> Item:
        """The provider's object."""
        return Item(self.key, self.payload or b"", self.provider_version, deleted=self.is_deleted)
