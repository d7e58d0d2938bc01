"""Queries on quotes."""

from typing import Annotated, TypedDict
from uuid import UUID

import strawberry

from app.api.context import Info
from app.api.ids import OfConnection, QuoteId, optional_uuid, same_id, uuid_of
from app.api.pages import EITHER_WAY, NEWEST_FIRST, After, First, Listing, ListOrder, Order, listing, page_of
from app.api.queries.missing import or_null
from app.api.reads import sources as reads
from app.api.reads.sources import ById, Filter, Page
from app.api.types.quotes import Quote, QuoteStatus, QuoteTotals
from app.quotes import models
from app.quotes.repository import status_condition


class _Chosen(TypedDict):
    status: models.QuoteStatus | None
    contact_external_id: str | None
    connection_id: UUID | None
    client_id: UUID | None


@strawberry.type
class QuoteQueries:
    @strawberry.field(description="Quotes, newest first; a client's contact sees those of its client.")
    async def quotes(
        self,
        info: Info,
        status: Annotated[QuoteStatus | None, strawberry.argument(description="Only those that stand here.")] = None,
        contact_external_id: Annotated[
            str | None, strawberry.argument(description="Only those for the contact with this id at the provider.")
        ] = None,
        connection_id: OfConnection = None,
        client_id: Annotated[strawberry.ID | None, strawberry.argument(description="Only those for this client.")] = None,
        order: Order = ListOrder.NEWEST_FIRST,
        first: First = 50,
        after: After = None,
    ) -> Listing[Quote]:
        quotes, actor, request = info.context.hub.quotes, info.context.actor, page_of(first, after)
        chosen: _Chosen = {
            "status": models.QuoteStatus(status.value) if status else None,
            "contact_external_id": contact_external_id,
            "connection_id": optional_uuid(connection_id, "Connection"),
            "client_id": optional_uuid(client_id, "Client"),
        }
        return listing(info, await quotes.quotes(actor, request, **chosen, oldest_first=order is ListOrder.OLDEST_FIRST), after, Quote.of)

    @strawberry.field(description="One quote; null when it does not exist.")
    @or_null
    async def quote(self, info: Info, id: QuoteId) -> Quote | None:
        return Quote.of(await info.context.hub.quotes.quote(info.context.actor, uuid_of(id, "Quote")), whole=True)

    @strawberry.field(description="What some lines of a quote come to, computed by the hub; null when the quote does not exist.")
    @or_null
    async def quote_totals(
        self,
        info: Info,
        quote_id: QuoteId,
        line_ids: Annotated[list[strawberry.ID], strawberry.argument(description="The lines to sum up, at most 1000.")],
    ) -> QuoteTotals | None:
        lines = [uuid_of(id, "QuoteLine", field="lineIds") for id in line_ids[:1000]]
        totals = await info.context.hub.quotes.totals(info.context.actor, uuid_of(quote_id, "Quote", field="quoteId"), lines)
        return QuoteTotals.of(totals)


reads.declare_root("quote", ById("Quote"))
reads.declare_root(
    "quotes",
    Page(
        "Quote",
        NEWEST_FIRST,
        orders=EITHER_WAY,
        filters={
            "status": Filter(lambda status: status_condition(models.QuoteStatus(status.value)).format(quote="{item}", now="{now}")),
            "contactExternalId": Filter("{item}.contact_external_id = {value}"),
            "connectionId": same_id("Connection", "connection_id"),
            "clientId": same_id("Client", "client_id"),
        },
    ),
)
