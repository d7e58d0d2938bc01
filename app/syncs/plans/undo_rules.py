"""How a record goes back to what it was before a run: its fields before the run, as the run left them, and now. Pure.

What nobody has touched since goes back as it was. What was changed since is shown with the three values and left alone unless
somebody chooses it; then the fields that the run had changed go back, and the others stay as they are now.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import msgspec

from app.conflicts.models import DELETED
from app.syncs.plans.models import NewItem
from app.syncs.plans.rules import differences

Data = Mapping[str, Any]
_ABSENT: Any = object()


@dataclass(frozen=True, slots=True)
class State:
    """A record at a version."""

    version: int
    data: Data
    is_deleted: bool


@dataclass(frozen=True, slots=True)
class Past:
    """What a run did to a record, and what has become of it."""

    record_id: UUID
    stream: str
    before: State | None
    """None: the run made it."""
    result: State
    """As the run left it."""
    now: State
    is_merged: bool = False
    """It has become part of another record."""


def item_of(past: Past) -> NewItem | None:
    """What takes the run back; None where nothing of it is left."""
    if past.is_merged:
        return remaining(past.record_id, str(past.record_id), "It has become part of another record since; separate the two first.")
    if past.before is None or past.before.is_deleted:
        return _delete(past)
    if past.result.is_deleted or past.now.is_deleted:
        return _restore(past, past.before)
    return _put_back(past, past.before)


def remaining(record_id: UUID, key: str, message: str) -> NewItem:
    """What the run did and an undo cannot take back."""
    return NewItem("remain", key, record_id, error={"stage": "undo", "code": "not_undoable", "message": message, "fix_by": "customer"})


def _delete(past: Past) -> NewItem | None:
    """There was none before the run."""
    if past.now.is_deleted:
        return None
    names = differences(past.result.data, past.now.data)
    if names or past.result.is_deleted:
        return _conflict(past, None, {name: _three(past, name) for name in names} or _deleted(past))
    return _item("delete", past, None, differences(past.now.data, None))


def _restore(past: Past, before: State) -> NewItem | None:
    """There was one before the run, and there is none now, or somebody brought it back."""
    if past.result.is_deleted and past.now.is_deleted:
        return _item("restore", past, before.data, differences(None, before.data))
    if past.now.is_deleted:
        return _conflict(past, before.data, _deleted(past))
    return _put_back(past, before)


def _put_back(past: Past, before: State) -> NewItem | None:
    changed = _names(before.data, past.result.data)
    if not any(_differs(past.now.data, before.data, name) for name in changed):
        return None
    target = {name: value for name, value in past.now.data.items() if name not in changed}
    target |= {name: before.data[name] for name in changed if name in before.data}
    if any(_differs(past.now.data, past.result.data, name) for name in changed):
        return _conflict(past, target, {name: _three(past, name) for name in changed})
    return _item("update", past, target, differences(past.now.data, target))


def _item(kind: str, past: Past, target: Data | None, fields: Mapping[str, Any], *, is_optional: bool = False) -> NewItem:
    payload = None if target is None else msgspec.json.encode(target)
    key = str(past.record_id)
    return NewItem(kind, key, past.record_id, fields, payload=payload, is_deleted=target is None, is_optional=is_optional)


def _conflict(past: Past, target: Data | None, fields: Mapping[str, Any]) -> NewItem:
    return _item("conflict", past, target, fields, is_optional=True)


def _three(past: Past, name: str) -> dict[str, Any]:
    sides = {"before": past.before, "result": past.result, "now": past.now}
    return {side: state.data[name] for side, state in sides.items() if state is not None and name in state.data}


def _deleted(past: Past) -> dict[str, dict[str, Any]]:
    sides = {"before": past.before, "result": past.result, "now": past.now}
    return {DELETED: {side: state is None or state.is_deleted for side, state in sides.items()}}


def _names(one: Data, other: Data) -> Collection[str]:
    return list(differences(one, other))


def _differs(one: Data, other: Data, name: str) -> bool:
    return bool(one.get(name, _ABSENT) != other.get(name, _ABSENT))
