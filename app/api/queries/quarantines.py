"""Queries on held deletions."""

from typing import Annotated

import strawberry

from app.api.context import Info
from app.api.ids import OfConnection, optional_uuid, same_id, uuid_of
from app.api.pages import NEWEST_FIRST, After, First, Listing, listing, page_of
from app.api.queries.missing import or_null
from app.api.reads import sources as reads
from app.api.reads.sources import ById, Filter, Page
from app.api.types.quarantines import Quarantine, QuarantinedDeletions

QuarantineId = Annotated[strawberry.ID, strawberry.argument(description="The id of the held deletions.")]


@strawberry.type
class QuarantineQueries:
    @strawberry.field(description="Deletions that the brake held back, newest first.")
    async def quarantines(
        self,
        info: Info,
        connection_id: OfConnection = None,
        open_only: Annotated[bool, strawberry.argument(description="Leave out those that were released or dismissed.")] = True,
        first: First = 50,
        after: After = None,
    ) -> Listing[Quarantine]:
        page = await info.context.hub.quarantine.quarantined(
            info.context.actor, page_of(first, after), connection_id=optional_uuid(connection_id, "Connection"), open_only=open_only
        )
        return listing(info, page, after, Quarantine.of)

    @strawberry.field(description="Held deletions of one scan; null when they do not exist.")
    @or_null
    async def quarantine(self, info: Info, id: QuarantineId) -> Quarantine | None:
        return Quarantine.of(await info.context.hub.quarantine.get(info.context.actor, uuid_of(id, "Quarantine")))

    @strawberry.field(description="What held deletions would delete, by the provider's ids; null when they do not exist.")
    @or_null
    async def quarantined_deletions(
        self, info: Info, quarantine_id: QuarantineId, first: First = 50, after: After = None
    ) -> QuarantinedDeletions | None:
        held = uuid_of(quarantine_id, "Quarantine", field="quarantineId")
        page = await info.context.hub.quarantine.deletions(info.context.actor, held, page_of(first, after))
        return QuarantinedDeletions.of(page, after)


reads.declare_root("quarantine", ById("Quarantine"))
reads.declare_root(
    "quarantines",
    Page(
        "Quarantine",
        NEWEST_FIRST,
        filters={
            "connectionId": same_id("Connection", "connection_id"),
            "openOnly": Filter(lambda open_only: "{item}.status IN ('held', 'releasing')" if open_only else "true"),
        },
    ),
)
