"""Queries on what one side has and the other has not."""

from typing import Annotated

import strawberry

from app.api.context import Info
from app.api.ids import ConnectionId, uuid_of
from app.api.pages import After, First, page_of
from app.api.queries.missing import or_null
from app.api.streams import StreamName
from app.api.types.imports import UnsyncedObjects, UnsyncedRecords
from app.api.types.sales_documents import SalesDocumentKind


@strawberry.type
class UnsyncedQueries:
    @strawberry.field(
        description="Records of a stream's kind that the connection does not have, oldest first; null when the connection does not exist."
    )
    @or_null
    async def unsynced_records(
        self,
        info: Info,
        connection_id: ConnectionId,
        stream: StreamName,
        kind: Annotated[SalesDocumentKind | None, strawberry.argument(description="Only sales documents of this kind.")] = None,
        first: First = 50,
        after: After = None,
    ) -> UnsyncedRecords | None:
        actor, connection = info.context.actor, uuid_of(connection_id, "Connection", field="connectionId")
        wanted = kind.value if kind else None
        page = await info.context.hub.unsynced.records(actor, connection, stream, page_of(first, after), kind=wanted)
        return UnsyncedRecords.of(page, after)

    @strawberry.field(
        description="Objects that the provider had at the last complete scan and the hub has no record of, by their ids; null when the "
        "connection does not exist."
    )
    @or_null
    async def unsynced_objects(
        self, info: Info, connection_id: ConnectionId, stream: StreamName, first: First = 50, after: After = None
    ) -> UnsyncedObjects | None:
        actor, connection = info.context.actor, uuid_of(connection_id, "Connection", field="connectionId")
        found = await info.context.hub.unsynced.objects(actor, connection, stream, page_of(first, after))
        return UnsyncedObjects.of(found, after)
