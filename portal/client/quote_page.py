"""What a client's pages about one quote show, put together from the quote."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from starlette.requests import Request

from app.quotes.models import ContentLine, DecisionLine, FieldChange, LineChange, LineDecision, Quote
from portal import formats
from portal.session import actor, hub, visit
from portal.truth import decision_steps, is_settled


@dataclass(frozen=True, slots=True)
class Comparison:
    """Something as the client saw it, and as it is now; None where it is not there."""

    before: str | None
    after: str | None


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    title: str
    at: datetime
    text: str = ""


def code(line_id: UUID) -> str:
    """A line's id, short enough for an address that names many."""
    return line_id.hex[-12:]


def chosen_lines(request: Request, quote: Quote) -> list[UUID]:
    """The lines that the address names; all of them at the first look."""
    if "version" not in request.query_params:
        return [line.id for line in quote.lines]
    named = set(request.query_params.getlist("line"))
    return [line.id for line in quote.lines if code(line.id) in named]


async def quote_context(request: Request, quote: Quote, chosen: Sequence[UUID]) -> dict[str, Any]:
    """All that the quote's own page needs."""
    totals = await hub(request).quotes.totals(actor(request), quote.id, chosen)
    return {
        "quote": quote,
        "codes": {line.id: code(line.id) for line in quote.lines},
        "chosen": chosen,
        "totals": totals,
        "superseded": quote.history[0] if quote.history and quote.reopened_reason else None,
        "changes": comparisons(quote.changes, (), quote.currency),
        "history": history(quote, visit(request).organization.name),
        **decided_context(quote, hub(request).now(), visit(request).organization.time_zone),
    }


def decided_context(quote: Quote, now: datetime, zone: str) -> dict[str, Any]:
    """The decision and its truth downstream."""
    lines = quote.decision.lines if quote.decision else ()
    return {
        "steps": decision_steps(quote, now, zone),
        "settled": is_settled(quote),
        "approved_lines": approved(lines),
        "rejected_lines": rejected(lines),
        "approved_totals": quote.decision
        and {
            "subtotal": quote.decision.approved_subtotal,
            "tax": quote.decision.approved_tax,
            "total": quote.decision.approved_total,
        },
    }


def approved(lines: Iterable[DecisionLine]) -> list[DecisionLine]:
    return [line for line in lines if line.decision is LineDecision.APPROVED]


def rejected(lines: Iterable[DecisionLine]) -> list[DecisionLine]:
    return [line for line in lines if line.decision is not LineDecision.APPROVED]


def comparisons(changes: Iterable[LineChange], fields: Iterable[FieldChange], currency: str) -> list[Comparison]:
    """Each change as a line of a two-column table."""
    return [
        *(Comparison(_named(field.name, field.old, currency), _named(field.name, field.new, currency)) for field in fields),
        *(Comparison(_in_words(change.old, currency), _in_words(change.new, currency)) for change in changes),
    ]


def _named(name: str, value: str, currency: str) -> str:
    return f"{name.capitalize()}: {formats.money(Decimal(value), currency) if name == 'total' else value}"


def _in_words(line: ContentLine | None, currency: str) -> str | None:
    if line is None:
        return None
    price = formats.unit_price(line.unit_price, currency)
    return f"{line.description}: {formats.number(line.quantity)} × {price} = {formats.money(line.amount, currency)}"


def history(quote: Quote, sender: str) -> list[HistoryEntry]:
    """What happened to the quote, newest first."""
    entries = [
        HistoryEntry(
            f"{sender} changed the quote" if version.version > 1 else f"{sender} sent the quote",
            version.created_at,
            _total(version.content),
        )
        for version in quote.versions
    ]
    for decision in (*quote.history, *((quote.decision,) if quote.decision else ())):
        words = {"approved": "You approved it", "partially_approved": "You approved a part of it", "rejected": "You declined it"}
        entries.append(HistoryEntry(words[decision.outcome], decision.decided_at, decision.reason or ""))
        if decision.superseded_at:
            entries.append(HistoryEntry("That decision lost its effect", decision.superseded_at, decision.superseded_reason or ""))
    return sorted(entries, key=lambda entry: entry.at, reverse=True)


def _total(content: Any) -> str:
    return formats.money(content.total, content.currency)
