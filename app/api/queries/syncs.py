"""Queries on syncs, sync runs and what failed."""

from typing import Annotated

import strawberry

from app.api.context import Info
from app.api.ids import ConnectionId, OfConnection, optional_uuid, same_id, uuid_of
from app.api.pages import EITHER_WAY, NEWEST_FIRST, After, First, Listing, ListOrder, Order, has_status, listing, page_of
from app.api.queries.missing import or_null
from app.api.reads import sources as reads
from app.api.reads.sources import ById, Filter, Page
from app.api.types.failed_records import FailedRecord
from app.api.types.syncs import StreamStatus, Sync, SyncRun, SyncRunStatus


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
        found = await info.context.hub.syncs.status(info.context.actor, uuid_of(connection_id, "Connection", field="connectionId"))
        return [StreamStatus.of(status) for status in found]

    @strawberry.field(description="Records that could not be taken over, newest first, with their cause and payload.")
    async def failed_records(
        self,
        info: Info,
        connection_id: OfConnection = None,
        sync_run_id: Annotated[strawberry.ID | None, strawberry.argument(description="Only those of this run.")] = None,
        open_only: Annotated[bool, strawberry.argument(description="Leave out those that are well by now, or dismissed.")] = True,
        first: First = 50,
        after: After = None,
    ) -> Listing[FailedRecord]:
        page = await info.context.hub.failed_records.failed_records(
            info.context.actor,
            page_of(first, after),
            connection_id=optional_uuid(connection_id, "Connection"),
            run_id=optional_uuid(sync_run_id, "SyncRun"),
            open_only=open_only,
        )
        return listing(info, page, after, FailedRecord.of)


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
reads.declare_root(
    "failed_records",
    Page(
        "FailedRecord",
        NEWEST_FIRST,
        filters={
            "connectionId": same_id("Connection", "connection_id"),
            "syncRunId": same_id("SyncRun", "sync_run_id"),
            "openOnly": Filter(lambda open_only: "{item}.resolved_at IS NULL AND {item}.dismissed_at IS NULL" if open_only else "true"),
        },
    ),
)
