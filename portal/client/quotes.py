"""Looking at quotes: the list, one quote with its choices, the truth about a decision, the receipt."""

import asyncio
from collections.abc import AsyncIterator
from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response

from app.errors import NotFound
from app.quotes.models import QuoteStatus
from portal.client.quote_page import approved, chosen_lines, decided_context, quote_context, rejected
from portal.forms import page_request
from portal.live import DONE, PAUSE_SECONDS, Message, event_stream, position
from portal.rendering import page, page_context, render
from portal.session import actor, hub, visit
from portal.truth import delivery_sentence

NOTICES = {
    "decided": ("good", "Your decision is recorded. Thank you."),
    "earlier": ("information", "This quote was decided already; here is what was decided."),
    "closed": ("attention", "This quote cannot be decided any more."),
}


async def index(request: Request) -> Response:
    """Open quotes first: they wait for the client."""
    found = await hub(request).quotes.quotes(actor(request), page_request(request))
    waiting = [quote for quote in found.items if quote.status is QuoteStatus.OPEN]
    earlier = [quote for quote in found.items if quote.status is not QuoteStatus.OPEN]
    return page(
        request, "client/quotes.html", quotes=found, waiting=waiting, earlier=earlier, page_address=lambda cursor: f"?after={cursor}"
    )


async def show(request: Request) -> Response:
    """The quote with the choices that the address names."""
    # Read before the quote, so that whatever happens after it is heard.
    head = await hub(request).feed.head(actor(request).scope)
    quote = await hub(request).quotes.quote(actor(request), request.path_params["quote_id"])
    context = await quote_context(request, quote, chosen_lines(request, quote))
    notice = NOTICES.get(request.query_params.get("done", ""))
    return page(request, "client/quote.html", head=head, notice=notice, **context)


async def sum_of_choices(request: Request) -> Response:
    """Only the sum, as the server computes it."""
    quote = await hub(request).quotes.quote(actor(request), request.path_params["quote_id"])
    chosen = chosen_lines(request, quote)
    totals = await hub(request).quotes.totals(actor(request), quote.id, chosen)
    return page(request, "client/quote.html", block="sum", quote=quote, chosen=chosen, totals=totals)


async def events(request: Request) -> Response:
    """The truth about the decision, live."""
    return event_stream(_truth(request, request.path_params["quote_id"]))


async def _truth(request: Request, quote_id: UUID) -> AsyncIterator[Message]:
    who, after = actor(request), position(request)
    shown = -1
    async for event in hub(request).feed.changes(who.scope, topics=("quote", "delivery"), after=after):
        quote = await hub(request).quotes.quote(who, quote_id)
        if event.subject_id not in {quote.id, quote.delivery and quote.delivery.id}:
            continue
        stamp = hash((quote.revision, quote.delivery and quote.delivery.revision))
        if stamp == shown:
            continue
        shown = stamp
        context = decided_context(quote, hub(request).now(), visit(request).organization.time_zone)
        yield Message(render("client/quote.html", page_context(request) | {"quote": quote} | context, block="truth"), event.sequence)
        if context["settled"]:
            yield DONE
            return
        await asyncio.sleep(PAUSE_SECONDS)


async def receipt(request: Request) -> Response:
    """The proof of the decision that holds."""
    quote = await hub(request).quotes.quote(actor(request), request.path_params["quote_id"])
    if quote.decision is None:
        raise NotFound("There is no receipt: this quote has not been decided.")
    found = await hub(request).quotes.receipt(actor(request), quote.decision.id)
    lines, zone = found.decision.lines, visit(request).organization.time_zone
    return page(
        request,
        "client/receipt.html",
        quote=found.quote,
        receipt=found.decision,
        provider=quote.provider_title,
        delivery_sentence=delivery_sentence(found.delivery, zone),
        approved_lines=approved(lines),
        rejected_lines=rejected(lines),
    )
