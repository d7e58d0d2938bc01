"""Queries on what connections did, and on whether they are in step."""

from typing import Annotated

import strawberry

from app.api.context import Info
from app.api.ids import ConnectionId, same_id, uuid_of
from app.api.pages import After, First, Listing, listing, page_of
from app.api.queries.missing import or_null
from app.api.reads import sources as reads
from app.api.reads.sources import Filter, Key, Page
from app.api.streams import StreamName
from app.api.types.reconciliations import Reconciliation
from app.api.types.statistics import ConnectionStatistics, Statistics


@strawberry.type
class StatisticsQueries:
    @strawberry.field(description="What a connection did, day by day and in total; null when the connection does not exist.")
    @or_null
    async def connection_statistics(
        self,
        info: Info,
        connection_id: ConnectionId,
        days: Annotated[int, strawberry.argument(description="How many days, today included: 1 to 366.")] = 30,
    ) -> ConnectionStatistics | None:
        connection = uuid_of(connection_id, "Connection", field="connectionId")
        found = await info.context.hub.statistics.by_day(info.context.actor, connection, days=days)
        return ConnectionStatistics(connection_id=connection, days=[Statistics.of(day) for day in found])

    @strawberry.field(description="What the complete scans of a stream came to, newest first. `syncStatus` has the latest of each stream.")
    async def reconciliations(
        self, info: Info, connection_id: ConnectionId, stream: StreamName, first: First = 50, after: After = None
    ) -> Listing[Reconciliation]:
        connection = uuid_of(connection_id, "Connection", field="connectionId")
        page = await info.context.hub.reconciliations.history(info.context.actor, connection, stream, page_of(first, after))
        return listing(info, page, after, Reconciliation.of)


reads.declare_root(
    "reconciliations",
    Page(
        "Reconciliation",
        (Key("sync_run_id", "uuid", descending=True),),
        filters={"connectionId": same_id("Connection", "connection_id"), "stream": Filter("{item}.stream = {value}")},
    ),
)
