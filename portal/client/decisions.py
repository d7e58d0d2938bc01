"""Deciding: review and sign, or decline with a reason. A changed quote asks again and shows what changed."""

from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from starlette.datastructures import URL
from starlette.requests import Request
from starlette.responses import Response

from app.errors import InvalidInput
from app.quotes.content import field_changes, line_changes
from app.quotes.models import Quote, QuoteStatus
from app.quotes.service import (
    LinesInvalid,
    QuoteAlreadyDecided,
    QuoteChanged,
    QuoteExpired,
    QuoteNotOpen,
    ReasonMissing,
    SignatureMissing,
    TermsNotAccepted,
)
from portal.client.quote_page import chosen_lines, code, comparisons
from portal.forms import ids, new_key, read_form
from portal.rendering import page
from portal.session import actor, hub, see_other, visit

REASONS = ("Too expensive", "We chose another offer", "Not needed any more", "The timing does not suit", "Something is missing")
CHANGED = 409
WRONG = 422


@dataclass(frozen=True, slots=True)
class Approval:
    """What a client gave on the review page."""

    signature_name: str = ""
    accept_terms: bool = False
    note: str = ""
    purchase_order: str = ""


@dataclass(frozen=True, slots=True)
class Refused:
    """What a client gave on the page to decline."""

    reason: str = ""
    words: str = ""
    line_reasons: dict[str, str] = field(default_factory=dict)

    @property
    def whole(self) -> str:
        """The chip and the client's own words as one reason."""
        return ": ".join(part for part in (self.reason, self.words) if part)


async def review(request: Request) -> Response:
    """Exactly what would be approved, and what not."""
    quote = await hub(request).quotes.quote(actor(request), request.path_params["quote_id"])
    if quote.status is not QuoteStatus.OPEN:
        return see_other(_address(request, quote.id))
    chosen = chosen_lines(request, quote)
    seen = request.query_params.get("version")
    if seen is not None and seen != str(quote.version):
        return await _review_page(request, quote, chosen, status=CHANGED, changes=_changes_since(quote, seen))
    return await _review_page(request, quote, chosen)


async def approve(request: Request) -> Response:
    """Sign. A repeat gets the first result."""
    form, quote_id = await read_form(request), request.path_params["quote_id"]
    given = Approval(form.text("signature_name"), form.checked("accept_terms"), form.text("note"), form.text("purchase_order"))
    lines = form.ids("line")
    try:
        await hub(request).quotes.approve(
            actor(request),
            quote_id,
            version=form.integer("version"),
            lines=lines,
            signature_name=given.signature_name,
            accept_terms=given.accept_terms,
            note=given.note or None,
            purchase_order=given.purchase_order or None,
            idempotency_key=form.idempotency_key,
        )
    except QuoteChanged as refusal:
        quote = await hub(request).quotes.quote(actor(request), quote_id)
        changes = comparisons(refusal.changes, refusal.fields, quote.currency)
        return await _review_page(request, quote, _still_there(quote, lines), status=CHANGED, changes=changes, given=given)
    except InvalidInput as refusal:
        quote = await hub(request).quotes.quote(actor(request), quote_id)
        return await _review_page(request, quote, _still_there(quote, lines), status=WRONG, problems=_problems(refusal), given=given)
    except (QuoteAlreadyDecided, QuoteExpired, QuoteNotOpen) as refusal:
        return _closed(request, quote_id, refusal)
    return see_other(_address(request, quote_id, "decided"))


async def decline(request: Request) -> Response:
    """The page that asks why."""
    quote = await hub(request).quotes.quote(actor(request), request.path_params["quote_id"])
    if quote.status is not QuoteStatus.OPEN:
        return see_other(_address(request, quote.id))
    return _decline_page(request, quote)


async def reject(request: Request) -> Response:
    """Decline. A repeat gets the first result."""
    form, quote_id = await read_form(request), request.path_params["quote_id"]
    given = Refused(form.text("reason"), form.text("words"), form.starting("about-"))
    line_reasons = dict(zip(ids(given.line_reasons), given.line_reasons.values(), strict=True))
    try:
        await hub(request).quotes.reject(
            actor(request),
            quote_id,
            version=form.integer("version"),
            reason=given.whole,
            line_reasons=line_reasons or None,
            idempotency_key=form.idempotency_key,
        )
    except QuoteChanged as refusal:
        quote = await hub(request).quotes.quote(actor(request), quote_id)
        changes = comparisons(refusal.changes, refusal.fields, quote.currency)
        return _decline_page(request, quote, status=CHANGED, changes=changes, given=given)
    except InvalidInput as refusal:
        quote = await hub(request).quotes.quote(actor(request), quote_id)
        return _decline_page(request, quote, status=WRONG, problems=_problems(refusal), given=given)
    except (QuoteAlreadyDecided, QuoteExpired, QuoteNotOpen) as refusal:
        return _closed(request, quote_id, refusal)
    return see_other(_address(request, quote_id, "decided"))


async def _review_page(
    request: Request, quote: Quote, chosen: list[UUID], *, status: int = 200, given: Approval | None = None, **more: Any
) -> Response:
    totals = await hub(request).quotes.totals(actor(request), quote.id, chosen)
    query = "&".join([f"version={quote.version}", *(f"line={code(line)}" for line in chosen)])
    return page(
        request,
        "client/review.html",
        status=status,
        quote=quote,
        approved=[line for line in quote.lines if line.id in chosen],
        left_out=[line for line in quote.lines if line.id not in chosen],
        totals=totals,
        back=str(URL(_address(request, quote.id)).replace(query=query)),
        idempotency_key=new_key(),
        given=given or Approval(),
        **({"changes": []} | more),
    )


def _decline_page(request: Request, quote: Quote, *, status: int = 200, given: Refused | None = None, **more: Any) -> Response:
    return page(
        request,
        "client/decline.html",
        status=status,
        quote=quote,
        reasons=REASONS,
        idempotency_key=new_key(),
        given=given or Refused(),
        **({"changes": []} | more),
    )


def _changes_since(quote: Quote, seen: str) -> list[Any]:
    """What is different from the version that the address names; versions are counted from 1."""
    known = {str(version.version): version.content for version in quote.versions}
    if seen not in known:
        return []
    now = known[str(quote.version)]
    return comparisons(line_changes(known[seen], now), field_changes(known[seen], now), quote.currency)


def _still_there(quote: Quote, lines: list[UUID]) -> list[UUID]:
    """The choices that the quote still offers."""
    offered = {line.id for line in quote.lines}
    return [line for line in lines if line in offered]


def _problems(refusal: InvalidInput) -> dict[str, str]:
    """Where on the page the problem is; the form's own names for what has no field."""
    places = {SignatureMissing: "signature_name", TermsNotAccepted: "accept_terms", ReasonMissing: "reason", LinesInvalid: ""}
    return dict(refusal.fields) or {places.get(type(refusal), ""): refusal.message}


def _closed(request: Request, quote_id: UUID, refusal: Exception) -> Response:
    return see_other(_address(request, quote_id, "earlier" if isinstance(refusal, QuoteAlreadyDecided) else "closed"))


def _address(request: Request, quote_id: UUID, done: str = "") -> str:
    return f"{visit(request).base}/quotes/{quote_id}" + (f"?done={done}" if done else "")
