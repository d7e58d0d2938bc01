"""Merges what a provider sent into the records that it belongs to, in the page's transaction.

Most records of a page are new, or the hub has not touched them since the provider was last seen: those are taken over as they are.
The others are merged in three ways. A mapping's `base_version` always names a version that shows what the provider was last seen
to have; where hub and provider differ afterwards, that view becomes a version of its own, beneath the merged one.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from app.conflicts import repository as conflicts
from app.conflicts import rules
from app.conflicts.models import DELETED, FoundConflict, StreamPolicy
from app.conflicts.rules import Differences, Merge, Times
from app.connectors.base import Item
from app.mappings import links
from app.mappings import repository as mappings
from app.mappings.repository import Known, MappingWrite, NewRecord
from app.mappings.translate import Translator
from app.records import repository as records
from app.records.models import RecordChange
from app.records.repository import Held, RecordWrite
from app.syncs import after_merge, attempts
from app.syncs.after_merge import MergedItem
from app.syncs.attempts import Attempt
from app.syncs.new_records import new_record
from app.syncs.sources import Source

Data = dict[str, Any]


class Candidate(msgspec.Struct, frozen=True):
    """An item that has changed, translated."""

    item: Item
    known: Known | None
    fingerprint: bytes
    data: bytes
    earlier: Translator | None = None
    """The field mapping by which the same object was taken over before; None: it is new or has changed."""
    new: NewRecord | None = None
    """Where it was translated ahead, and is new."""

    @property
    def theirs(self) -> Data:
        """The data as an object."""
        theirs: Data = msgspec.json.decode(self.data)
        return theirs


@dataclass(slots=True)
class _Writes:
    """What a page comes to."""

    new: list[NewRecord] = field(default_factory=list)
    views: list[RecordWrite] = field(default_factory=list)
    """What the provider has, where the hub differs: the versions beneath the merged ones."""
    merged: list[RecordWrite] = field(default_factory=list)
    tombstones: list[UUID] = field(default_factory=list)
    """Records that the hub deleted and whose provider has another view now: they stay deleted."""
    mappings: list[MappingWrite] = field(default_factory=list)
    changes: list[RecordChange] = field(default_factory=list)
    conflicts: list[FoundConflict] = field(default_factory=list)
    agreed: dict[UUID, set[str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Past:
    """What is known of records that the hub has touched since their provider was last seen."""

    bases: Mapping[UUID, Data]
    open_fields: Mapping[UUID, set[str]]
    policy: StreamPolicy
    sent: Mapping[UUID, Sequence[Attempt]] = field(default_factory=dict)
    """What attempts to write have sent of which nobody knows whether they were carried out, the newest first."""


async def store(source: Source, candidates: Sequence[Candidate]) -> list[RecordChange]:
    """Insert new records, merge the others, and bring every mapping up to date. What belongs to a merged record goes its own way."""
    held = await records.hold_with_survivors(source.scope, [c.known.record_id for c in candidates if c.known])
    past = await _past(source, candidates, held)
    writes = _Writes()
    merged_items: list[MergedItem] = []
    for candidate in candidates:
        known = candidate.known
        if known is None:
            _add(source, candidate, writes)
        elif held[known.record_id].merged_into:
            merged_items.append(MergedItem(candidate.item, known, candidate.fingerprint, candidate.data))
        elif candidate.earlier is None and _is_untouched(known, held[known.record_id]):
            _replace(source, candidate, known, held[known.record_id], writes)
        else:
            _merge(source, candidate, known, held[known.record_id], past, writes)
    await _write(source, writes)
    return writes.changes + (await after_merge.store(source, merged_items, held) if merged_items else [])


def _is_untouched(known: Known, held: Held) -> bool:
    """Whether the hub still has what the provider was last seen to have."""
    return known.base_version in (None, held.version) and known.status != "conflict"


async def _past(source: Source, candidates: Sequence[Candidate], held: Mapping[UUID, Held]) -> _Past:
    touched = {
        c.known.record_id: c.known for c in candidates if c.known and (c.earlier or not _is_untouched(c.known, held[c.known.record_id]))
    }
    if not touched:
        return _Past({}, {}, StreamPolicy(source.connection_id, source.stream.record_stream))
    where = (source.scope, source.connection_id, source.stream.record_stream)
    earlier = {id: known.base_version for id, known in touched.items() if known.base_version and known.base_version < held[id].version}
    return _Past(
        await records.at_versions(source.scope, earlier),
        await conflicts.open_fields(*where, touched),
        await conflicts.policy(*where),
        await attempts.sent(source, {id: known.base_version for id, known in touched.items()}),
    )


def _as_sent(source: Source, base: Data | None, theirs: Data, sent: Sequence[Attempt]) -> Data | None:
    """What both had last, with what an attempt of ours that nobody could confirm has left at the provider: that is no news of theirs."""
    for attempt in sent:
        fields = source.translator.pushed_changed(base or {}, attempt.data) & attempt.fields
        if fields and not source.translator.pushed_changed(attempt.data, theirs) & fields:
            return source.translator.merge(base or {}, attempt.data, fields)
    return base


def _add(source: Source, candidate: Candidate, writes: _Writes) -> None:
    new = candidate.new or new_record(candidate.item, candidate.fingerprint, candidate.data)
    writes.new.append(new)
    writes.changes.append(RecordChange(new.id, new.external_id, source.translator.entity_name, None, new.data))


def _replace(source: Source, candidate: Candidate, known: Known, held: Held, writes: _Writes) -> None:
    """The provider's fields as they are now; what the field mapping does not cover stays."""
    before = None if held.deleted else held.data
    theirs = candidate.theirs
    after = source.translator.merge(held.data, theirs, source.covers(held.connection_id))
    if before != after:
        writes.merged.append(RecordWrite.of(known.record_id, after))
    writes.mappings.append(_mapping(candidate, known.record_id, "synced"))
    writes.changes.append(_change(source, candidate, known.record_id, before, after))


def _merge(source: Source, candidate: Candidate, known: Known, held: Held, past: _Past, writes: _Writes) -> None:
    base = held.data if known.base_version in (None, held.version) else past.bases.get(known.record_id)
    theirs = candidate.theirs
    if held.deleted and known.status != "deleted":
        _keep_deleted(source, candidate, known, held, base, theirs, writes)
        return
    opened = past.open_fields.get(known.record_id, set())
    both = _as_sent(source, base, theirs, past.sent.get(known.record_id, ()))
    merged = _decide(source, candidate.earlier, held, both, theirs, past.policy, opened)
    after = source.translator.merge(held.data, theirs, merged.theirs)
    _note_conflicts(known, held, both, theirs, merged, opened, writes)
    version = _write_versions(source, known, held, base, theirs, after, merged, writes)
    writes.mappings.append(_mapping(candidate, known.record_id, _status(source, merged), version))
    writes.changes.append(_change(source, candidate, known.record_id, None if held.deleted else held.data, after))


def _decide(
    source: Source, earlier: Translator | None, held: Held, base: Data | None, theirs: Data, policy: StreamPolicy, opened: set[str]
) -> Merge:
    def changed(before: Data, after: Data) -> frozenset[str]:
        return source.translator.changed(before, after) & source.covers(held.connection_id)

    between = changed(held.data, theirs)
    if earlier is None:
        differences = Differences(between, changed(base or {}, held.data), changed(base or {}, theirs))
    else:  # only translated otherwise: what both had is known as far as it was mapped, and the rest is new on both sides
        both = earlier.merge({}, base or {}, earlier.fields)
        differences = Differences(between, changed(both, held.data), source.translator.added_since(earlier).changed({}, theirs))
    times = Times(held.updated_at, _time(theirs.get("edited_at")))
    return rules.merge(differences, policy.rule, times=times, open_conflicts=opened)


def _write_versions(
    source: Source, known: Known, held: Held, base: Data | None, theirs: Data, after: Data, merged: Merge, writes: _Writes
) -> int | None:
    """Write what the merge came to. Returns the version that shows what the provider has; None: the one that the record then has."""
    translator, record_id, covered = source.translator, known.record_id, source.covers(held.connection_id)
    if not merged.ours and not merged.conflicts:
        if held.deleted or after != held.data:
            writes.merged.append(RecordWrite.of(record_id, after))
        return None
    if base is not None and not translator.changed(base, theirs) & covered and after == held.data:
        return known.base_version
    # The provider's view as a version of its own; then what the merge came to.
    writes.views.append(RecordWrite.of(record_id, translator.merge(held.data, theirs, covered)))
    writes.merged.append(RecordWrite.of(record_id, after))
    return held.version + 1


def _note_conflicts(
    known: Known, held: Held, base: Data | None, theirs: Data, merged: Merge, opened: set[str], writes: _Writes
) -> None:  # fmt: skip
    writes.conflicts += [
        FoundConflict(known.record_id, known.external_id, name, (base or {}).get(name), held.data.get(name), theirs.get(name))
        for name in sorted(merged.conflicts)
    ]
    if agreed := opened - merged.conflicts:
        writes.agreed[known.record_id] = agreed


def _keep_deleted(
    source: Source, candidate: Candidate, known: Known, held: Held, base: Data | None, theirs: Data, writes: _Writes
) -> None:  # fmt: skip
    """The hub deleted it. What the provider changed since then is not lost: a version beneath the tombstone, and somebody is asked.

    What is only translated otherwise is kept beneath the tombstone too, but is no change.
    """
    covered, has_changed = source.covers(held.connection_id), candidate.earlier is None
    if base is not None and not source.translator.changed(base, theirs) & covered:
        writes.mappings.append(_mapping(candidate, known.record_id, known.status, known.base_version))
    else:
        writes.views.append(RecordWrite.of(known.record_id, source.translator.merge(held.data, theirs, covered)))
        writes.tombstones.append(known.record_id)
        if has_changed:
            writes.conflicts.append(FoundConflict(known.record_id, known.external_id, DELETED, base, None, theirs))
        writes.mappings.append(_mapping(candidate, known.record_id, "conflict" if has_changed else known.status, held.version + 1))
    writes.changes.append(_change(source, candidate, known.record_id, None, None))


def _status(source: Source, merged: Merge) -> str:
    if merged.conflicts:
        return "conflict"
    waits = source.stream.writer is not None and merged.ours & set(source.translator.pushed_fields)
    return "pending" if waits else "synced"


async def _write(source: Source, writes: _Writes) -> None:
    scope, where = source.scope, (source.scope, source.connection_id, source.stream.record_stream)
    if writes.new:
        await mappings.add_records(*where, source.translator.entity_name, writes.new, source.name, source.run_id)
    for replaced in (writes.views, writes.merged):
        if replaced:
            await records.replace_many(scope, replaced, source.name, source.run_id)
    if writes.tombstones:
        await records.delete_many(scope, writes.tombstones, source.name, source.run_id)
    if writes.mappings:
        await mappings.put_many(*where, writes.mappings, source.name, source.run_id)
    if writes.merged:
        changed = [write.id for write in writes.merged]
        await links.mark_pending(scope, changed, source.pushable, but=(source.connection_id, source.stream.record_stream))
    if writes.conflicts:
        await conflicts.put_found(*where, source.run_id, writes.conflicts)
    if writes.agreed:
        await conflicts.close_agreed(*where, writes.agreed)


def _mapping(candidate: Candidate, record_id: UUID, status: str, base_version: int | None = None) -> MappingWrite:
    item = candidate.item
    return MappingWrite(item.external_id, record_id, status, item.version, candidate.fingerprint, item.payload, base_version)


def _change(source: Source, candidate: Candidate, record_id: UUID, before: Data | None, after: Data | None) -> RecordChange:
    return RecordChange(record_id, candidate.item.external_id, source.translator.entity_name, before, after)


def _time(text: Any) -> datetime | None:
    return datetime.fromisoformat(text) if isinstance(text, str) else None
