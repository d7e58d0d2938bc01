"""What happens to a record when its provider does not have it any more."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID

from app.conflicts import repository as conflicts
from app.conflicts.models import DELETED, FoundConflict, StreamPolicy
from app.connectors.base import Item
from app.mappings import links
from app.mappings import repository as mappings
from app.mappings.repository import Known, MappingWrite
from app.records import repository as records
from app.records.models import RecordChange
from app.records.repository import Held
from app.syncs.sources import Source


@dataclass(slots=True)
class _Outcome:
    tombstones: list[UUID] = field(default_factory=list)
    mappings: list[MappingWrite] = field(default_factory=list)
    conflicts: list[FoundConflict] = field(default_factory=list)
    changes: list[RecordChange] = field(default_factory=list)


async def store(source: Source, deletions: Sequence[tuple[Item, Known]]) -> list[RecordChange]:
    """Follow the provider's deletions as the stream's policy says. What the hub changed meanwhile is never lost: somebody is asked."""
    if not deletions:
        return []
    where = (source.scope, source.connection_id, source.stream.record_stream)
    policy = await conflicts.policy(*where)
    held = await records.hold_many(source.scope, [known.record_id for _, known in deletions])
    edited = await _edited(source, [known for _, known in deletions], held)
    outcome = _Outcome()
    for item, known in deletions:
        _follow(source, policy, item, known, held[known.record_id], known.record_id in edited, outcome)
    await records.delete_many(source.scope, outcome.tombstones, source.name, source.run_id)
    await mappings.put_many(*where, outcome.mappings, source.name)
    if outcome.conflicts:
        await conflicts.put_found(*where, source.run_id, outcome.conflicts)
    if outcome.tombstones and policy.provider_deletions == "propagate":
        await links.mark_pending(source.scope, outcome.tombstones, source.pushable, but=(source.connection_id, source.stream.record_stream))
    return outcome.changes


def _follow(
    source: Source, policy: StreamPolicy, item: Item, known: Known, held: Held, is_edited: bool, outcome: _Outcome
) -> None:  # fmt: skip
    is_kept = is_edited or policy.provider_deletions == "ignore"
    status = "conflict" if is_edited else "deleted"
    base_version = known.base_version if is_kept else None
    outcome.mappings.append(MappingWrite(known.external_id, known.record_id, status, item.version, b"", item.payload or None, base_version))
    if is_edited:
        outcome.conflicts.append(FoundConflict(known.record_id, known.external_id, DELETED, None, held.data, None))
    if not is_kept and not held.deleted:
        outcome.tombstones.append(known.record_id)
        outcome.changes.append(RecordChange(known.record_id, known.external_id, source.translator.entity_name, held.data, None))


async def _edited(source: Source, known: Sequence[Known], held: dict[UUID, Held]) -> set[UUID]:
    """The records that the hub changed since their provider was last seen, in fields that the provider has, or deleted and restored."""
    earlier = {
        one.record_id: one.base_version
        for one in known
        if one.base_version and one.base_version < held[one.record_id].version and not held[one.record_id].deleted
    }
    if not earlier:
        return set()
    bases = await records.at_versions(source.scope, earlier)
    edited = {id for id, base in bases.items() if source.translator.changed(base, held[id].data) & source.covers(held[id].connection_id)}
    return edited | await records.restored_since(source.scope, earlier)
