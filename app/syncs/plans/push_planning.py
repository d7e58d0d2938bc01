"""Plans what a push would send.

The object is read at the provider and, where somebody changed it there, merged; what would be written then is kept, and everything
that this wrote in the hub is taken back.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import msgspec

from app.conflicts.models import Conflict
from app.connectors.base import Reading, RecordWrite, Session, Writer
from app.connectors.errors import ProviderUnavailable, RateLimited, RequestRejected
from app.database import transaction
from app.errors import FixBy, HubError
from app.mappings import links
from app.mappings import repository as mappings
from app.mappings.translate import RecordInvalid
from app.syncs import single, walks
from app.syncs.leases import Lease
from app.syncs.models import Counts, SyncRun
from app.syncs.plans import items as plan_items
from app.syncs.plans import store as plan_store
from app.syncs.plans.making import taken_back, terms
from app.syncs.plans.models import PUSH, NewItem
from app.syncs.plans.rules import differences, digest
from app.syncs.push_decisions import Data, Decided, decide
from app.syncs.push_walk import PushState, next_waiting, side_by_side
from app.syncs.pushing import NotTaken, find_one, page_of, translated
from app.syncs.sources import UNUSABLE, Source
from app.syncs.walker import StreamWalker


@dataclass(frozen=True, slots=True)
class _Look:
    """What a push would come to."""

    decided: Decided | None
    """None: once the provider's changes are merged, nothing is left to be sent."""
    external_id: str | None
    theirs: Data | None
    conflicts: Sequence[Conflict] = ()


class PushPlanner:
    """Walks what waits to be pushed, and keeps what would be sent."""

    def __init__(self, walker: StreamWalker) -> None:
        self._walker = walker

    async def walk(self, lease: Lease, run: SyncRun, plan_id: UUID, source: Source, session: Session, deadline: float) -> bool:
        """True when the stream is planned; False when the slice is over first. Raises ConnectorError, LeaseLost."""
        name, scope = source.stream.name, lease.scope
        resume, only = await walks.resume_state(scope, run.id, name, PUSH), single.record_of(run.narrowed_to)
        if resume is None:
            expected = 1 if only else await links.waiting_count(scope, source.connection_id, source.stream.record_stream)
            async with transaction(scope):
                await plan_store.note_terms(scope, plan_id, name, await terms(source))
                await walks.begin_stream(lease, name, expected or None, PUSH)
                await self._walker.checkpoint(lease, f"{source.stream.title}: planning", forgive=False)
        state = PushState.of(resume)
        while state.phase != "ended":
            record_ids, state = await next_waiting(source, state, only, run.creates_missing)
            found = await side_by_side(record_ids, lambda record_id: self.preview(source, session, record_id), None)
            items = [item for item in found if item is not None]
            async with transaction(scope):
                await plan_items.put(scope, plan_id, source.connection_id, (name, source.stream.record_stream, PUSH), items)
                await plan_store.count_unchanged(scope, plan_id, len(found) - len(items))
                await note_page(self._walker, lease, name, state.saved(), Counts(read=len(found), unchanged=len(found)), record_ids)
            if time.monotonic() > deadline:
                return False
        return await finish_push(self._walker, lease, source, "planned")

    async def preview(self, source: Source, session: Session, record_id: UUID) -> NewItem | None:
        """What a push of this record would send; None: nothing. Raises ConnectorError when nobody can say now."""
        async with taken_back(source.scope):
            decided = await decide(source, record_id)
        if decided is None:
            return None
        try:
            return self._item(source, decided, await self._look(source, session, decided))
        except (ProviderUnavailable, RateLimited):
            raise
        except (RequestRejected, RecordInvalid, *UNUSABLE) as error:
            return _failure(decided, error)

    async def _look(self, source: Source, session: Session, decided: Decided) -> _Look:
        fresh = await self._fresh(source, session, decided)
        if fresh is None:
            return _Look(decided, None, None)
        theirs, external_id = translated(source, fresh), fresh.item.external_id
        if decided.link is not None and not source.translator.changed(decided.base, theirs) & source.covers(decided.home):
            return _Look(decided, external_id, theirs)
        async with taken_back(source.scope):
            if decided.link is None:
                await _link(source, decided.record_id, external_id)
            await self._walker.pages.write(source, page_of(fresh))
            merged = await decide(source, decided.record_id)
            conflicts = await plan_items.found_conflicts(source)
        return _Look(merged, external_id, theirs, conflicts)

    async def _fresh(self, source: Source, session: Session, decided: Decided) -> Reading | None:
        """The provider's object as it is now; None where it has none yet. Raises NotTaken where it has it no more."""
        if decided.link is None:
            return await find_one(source, session, self._walker.pusher.write_of(source, decided, None, None))
        fresh = await source.stream.read_one(session, decided.link.external_id)
        if fresh is None or fresh.item.deleted:
            if decided.removed:
                return None
            raise NotTaken
        return fresh

    def _item(self, source: Source, before: Decided, look: _Look) -> NewItem:
        shown = None if look.theirs is None else digest(look.theirs)
        fields: dict[str, Any] = {}
        if before.removed and not look.conflicts:
            return _new("delete", before, fields, None, shown, _writer(source))
        effect = None
        if look.decided is not None:
            write = self._walker.pusher.write_of(source, look.decided, look.external_id, None)
            fields, effect = _sent_fields(source, look, write), effect_of(write)
        for conflict in look.conflicts:
            fields.setdefault(conflict.field, {}).update(base=conflict.base, ours=conflict.ours, theirs=conflict.theirs)
        kind = "conflict" if look.conflicts else "create" if look.external_id is None else "update"
        return _new(kind, before, fields, effect, shown, _writer(source))


async def note_page(
    walker: StreamWalker, lease: Lease, stream: str, state: dict[str, Any], counts: Counts, record_ids: Sequence[UUID]
) -> None:  # fmt: skip
    """What was looked at or written, with where it stands; the last statements of a transaction. Raises LeaseLost."""
    ids = [str(record_id) for record_id in record_ids]
    await walks.add_page(lease, stream, external_ids=ids, state=state, counts=counts, expected=None, direction=PUSH)
    await walker.checkpoint(lease, "")


async def finish_push(walker: StreamWalker, lease: Lease, source: Source, word: str) -> bool:
    """The walk of what waited has ended. Raises LeaseLost."""
    async with transaction(lease.scope):
        await walks.finish_stream(lease, source.stream.name, keep_state=False, direction=PUSH)
        await walker.checkpoint(lease, f"{source.stream.title}: {word}")
    return True


async def _link(source: Source, record_id: UUID, external_id: str) -> None:
    """As the push would link them. Raises RequestRejected where the object is another record's."""
    where = (source.scope, source.connection_id, source.stream.record_stream)
    taken = (await mappings.known(*where, [external_id])).get(external_id)
    if taken is not None and taken.record_id != record_id:
        raise RequestRejected(f"The provider's {external_id} belongs to another record of the hub; merge the two.")
    await links.add_link(*where, external_id, record_id, source.name, base_version=0)


def _sent_fields(source: Source, look: _Look, write: RecordWrite) -> dict[str, Any]:
    """What is written, in the provider's words, beside what it shows now."""
    before = _in_their_words(source, look.theirs)
    after = {name: write.document[name] for name in write.changed if name in write.document}
    return differences({name: before[name] for name in after if name in before}, after)


def _in_their_words(source: Source, theirs: Data | None) -> Data:
    try:
        return dict(source.translator.untranslate(theirs, source.account)) if theirs else {}
    except RecordInvalid:  # what it shows could not be written as it is
        return {}


def effect_of(write: RecordWrite) -> bytes:
    """What a write comes to at the provider, in 16 bytes."""
    names = sorted(write.changed)
    return digest([write.external_id, names, [write.document.get(name) for name in names]])


def _new(kind: str, decided: Decided, fields: dict[str, Any], effect: bytes | None, shown: bytes | None, writer: Writer) -> NewItem:
    # Looked at before the first effect, and again immediately before it is written.
    calls = 2 + writer.requests
    return NewItem(kind, str(decided.record_id), decided.record_id, fields, effect=effect, shown=shown, calls=calls)


def _failure(decided: Decided, error: Exception) -> NewItem:
    code, by = (error.code, error.fix_by) if isinstance(error, HubError) else ("record_invalid", FixBy.CUSTOMER)
    told = {"stage": "push", "code": code, "message": str(error) or type(error).__name__, "fix_by": by}
    payload = msgspec.json.encode(decided.data)
    return NewItem("failure", str(decided.record_id), decided.record_id, error=told, payload=payload, calls=1)


def _writer(source: Source) -> Writer:
    assert source.stream.writer is not None
    return source.stream.writer
