"""Advances a sync run: leases it, walks its streams page by page, and hands it over or ends it.

Postgres is the truth. Whatever happens to this process, the next one goes on from the last committed page; a process
that was frozen and thawed finds that its fence is no longer the run's, and writes nothing.
"""

import asyncio
import time
from collections.abc import Collection, Mapping, Sequence
from contextlib import aclosing, suppress
from datetime import timedelta
from uuid import UUID

import asyncpg
import structlog

from app.actors import Scope
from app.connections.service import ConnectionService
from app.connectors.base import Account, Connector, Mode, Page, Session, Stream, Walk
from app.connectors.errors import CredentialsRefused, QuotaExhausted
from app.connectors.hold import Hold, now
from app.database import transaction
from app.errors import FixBy, HubError, LeaseLost
from app.feed.service import FeedService
from app.mail.service import MailService
from app.mappings import repository as mappings
from app.mappings.translate import Translator
from app.queue import JobQueue
from app.syncs import failures, leases, repository, rules, walks
from app.syncs.leases import LEASE_SECONDS, Lease
from app.syncs.models import Counts, RunStatus, SyncRun
from app.syncs.pages import PageWriter
from app.syncs.prefetch import prefetched
from app.syncs.push_walk import push_pages
from app.syncs.pushing import RecordPusher
from app.syncs.sources import Source
from app.syncs.walks import PUSH

SLICE_SECONDS = 20.0
"""A job advances a run for at most so long and then rings again, so that nobody's million rows hold every slot."""
BEAT_SECONDS = 1.0
"""How often a running walk looks whether it was cancelled; a cancel acts within two seconds."""
RETRY_BATCH = 200
TOLD_ONCE_PER = timedelta(hours=1)
"""Operators hear of failing syncs of a connection no more often."""

logger = structlog.get_logger(__name__)


class SyncEngine:
    """Advances runs. One for each process; everything that must last is in Postgres."""

    def __init__(
        self,
        *,
        connections: ConnectionService,
        connectors: Mapping[str, Connector],
        writer: PageWriter,
        feed: FeedService,
        queue: JobQueue,
        mail: MailService,
        pushable: Collection[tuple[str, str]],
        slice_seconds: float = SLICE_SECONDS,
    ) -> None:
        self._connections = connections
        self._connectors = connectors
        self._writer = writer
        self.pusher = RecordPusher(writer)
        self._feed = feed
        self._queue = queue
        self._mail = mail
        self._slice_seconds = slice_seconds
        self._pushable = pushable
        self._translators: dict[tuple[str, str], Translator] = {}

    async def advance(self, organization_id: UUID, run_id: UUID) -> None:
        """Take the run up if it is due and free; walk for one slice; then end it, hand it over or let it wait."""
        scope = Scope(organization_id)
        hold = Hold(now(), LEASE_SECONDS)
        async with transaction(scope):
            lease = await leases.take_lease(scope, run_id)
        if lease is None:
            return
        try:
            await self._advance(lease, hold)
        except LeaseLost:
            logger.warning("sync run lost its lease", run_id=str(run_id), fence=lease.fence)
        except asyncio.CancelledError:
            await asyncio.shield(self._hand_over(lease))
            raise

    async def _advance(self, lease: Lease, hold: Hold) -> None:
        try:
            if (await _run(lease)).status is RunStatus.CANCELLING:  # it waited for a provider; nothing has to be asked first
                await self._finish(lease, cancelled=True)
                return
            if lease.attempts > rules.MAXIMUM_TAKEN_UP:
                raise rules.WorkersLost
            walk = asyncio.create_task(self._walk(lease, hold))
            if await _watched(lease, hold, walk):
                await self._finish(lease, cancelled=True)
            elif walk.result():
                await self._finish(lease, cancelled=False)
            else:
                await self._hand_over(lease)
        except LeaseLost:
            raise
        except Exception as error:
            await self._suspend_or_fail(lease, error)

    async def _walk(self, lease: Lease, hold: Hold) -> bool:
        """Walk the run's streams in order for one slice. True when all of them have ended."""
        run = await _run(lease)
        deadline = time.monotonic() + self._slice_seconds
        provider = await self._connections.provider_of(lease.scope, lease.connection_id)
        connector = self._connectors[provider]
        opened = self._connections.open_session(lease.scope, lease.connection_id, priority="bulk", sync_run_id=lease.run_id, hold=hold)
        async with opened as session:
            if all(row.status == "queued" for row in run.streams):
                await self._connections.check_account(connector, session)
            for row in run.streams:
                if row.status == "completed":
                    continue
                source = self.source(lease.scope, lease.connection_id, connector, connector.streams[row.stream], session, lease.run_id)
                walk = self._push_stream if row.direction == PUSH else self._walk_stream
                if not await walk(lease, run, source, session, deadline):
                    return False
        return True

    def source(
        self, scope: Scope, connection_id: UUID, connector: Connector, stream: Stream, session: Session, run_id: UUID | None
    ) -> Source:
        """The stream of a connection as the page writer needs it; the field mapping is compiled once per process."""
        key = (connector.provider, stream.record_stream)
        if key not in self._translators:
            self._translators[key] = Translator(stream.entity, stream.fields)
        account = session.account or Account(id="", name="")
        by = f"sync run {run_id}" if run_id else "failed records, tried again"
        return Source(scope, connection_id, connector.provider, account, stream, self._translators[key], run_id, by, self._pushable)

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
        async with prefetched(source.stream.read(session, walk)) as pages:
            async for page in pages:
                await self._commit(lease, source, page)
                if time.monotonic() > deadline:
                    return False
        async with transaction(scope):
            await walks.finish_stream(lease, name, keep_state=not run.narrowed_to)
            await self._checkpoint(lease, f"{source.stream.title}: done")
        return True

    async def _push_stream(self, lease: Lease, run: SyncRun, source: Source, session: Session, deadline: float) -> bool:
        """True when nothing waits any more; False when the slice is over first."""
        name, scope = source.stream.name, lease.scope
        resume = await walks.resume_state(scope, run.id, name, PUSH)
        if resume is None:
            expected = await mappings.waiting_count(scope, source.connection_id, source.stream.record_stream)
            async with transaction(scope):
                await walks.begin_stream(lease, name, expected or None, PUSH)
                await self._checkpoint(lease, f"{source.stream.title}: writing", forgive=False)
        async with aclosing(push_pages(self.pusher, source, session, resume)) as pages:
            async for page in pages:
                ids = [str(record_id) for record_id in page.record_ids]
                async with transaction(scope):
                    await walks.add_page(lease, name, external_ids=ids, state=page.state, counts=page.counts, expected=None, direction=PUSH)
                    await self._checkpoint(lease, "")
                if time.monotonic() > deadline:
                    return False
        async with transaction(scope):
            await walks.finish_stream(lease, name, keep_state=False, direction=PUSH)
            await self._checkpoint(lease, f"{source.stream.title}: written")
        return True

    async def _begin_stream(self, lease: Lease, run: SyncRun, source: Source, first: bool) -> None:
        """Note that it begins, and try again what failed in earlier runs."""
        full = run.mode == Mode.FULL and not first and not run.narrowed_to
        expected = await walks.mapped_count(lease.scope, lease.connection_id, source.stream.record_stream) if full else None
        async with transaction(lease.scope):
            await walks.begin_stream(lease, source.stream.name, expected or None)
            await self._checkpoint(lease, f"{source.stream.title}: starting", forgive=False)
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
                counts, _ = await self._writer.write(source, Page(state={}, items=[failure.item for failure in batch]))
            total, after = total + counts, batch[-1].id

    async def _commit(self, lease: Lease, source: Source, page: Page) -> None:
        """Law 3: records, mappings, outcomes, counts and state of a page commit together, under the fence."""
        try:
            async with transaction(lease.scope):
                counts, external_ids = await self._writer.write(source, page)
                await walks.add_page(
                    lease, source.stream.name, external_ids=external_ids, state=page.state, counts=counts, expected=page.expected
                )
                await self._checkpoint(lease, "")
        except (asyncpg.IntegrityConstraintViolationError, asyncpg.TransactionRollbackError):
            # Somebody else wrote the same rows: either the lease is lost, or the page is read again from its checkpoint.
            if await leases.beat_outside(lease) is None:
                raise LeaseLost from None
            raise

    async def _checkpoint(self, lease: Lease, message: str, *, forgive: bool = True) -> None:
        """The last statements of a transaction: progress, the fence, and the event that subscribers see."""
        run = await _run(lease)
        streams = [stream for stream in run.streams if stream.status != "queued"]
        current = streams[-1] if streams else None
        text = message or (f"Step {current.position} of {len(run.streams)}: {current.stream}" if current else "")
        share = rules.progress(run.streams, run.progress)
        revision = await leases.checkpoint(lease, progress=min(share, 99.9), message=text, forgive=forgive)
        if revision is None:
            raise LeaseLost
        await self._publish(lease.scope, run.id, revision, share)

    async def _publish(self, scope: Scope, run_id: UUID, revision: int, progress: float) -> None:
        await self._feed.publish(scope, topic="sync_run", subject_id=run_id, revision=revision, data={"progress": progress})

    async def _hand_over(self, lease: Lease) -> None:
        """Let the next job go on: the run's turn comes again after the others'."""
        async with transaction(lease.scope):
            held = await leases.release(lease)
        if held:
            await self._queue.ring("advance_run", lease.scope.organization_id, lease.run_id, attempt=lease.fence)

    async def _finish(self, lease: Lease, *, cancelled: bool) -> None:
        async with transaction(lease.scope):
            run = await _run(lease, lock=True)
            status = rules.final_status(run.counts.failed, cancelled)
            if not await leases.finish_run(lease, status, message=rules.closing_words(status, run.counts)):
                raise LeaseLost
            await self._publish(lease.scope, run.id, run.revision + 1, run.progress if cancelled else 100.0)
            if not cancelled:
                await self._connections.mark_synced(lease.scope, lease.connection_id)

    async def _suspend_or_fail(self, lease: Lease, error: Exception) -> None:
        """Time heals it: wait and go on. Otherwise the run has failed, with who can fix it."""
        # Those since the last page: this attempt may have got some.
        attempts = max((await _run(lease)).attempts, 1)
        delay = rules.pause_after(error, attempts)
        logger.warning("sync run interrupted", run_id=str(lease.run_id), error=type(error).__name__, retry_in_seconds=delay)
        if not isinstance(error, HubError):
            logger.error("unexpected error in a sync run", run_id=str(lease.run_id), exc_info=error)
        if delay is None:
            await self._fail(lease, error)
            return
        message = f"Waiting {delay:.0f} s: {error}" if isinstance(error, HubError) else f"Trying again in {delay:.0f} s"
        async with transaction(lease.scope):
            if not await leases.release(lease, delay=delay, message=message, forgive=not rules.counts_as_attempt(error)):
                raise LeaseLost
            if isinstance(error, QuotaExhausted):
                await self._connections.pause_until(lease.scope, lease.connection_id, delay, str(error))
        await self._queue.ring("advance_run", lease.scope.organization_id, lease.run_id, attempt=lease.fence, delay=delay)

    async def _fail(self, lease: Lease, error: Exception) -> None:
        known = isinstance(error, HubError)
        async with transaction(lease.scope):
            run = await _run(lease, lock=True)
            words = str(error) if known else "Something went wrong on our side; it was logged and we will look into it."
            where = rules.place(run)
            ended = await leases.finish_run(
                lease,
                RunStatus.FAILED,
                message=f"Failed {where}",
                error_code=error.code if isinstance(error, HubError) else "unexpected",
                error_message=words,
                fix_by=error.fix_by if isinstance(error, HubError) else FixBy.US,
            )
            if not ended:
                raise LeaseLost
            await self._publish(lease.scope, run.id, run.revision + 1, run.progress)
            if isinstance(error, CredentialsRefused):
                await self._connections.mark_needs_attention(lease.scope, lease.connection_id, error)  # which tells them
            else:
                await self._mail.tell_operators(
                    lease.scope,
                    subject="A sync failed",
                    body=f"A sync failed {where}. {words}\n\nWhat it had committed is kept; the next run goes on from there.",
                    purpose=f"sync_run_failed:{lease.connection_id}",
                    once_per=TOLD_ONCE_PER,
                )


async def _run(lease: Lease, *, lock: bool = False) -> SyncRun:
    run = await repository.get_run(lease.scope, lease.run_id, lock=lock)
    if run is None:
        raise LeaseLost
    return run


async def _watched(lease: Lease, hold: Hold, walk: "asyncio.Task[bool]") -> bool:
    """Wait for the walk while keeping the lease alive. True when it was cancelled on request."""
    try:
        while not walk.done():
            await asyncio.wait({walk}, timeout=BEAT_SECONDS)
            if walk.done():
                break
            began = now()
            cancelling = await leases.beat_outside(lease)
            if cancelling is None:
                raise LeaseLost
            hold.extend(began, LEASE_SECONDS)
            if cancelling:
                return True
        return False
    finally:
        if not walk.done():
            walk.cancel()
            with suppress(asyncio.CancelledError, Exception):
                await walk
