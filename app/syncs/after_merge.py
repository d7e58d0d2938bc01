"""What a provider changes at its counterpart of a contact that was merged into another one.

The merged one is never revived. Its record follows what its provider has, as a tombstone, so that it comes back right when the merge
is taken back. What has changed since it was last seen is merged into the survivor, where that still has what both had before. Where the
survivor has another value, that was somebody's choice: it stays, and the mapping says what was left out.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import msgspec

from app.conflicts import rules
from app.conflicts.rules import Differences, Merge, Rule
from app.connectors.base import Item
from app.mappings import links
from app.mappings import repository as mappings
from app.mappings.repository import Known, MappingWrite
from app.records import repository as records
from app.records.models import RecordChange
from app.records.repository import Held, RecordWrite
from app.syncs.sources import Source

Data = dict[str, Any]
_UNDECIDED = b"?"
"""Before the fingerprint of an object that was not followed: no object has such a one, so it is looked at again after the merge."""
_OWN = {"edited_at"}
"""What each keeps for itself: when its own provider's object was edited."""


@dataclass(frozen=True, slots=True)
class MergedItem:
    """An item of a merged record that has changed, translated."""

    item: Item
    known: Known
    fingerprint: bytes
    data: bytes


@dataclass(slots=True)
class _Writes:
    views: list[RecordWrite] = field(default_factory=list)
    """What the provider has, where the tombstone differs: the versions beneath."""
    tombstones: list[RecordWrite] = field(default_factory=list)
    mappings: list[MappingWrite] = field(default_factory=list)
    notes: dict[str, str] = field(default_factory=dict)
    changes: list[RecordChange] = field(default_factory=list)


async def store(source: Source, items: Sequence[MergedItem], held: Mapping[UUID, Held]) -> list[RecordChange]:
    """Take them in, in the caller's transaction. `held` has their records. Returns the changes of the survivors."""
    earlier = {one.known.record_id: one.known.base_version for one in items if one.known.base_version}
    bases = await records.at_versions(source.scope, earlier)
    survivors = await records.hold_many(source.scope, {into for one in items if (into := held[one.known.record_id].merged_into)})
    present = {id: survivor.data for id, survivor in survivors.items()}
    writes = _Writes()
    for one in items:
        if one.known.fingerprint == _UNDECIDED + one.fingerprint:  # nothing new
            continue
        loser = held[one.known.record_id]
        base = loser.data if one.known.base_version in (None, loser.version) else bases.get(one.known.record_id)
        theirs: Data = msgspec.json.decode(one.data)
        _follow(source, one, loser, base, theirs, writes)
        assert loser.merged_into is not None
        _bring_on(source, one, loser.merged_into, survivors[loser.merged_into], present, base, theirs, writes)
    await _write(source, writes)
    await _write_survivors(source, survivors, present)
    return writes.changes


def _follow(source: Source, one: MergedItem, loser: Held, base: Data | None, theirs: Data, writes: _Writes) -> None:
    """The tombstone follows its provider; what the hub alone had changed in it stays.

    Where both had changed the same, nothing is followed and the object is looked at again: once the merge is taken back, somebody is asked.
    """
    translator, record_id, item, version = source.translator, one.known.record_id, one.item, None
    merged = _merge(source, loser.data, base, theirs, Rule.ASK)
    if merged.conflicts - _OWN:
        writes.mappings.append(
            MappingWrite(
                item.external_id, record_id, "synced", item.version, _UNDECIDED + one.fingerprint, item.payload, one.known.base_version
            )
        )
        return
    after = translator.merge(loser.data, theirs, merged.theirs)
    if merged.ours:  # the mapping's base must show what the provider has
        writes.views.append(RecordWrite.of(record_id, translator.merge(loser.data, theirs, translator.fields)))
        version = loser.version + 1
    if merged.ours or after != loser.data:
        writes.tombstones.append(RecordWrite.of(record_id, after))
    writes.mappings.append(MappingWrite(item.external_id, record_id, "synced", item.version, one.fingerprint, item.payload, version))


def _bring_on(
    source: Source,
    one: MergedItem,
    survivor_id: UUID,
    survivor: Held,
    present: dict[UUID, Data],
    base: Data | None,
    theirs: Data,
    writes: _Writes,
) -> None:
    before = present[survivor_id]
    merged = Merge() if base is None else _merge(source, before, base, theirs, Rule.ASK)
    taken, left_out = merged.theirs - _OWN, merged.conflicts - _OWN
    if survivor.deleted:
        taken, left_out = set(), taken | left_out
    present[survivor_id] = source.translator.merge(before, theirs, taken)
    if left_out:
        names = ", ".join(sorted(left_out))
        writes.notes[one.item.external_id] = f"It was merged; changed here since, and left out there: {names}."
    writes.changes.append(RecordChange(survivor_id, one.item.external_id, source.translator.entity_name, before, present[survivor_id]))


def _merge(source: Source, ours: Data, base: Data | None, theirs: Data, rule: Rule) -> Merge:
    changed = source.translator.changed
    return rules.merge(Differences(changed(ours, theirs), changed(base or {}, ours), changed(base or {}, theirs)), lambda _: rule)


async def _write(source: Source, writes: _Writes) -> None:
    where = (source.scope, source.connection_id, source.stream.record_stream)
    for replaced in (writes.views, writes.tombstones):
        if replaced:
            await records.replace_many(source.scope, replaced, source.name, source.run_id)
    await mappings.put_many(*where, writes.mappings, source.name, source.run_id)
    if writes.notes:
        await mappings.note(*where, writes.notes)


async def _write_survivors(source: Source, survivors: Mapping[UUID, Held], present: Mapping[UUID, Data]) -> None:
    """One write for each, however many of those merged into it have changed; then it waits to be pushed everywhere."""
    changed = [id for id, survivor in survivors.items() if present[id] != survivor.data]
    if changed:
        await records.replace_many(source.scope, [RecordWrite.of(id, present[id]) for id in changed], source.name, source.run_id)
        await links.mark_pending(source.scope, changed, source.pushable)
