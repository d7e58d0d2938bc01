"""Queries on clients."""

import strawberry

from app.api.context import Info
from app.api.pages import BY_NAME, After, First, Listing, listing, page_of
from app.api.reads import sources as reads
from app.api.reads.sources import Page
from app.api.types.clients import Client


@strawberry.type
class ClientQueries:
    @strawberry.field(description="Clients by name.")
    async def clients(self, info: Info, first: First = 50, after: After = None) -> Listing[Client]:
        page = await info.context.hub.clients.clients(info.context.actor, page_of(first, after))
        return listing(info, page, after, Client.of)


reads.declare_root("clients", Page("Client", BY_NAME))
