"""Mutations on plans: asking for them, choosing what goes, applying and dismissing them."""

from typing import Annotated
from uuid import UUID

import strawberry

from app.api.context import Info
from app.api.ids import ConnectionId, IdempotencyKey, uuid_of
from app.api.mutations.syncs import (
    ConnectionNotUsableRefusal,
    CreatesMissing,
    Direction,
    Mode,
    OfContact,
    OneObject,
    OneRecord,
    SomeStreams,
    SyncInProgressRefusal,
    narrowing,
)
from app.api.queries.plans import PlanId
from app.api.refusals import GENERAL, Refusal, answers, common
from app.api.types.plans import MovedItem, Plan, PlanItemKind
from app.api.types.sync_runs import SyncRun
from app.api.types.syncs import SyncDirection, SyncMode
from app.idempotency import once
from app.syncs.plans.models import PlanNotReady, PlanOutdated, PlanSettled, RunNotUndoable
from app.syncs.plans.service import CHOSEN_AT_ONCE


@strawberry.type(name="PlanNotReady", description="The plan is being made or applied.")
class PlanNotReadyRefusal(Refusal):
    refuses = (PlanNotReady,)


@strawberry.type(name="PlanSettled", description="The plan was applied, was dismissed, or could not be made.")
class PlanSettledRefusal(Refusal):
    refuses = (PlanSettled,)


@strawberry.type(
    name="PlanOutdated", description="The world has moved since the plan was made: nothing of it is applied; make another one."
)
class PlanOutdatedRefusal(Refusal):
    refuses = (PlanOutdated,)
    moved: list[MovedItem] = strawberry.field(description="What has moved, at most 20 of it.")

    @classmethod
    def of(cls, error: PlanOutdated) -> "PlanOutdatedRefusal":
        moved = [MovedItem(stream=one.stream, key=one.key, what=one.what) for one in error.moved]
        return cls(**common(error), moved=moved)


@strawberry.type(name="RunNotUndoable", description="The run has not ended, was taken back already, or did nothing.")
class RunNotUndoableRefusal(Refusal):
    refuses = (RunNotUndoable,)


@strawberry.type(description="A run makes the plan; nothing is synced.")
class PlanSyncSuccess:
    plan: Plan = strawberry.field(description="The new plan; with a repeated key the one that it asked for.")


@strawberry.type(description="A run makes the plan; nothing is taken back before it is applied.")
class UndoSyncRunSuccess:
    plan: Plan = strawberry.field(description="The new plan; with a repeated key the one that it asked for.")


@strawberry.type(description="The selection is noted in the plan.")
class SelectPlanItemsSuccess:
    plan: Plan = strawberry.field(description="The plan as it is now.")


@strawberry.type(description="A run applies the plan.")
class ApplyPlanSuccess:
    run: SyncRun = strawberry.field(description="The run; asked again, the same one.")


@strawberry.type(description="The plan is not going to be applied.")
class DismissPlanSuccess:
    plan: Plan = strawberry.field(description="The plan as it is now.")


PlanSyncResult = Annotated[
    PlanSyncSuccess | SyncInProgressRefusal | ConnectionNotUsableRefusal | GENERAL,
    strawberry.union("PlanSyncResult", description="A plan that is being made, or why there is none."),
]
UndoSyncRunResult = Annotated[
    UndoSyncRunSuccess | RunNotUndoableRefusal | SyncInProgressRefusal | GENERAL,
    strawberry.union("UndoSyncRunResult", description="A plan that is being made, or why there is none."),
]
SelectPlanItemsResult = Annotated[
    SelectPlanItemsSuccess | PlanNotReadyRefusal | PlanSettledRefusal | PlanOutdatedRefusal | GENERAL,
    strawberry.union("SelectPlanItemsResult", description="The plan, or why nothing was selected."),
]
ApplyPlanResult = Annotated[
    ApplyPlanSuccess | PlanOutdatedRefusal | PlanNotReadyRefusal | PlanSettledRefusal | SyncInProgressRefusal | GENERAL,
    strawberry.union("ApplyPlanResult", description="The run that applies the plan, or why it is not applied."),
]
DismissPlanResult = Annotated[
    DismissPlanSuccess | PlanNotReadyRefusal | PlanSettledRefusal | GENERAL,
    strawberry.union("DismissPlanResult", description="The plan, or why it was not dismissed."),
]

ItemIds = Annotated[list[strawberry.ID] | None, strawberry.argument(description=f"Items of the plan, at most {CHOSEN_AT_ONCE}.")]


@strawberry.type
class PlanMutations:
    @strawberry.mutation(
        description="Ask what a sync would do, without doing it. It answers at once; watch the plan's run with `syncRunProgress`, then "
        "look at `planItems` and apply the plan."
    )
    @answers
    async def plan_sync(
        self,
        info: Info,
        connection_id: ConnectionId,
        idempotency_key: IdempotencyKey,
        streams: SomeStreams = None,
        mode: Mode = SyncMode.INCREMENTAL,
        direction: Direction = SyncDirection.PULL,
        contact_external_id: OfContact = None,
        external_id: OneObject = None,
        record_id: OneRecord = None,
        creates_missing: CreatesMissing = False,
    ) -> PlanSyncResult:
        plan = await info.context.hub.plans.plan(
            info.context.actor,
            uuid_of(connection_id, "Connection", field="connectionId"),
            streams=streams,
            mode=mode.value,
            direction=direction.value,
            narrowed_to=narrowing(contact_external_id, external_id, record_id),
            creates_missing=creates_missing,
            idempotency_key=idempotency_key,
        )
        return PlanSyncSuccess(plan=Plan.of(plan))

    @strawberry.mutation(
        description="Ask for the plan that takes a finished run back: what it made is deleted, what it changed or deleted is as before. "
        "What was changed since is left alone unless it is selected."
    )
    @answers
    async def undo_sync_run(
        self,
        info: Info,
        id: Annotated[strawberry.ID, strawberry.argument(description="The run's id.")],
        idempotency_key: IdempotencyKey,
    ) -> UndoSyncRunResult:
        plan = await info.context.hub.plans.undo(info.context.actor, uuid_of(id, "SyncRun"), idempotency_key=idempotency_key)
        return UndoSyncRunSuccess(plan=Plan.of(plan))

    @strawberry.mutation(description="Say what goes when a plan is applied as it stands, or what is left out: by kind, or item by item.")
    @answers
    async def select_plan_items(
        self,
        info: Info,
        id: PlanId,
        selected: Annotated[bool, strawberry.argument(description="True: they go. False: they are left out.")],
        idempotency_key: IdempotencyKey,
        kinds: Annotated[list[PlanItemKind] | None, strawberry.argument(description="All items of these kinds.")] = None,
        item_ids: ItemIds = None,
    ) -> SelectPlanItemsResult:
        hub, actor, plan_id = info.context.hub, info.context.actor, uuid_of(id, "Plan")
        items, named = _items(item_ids) or [], [kind.value for kind in kinds or ()]
        async with once(actor, "select_plan_items", idempotency_key, [plan_id, selected, named, items]) as call:
            if not call.repeated:
                await hub.plans.select(actor, plan_id, selected=selected, item_ids=items, kinds=named)
                call.result = {}
        return SelectPlanItemsSuccess(plan=Plan.of(await hub.plans.get(actor, plan_id)))

    @strawberry.mutation(
        description="Do what a plan says, as it stands or only the items that are named, and nothing else. It is refused when the world "
        "has moved since; what turns out to have moved later ends the run there."
    )
    @answers
    async def apply_plan(self, info: Info, id: PlanId, idempotency_key: IdempotencyKey, item_ids: ItemIds = None) -> ApplyPlanResult:
        run = await info.context.hub.plans.apply(
            info.context.actor, uuid_of(id, "Plan"), item_ids=_items(item_ids), idempotency_key=idempotency_key
        )
        return ApplyPlanSuccess(run=SyncRun.of(run))

    @strawberry.mutation(description="Decide that a plan is not going to be applied.")
    @answers
    async def dismiss_plan(self, info: Info, id: PlanId, idempotency_key: IdempotencyKey) -> DismissPlanResult:
        hub, actor, plan_id = info.context.hub, info.context.actor, uuid_of(id, "Plan")
        async with once(actor, "dismiss_plan", idempotency_key, [plan_id]) as call:
            if not call.repeated:
                await hub.plans.dismiss(actor, plan_id)
                call.result = {}
        return DismissPlanSuccess(plan=Plan.of(await hub.plans.get(actor, plan_id)))


def _items(ids: list[strawberry.ID] | None) -> list[UUID] | None:
    return None if ids is None else [uuid_of(id, "PlanItem", field="itemIds") for id in ids]
