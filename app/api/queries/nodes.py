"""`node` and `nodes`: anything that has a global id, asked for again by it."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Annotated
from uuid import UUID

import strawberry
from strawberry import relay

from app.api.context import Info
from app.api.ids import parse
from app.api.reads import sources as reads
from app.api.reads.sources import AnyById
from app.api.types.deliveries import Delivery
from app.api.types.organizations import Organization
from app.api.types.records import record_of
from app.errors import InvalidInput, NotFound, PermissionDenied
from app.paging import MAXIMUM

Finder = Callable[[Info, UUID], Awaitable[relay.Node | None]]


async def _organization(info: Info, id: UUID) -> relay.Node | None:
    found = Organization.of(await info.context.hub.organizations.get(info.context.actor))
    return found if found.uuid == id else None


async def _record(info: Info, id: UUID) -> relay.Node | None:
    record = await info.context.loaders.record.load(id)
    return None if record is None else record_of(record)


async def _delivery(info: Info, id: UUID) -> relay.Node | None:
    return Delivery.of(await info.context.hub.deliveries.delivery(info.context.actor, id))


def _loaded(name: str) -> Finder:
    async def find(info: Info, id: UUID) -> relay.Node | None:
        found: relay.Node | None = await getattr(info.context.loaders, name).load(id)
        return found

    return find


FINDERS: dict[str, Finder] = {
    "Client": _loaded("client"),
    "Connection": _loaded("connection"),
    "Conflict": _loaded("conflict"),
    "Contact": _record,
    "Delivery": _delivery,
    "InventoryLevel": _record,
    "Job": _record,
    "Organization": _organization,
    "Plan": _loaded("plan"),
    "Product": _record,
    "Quote": _loaded("quote"),
    "SalesDocument": _record,
    "Sync": _loaded("sync"),
    "SyncRun": _loaded("sync_run"),
}


@strawberry.type
class NodeQueries:
    @strawberry.field(description="Anything by its id; null when it does not exist or may not be seen.")
    async def node(
        self, info: Info, id: Annotated[strawberry.ID, strawberry.argument(description="The id of anything here.")]
    ) -> relay.Node | None:
        return await _find(info, id)

    @strawberry.field(description="Several things by their ids, in the same order; null for each that is not there.")
    async def nodes(
        self, info: Info, ids: Annotated[list[strawberry.ID], strawberry.argument(description="At most 100 ids of anything here.")]
    ) -> list[relay.Node | None]:
        if len(ids) > MAXIMUM:
            raise InvalidInput(fields={"ids": f"Ask for at most {MAXIMUM} at a time."})
        return list(await asyncio.gather(*(_find(info, id) for id in ids)))


async def _find(info: Info, given: str) -> relay.Node | None:
    try:
        type_name, value = parse(given)
        found = await FINDERS[type_name](info, value) if type_name in FINDERS else None
    except (InvalidInput, NotFound, PermissionDenied):
        return None
    # The same record under the name of another type is not what was asked for.
    return found if type(found).__name__ == type_name else None


reads.declare_root("node", AnyById("id"))
reads.declare_root("nodes", AnyById("ids"))
