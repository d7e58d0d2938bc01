"""Advances a sync run: leases it, walks its streams page by page, and hands it over or ends it.

Postgres is the truth. Whatever happens to this process, the next one goes on from the last committed page; a process
that was frozen and thawed finds that its fence is no longer the run's, and writes nothing.
"""

import asyncio
import time
from collections.abc import Mapping
from contextlib import suppress
from uuid import UUID

import structlog

from app.actors import Scope
from app.connections.service import ConnectionService
from app.connectors.base import Connector
from app.connectors.errors import CredentialsRefused, QuotaExhausted
from app.connectors.hold import Hold, now
from app.database import transaction
from app.errors import FixBy, HubError, LeaseLost
from app.feed.service import FeedService
from app.mail.service import MailService
from app.queue import JobQueue
from app.syncs import leases, repository, rules
from app.syncs.leases import LEASE_SECONDS, Lease
from app.syncs.models import RunMode, RunStatus
from app.syncs.plans import store as plan_store
from app.syncs.plans.runs import PlanRuns
from app.syncs.push_walk import count_interrupted
from app.syncs.remapping import Remapper
from app.syncs.walker import TOLD_ONCE_PER, StreamWalker
from app.syncs.walks import PUSH

SLICE_SECONDS = 20.0
"""A job advances a run for at most so long and then rings again, so that nobody's million rows hold every slot."""
BEAT_SECONDS = 1.0
"""How often a running walk looks whether it was cancelled; a cancel acts within two seconds."""

logger = structlog.get_logger(__name__)


class SyncEngine:
    """Advances runs. One for each process; everything that must last is in Postgres."""

    def __init__(
        self,
        *,
        connections: ConnectionService,
        connectors: Mapping[str, Connector],
        walker: StreamWalker,
        plans: PlanRuns,
        remapper: Remapper,
        feed: FeedService,
        queue: JobQueue,
        mail: MailService,
        slice_seconds: float = SLICE_SECONDS,
    ) -> None:
        self._connections = connections
        self._connectors = connectors
        self._walker = walker
        self._plans = plans
        self._remapper = remapper
        self._feed = feed
        self._queue = queue
        self._mail = mail
        self._slice_seconds = slice_seconds

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
            if (await repository.run_of(lease)).status is RunStatus.CANCELLING:  # it waited for a provider; nothing has to be asked first
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
        async with transaction(lease.scope):
            if await self._count_interrupted(lease):
                await self._walker.checkpoint(lease, "")
        run = await repository.run_of(lease)
        if run.plan_id is not None:
            return await self._plans.walk(lease, run, hold, self._slice_seconds)
        deadline = time.monotonic() + self._slice_seconds
        if run.mode == RunMode.REMAP:
            return await self._remapper.walk(lease, run, deadline)
        provider = await self._connections.provider_of(lease.scope, lease.connection_id)
        connector = self._connectors[provider]
        opened = self._connections.open_session(lease.scope, lease.connection_id, priority="bulk", sync_run_id=lease.run_id, hold=hold)
        async with opened as session:
            if all(row.status == "queued" for row in run.streams):
                await self._connections.check_account(connector, session)
            for row in run.streams:
                if row.status == "completed":
                    continue
                stream = connector.streams[row.stream]
                source = await self._walker.source(lease.scope, lease.connection_id, connector, stream, session, lease.run_id)
                if not await self._walker.walk(lease, run, source, session, direction=row.direction, deadline=deadline):
                    return False
        return True

    async def _count_interrupted(self, lease: Lease) -> bool:
        """What was pushed of a page that was interrupted, by an error, a cancel or the end of its worker, is counted, once.

        Rows are locked in the order in which a page locks them: the stream's, then the run's, when the lease is proven.
        """
        run = await repository.run_of(lease)
        pushing = [row.stream for row in run.streams if row.direction == PUSH and row.status == "running"]
        return any([await count_interrupted(lease, stream) for stream in pushing])

    async def _hand_over(self, lease: Lease) -> None:
        """Let the next job go on: the run's turn comes again after the others'."""
        async with transaction(lease.scope):
            held = await leases.release(lease)
        if held:
            await self._queue.ring("advance_run", lease.scope.organization_id, lease.run_id, attempt=lease.fence)

    async def _finish(self, lease: Lease, *, cancelled: bool) -> None:
        async with transaction(lease.scope):
            await self._count_interrupted(lease)
            run = await repository.run_of(lease, lock=True)
            status = rules.final_status(run.counts.failed, cancelled)
            if not await leases.finish_run(lease, status, message=rules.closing_words(status, run.counts)):
                raise LeaseLost
            if run.plan_id is not None:
                await plan_store.settle(lease.scope, run.id)
            await self._walker.publish(lease.scope, run.id, run.revision + 1, run.progress if cancelled else 100.0)
            if not cancelled and run.task != "plan" and run.mode != RunMode.REMAP:
                await self._connections.mark_synced(lease.scope, lease.connection_id)

    async def _suspend_or_fail(self, lease: Lease, error: Exception) -> None:
        """Time heals it: wait and go on. Otherwise the run has failed, with who can fix it."""
        errors = (await repository.run_of(lease)).errors + 1  # those since the last page: this attempt may have got some
        delay = rules.pause_after(error, errors)
        logger.warning("sync run interrupted", run_id=str(lease.run_id), error=type(error).__name__, retry_in_seconds=delay)
        if not isinstance(error, HubError):
            logger.error("unexpected error in a sync run", run_id=str(lease.run_id), exc_info=error)
        if delay is None:
            await self._fail(lease, error)
            return
        message = f"Waiting {delay:.0f} s: {error}" if isinstance(error, HubError) else f"Trying again in {delay:.0f} s"
        async with transaction(lease.scope):
            if not await leases.release(lease, delay=delay, message=message, is_error=rules.counts_as_error(error)):
                raise LeaseLost
            if isinstance(error, QuotaExhausted):
                await self._connections.pause_until(lease.scope, lease.connection_id, delay, str(error))
        await self._queue.ring("advance_run", lease.scope.organization_id, lease.run_id, attempt=lease.fence, delay=delay)

    async def _fail(self, lease: Lease, error: Exception) -> None:
        known = isinstance(error, HubError)
        async with transaction(lease.scope):
            await self._count_interrupted(lease)
            run = await repository.run_of(lease, lock=True)
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
            if run.plan_id is not None:
                await plan_store.settle(lease.scope, run.id)
            await self._walker.publish(lease.scope, run.id, run.revision + 1, run.progress)
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
