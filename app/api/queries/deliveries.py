"""Queries on deliveries."""

from typing import Annotated

import strawberry

from app.api.context import Info
from app.api.ids import OfConnection, optional_uuid, same_id
from app.api.pages import NEWEST_FIRST, After, First, Listing, has_status, listing, page_of
from app.api.reads import sources as reads
from app.api.reads.sources import Filter, Page
from app.api.types.deliveries import Delivery, DeliveryStatus
from app.deliveries import models


@strawberry.type
class DeliveryQueries:
    @strawberry.field(description="Writes to providers, newest first, with the truth about how far each has got.")
    async def deliveries(
        self,
        info: Info,
        status: Annotated[DeliveryStatus | None, strawberry.argument(description="Only those that stand here.")] = None,
        connection_id: OfConnection = None,
        quote_id: Annotated[strawberry.ID | None, strawberry.argument(description="Only those of this quote.")] = None,
        first: First = 50,
        after: After = None,
    ) -> Listing[Delivery]:
        page = await info.context.hub.deliveries.deliveries(
            info.context.actor,
            page_of(first, after),
            status=models.DeliveryStatus(status.value) if status else None,
            connection_id=optional_uuid(connection_id, "Connection"),
            quote_id=optional_uuid(quote_id, "Quote"),
        )
        return listing(info, page, after, Delivery.of)


reads.declare_root(
    "deliveries",
    Page(
        "Delivery",
        NEWEST_FIRST,
        filters={
            "status": Filter(has_status),
            "connectionId": same_id("Connection", "connection_id"),
            "quoteId": same_id("Quote", "quote_id"),
        },
    ),
)
