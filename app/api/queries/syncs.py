"""Queries on syncs and sync runs."""

from typing import Annotated

import strawberry

from app.api.context import Info
from app.api.ids import ConnectionId, OfConnection, optional_uuid, same_id, uuid_of
from app.api.pages import EITHER_WAY, NEWEST_FIRST, After, First, Listing, ListOrder, Order, has_status, listing, page_of
from app.api.queries.missing import or_null
from app.api.reads import sources as reads
from app.api.reads.sources import ById, Filter, Page
from app.api.types.schedules import ScheduledTime
from app.api.types.sync_runs import StreamStatus, SyncRun, SyncRunStatus
from app.api.types.syncs import Sync


@strawberry.type
class SyncQueries:
    @strawberry.field(description="The standing syncs of a connection, oldest first.")
    async def syncs(self, info: Info, connection_id: ConnectionId) -> list[Sync]:
        found = await info.context.hub.schedules.syncs(info.context.actor, uuid_of(connection_id, "Connection", field="connectionId"))
        return [Sync.of(sync) for sync in found]

    @strawberry.field(description="Sync runs, newest first.")
    async def sync_runs(
        self,
        info: Info,
        connection_id: OfConnection = None,
        status: Annotated[SyncRunStatus | None, strawberry.argument(description="Only those that stand here.")] = None,
        order: Order = ListOrder.NEWEST_FIRST,
        first: First = 50,
        after: After = None,
    ) -> Listing[SyncRun]:
        page = await info.context.hub.syncs.runs(
            info.context.actor,
            page_of(first, after),
            connection_id=optional_uuid(connection_id, "Connection"),
            status=status.value if status else None,
            oldest_first=order is ListOrder.OLDEST_FIRST,
        )
        return listing(info, page, after, SyncRun.of)

    @strawberry.field(description="One sync run; null when it does not exist.")
    @or_null
    async def sync_run(self, info: Info, id: Annotated[strawberry.ID, strawberry.argument(description="The run's id.")]) -> SyncRun | None:
        return SyncRun.of(await info.context.hub.syncs.run(info.context.actor, uuid_of(id, "SyncRun")))

    @strawberry.field(description="Where each stream of a connection stands; null when the connection does not exist.")
    @or_null
    async def sync_status(self, info: Info, connection_id: ConnectionId) -> list[StreamStatus] | None:
        connection = uuid_of(connection_id, "Connection", field="connectionId")
        return [StreamStatus.of(status, connection) for status in await info.context.hub.syncs.status(info.context.actor, connection)]

    @strawberry.field(description="When a schedule is due next, with what clock changes do to it. A sync starts up to its jitter later.")
    def schedule_preview(
        self,
        info: Info,
        schedule: Annotated[str, strawberry.argument(description="Five cron fields, like `0 2 * * *`.")],
        time_zone: Annotated[str, strawberry.argument(description="The time zone of the schedule, like `Europe/Ljubljana`.")],
        first: Annotated[int, strawberry.argument(description="How many times to tell: 1 to 50.")] = 5,
    ) -> list[ScheduledTime]:
        found = info.context.hub.schedules.preview(info.context.actor, schedule, time_zone, count=first)
        return [ScheduledTime.of(time) for time in found]


reads.declare_root("sync_run", ById("SyncRun"))
reads.declare_root(
    "sync_runs",
    Page(
        "SyncRun",
        NEWEST_FIRST,
        orders=EITHER_WAY,
        filters={
            "connectionId": same_id("Connection", "connection_id"),
            "status": Filter(has_status),
        },
    ),
)
