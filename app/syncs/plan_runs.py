"""What a run does that makes a plan or applies one; app/syncs/engine.py advances it as any other."""

import time
from collections.abc import Mapping

from app.connections.service import ConnectionService
from app.connectors.base import Connector, Session
from app.connectors.hold import Hold
from app.database import transaction
from app.syncs import plan_items, plan_rules, plan_store
from app.syncs.leases import Lease
from app.syncs.models import SyncRun
from app.syncs.plan_applying import PullApplier
from app.syncs.plan_making import PullPlanner, terms
from app.syncs.plan_models import Moved, Plan, PlanNotFound, PlanOutdated
from app.syncs.sources import Source
from app.syncs.walker import StreamWalker


class PlanRuns:
    """Walks the streams of a run that makes a plan or applies one."""

    def __init__(self, *, walker: StreamWalker, connections: ConnectionService, connectors: Mapping[str, Connector]) -> None:
        self._walker = walker
        self._connections = connections
        self._connectors = connectors
        self._planner = PullPlanner(walker)
        self._applier = PullApplier(walker)

    async def walk(self, lease: Lease, run: SyncRun, hold: Hold, slice_seconds: float) -> bool:
        """One slice of it. True when all has been planned or applied. Raises PlanOutdated, ConnectorError, LeaseLost."""
        deadline = time.monotonic() + slice_seconds
        plan = await plan_store.get(lease.scope, run.plan_id) if run.plan_id else None
        if plan is None:
            raise PlanNotFound
        connector = self._connectors[await self._connections.provider_of(lease.scope, lease.connection_id)]
        opened = self._connections.open_session(lease.scope, lease.connection_id, priority="bulk", sync_run_id=lease.run_id, hold=hold)
        async with opened as session:
            if run.task == "plan":
                return await self._make(lease, run, plan, connector, session, deadline)
            return await self._apply(lease, run, plan, connector, session, deadline)

    async def _make(self, lease: Lease, run: SyncRun, plan: Plan, connector: Connector, session: Session, deadline: float) -> bool:
        if _is_new(run):
            await self._connections.check_account(connector, session)
        for row in run.streams:
            source = await self._source(lease, connector, row.stream, session)
            if row.status != "completed" and not await self._planner.walk(lease, run, plan.id, source, session, deadline):
                return False
        calls, items = await plan_store.effort(lease.scope, plan.id)
        async with transaction(lease.scope):
            seconds = plan_rules.seconds(connector.limits(session.settings), calls, items)
            await plan_store.draft(lease.scope, plan.id, calls=calls, seconds=seconds)
            await self._walker.checkpoint(lease, "")
        return True

    async def _apply(self, lease: Lease, run: SyncRun, plan: Plan, connector: Connector, session: Session, deadline: float) -> bool:
        try:
            if _is_new(run):
                await self._require_unmoved(lease, run, plan, connector, session)
            for row in run.streams:
                source = await self._source(lease, connector, row.stream, session)
                if row.status != "completed" and not await self._applier.walk(lease, plan, source, deadline):
                    return False
        except PlanOutdated as error:
            async with transaction(lease.scope):
                await plan_store.mark_outdated(lease.scope, plan.id, error.moved)
                await self._walker.checkpoint(lease, "", forgive=False)
            raise
        async with transaction(lease.scope):
            await plan_store.end(lease.scope, plan.id)
            await self._walker.checkpoint(lease, "")
        return True

    async def _require_unmoved(self, lease: Lease, run: SyncRun, plan: Plan, connector: Connector, session: Session) -> None:
        """Before the first effect: everything is as the plan saw it, or nothing is done. Raises PlanOutdated."""
        moved = await plan_items.moved(lease.scope, plan.id, plan.connection_id)
        for row in run.streams:
            counts = await terms(await self._source(lease, connector, row.stream, session))
            if counts != {name: plan.terms[row.stream].get(name) for name in counts}:
                moved.append(Moved(row.stream, "", None, "terms"))
        if moved:
            raise PlanOutdated(moved)

    async def _source(self, lease: Lease, connector: Connector, stream: str, session: Session) -> Source:
        return await self._walker.source(lease.scope, lease.connection_id, connector, connector.streams[stream], session, lease.run_id)


def _is_new(run: SyncRun) -> bool:
    return all(row.status == "queued" for row in run.streams)
