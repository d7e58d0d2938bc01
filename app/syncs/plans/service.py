"""Asking for plans, looking at them, applying and dismissing them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Unpack
from uuid import UUID

import asyncpg

from app.actors import Actor, Permission
from app.audit.service import AuditService
from app.database import after_commit, transaction
from app.errors import InvalidInput
from app.feed.service import FeedService
from app.idempotency import once
from app.ids import new_id
from app.paging import PageRequest, ResultPage
from app.queue import JobQueue
from app.syncs import repository
from app.syncs.models import RunOptions, SyncRun
from app.syncs.plans import due_items
from app.syncs.plans import rules as plan_rules
from app.syncs.plans import selection as plan_selection
from app.syncs.plans import store as plan_store
from app.syncs.plans.models import KindCount, Moved, Plan, PlanItem, PlanNotFound, PlanNotReady, PlanOutdated, PlanSettled, RunNotUndoable
from app.syncs.service import SyncInProgress, SyncService

CHOSEN_AT_ONCE = 1000
_NOT_THERE = "Some of these items are not in this plan, or cannot be applied (any more)."


@dataclass(frozen=True, slots=True)
class NewRun:
    """A run that makes or applies a plan."""

    id: UUID
    connection_id: UUID
    task: str
    plan_id: UUID
    locks: Sequence[tuple[str, str, str]]
    mode: str = "full"
    direction: str = "pull"
    narrowed_to: Mapping[str, str] | None = None


class PlanService:
    """The use cases of plans. What makes and applies them is in app/syncs/plans/runs.py."""

    def __init__(
        self, *, syncs: SyncService, audit: AuditService, feed: FeedService, queue: JobQueue, now: Callable[[], datetime]
    ) -> None:  # fmt: skip
        self._syncs = syncs
        self._audit = audit
        self._feed = feed
        self._queue = queue
        self._now = now

    async def plan(self, actor: Actor, connection_id: UUID, *, idempotency_key: str | None = None, **options: Unpack[RunOptions]) -> Plan:
        """Ask what a sync would do. A run makes the plan; it holds the streams as any run, and nothing is synced.

        Raises SyncInProgress, ConnectionNotUsable, InvalidInput.
        """
        run = await self._syncs.start(actor, connection_id, task="plan", idempotency_key=idempotency_key, **options)
        assert run.plan_id is not None
        return await self.get(actor, run.plan_id)

    async def undo(self, actor: Actor, run_id: UUID, *, idempotency_key: str | None = None) -> Plan:
        """Ask for the plan that takes a finished run back. A run makes it; nothing is taken back before it is applied.

        Raises SyncRunNotFound, RunNotUndoable, SyncInProgress.
        """
        actor.require(Permission.RUN_SYNCS)
        actor.require(Permission.MANAGE_RECORDS)
        run = await self._syncs.run(actor, run_id)
        if sentence := plan_rules.not_undoable(run):
            raise RunNotUndoable(sentence)
        async with once(actor, "sync_run.undo", idempotency_key, {"run_id": run_id}) as call:
            if not call.repeated:
                locks = sorted({(lock, lock, "pull") for _, lock, _ in await repository.locks_of(actor.scope, run_id)})
                plan_id, made_by = new_id(), new_id()
                await plan_store.add(
                    actor.scope, plan_id, run.connection_id, kind="undo", run_id=made_by, undoes_run_id=run_id, requested_by=actor.name
                )
                new = NewRun(made_by, run.connection_id, "plan", plan_id, locks)
                await self._queue_run(actor, new)
                await self._audit.add(actor, "sync_run.undo_planned", run_id, {"plan_id": plan_id})
                call.result = {"id": str(plan_id)}
        return await self.get(actor, call.id())

    async def renew(self, actor: Actor, plan_id: UUID, *, idempotency_key: str | None = None) -> Plan:
        """Ask for the same plan again, of the world as it is now. Raises as `plan` and `undo` do."""
        plan = await self.get(actor, plan_id)
        if plan.undoes_run_id is not None:
            return await self.undo(actor, plan.undoes_run_id, idempotency_key=idempotency_key)
        made = await self._syncs.run(actor, plan.run_id)
        return await self.plan(
            actor,
            plan.connection_id,
            streams=list(dict.fromkeys(stream.stream for stream in made.streams)),
            mode=made.mode,
            direction=made.direction,
            narrowed_to=made.narrowed_to,
            creates_missing=made.creates_missing,
            idempotency_key=idempotency_key,
        )

    async def get(self, actor: Actor, plan_id: UUID) -> Plan:
        """Raises PlanNotFound."""
        actor.require(Permission.READ_SYNCS)
        plan = await plan_store.get(actor.scope, plan_id)
        if plan is None:
            raise PlanNotFound
        return plan

    async def get_many(self, actor: Actor, plan_ids: Sequence[UUID]) -> list[Plan]:
        """Those of the plans that exist, in any order."""
        actor.require(Permission.READ_SYNCS)
        return await plan_store.get_many(actor.scope, plan_ids)

    async def plans(
        self, actor: Actor, page: PageRequest, *, connection_id: UUID | None = None, undoes_run_id: UUID | None = None
    ) -> ResultPage[Plan]:
        """Plans, newest first."""
        actor.require(Permission.READ_SYNCS)
        found = await plan_store.page(
            actor.scope, first=page.first, after=page.key(UUID), connection_id=connection_id, undoes_run_id=undoes_run_id
        )
        return ResultPage.cut(found, page.first, lambda plan: plan.id)

    async def items(
        self, actor: Actor, plan_id: UUID, page: PageRequest, *, kind: str | None = None, changes_only: bool = True
    ) -> ResultPage[PlanItem]:
        """What a plan does, one by one, in its order; with `changes_only` without what nobody would see a difference of."""
        actor.require(Permission.READ_RECORDS)
        found = await plan_store.items(actor.scope, plan_id, first=page.first, after=page.key(UUID), kind=kind, changes_only=changes_only)
        return ResultPage.cut(found, page.first, lambda item: item.id)

    async def counts(self, actor: Actor, plan_id: UUID) -> list[KindCount]:
        """How many items of each kind a plan has, and how many of them go when it is applied as it stands."""
        await self.get(actor, plan_id)
        return await plan_store.counts(actor.scope, plan_id)

    async def select(
        self, actor: Actor, plan_id: UUID, *, selected: bool, item_ids: Sequence[UUID] = (), kinds: Sequence[str] = ()
    ) -> Plan:
        """Say what goes when the plan is applied as it stands, or what is left out, by kinds or one by one.

        Raises PlanNotFound, PlanNotReady, PlanSettled, PlanOutdated, InvalidInput.
        """
        await self._require_to_apply(actor, plan_id)
        if len(item_ids) > CHOSEN_AT_ONCE:
            raise InvalidInput(fields={"itemIds": f"Name at most {CHOSEN_AT_ONCE} items."})
        async with transaction(actor.scope):
            plan = await plan_store.get(actor.scope, plan_id, lock=True)
            assert plan is not None
            if plan.status in ("applying", "applied"):
                raise PlanNotReady("This plan is being applied, or was; look at its run.")
            await self._earlier(actor, plan)
            if kinds:
                await plan_selection.select_kinds(actor.scope, plan_id, kinds, selected=selected)
            if item_ids and await plan_selection.select(actor.scope, plan_id, item_ids, selected=selected) != len(set(item_ids)):
                raise InvalidInput(fields={"itemIds": _NOT_THERE})
        return await self.get(actor, plan_id)

    async def apply(
        self, actor: Actor, plan_id: UUID, *, item_ids: Sequence[UUID] | None = None, idempotency_key: str | None = None
    ) -> SyncRun:
        """Do what the plan says, as it stands or the items that are named, and nothing else. Asked again, the same run.

        Raises PlanNotFound, PlanNotReady, PlanSettled, PlanOutdated, SyncInProgress, InvalidInput.
        """
        await self._require_to_apply(actor, plan_id)
        if item_ids is not None and not 0 < len(item_ids) <= CHOSEN_AT_ONCE:
            raise InvalidInput(fields={"itemIds": f"Choose 1 to {CHOSEN_AT_ONCE} items."})
        try:
            async with once(actor, "plan.apply", idempotency_key, {"plan_id": plan_id, "item_ids": item_ids}) as call:
                if not call.repeated:
                    call.result = {"id": str(await self._begin(actor, plan_id, item_ids))}
            return await self._syncs.run(actor, call.id())
        except PlanOutdated as error:
            async with transaction(actor.scope):
                await plan_store.mark_outdated(actor.scope, plan_id, error.moved)
            raise

    async def _require_to_apply(self, actor: Actor, plan_id: UUID) -> None:
        """Raises PlanNotFound, PermissionDenied."""
        actor.require(Permission.RUN_SYNCS)
        if (await self.get(actor, plan_id)).kind == "undo":
            actor.require(Permission.MANAGE_RECORDS)

    async def _begin(self, actor: Actor, plan_id: UUID, item_ids: Sequence[UUID] | None) -> UUID:
        """The run that applies it: a new one, or the one that does or did."""
        async with transaction(actor.scope):
            plan = await plan_store.get(actor.scope, plan_id, lock=True)
            assert plan is not None
            if (earlier := await self._earlier(actor, plan)) is not None:
                return earlier
            if plan.applied_run_id and item_ids is None and not await due_items.is_any_due(actor.scope, plan_id):
                return plan.applied_run_id
            if plan_rules.is_too_old(plan.created_at, self._now()):
                raise PlanOutdated([Moved("", "", None, "terms")])
            run_id = new_id()
            if item_ids is not None and await plan_selection.choose(actor.scope, plan_id, item_ids) != len(set(item_ids)):
                raise InvalidInput(fields={"itemIds": _NOT_THERE})
            await plan_store.begin(actor.scope, plan_id, run_id, chosen_only=item_ids is not None, by=actor.name)
            if moved := await due_items.moved(actor.scope, plan_id, plan.connection_id):
                raise PlanOutdated(moved)
            await self._queue_apply(actor, plan, run_id)
            await self._audit.add(actor, "plan.applied", plan.id, {"run_id": run_id, "items": len(item_ids) if item_ids else None})
            return run_id

    async def _earlier(self, actor: Actor, plan: Plan) -> UUID | None:
        """The run that applied or applies the plan; None where there is something to be applied. Raises why it cannot be."""
        if plan.status == "applied":
            return plan.applied_run_id
        if plan.status == "applying" and plan.applied_run_id:
            run = await repository.get_run(actor.scope, plan.applied_run_id)
            return plan.applied_run_id if run and run.status.is_active else None
        refusals = {"making": PlanNotReady, "dismissed": PlanSettled, "failed": PlanSettled}
        if plan.status in refusals:
            raise refusals[plan.status]
        if plan.status == "outdated":
            raise PlanOutdated([Moved(**{**one, "record_id": one["record_id"] and UUID(one["record_id"])}) for one in plan.moved or ()])
        return None

    async def _queue_apply(self, actor: Actor, plan: Plan, run_id: UUID) -> None:
        made = await repository.get_run(actor.scope, plan.run_id)
        assert made is not None
        locks = await repository.locks_of(actor.scope, plan.run_id)
        await self._queue_run(
            actor, NewRun(run_id, plan.connection_id, "apply", plan.id, locks, made.mode, made.direction, made.narrowed_to)
        )  # fmt: skip

    async def _queue_run(self, actor: Actor, new: NewRun) -> None:
        """Queue the run in the caller's transaction, and ring for it. Raises SyncInProgress."""
        try:
            async with transaction(actor.scope):
                await repository.add_run(
                    actor.scope,
                    new.id,
                    new.connection_id,
                    sync_id=None,
                    mode=new.mode,
                    direction=new.direction,
                    narrowed_to=new.narrowed_to,
                    requested_by={"kind": actor.kind, "id": str(actor.id) if actor.id else None, "name": actor.name},
                    streams=new.locks,
                    task=new.task,
                    plan_id=new.plan_id,
                )
        except asyncpg.UniqueViolationError:
            existing = await repository.active_run(actor.scope, new.connection_id, [(lock, way) for _, lock, way in new.locks])
            raise SyncInProgress(existing or new.id) from None
        await self._feed.publish(actor.scope, topic="sync_run", subject_id=new.id, revision=1)
        after_commit(lambda: self._queue.ring("advance_run", actor.organization_id, new.id))

    async def dismiss(self, actor: Actor, plan_id: UUID) -> Plan:
        """It is not going to be applied. Raises PlanNotFound, PlanNotReady (it is in hand), PlanSettled (it was applied)."""
        await self._require_to_apply(actor, plan_id)
        async with transaction(actor.scope):
            plan = await plan_store.get(actor.scope, plan_id, lock=True)
            assert plan is not None
            run = await repository.get_run(actor.scope, plan.applied_run_id or plan.run_id)
            if run is not None and run.status.is_active:
                raise PlanNotReady("This plan is being made or applied; cancel its run first.")
            if plan.status == "applied":
                raise PlanSettled("This plan was applied; its run can be taken back.")
            if plan.status in ("making", "drafted", "applying"):
                await plan_store.dismiss(actor.scope, plan_id, actor.name)
                await self._audit.add(actor, "plan.dismissed", plan_id)
        return await self.get(actor, plan_id)
