"""Queries on conflicts and on what decides them."""

from typing import Annotated

import strawberry

from app.api.context import Info
from app.api.ids import ConnectionId, OfConnection, OfRecord, optional_record, optional_uuid, same_id, same_record, uuid_of
from app.api.pages import NEWEST_FIRST, After, First, Listing, listing, page_of
from app.api.queries.missing import or_null
from app.api.reads import sources as reads
from app.api.reads.sources import ById, Filter, Page
from app.api.streams import StreamName, stream_of
from app.api.types.conflicts import Conflict, StreamPolicy


@strawberry.type
class ConflictQueries:
    @strawberry.field(description="Fields that hub and provider changed differently, newest first.")
    async def conflicts(
        self,
        info: Info,
        connection_id: OfConnection = None,
        record_id: OfRecord = None,
        field: Annotated[str | None, strawberry.argument(description="Only those of this field, as `RecordVersion.data` names it.")] = None,
        open_only: Annotated[bool, strawberry.argument(description="Leave out those that were decided.")] = True,
        first: First = 50,
        after: After = None,
    ) -> Listing[Conflict]:
        page = await info.context.hub.conflicts.conflicts(
            info.context.actor,
            page_of(first, after),
            connection_id=optional_uuid(connection_id, "Connection"),
            record_id=optional_record(record_id),
            field=field,
            open_only=open_only,
        )
        return listing(info, page, after, Conflict.of)

    @strawberry.field(description="One conflict; null when it does not exist.")
    @or_null
    async def conflict(
        self, info: Info, id: Annotated[strawberry.ID, strawberry.argument(description="The conflict's id.")]
    ) -> Conflict | None:
        return Conflict.of(await info.context.hub.conflicts.get(info.context.actor, uuid_of(id, "Conflict")))

    @strawberry.field(description="What decides about a stream of a connection; null when the connection does not exist.")
    @or_null
    async def stream_policy(self, info: Info, connection_id: ConnectionId, stream: StreamName) -> StreamPolicy | None:
        hub, actor, connection = info.context.hub, info.context.actor, uuid_of(connection_id, "Connection", field="connectionId")
        known = await stream_of(info, connection, stream)
        return StreamPolicy.of(await hub.conflicts.policy(actor, connection, known.record_stream))


reads.declare_root("conflict", ById("Conflict"))
reads.declare_root(
    "conflicts",
    Page(
        "Conflict",
        NEWEST_FIRST,
        filters={
            "connectionId": same_id("Connection", "connection_id"),
            "recordId": same_record(),
            "field": Filter("{item}.field = {value}"),
            "openOnly": Filter(lambda open_only: "{item}.resolved_at IS NULL" if open_only else "true"),
        },
    ),
)
