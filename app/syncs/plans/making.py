"""Makes the plan of a pull: the pages are written as a run would write them, looked at, and taken back.

Whatever a page writes goes to a savepoint that is rolled back, with the events and calls that it would have caused. What stays is the
plan: the provider's objects that do not stay as they are, what becomes of each, and what was held of it when the plan looked.
"""

import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from uuid import UUID

from app.actors import Scope
from app.conflicts import repository as conflicts
from app.connectors.base import Mode, Page, Session, State, Walk
from app.database import transaction
from app.mappings import parts as parts_store
from app.syncs import absence, failures, single, walks
from app.syncs.leases import Lease
from app.syncs.models import Counts, SyncRun
from app.syncs.pages import Outcome
from app.syncs.plans import items as plan_items
from app.syncs.plans import parts as plan_parts
from app.syncs.plans import rules as plan_rules
from app.syncs.plans import store as plan_store
from app.syncs.plans.models import PULL, NewItem
from app.syncs.prefetch import prefetched
from app.syncs.sources import Source
from app.syncs.walker import RETRY_BATCH, StreamWalker, is_complete

HOLD = "hold"


class _TakenBack(Exception):
    """The savepoint of a page that was only looked at."""


@asynccontextmanager
async def taken_back(scope: Scope) -> AsyncIterator[None]:
    """A savepoint that is rolled back in any case, with what it would have published, sent or written at the end."""
    try:
        async with transaction(scope):
            yield
            raise _TakenBack
    except _TakenBack:
        pass


class PullPlanner:
    """Walks a stream as a run would, and keeps what would come of it."""

    def __init__(self, walker: StreamWalker) -> None:
        self._walker = walker

    async def walk(self, lease: Lease, run: SyncRun, plan_id: UUID, source: Source, session: Session, deadline: float) -> bool:
        """True when the stream is planned; False when the slice is over first. Raises ConnectorError, LeaseLost."""
        name, scope = source.stream.name, lease.scope
        resume = await walks.resume_state(scope, run.id, name)
        saved = await walks.saved_state(scope, lease.connection_id, name)
        if resume is None:
            await self._begin(lease, run, plan_id, source)
        walk = Walk(
            mode=Mode.FULL if saved is None else Mode(run.mode), saved=saved, resume=resume, narrowed_to=dict(run.narrowed_to or {})
        )
        async with prefetched(single.pages(source, session, walk)) as pages:
            async for waiting in pages:
                for page in waiting:
                    await self._plan(lease, plan_id, source, page)
                    if time.monotonic() > deadline:
                        return False
        if is_complete(source, walk):
            await self._plan_absence(lease, plan_id, source, session)
        async with transaction(scope):
            await walks.finish_stream(lease, name, keep_state=False)
            await self._walker.checkpoint(lease, f"{source.stream.title}: planned")
        return True

    async def _begin(self, lease: Lease, run: SyncRun, plan_id: UUID, source: Source) -> None:
        """Note what counts, and what becomes of objects that failed in earlier runs."""
        async with transaction(lease.scope):
            counting = {**await terms(source), "narrowed": bool(run.narrowed_to), "saved": await _saved(source)}
            await plan_store.note_terms(lease.scope, plan_id, source.stream.name, counting)
            await walks.begin_stream(lease, source.stream.name, None)
            await self._walker.checkpoint(lease, f"{source.stream.title}: planning", forgive=False)
        after = None
        while not run.narrowed_to:
            where = (source.scope, source.connection_id)
            batch = await failures.open_failures(*where, stream=source.stream.record_stream, after=after, limit=RETRY_BATCH)
            if not batch:
                return
            async with transaction(lease.scope):
                await self._look(plan_id, source, Page(state={}, items=[failure.item for failure in batch]))
                await self._walker.checkpoint(lease, "", forgive=False)
            after = batch[-1].id

    async def _plan(self, lease: Lease, plan_id: UUID, source: Source, page: Page) -> None:
        """The items of a page and its state commit together, under the fence."""
        ids = list(dict.fromkeys(item.external_id for item in page.items))
        async with transaction(lease.scope):
            await self._look(plan_id, source, page)
            read = len(ids) + len(page.bad)
            counts = Counts(read=read, unchanged=read)  # nothing is done by a plan
            await walks.add_page(lease, source.stream.name, external_ids=ids, state=page.state, counts=counts, expected=page.expected)
            await self._walker.checkpoint(lease, "")

    async def _look(self, plan_id: UUID, source: Source, page: Page) -> None:
        scope, stream = source.scope, source.stream.name
        await walks.lock_records_of(scope, source.connection_id, source.stream.record_stream)
        page = await _with_planned(plan_id, source, page)
        async with taken_back(scope):
            await _lay_parts(plan_id, source, [item.external_id for item in page.items])
            _, outcome = await self._walker.pages.write_each(source, page)
            items = plan_rules.items_of(outcome, await plan_items.found_conflicts(source))
        await plan_parts.put(scope, plan_id, source.connection_id, stream, source.stream.record_stream, page.parts)
        await plan_items.put(scope, plan_id, source.connection_id, (stream, source.stream.record_stream, PULL), items)
        await _note_unchanged(plan_id, source, page, outcome)

    async def _plan_absence(self, lease: Lease, plan_id: UUID, source: Source, session: Session) -> None:
        """After a complete scan: what it did not find would be deleted, or held back."""
        scope, name = lease.scope, source.stream.name
        missing = await absence.absent(scope, lease.run_id, lease.connection_id, name)
        if not missing:
            async with transaction(scope):
                await plan_store.note_terms(scope, plan_id, name, {"found_all": True})
        if not missing or await plan_items.has_unreadable(scope, plan_id, name):
            return
        policy = await conflicts.policy(scope, lease.connection_id, name)
        known = await walks.mapped_count(scope, lease.connection_id, name)
        if absence.trips_brake(policy, len(missing), known):
            held = NewItem("hold", HOLD, fields={"external_ids": {"missing": missing}, "records": {"known": known}})
            async with transaction(scope):
                await plan_items.put(scope, plan_id, lease.connection_id, (name, source.stream.record_stream, PULL), [held])
            return
        for place in range(0, len(missing), absence.BATCH):
            page = await absence.look_again(source, session, missing[place : place + absence.BATCH])
            await self._plan(lease, plan_id, source, replace(page, state=await walks.resume_state(scope, lease.run_id, name) or {}))


async def terms(source: Source) -> dict[str, object]:
    """What counts for a stream: the versions of its translation and of its policy."""
    policy = await conflicts.policy(source.scope, source.connection_id, source.stream.record_stream)
    return {"translator": str(source.translator.version), "policy": policy.version}


async def _saved(source: Source) -> State | None:
    return await walks.saved_state(source.scope, source.connection_id, source.stream.name)


async def _with_planned(plan_id: UUID, source: Source, page: Page) -> Page:
    """Parts that come after their new parents: those are looked at again, with them."""
    given = {item.external_id for item in page.items}
    parents = {part.parent_id for part in page.parts} - given
    earlier = await plan_items.objects(source.scope, plan_id, source.stream.name, parents) if parents else []
    return replace(page, items=[*page.items, *earlier])


async def _lay_parts(plan_id: UUID, source: Source, parents: Sequence[str]) -> None:
    """What earlier pages of the plan brought and took back again lies beneath this one."""
    found = await plan_parts.of(source.scope, plan_id, source.stream.name, parents)
    if found:
        where = (source.scope, source.connection_id, source.stream.record_stream)
        await parts_store.put_parts(*where, [part for part, _ in found])


async def _note_unchanged(plan_id: UUID, source: Source, page: Page, outcome: Outcome) -> None:
    versions = {item.external_id: item.version for item in page.items}
    same = {external_id: versions.get(external_id) for external_id in outcome.unchanged}
    if same:
        await plan_items.drop_unchanged(source.scope, plan_id, source.stream.name, same)
        await plan_store.count_unchanged(source.scope, plan_id, len(same))
