"""Taking decisions on conflicts back, by the records' histories."""

from collections.abc import Sequence
from typing import TYPE_CHECKING
from uuid import UUID

from app.actors import Actor
from app.conflicts.models import Conflict
from app.errors import Refusal
from app.records.editing import RecordChanged
from app.records.models import RecordVersion
from portal.console.conflict_cards import by_record

if TYPE_CHECKING:
    from app.bootstrap import Hub


async def undo_all(hub: "Hub", actor: Actor, conflict_ids: Sequence[UUID]) -> tuple[int, int]:
    """Make each record again what it was before these conflicts were decided: (how many were, how many could not be)."""
    conflicts = [await hub.conflicts.get(actor, each) for each in dict.fromkeys(conflict_ids)]
    undone = refused = 0
    for record_id, decided in by_record(conflicts).items():
        try:
            undone += await _undo(hub, actor, record_id, decided)
        except Refusal:
            refused += 1
    return undone, refused


async def _undo(hub: "Hub", actor: Actor, record_id: UUID, decided: Sequence[Conflict]) -> bool:
    """Whether there was anything to undo. Raises RecordChanged when the record has moved on since."""
    replaced = replaced_by(decided, await hub.records.history(actor, record_id))
    if not replaced:
        return False
    record = await hub.records.get(actor, record_id)
    first, last = replaced[0], replaced[-1]
    if record.version != last.version + 1:
        raise RecordChanged
    if first.deleted_at is not None:
        await hub.edits.delete(actor, record_id, version=record.version)
    else:
        await hub.edits.restore(actor, record_id, version=record.version, to_version=first.version)
    return True


def replaced_by(decided: Sequence[Conflict], history: Sequence[RecordVersion]) -> list[RecordVersion]:
    """The versions that these decisions replaced, oldest first: a decision and what it replaced carry the time of one transaction."""
    times = {conflict.resolved_at for conflict in decided}
    return sorted((one for one in history if one.replaced_at in times), key=lambda one: one.version)
