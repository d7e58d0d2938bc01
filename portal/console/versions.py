"""A record's history: who made each version, and what it changed. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from app.records.models import Record, RecordVersion
from portal.console.fields import Difference, differences

_RUN = "sync run "


@dataclass(frozen=True, slots=True)
class Version:
    """What a record was, and how it came to be so."""

    number: int
    data: Mapping[str, Any]
    made_at: datetime
    made_by: str
    """Nobody's name for the first one: it came with the record."""
    changes: Sequence[Difference]
    """Against what the hub had before."""
    is_deleted: bool
    is_restored: bool
    """Live again after it had been deleted."""
    is_view: bool
    """What a provider had when it was merged in, kept to compare with; the hub itself never showed it."""
    is_current: bool

    @property
    def run_id(self) -> str:
        """The sync run that made it; empty where somebody else did."""
        return self.made_by.removeprefix(_RUN) if self.made_by.startswith(_RUN) else ""


@dataclass(frozen=True, slots=True)
class _State:
    number: int
    data: Mapping[str, Any]
    is_gone: bool
    made_at: datetime
    made_by: str


def versions_of(record: Record, history: Sequence[RecordVersion]) -> list[Version]:
    """The newest first, beginning with the record as it is now."""
    states = _states(record, history)
    versions: list[Version] = []
    before = states[0]
    for state, following in zip(states, [*states[1:], None], strict=True):
        # A merge writes the provider's view and what it came to in one transaction.
        is_view = following is not None and bool(versions) and (following.made_at, following.made_by) == (state.made_at, state.made_by)
        versions.append(
            Version(
                state.number,
                state.data,
                state.made_at,
                state.made_by,
                differences(before.data, state.data),
                is_deleted=state.is_gone and not before.is_gone,
                is_restored=before.is_gone and not state.is_gone,
                is_view=is_view,
                is_current=state.number == record.version,
            )
        )
        before = before if is_view else state
    return versions[::-1]


def _states(record: Record, history: Sequence[RecordVersion]) -> list[_State]:
    """The oldest first. Whoever replaced a version made the next one."""
    earlier = sorted(history, key=lambda one: one.version)
    makers = [(record.created_at, ""), *((one.replaced_at, one.replaced_by) for one in earlier)]
    shown = [*((one.version, one.data, one.deleted_at) for one in earlier), (record.version, record.data, record.deleted_at)]
    return [_State(number, data, deleted_at is not None, *maker) for (number, data, deleted_at), maker in zip(shown, makers, strict=True)]
