"""Quotes as the organization's people see them, with where each decision is."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response

from app.errors import InvalidInput
from app.paging import PageRequest
from app.quotes.models import Quote, QuoteStatus
from portal.console.pages import next_page, staff_fragment, staff_page
from portal.forms import page_request, read_form
from portal.live import DONE, PAUSE_SECONDS, Message, event_stream, position
from portal.session import actor, hub, see_other, visit
from portal.statuses import quote_look
from portal.truth import decision_steps, is_settled

SECTION = "Quotes"


async def index(request: Request) -> Response:
    status = request.query_params.get("status", "")
    if status and status not in list(QuoteStatus):
        raise InvalidInput("There is no such status.")
    found = await hub(request).quotes.quotes(actor(request), page_request(request), status=QuoteStatus(status) if status else None)
    return await staff_page(
        request,
        "quotes.html",
        SECTION,
        quotes=found,
        shown_status=status,
        status_options=[("", "All"), *((status.value, quote_look(status).word) for status in QuoteStatus)],
        page_address=next_page(request),
    )


async def show(request: Request) -> Response:
    # Read before the quote, so that whatever happens after it is heard.
    head = await hub(request).feed.head(actor(request).scope)
    quote = await hub(request).quotes.quote(actor(request), request.path_params["quote_id"])
    contact = await _contact_record(request, quote)
    return await staff_page(request, "quote.html", SECTION, head=head, contact_record=contact, **_context(request, quote))


def _context(request: Request, quote: Quote) -> dict[str, Any]:
    return {"quote": quote, "steps": decision_steps(quote, hub(request).now(), visit(request).organization.time_zone)}


async def _contact_record(request: Request, quote: Quote) -> UUID | None:
    """The contact that a quote without a client is for, so that it can be invited."""
    if quote.client_id is not None or not quote.contact_name:
        return None
    found = await hub(request).records.contacts(
        actor(request), PageRequest(20), connection_id=quote.connection_id, search=quote.contact_name
    )
    return next((record.id for record in found.items if record.external_id == quote.contact_external_id), None)


async def events(request: Request) -> Response:
    return event_stream(_delivery(request, request.path_params["quote_id"]))


async def _delivery(request: Request, quote_id: UUID) -> AsyncIterator[Message]:
    """The decision and its delivery after each change, until nothing more will happen by itself."""
    who = actor(request)
    async for event in hub(request).feed.changes(who.scope, topics=("quote", "delivery"), after=position(request)):
        quote = await hub(request).quotes.quote(who, quote_id)
        if event.subject_id not in {quote.id, quote.delivery and quote.delivery.id} or quote.decision is None:
            continue
        yield Message(staff_fragment(request, "quote.html", "delivery", **_context(request, quote)), event.sequence)
        if is_settled(quote):
            yield DONE
            return
        await asyncio.sleep(PAUSE_SECONDS)


async def retry_delivery(request: Request) -> Response:
    form = await read_form(request)
    delivery = await hub(request).deliveries.retry(actor(request), request.path_params["delivery_id"])
    return see_other(f"{visit(request).base}/quotes/{delivery.quote_id or form.text('quote')}?done=resent")
