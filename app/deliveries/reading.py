"""Reading deliveries."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from app.actors import Actor, Permission
from app.deliveries import repository
from app.deliveries.models import Delivery, DeliveryStatus
from app.errors import NotFound
from app.paging import PageRequest, ResultPage


class DeliveryNotFound(NotFound):
    """This delivery does not exist, or you may not see it."""

    code = "delivery_not_found"


class DeliveryReading:
    """The part of the delivery service that changes nothing."""

    def __init__(self, titles: Mapping[str, str]) -> None:
        self.titles = titles

    async def delivery(self, actor: Actor, delivery_id: UUID) -> Delivery:
        """Raises DeliveryNotFound."""
        actor.require(Permission.READ_QUOTES)
        found = await repository.get(actor.scope, delivery_id, self.titles)
        if found is None:
            raise DeliveryNotFound
        return found

    async def deliveries(
        self,
        actor: Actor,
        page: PageRequest,
        *,
        connection_id: UUID | None = None,
        quote_id: UUID | None = None,
        status: DeliveryStatus | None = None,
    ) -> ResultPage[Delivery]:
        """The newest first."""
        actor.require(Permission.READ_QUOTES)
        found = await repository.page(
            actor.scope,
            first=page.first,
            before=page.key(UUID),
            connection_id=connection_id,
            quote_id=quote_id,
            status=status,
            titles=self.titles,
        )
        return ResultPage.cut(found, page.first, lambda delivery: delivery.id)

    async def of_quotes(self, actor: Actor, quote_ids: Sequence[UUID]) -> dict[UUID, Delivery]:
        """The latest delivery of each of those quotes that has one."""
        actor.require(Permission.READ_QUOTES)
        return await repository.of_quotes(actor.scope, quote_ids, self.titles)
