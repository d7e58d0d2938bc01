"""Takes a finished run back by a compensating plan: made from the history of records, applied as edits of the hub.

The records that go back wait to be pushed by the ordinary rules; what the run had written to a provider goes back there by that push.
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from uuid import UUID

import msgspec

from app.connectors.base import State as WalkState
from app.database import transaction
from app.records import repository as records
from app.records.editing import Edit, RecordEditor
from app.records.models import Record
from app.syncs import walks
from app.syncs.leases import Lease
from app.syncs.models import Counts, SyncRun
from app.syncs.plans import due_items, undo_rules, undo_store
from app.syncs.plans import items as plan_items
from app.syncs.plans import store as plan_store
from app.syncs.plans.models import UNDO, DueItem, NewItem, Plan, PlanOutdated
from app.syncs.plans.undo_rules import Past, State
from app.syncs.plans.undo_store import Sent
from app.syncs.walker import StreamWalker

PAGE = 200
_PHASES = ("made", "replaced", "sent", "ended")
_MADE_THERE = "It was made at the provider. Delete the record to remove it there, as the policy of the stream says."
_REMOVED_THERE = "It was removed at the provider. Bring the record back and push it to make it there again."
_UNKNOWN = "What the provider had before was not noted."


class UndoRuns:
    """Walks of runs that make or apply a compensating plan."""

    def __init__(self, walker: StreamWalker, editor: RecordEditor) -> None:
        self._walker = walker
        self._editor = editor

    async def make(self, lease: Lease, run: SyncRun, plan: Plan, deadline: float) -> bool:
        """True when the plan is made; False when the slice is over first. All of it is walked as the run's first stream."""
        name, streams = run.streams[0].stream, [row.stream for row in run.streams]
        state = await walks.resume_state(lease.scope, run.id, name) or {"phase": _PHASES[0], "after": None}
        while state["phase"] != "ended":
            state = await self._make_page(lease, plan, name, streams, state)
            if time.monotonic() > deadline:
                return False
        async with transaction(lease.scope):
            for stream in streams:
                await walks.finish_stream(lease, stream, keep_state=False)
            await plan_store.draft(lease.scope, plan.id, calls=0, seconds=0.0)
            await self._walker.checkpoint(lease, "Planned")
        return True

    async def _make_page(self, lease: Lease, plan: Plan, name: str, streams: Sequence[str], state: WalkState) -> WalkState:
        async with transaction(lease.scope):
            found, following = await self._found(lease, plan, streams, state)
            by_stream: dict[str, list[NewItem]] = {}
            for stream, item in found:
                by_stream.setdefault(stream, []).append(item)
            for stream, items in by_stream.items():
                await plan_items.put(lease.scope, plan.id, plan.connection_id, (stream, stream, UNDO), items)
            counts = Counts(read=len(found), unchanged=len(found))
            await walks.add_page(lease, name, external_ids=[], state=following, counts=counts, expected=None)
            await self._walker.checkpoint(lease, "Planning")
        return following

    async def _found(
        self, lease: Lease, plan: Plan, streams: Sequence[str], state: WalkState
    ) -> tuple[list[tuple[str, NewItem]], WalkState]:
        phase, after = state["phase"], state["after"] and UUID(state["after"])
        where = (lease.scope, plan.connection_id, _undone(plan))
        if phase == "sent":
            sent = await undo_store.sent(lease.scope, _undone(plan), after, PAGE)
            pasts = {past.record_id: past for past in await undo_store.pasts(*where, streams, {one.record_id for one in sent})}
            return await _of_sent(lease, sent, pasts), _following(phase, sent[-1].delivery_id if sent else None)
        if phase == "made":
            made = await undo_store.made(*where, after, PAGE)
            record_ids, last = [record_id for _, record_id in made], made[-1][0] if made else None
        else:
            record_ids = await undo_store.replaced(lease.scope, _undone(plan), after, PAGE)
            last = record_ids[-1] if record_ids else None
        found = [(past.stream, undo_rules.item_of(past)) for past in await undo_store.pasts(*where, streams, record_ids)]
        return [(stream, item) for stream, item in found if item is not None], _following(phase, last)

    async def apply(self, lease: Lease, run: SyncRun, plan: Plan, deadline: float) -> bool:
        """True when everything is applied; False when the slice is over first. Raises PlanOutdated, LeaseLost."""
        for row in run.streams:
            if row.status != "completed" and not await self._apply_stream(lease, plan, row.stream, deadline):
                return False
        return True

    async def _apply_stream(self, lease: Lease, plan: Plan, stream: str, deadline: float) -> bool:
        resume = await walks.resume_state(lease.scope, lease.run_id, stream)
        after = UUID(resume["after"]) if resume else None
        if resume is None:
            expected = await due_items.due_count(lease.scope, plan.id, stream, UNDO)
            async with transaction(lease.scope):
                await walks.begin_stream(lease, stream, expected or None)
                await self._walker.checkpoint(lease, f"{stream}: taking back", forgive=False)
        while batch := await due_items.due(lease.scope, plan.id, stream, UNDO, after=after, limit=PAGE):
            after = batch[-1].id
            await self._apply(lease, plan, stream, batch)
            if time.monotonic() > deadline:
                return False
        async with transaction(lease.scope):
            await walks.finish_stream(lease, stream, keep_state=False)
            await self._walker.checkpoint(lease, f"{stream}: taken back")
        return True

    async def _apply(self, lease: Lease, plan: Plan, stream: str, batch: Sequence[DueItem]) -> None:
        """Edits, what the plan says of them and how far the walk has come commit together, under the fence. Raises PlanOutdated."""
        scope, ids = lease.scope, [item.record_id for item in batch if item.record_id]
        async with transaction(scope):
            await records.hold_many(scope, ids)
            if moved := await due_items.moved(scope, plan.id, plan.connection_id, [item.id for item in batch]):
                raise PlanOutdated(moved)
            held = {record.id: record for record in await records.get_many(scope, ids)}
            edits = [_edit(item, held[item.record_id]) for item in batch if item.record_id]
            await self._editor.write(scope, edits, f"sync run {lease.run_id}", lease.run_id)
            await due_items.mark_applied(scope, [item.id for item in batch])
            state = {"after": str(batch[-1].id)}
            await walks.add_page(lease, stream, external_ids=[], state=state, counts=_counts(edits), expected=None)
            await self._walker.checkpoint(lease, "")


def _undone(plan: Plan) -> UUID:
    assert plan.undoes_run_id is not None
    return plan.undoes_run_id


def _following(phase: str, last: UUID | None) -> WalkState:
    if last is not None:
        return {"phase": phase, "after": str(last)}
    return {"phase": _PHASES[_PHASES.index(phase) + 1], "after": None}


def _edit(item: DueItem, record: Record) -> Edit:
    return Edit(record, None if item.is_deleted else msgspec.json.decode(item.payload or b"{}"))


def _counts(edits: Sequence[Edit]) -> Counts:
    deleted = sum(1 for edit in edits if edit.data is None)
    restored = sum(1 for edit in edits if edit.data is not None and edit.record.deleted_at)
    return Counts(read=len(edits), created=restored, updated=len(edits) - deleted - restored, deleted=deleted)


async def _of_sent(lease: Lease, sent: Sequence[Sent], pasts: Mapping[UUID, Past]) -> list[tuple[str, NewItem]]:
    """What was written to the provider goes back there with the fields of its record."""
    wanted = {(one.record_id, version) for one in sent for version in (one.version, one.base_version) if version}
    data = await undo_store.data_at(lease.scope, wanted)
    found: list[tuple[str, NewItem]] = []
    for one in sent:
        past = pasts[one.record_id]
        base, shown = data.get((one.record_id, one.base_version or 0)), data.get((one.record_id, one.version or 0))
        if one.is_removal or base is None or shown is None:
            message = _REMOVED_THERE if one.is_removal else _MADE_THERE if one.is_creation else _UNKNOWN
            found.append((past.stream, undo_rules.remaining(one.record_id, f"push:{one.record_id}", message)))
            continue
        item = undo_rules.item_of(_with_sent(past, one, base, shown))
        if item is not None:
            found.append((past.stream, item))
    return found


def _with_sent(past: Past, sent: Sent, base: Mapping[str, object], shown: Mapping[str, object]) -> Past:
    """What the run did to the record, and to the provider's object: before it, the fields that were sent were as the provider had them."""
    before, result = (past.before.data, past.result) if past.before else (shown, State(sent.version or 0, shown, past.result.is_deleted))
    mine = {name: value for name, value in before.items() if name not in sent.fields}
    theirs = {name: base[name] for name in sent.fields if name in base}
    return replace(past, before=State(sent.base_version or 0, {**mine, **theirs}, False), result=result)
