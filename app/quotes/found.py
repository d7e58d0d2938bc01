"""What a connector found when it looked at a quote before writing, as the content that a client is shown next. Pure.

`found` is {"status", "active", "lines": [{"external_id", "description", "quantity", "unit_price"}, …]} in texts. What it
does not say of a line (its tax rate, its place) is known from the quote or the record; the next sync has the last word.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any

from app.quotes.content import ContentInvalid, make_content
from app.quotes.models import Content, Quote
from app.quotes.transitions import DELETED
from app.records.entities import JobLine


def found_status(found: Mapping[str, Any], last_known: str) -> str:
    """The object's status in the hub's words: "Work Order" is work_order."""
    if found.get("active") is False:
        return DELETED
    return str(found.get("status") or last_known).strip().lower().replace(" ", "_")


def found_content(quote: Quote, recorded: Content, found: Mapping[str, Any]) -> Content | None:
    """The quote with the lines that were found; None where that cannot be said."""
    lines = found.get("lines")
    if not isinstance(lines, Sequence) or isinstance(lines, str):
        return None
    known: dict[str, Any] = {line.external_id: line for line in recorded.lines} | {line.external_id: line for line in quote.lines}
    tax_rate = _usual_tax_rate(known.values())
    try:
        return make_content(recorded.title, quote.currency, [_line(line, known, tax_rate, place) for place, line in enumerate(lines)])
    except (ContentInvalid, InvalidOperation, KeyError, TypeError):
        return None


def _line(found: Mapping[str, Any], known: Mapping[str, Any], tax_rate: Decimal, place: int) -> JobLine:
    line = known.get(found["external_id"])
    return JobLine(
        external_id=found["external_id"],
        description=line.description if line else str(found["description"]),
        quantity=Decimal(found["quantity"]),
        unit_price=Decimal(found["unit_price"]),
        tax_rate=line.tax_rate if line else tax_rate,
        position=line.position if line else len(known) + place,
    )


def _usual_tax_rate(lines: Iterable[Any]) -> Decimal:
    """A line that nobody knows yet is most likely taxed like the others."""
    rates = Counter(line.tax_rate for line in lines)
    return rates.most_common(1)[0][0] if rates else Decimal(0)
