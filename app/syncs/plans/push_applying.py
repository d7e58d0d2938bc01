"""Sends what a plan says.

Before the first effect each object is looked at as it was when it was planned. While it is written the push itself compares once more
what the provider shows and what is sent.
"""

import time
from dataclasses import dataclass
from uuid import UUID

from app.connectors.base import RecordWrite, Session
from app.database import transaction
from app.syncs import walks
from app.syncs.leases import Lease
from app.syncs.plans import due_items
from app.syncs.plans.models import PUSH, DueItem, Moved, NewItem, Plan, PlanOutdated
from app.syncs.plans.push_planning import PushPlanner, effect_of, finish_push, note_page
from app.syncs.plans.rules import digest
from app.syncs.push_decisions import Data
from app.syncs.push_walk import PAGE, counts_of, side_by_side
from app.syncs.pushing import PushOutcome
from app.syncs.sources import Source
from app.syncs.walker import StreamWalker


@dataclass(frozen=True, slots=True)
class _AsPlanned:
    """What the plan says of a push. Raises PlanOutdated when it is otherwise."""

    stream: str
    item: DueItem

    def shown(self, theirs: Data) -> None:
        self._require(self.item.shown == digest(theirs), "provider")

    def sent(self, write: RecordWrite) -> None:
        self._require(self.item.effect == effect_of(write), "outcome")

    def _require(self, holds: bool, what: str) -> None:
        if not holds:
            raise PlanOutdated([Moved(self.stream, self.item.key, self.item.record_id, what)])


class PushApplier:
    """Sends what a plan says, and looks beforehand whether all of it still holds."""

    def __init__(self, walker: StreamWalker, planner: PushPlanner) -> None:
        self._walker = walker
        self._planner = planner

    async def check(self, lease: Lease, plan: Plan, source: Source, session: Session, deadline: float) -> bool:
        """Whether all objects are as the plan saw them: True when all were looked at; False when the slice is over first.

        Raises PlanOutdated, ConnectorError.
        """
        scope, name = lease.scope, source.stream.name
        while items := await due_items.unchecked(scope, plan.id, lease.run_id, name, PAGE):
            found = await side_by_side(items, lambda item: self._planner.preview(source, session, _record(item)), None)
            moved = [_moved(name, item, now) for item, now in zip(items, found, strict=True) if not _is_same(item, now)]
            if moved:
                raise PlanOutdated(moved)
            async with transaction(scope):
                await due_items.mark_checked(scope, lease.run_id, [item.id for item in items])
                await self._walker.checkpoint(lease, f"{source.stream.title}: looking whether the plan still holds")
            if time.monotonic() > deadline:
                return False
        return True

    async def walk(self, lease: Lease, plan: Plan, source: Source, session: Session, deadline: float) -> bool:
        """True when everything is sent; False when the slice is over first. Raises PlanOutdated, ConnectorError, LeaseLost."""
        scope, name = lease.scope, source.stream.name
        resume = await walks.resume_state(scope, lease.run_id, name, PUSH)
        after = UUID(resume["after"]) if resume and "after" in resume else None
        if resume is None:
            async with transaction(scope):
                await walks.begin_stream(lease, name, None, PUSH)
                await self._walker.checkpoint(lease, f"{source.stream.title}: writing", forgive=False)
        while batch := await due_items.due(scope, plan.id, name, PUSH, after=after, limit=PAGE):
            after = batch[-1].id
            outcomes = await side_by_side(batch, lambda item: self._send(source, session, item), PushOutcome.UNCHANGED)
            async with transaction(scope):
                await note_page(self._walker, lease, name, {"after": str(after)}, counts_of(outcomes), [_record(item) for item in batch])
            if time.monotonic() > deadline:
                return False
        return await finish_push(self._walker, lease, source, "written")

    async def _send(self, source: Source, session: Session, item: DueItem) -> PushOutcome:
        outcome = await self._walker.pusher.push(source, session, _record(item), _AsPlanned(source.stream.name, item))
        async with transaction(source.scope):
            await due_items.mark_applied(source.scope, [item.id])
        return outcome


def _is_same(item: DueItem, now: NewItem | None) -> bool:
    return now is not None and (item.kind, item.effect, item.shown) == (now.kind, now.effect, now.shown)


def _moved(stream: str, item: DueItem, now: NewItem | None) -> Moved:
    what = "provider" if now is not None and (now.shown != item.shown or now.kind == "failure") else "outcome"
    return Moved(stream, item.key, item.record_id, what)


def _record(item: DueItem) -> UUID:
    assert item.record_id is not None
    return item.record_id
