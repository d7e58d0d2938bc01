"""What a page comes to, item by item; how long a plan takes. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from hashlib import blake2b
from typing import Any
from uuid import UUID

import msgspec

from app.conflicts.models import Conflict
from app.connectors.base import RateLimit
from app.records.models import RecordChange
from app.syncs.failures import Failure
from app.syncs.models import RunMode, SyncRun
from app.syncs.pages import Outcome
from app.syncs.plans.models import NewItem

APPLICABLE = timedelta(days=7)
"""A plan that is older has to be made anew."""
ITEMS_PER_SECOND = 500.0
"""How many items of a pull are applied in a second, about: they are written without asking the provider."""
Data = Mapping[str, Any]


def is_too_old(created_at: datetime, now: datetime) -> bool:
    return now - created_at > APPLICABLE


def not_undoable(run: SyncRun) -> str | None:
    """Why a run cannot be taken back, in a sentence; None: it can."""
    if run.task == "plan":
        return "This run only made a plan; there is nothing to take back."
    if run.mode == RunMode.REMAP:
        return "A re-map is taken back by the field mapping: roll back to the version before it, and re-map again."
    if run.status.is_active:
        return "This run has not ended yet; cancel it or wait."
    if run.undone_at is not None:
        return "This run was taken back already."
    return None


def items_of(outcome: Outcome, conflicts: Sequence[Conflict]) -> list[NewItem]:
    """One item for each object of a page that does not stay as it is."""
    changes = {change.external_id: change for change in outcome.changes}
    found: dict[UUID, list[Conflict]] = {}
    for conflict in conflicts:
        found.setdefault(conflict.record_id, []).append(conflict)
    failed = {failure.external_id: failure for failure in outcome.failures}
    seen = [candidate.item for candidate in outcome.candidates] + [item for item, _ in outcome.deletions]
    items = [
        _item(changes.get(item.external_id), item.external_id, item.payload, item.version, item.deleted, found)
        for item in seen
        if item.external_id not in failed
    ]
    versions = {item.external_id: item.version for item in seen}
    return items + [_failure(failure, versions.get(failure.external_id)) for failure in failed.values()]


def _item(
    change: RecordChange | None, key: str, payload: bytes, version: str | None, deleted: bool, found: Mapping[UUID, Sequence[Conflict]]
) -> NewItem:
    """`change` is None where only the mapping takes notice."""
    before, after = (change.before, change.after) if change else (None, None)
    conflicts = found.get(change.record_id, ()) if change else _of_object(found, key)
    fields = differences(before, after)
    for conflict in conflicts:
        fields.setdefault(conflict.field, {}).update(base=conflict.base, ours=conflict.ours, theirs=conflict.theirs)
    record_id = change.record_id if change and before is not None else None
    kind = "conflict" if conflicts else kind_of(before, after)
    effect = digest([kind, after if kind != "refresh" else None, fields])
    return NewItem(
        kind, key, record_id, fields, effect=effect, payload=payload, provider_version=version, is_deleted=deleted
    )  # fmt: skip


def _of_object(found: Mapping[UUID, Sequence[Conflict]], key: str) -> Sequence[Conflict]:
    return [conflict for conflicts in found.values() for conflict in conflicts if conflict.external_id == key]


def _failure(failure: Failure, version: str | None) -> NewItem:
    error = {"stage": failure.stage, "code": failure.code, "message": failure.message, "fix_by": failure.fix_by}
    return NewItem(
        "failure", failure.external_id, error=error, effect=digest(["failure", error]), payload=failure.payload, provider_version=version
    )


def kind_of(before: Data | None, after: Data | None) -> str:
    if before == after:
        return "refresh"
    if before is None:
        return "create"
    return "delete" if after is None else "update"


def differences(before: Data | None, after: Data | None) -> dict[str, dict[str, Any]]:
    """The top-level fields that differ; what is missing is left out on its side."""
    mine, other = before or {}, after or {}
    names = [name for name in {**mine, **other} if name not in mine or name not in other or mine[name] != other[name]]
    return {
        name: {side: data[name] for side, data in (("before", mine), ("after", other)) if name in data}
        for name in names
    }  # fmt: skip


def digest(value: Any) -> bytes:
    """16 bytes that are equal only when the values are."""
    return blake2b(msgspec.json.encode(value, order="deterministic"), digest_size=16).digest()


def seconds(limits: Iterable[RateLimit], calls: int, items: int) -> float:
    """How long so many requests take within the limits, about, and so many items without any."""
    paces = [limit.seconds / max(limit.requests - limit.reserved, 1) for limit in limits]
    return round(calls * max(paces, default=0.0) + items / ITEMS_PER_SECOND, 1)
