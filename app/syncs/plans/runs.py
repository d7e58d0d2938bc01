"""What a run does that makes a plan or applies one; app/syncs/engine.py advances it as any other."""

import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from app.connections.service import ConnectionService
from app.connectors.base import Connector, Session
from app.connectors.hold import Hold
from app.database import transaction
from app.records.editing import RecordEditor
from app.syncs.leases import Lease
from app.syncs.models import SyncRun
from app.syncs.plans import due_items
from app.syncs.plans import rules as plan_rules
from app.syncs.plans import store as plan_store
from app.syncs.plans.applying import PullApplier
from app.syncs.plans.making import PullPlanner, terms
from app.syncs.plans.models import PUSH, Moved, Plan, PlanNotFound, PlanOutdated
from app.syncs.plans.push_applying import PushApplier
from app.syncs.plans.push_planning import PushPlanner
from app.syncs.plans.undo import UndoRuns
from app.syncs.sources import Source
from app.syncs.walker import StreamWalker


class PlanRuns:
    """Walks the streams of a run that makes a plan or applies one."""

    def __init__(
        self, *, walker: StreamWalker, editor: RecordEditor, connections: ConnectionService, connectors: Mapping[str, Connector]
    ) -> None:  # fmt: skip
        self._walker = walker
        self._connections = connections
        self._connectors = connectors
        self._pulls = PullPlanner(walker)
        self._pushes = PushPlanner(walker)
        self._applier = PullApplier(walker)
        self._sender = PushApplier(walker, self._pushes)
        self._undo = UndoRuns(walker, editor)

    async def walk(self, lease: Lease, run: SyncRun, hold: Hold, slice_seconds: float) -> bool:
        """One slice of it. True when all has been planned or applied. Raises PlanOutdated, ConnectorError, LeaseLost."""
        deadline = time.monotonic() + slice_seconds
        plan = await plan_store.get(lease.scope, run.plan_id) if run.plan_id else None
        if plan is None:
            raise PlanNotFound
        if run.task == "apply":
            return await self._apply(lease, run, plan, hold, deadline)
        if plan.kind == "undo":
            return await self._undo.make(lease, run, plan, deadline)
        async with self._opened(lease, hold) as (connector, session):
            return await self._make(lease, run, plan, connector, session, deadline)

    @asynccontextmanager
    async def _opened(self, lease: Lease, hold: Hold) -> AsyncIterator[tuple[Connector, Session]]:
        connector = self._connectors[await self._connections.provider_of(lease.scope, lease.connection_id)]
        opened = self._connections.open_session(lease.scope, lease.connection_id, priority="bulk", sync_run_id=lease.run_id, hold=hold)
        async with opened as session:
            yield connector, session

    async def _make(self, lease: Lease, run: SyncRun, plan: Plan, connector: Connector, session: Session, deadline: float) -> bool:
        if _is_new(run):
            await self._connections.check_account(connector, session)
        for row in run.streams:
            source = await self._source(lease, connector, row.stream, session)
            planner = self._pushes if row.direction == PUSH else self._pulls
            if row.status != "completed" and not await planner.walk(lease, run, plan.id, source, session, deadline):
                return False
        calls, items = await plan_store.effort(lease.scope, plan.id)
        async with transaction(lease.scope):
            seconds = plan_rules.seconds(connector.limits(session.settings), calls, items)
            await plan_store.draft(lease.scope, plan.id, calls=calls, seconds=seconds)
            await self._walker.checkpoint(lease, "")
        return True

    async def _apply(self, lease: Lease, run: SyncRun, plan: Plan, hold: Hold, deadline: float) -> bool:
        try:
            if plan.kind == "undo":
                done = await self._take_back(lease, run, plan, deadline)
            else:
                async with self._opened(lease, hold) as (connector, session):
                    done = await self._carry_out(lease, run, plan, connector, session, deadline)
        except PlanOutdated as error:
            async with transaction(lease.scope):
                await plan_store.mark_outdated(lease.scope, plan.id, error.moved)
                await self._walker.checkpoint(lease, "", forgive=False)
            raise
        if done:
            async with transaction(lease.scope):
                await plan_store.end(lease.scope, plan.id)
                await self._note_undone(lease, plan)
                await self._walker.checkpoint(lease, "")
        return done

    async def _carry_out(self, lease: Lease, run: SyncRun, plan: Plan, connector: Connector, session: Session, deadline: float) -> bool:
        if _is_new(run) and not await self._check(lease, run, plan, connector, session, deadline):
            return False
        for row in run.streams:
            source = await self._source(lease, connector, row.stream, session)
            if row.status == "completed":
                continue
            if row.direction == PUSH:
                done = await self._sender.walk(lease, plan, source, session, deadline)
            else:
                done = await self._applier.walk(lease, plan, source, deadline)
            if not done:
                return False
        return True

    async def _take_back(self, lease: Lease, run: SyncRun, plan: Plan, deadline: float) -> bool:
        if _is_new(run) and (moved := await due_items.moved(lease.scope, plan.id, plan.connection_id)):
            raise PlanOutdated(moved)
        return await self._undo.apply(lease, run, plan, deadline)

    async def _note_undone(self, lease: Lease, plan: Plan) -> None:
        """The run that was taken back says so; one that had been taken back by it counts again."""
        if plan.undoes_run_id is None or not await due_items.is_undone(lease.scope, plan.id):
            return
        again = await plan_store.of_undoing_run(lease.scope, plan.undoes_run_id)
        for run_id, undone in ((plan.undoes_run_id, True), (again, False)):
            if run_id is not None:
                revision, progress = await plan_store.set_undone(lease.scope, run_id, undone=undone)
                await self._walker.publish(lease.scope, run_id, revision, progress)

    async def _check(self, lease: Lease, run: SyncRun, plan: Plan, connector: Connector, session: Session, deadline: float) -> bool:
        """Before the first effect: everything is as the plan saw it, or nothing is done. False when the slice is over first.

        Raises PlanOutdated, ConnectorError.
        """
        moved = await due_items.moved(lease.scope, plan.id, plan.connection_id)
        for row in run.streams:
            counting = await terms(await self._source(lease, connector, row.stream, session))
            if counting != {name: plan.terms[row.stream].get(name) for name in counting}:
                moved.append(Moved(row.stream, "", None, "terms"))
        if moved:
            raise PlanOutdated(moved)
        for row in run.streams:
            source = await self._source(lease, connector, row.stream, session)
            if row.direction == PUSH and not await self._sender.check(lease, plan, source, session, deadline):
                return False
        return True

    async def _source(self, lease: Lease, connector: Connector, stream: str, session: Session) -> Source:
        return await self._walker.source(lease.scope, lease.connection_id, connector, connector.streams[stream], session, lease.run_id)


def _is_new(run: SyncRun) -> bool:
    return all(row.status == "queued" for row in run.streams)
