"""Mutations on deliveries."""

from typing import Annotated

import strawberry

from app.api.context import Info
from app.api.ids import IdempotencyKey, uuid_of
from app.api.refusals import GENERAL, Refusal, answers
from app.api.types.deliveries import Delivery
from app.deliveries.service import DeliverySettled


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
