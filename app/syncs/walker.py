"""Walks the streams of a sync run: reads them page by page, follows what is missing, writes what waits."""

import time
from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import aclosing
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import asyncpg

from app.actors import Scope
from app.conflicts import repository as conflicts
from app.connectors.base import Account, Connector, Mode, Page, Session, Stream, Walk
from app.database import fetch_value, transaction
from app.errors import LeaseLost
from app.feed.service import FeedService
from app.mail.service import MailService
from app.mappings import links
from app.mappings.mapped_streams import MappedStreams
from app.syncs import absence, failures, leases, quarantine_store, repository, rules, single, walks
from app.syncs.ahead import translated_ahead
from app.syncs.batches import Batch, joined, one_by_one
from app.syncs.leases import Lease
from app.syncs.models import Counts, SyncRun
from app.syncs.pages import PageWriter
from app.syncs.prefetch import prefetched
from app.syncs.push_walk import push_pages
from app.syncs.pushing import RecordPusher
from app.syncs.reconciliation import reconcile
from app.syncs.sources import Source
from app.syncs.walks import PUSH

RETRY_BATCH = 200
WRITTEN_TOGETHER = 2
"""Pages of a first walk, where both are there."""
TOLD_ONCE_PER = timedelta(hours=1)
"""Operators hear of failing syncs of a connection no more often."""


class StreamWalker:
    """What a run and single pieces of work do with a stream of a connection."""

    def __init__(
        self, pages: PageWriter, mapped: MappedStreams, feed: FeedService, mail: MailService, pushable: Collection[tuple[str, str]]
    ) -> None:
        self._mapped = mapped
        self.pages = pages
        self.pusher = RecordPusher(pages)
        self._feed = feed
        self._mail = mail
        self._pushable = pushable

    async def walk(self, lease: Lease, run: SyncRun, source: Source, session: Session, *, direction: str, deadline: float) -> bool:
        """True when the stream has ended; False when the slice is over first. Raises ConnectorError, LeaseLost."""
        work = self._push_stream if direction == PUSH else self._walk_stream
        return await work(lease, run, source, session, deadline)

    async def source(
        self, scope: Scope, connection_id: UUID, connector: Connector, stream: Stream, session: Session, run_id: UUID | None
    ) -> Source:
        """The stream of a connection as pages and pushes need it, by the field mapping that counts now. Raises FieldMappingUnusable."""
        account = session.account or Account(id="", name="")
        return await self._source(scope, connection_id, connector.provider, stream, account, run_id)

    async def source_of(self, lease: Lease, provider: str, stream: Stream, account: Account) -> Source:
        """The same for a run that asks the provider nothing. Raises FieldMappingUnusable."""
        return await self._source(lease.scope, lease.connection_id, provider, stream, account, lease.run_id)

    async def _source(
        self, scope: Scope, connection_id: UUID, provider: str, stream: Stream, account: Account, run_id: UUID | None
    ) -> Source:  # fmt: skip
        by = f"sync run {run_id}" if run_id else "failed records, tried again"
        translator, earlier = await self._mapped.translators(scope, connection_id, stream.name)
        return Source(scope, connection_id, provider, account, stream, translator, earlier, run_id, by, self._pushable)

    async def _walk_stream(self, lease: Lease, run: SyncRun, source: Source, session: Session, deadline: float) -> bool:
        """True when the stream has ended; False when the slice is over first."""
        name, scope = source.stream.name, lease.scope
        resume = await walks.resume_state(scope, run.id, name)
        saved = await walks.saved_state(scope, lease.connection_id, name)
        if resume is None:
            await self._begin_stream(lease, run, source, saved is None)
        walk = Walk(
            mode=Mode.FULL if saved is None else Mode(run.mode), saved=saved, resume=resume, narrowed_to=dict(run.narrowed_to or {})
        )
        read = _noting_when(scope, single.pages(source, session, walk))
        is_first = saved is None and not source.stream.has_parts
        batches, most = (translated_ahead(source, read), WRITTEN_TOGETHER) if is_first else (one_by_one(read), 1)
        async with prefetched(batches, most) as pages:
            async for waiting in pages:
                for batch in joined(waiting):
                    await self._commit(lease, source, batch)
                    if time.monotonic() > deadline:
                        return False
        said = await self._follow_absence(lease, source, session) if is_complete(source, walk) else ""
        async with transaction(scope):
            if is_complete(source, walk):
                await reconcile(lease, source, self._mail)
            await walks.finish_stream(lease, name, keep_state=not run.narrowed_to)
            await self.checkpoint(lease, f"{source.stream.title}: done{said}")
        return True

    async def _follow_absence(self, lease: Lease, source: Source, session: Session) -> str:
        """After a complete scan: what it did not find is deleted, unless that would be suspiciously much. Says so."""
        scope, where = lease.scope, (lease.run_id, lease.connection_id, source.stream.name)
        missing = await absence.absent(scope, *where)
        if not missing:
            async with transaction(scope):
                await quarantine_store.clear(scope, *where[1:])
            return ""
        if await absence.has_unreadable(scope, lease.run_id, source.stream.name):
            return f"; {len(missing)} were not found, which is not followed while others cannot be read"
        policy = await conflicts.policy(scope, *where[1:])
        known = await walks.mapped_count(scope, *where[1:])
        if absence.trips_brake(policy, len(missing), known):
            await self.hold_deletions(lease, source, missing, known)
            return f"; {len(missing)} deletions of {known} are held back until somebody looks at them"
        for place in range(0, len(missing), absence.BATCH):
            page = await absence.look_again(source, session, missing[place : place + absence.BATCH])
            page = replace(page, state=await walks.resume_state(scope, lease.run_id, source.stream.name) or {})
            await self._commit(lease, source, Batch(page))
        return ""

    async def hold_deletions(self, lease: Lease, source: Source, missing: Sequence[str], known: int) -> None:
        """Wait for somebody with them, and tell the operators."""
        scope, title = lease.scope, source.stream.title
        async with transaction(scope):
            policy = await conflicts.policy(scope, lease.connection_id, source.stream.name)
            await quarantine_store.hold(scope, lease.run_id, lease.connection_id, source.stream.name, missing, known, policy)
            await self.checkpoint(lease, f"{title}: deletions held back")
            await self._mail.tell_operators(
                scope,
                subject=f"{len(missing)} deletions are held back",
                body=f"A complete scan of {title} did not find {len(missing)} of {known} known records. Nothing was deleted.\n\n"
                "Look at them in the console: release them if they are really gone, dismiss them if the provider had a bad day.",
                purpose=f"deletions_held:{lease.connection_id}:{source.stream.name}",
                once_per=TOLD_ONCE_PER,
            )

    async def write(self, source: Source, page: Page) -> Counts:
        """Store objects that were read outside of a run, in the caller's transaction."""
        counts, _ = await self.pages.write(source, page)
        return counts

    async def _push_stream(self, lease: Lease, run: SyncRun, source: Source, session: Session, deadline: float) -> bool:
        """True when nothing waits any more; False when the slice is over first."""
        name, scope = source.stream.name, lease.scope
        resume, only = await walks.resume_state(scope, run.id, name, PUSH), single.record_of(run.narrowed_to)
        if resume is None:
            expected = 1 if only else await links.waiting_count(scope, source.connection_id, source.stream.record_stream)
            async with transaction(scope):
                await walks.begin_stream(lease, name, expected or None, PUSH)
                await self.checkpoint(lease, f"{source.stream.title}: writing", forgive=False)
        async with aclosing(push_pages(self.pusher, source, session, resume, only=only, creates_missing=run.creates_missing)) as pages:
            async for page in pages:
                ids = [str(record_id) for record_id in page.record_ids]
                async with transaction(scope):
                    await walks.add_page(lease, name, external_ids=ids, state=page.state, counts=page.counts, expected=None, direction=PUSH)
                    await self.checkpoint(lease, "")
                if time.monotonic() > deadline:
                    return False
        async with transaction(scope):
            await walks.finish_stream(lease, name, keep_state=False, direction=PUSH)
            await self.checkpoint(lease, f"{source.stream.title}: written")
        return True

    async def _begin_stream(self, lease: Lease, run: SyncRun, source: Source, first: bool) -> None:
        """Note that it begins, and try again what failed in earlier runs."""
        full = run.mode == Mode.FULL and not first and not run.narrowed_to
        expected = await walks.mapped_count(lease.scope, lease.connection_id, source.stream.record_stream) if full else None
        async with transaction(lease.scope):
            await walks.begin_stream(lease, source.stream.name, expected or None)
            await self.checkpoint(lease, f"{source.stream.title}: starting", forgive=False)
        if not run.narrowed_to:
            await self.retry_open(source)

    async def retry_open(self, source: Source, record_ids: Sequence[UUID] | None = None) -> Counts:
        """Try open failed records of the stream again, from their stored payloads, batch by batch."""
        total, after = Counts(), None
        while True:
            async with transaction(source.scope):
                # First the lock, then the look: what a page in between has taken over must not be overwritten by what failed before.
                await walks.lock_records_of(source.scope, source.connection_id, source.stream.record_stream)
                batch = await failures.open_failures(
                    source.scope,
                    source.connection_id,
                    stream=source.stream.record_stream,
                    record_ids=record_ids,
                    after=after,
                    limit=RETRY_BATCH,
                )
                if not batch:
                    return total
                counts, _ = await self.pages.write(source, Page(state={}, items=[failure.item for failure in batch]))
            total, after = total + counts, batch[-1].id

    async def _commit(self, lease: Lease, source: Source, batch: Batch) -> None:
        """Law 3: records, mappings, outcomes, counts and state of a page commit together, under the fence."""
        page, name = batch.page, source.stream.name
        try:
            async with transaction(lease.scope):
                counts, ids = await self.pages.write(source, page, batch.ahead)
                await walks.add_page(
                    lease, name, pages=batch.pages, external_ids=ids, state=page.state, counts=counts, expected=page.expected
                )
                await self.checkpoint(lease, "")
        except (asyncpg.IntegrityConstraintViolationError, asyncpg.TransactionRollbackError):
            # Somebody else wrote the same rows: either the lease is lost, or the page is read again from its checkpoint.
            if await leases.beat_outside(lease) is None:
                raise LeaseLost from None
            raise

    async def checkpoint(self, lease: Lease, message: str, *, forgive: bool = True) -> None:
        """The last statements of a transaction: progress, the fence, and the event that subscribers see."""
        run = await repository.run_of(lease)
        streams = [stream for stream in run.streams if stream.status != "queued"]
        current = streams[-1] if streams else None
        text = message or (f"Step {current.position} of {len(run.streams)}: {current.stream}" if current else "")
        share = rules.progress(run.streams, run.progress)
        revision = await leases.checkpoint(lease, progress=min(share, 99.9), message=text, forgive=forgive)
        if revision is None:
            raise LeaseLost
        await self.publish(lease.scope, run.id, revision, share)

    async def publish(self, scope: Scope, run_id: UUID, revision: int, progress: float) -> None:
        await self._feed.publish(scope, topic="sync_run", subject_id=run_id, revision=revision, data={"progress": progress})


async def _noting_when(scope: Scope, pages: AsyncIterator[Page]) -> AsyncIterator[Page]:
    """The pages, each with the time before it was asked for, by the clock that all workers share."""
    read_after = await fetch_value(scope, "SELECT clock_timestamp()")
    async for page in pages:
        yield replace(page, read_after=read_after)
        read_after = await fetch_value(scope, "SELECT clock_timestamp()")


def is_complete(source: Source, walk: Walk) -> bool:
    """Whether the walk named every object that the provider has."""
    return walk.mode is Mode.FULL and not walk.narrowed_to and source.stream.complete and source.stream.name == source.stream.record_stream
