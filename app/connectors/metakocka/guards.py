"""Whether an offer is still what the client saw. Pure.

A line's unit price is shown to clients after the line's discount and the document's, so that quantity times price is what they pay.
"""

from collections.abc import Sequence
from decimal import Decimal, localcontext
from typing import Any

from app.connectors.base import DecidedLine
from app.connectors.errors import NotApplied
from app.connectors.metakocka.assembling import flat_document
from app.connectors.metakocka.payloads import QUOTE
from app.connectors.metakocka.values import Values, number_of

Found = dict[str, Any]
_DIGITS = 80
_HUNDRED = Decimal(100)


def check_unchanged(offer: Values | None, seen: Sequence[DecidedLine], contact: str | None) -> None:
    """Raise NotApplied with what was found, unless this is the open offer that the client saw, and still for that client."""
    found = found_offer(offer)
    if offer is None:
        raise NotApplied("The offer was deleted in Metakocka.", found=found)
    if found["status"] != QUOTE:
        raise NotApplied(f"In Metakocka this offer is no longer open; its status is {found['status'][:50]!r}.", found=found)
    if contact and found["contact_external_id"] != contact:
        raise NotApplied("In Metakocka this offer is for another partner now.", found=found)
    if number_of(offer.get("discount_value")):
        raise NotApplied("In Metakocka this offer now has a discount in money, which the client did not see.", found=found)
    _check_lines(found["lines"], seen, found)


def _check_lines(lines: Sequence[Found], seen: Sequence[DecidedLine], found: Found) -> None:
    there, wanted = {line["external_id"]: line for line in lines}, {line.external_id: line for line in seen}
    gone = [line.description for key, line in wanted.items() if key not in there]
    added = [line["description"] for key, line in there.items() if key not in wanted]
    changed = [line.description for key, line in wanted.items() if key in there and not _same(line, there[key])]
    for words, names in (("was removed", gone), ("was added", added), ("was changed", changed)):
        if names:
            raise NotApplied(f"The offer changed in Metakocka: the line {names[0][:80]!r} {words}.", found=found)


def found_offer(offer: Values | None) -> Found:
    """What a person needs to compare; all amounts are texts. Raises NotApplied for an offer that cannot be read."""
    if offer is None:
        return {"status": "", "active": False, "contact_external_id": "", "total": "", "lines": []}
    try:
        flat = flat_document(offer)
    except ValueError as error:
        raise NotApplied(f"The offer in Metakocka cannot be read: {error}") from None
    return {
        "status": flat["status"],
        "active": True,
        "contact_external_id": flat["partner_mk_id"],
        "total": flat["sum_all"],
        "lines": [_found_line(line, flat["discount_percent"]) for line in flat["lines"]],
    }


def _found_line(line: Values, discount: str) -> Found:
    return {
        "external_id": line["external_id"],
        "description": " – ".join(text for text in (line["name"], line["doc_desc"]) if text),
        "quantity": line["amount"],
        "unit_price": price_shown(line, discount),
    }


def price_shown(line: Values, discount: str) -> str:
    """The unit price before tax and after both discounts, with all its digits."""
    price = number_of(line["price"])
    if price is None:
        return str(line["price"])
    with localcontext(prec=_DIGITS):
        left = (1 - (number_of(line["discount"]) or 0) / _HUNDRED) * (1 - (number_of(discount) or 0) / _HUNDRED)
        return f"{price * left:f}"


def _same(seen: DecidedLine, line: Found) -> bool:
    return number_of(line["quantity"]) == seen.quantity and Decimal(line["unit_price"]) == seen.unit_price
