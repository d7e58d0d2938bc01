"""Queries on connectors, connections and calls to providers."""

from typing import Annotated

import strawberry

from app.api.context import Info
from app.api.ids import ConnectionId, optional_uuid, same_id, uuid_of
from app.api.pages import NEWEST_FIRST, OLDEST_FIRST, After, First, Listing, listing, page_of
from app.api.queries.missing import or_null
from app.api.reads import sources as reads
from app.api.reads.sources import ById, Filter, Page
from app.api.types.connections import Connection, ProviderCall
from app.api.types.connectors import Connector


@strawberry.type
class ConnectionQueries:
    @strawberry.field(description="The providers that can be connected, with the settings that each of them asks for.")
    def connectors(self, info: Info) -> list[Connector]:
        return [Connector.of(connector) for connector in info.context.hub.connections.connectors(info.context.actor)]

    @strawberry.field(description="The connections of the organization, oldest first.")
    async def connections(
        self,
        info: Info,
        deleted: Annotated[bool, strawberry.argument(description="Those that were deleted instead.")] = False,
        first: First = 50,
        after: After = None,
    ) -> Listing[Connection]:
        page = await info.context.hub.connections.list(info.context.actor, page_of(first, after), deleted=deleted)
        return listing(info, page, after, Connection.of)

    @strawberry.field(description="One connection, also a deleted one; null when it does not exist.")
    @or_null
    async def connection(self, info: Info, id: ConnectionId) -> Connection | None:
        return Connection.of(await info.context.hub.connections.get(info.context.actor, uuid_of(id, "Connection")))

    @strawberry.field(description="Every request that was sent to a provider, newest first.")
    async def provider_calls(
        self,
        info: Info,
        connection_id: ConnectionId,
        sync_run_id: Annotated[strawberry.ID | None, strawberry.argument(description="Only those of this run.")] = None,
        first: First = 50,
        after: After = None,
    ) -> Listing[ProviderCall]:
        actor = info.context.actor
        page = await info.context.hub.connections.provider_calls(
            actor,
            uuid_of(connection_id, "Connection", field="connectionId"),
            page_of(first, after),
            sync_run_id=optional_uuid(sync_run_id, "SyncRun"),
        )
        return listing(info, page, after, ProviderCall.of)


reads.declare_root("connection", ById("Connection"))
reads.declare_root(
    "connections",
    Page(
        "Connection",
        OLDEST_FIRST,
        filters={"deleted": Filter(lambda deleted: f"{{item}}.deleted_at IS {'NOT ' if deleted else ''}NULL")},
    ),
)
reads.declare_root(
    "provider_calls",
    Page(
        "ProviderCall",
        NEWEST_FIRST,
        filters={
            "connectionId": same_id("Connection", "connection_id"),
            "syncRunId": same_id("SyncRun", "sync_run_id"),
        },
    ),
)
