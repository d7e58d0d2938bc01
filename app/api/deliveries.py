"""Queries and mutations on deliveries."""

from typing import Annotated

import strawberry

from app.api.context import Info
from app.api.delivery_types import Delivery, DeliveryStatus
from app.api.ids import IdempotencyKey, OfConnection, optional_uuid, same_id, uuid_of
from app.api.pages import NEWEST_FIRST, After, First, Listing, has_status, listing, page_of
from app.api.reads import sources as reads
from app.api.reads.sources import Filter, Page
from app.api.refusals import GENERAL, Refusal, answers
from app.deliveries import models
from app.deliveries.service import DeliverySettled


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
            connection_id=optional_uuid(connection_id, "Connection", field="connectionId"),
            quote_id=optional_uuid(quote_id, "Quote", field="quoteId"),
        )
        return listing(info, page, after, Delivery.of)


@strawberry.type(name="DeliverySettled", description="It has arrived, or its decision no longer stands.")
class DeliverySettledRefusal(Refusal):
    refuses = (DeliverySettled,)


@strawberry.type(description="The delivery will be tried again.")
class RetryDeliverySuccess:
    delivery: Delivery = strawberry.field(description="The delivery as it is now.")


RetryDeliveryResult = Annotated[
    RetryDeliverySuccess | DeliverySettledRefusal | GENERAL,
    strawberry.union("RetryDeliveryResult", description="The delivery, or why it is not tried again."),
]


@strawberry.type
class DeliveryMutations:
    @strawberry.mutation(description="Try a failed or waiting delivery again, now.")
    @answers
    async def retry_delivery(
        self,
        info: Info,
        id: Annotated[strawberry.ID, strawberry.argument(description="The delivery's id.")],
        idempotency_key: IdempotencyKey,
    ) -> RetryDeliveryResult:
        deliveries, actor, delivery_id = info.context.hub.deliveries, info.context.actor, uuid_of(id, "Delivery")
        delivery = await deliveries.retry(actor, delivery_id, idempotency_key=idempotency_key)
        return RetryDeliverySuccess(delivery=Delivery.of(delivery))


reads.declare_root(
    "deliveries",
    Page(
        "Delivery",
        NEWEST_FIRST,
        filters={
            "status": Filter(has_status),
            "connectionId": same_id("connection_id", "Connection", "connectionId"),
            "quoteId": same_id("quote_id", "Quote", "quoteId"),
        },
    ),
)
