"""Queries on plans and what is in them."""

from typing import Annotated

import strawberry

from app.api.context import Info
from app.api.ids import OfConnection, optional_uuid, same_id, uuid_of
from app.api.pages import NEWEST_FIRST, OLDEST_FIRST, After, First, Listing, listing, page_of
from app.api.queries.missing import or_null
from app.api.reads import sources as reads
from app.api.reads.sources import ById, Filter, Page
from app.api.types.plans import Plan, PlanItem, PlanItemKind

PlanId = Annotated[strawberry.ID, strawberry.argument(description="The plan's id.")]


@strawberry.type
class PlanQueries:
    @strawberry.field(description="One plan; null when it does not exist.")
    @or_null
    async def plan(self, info: Info, id: PlanId) -> Plan | None:
        return Plan.of(await info.context.hub.plans.get(info.context.actor, uuid_of(id, "Plan")))

    @strawberry.field(description="Plans, newest first.")
    async def plans(
        self,
        info: Info,
        connection_id: OfConnection = None,
        undoes_run_id: Annotated[strawberry.ID | None, strawberry.argument(description="Only those that take this run back.")] = None,
        first: First = 50,
        after: After = None,
    ) -> Listing[Plan]:
        page = await info.context.hub.plans.plans(
            info.context.actor,
            page_of(first, after),
            connection_id=optional_uuid(connection_id, "Connection"),
            undoes_run_id=None if undoes_run_id is None else uuid_of(undoes_run_id, "SyncRun", field="undoesRunId"),
        )
        return listing(info, page, after, Plan.of)

    @strawberry.field(description="What a plan does, item by item, in its order. Those of an old plan are forgotten after 30 days.")
    async def plan_items(
        self,
        info: Info,
        plan_id: PlanId,
        kind: Annotated[PlanItemKind | None, strawberry.argument(description="Only those of this kind.")] = None,
        changes_only: Annotated[bool, strawberry.argument(description="Leave out what nobody would see a difference of.")] = True,
        first: First = 50,
        after: After = None,
    ) -> Listing[PlanItem]:
        page = await info.context.hub.plans.items(
            info.context.actor,
            uuid_of(plan_id, "Plan", field="planId"),
            page_of(first, after),
            kind=kind.value if kind else None,
            changes_only=changes_only,
        )
        return listing(info, page, after, PlanItem.of)


reads.declare_root("plan", ById("Plan"))
reads.declare_root(
    "plans",
    Page(
        "Plan",
        NEWEST_FIRST,
        filters={
            "connectionId": same_id("Connection", "connection_id"),
            "undoesRunId": Filter("{item}.undoes_run_id = {value}", "uuid", lambda given: uuid_of(given, "SyncRun", field="undoesRunId")),
        },
    ),
)
reads.declare_root(
    "plan_items",
    Page(
        "PlanItem",
        OLDEST_FIRST,
        filters={
            "planId": same_id("Plan", "plan_id"),
            "kind": Filter(lambda kind: f"{{item}}.kind = '{kind.value}'"),
            "changesOnly": Filter(lambda changes_only: "{item}.kind <> 'refresh'" if changes_only else "true"),
        },
    ),
)
