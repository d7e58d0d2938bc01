"""Whether a quote at the provider is still what the client saw. Pure."""

from collections.abc import Collection, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any

from app.connectors.base import DecidedLine
from app.connectors.errors import NotApplied
from app.connectors.servicem8.objects import Object
from app.connectors.servicem8.payloads import QUOTE, is_active, text_of

Found = dict[str, Any]


def check_unchanged(
    job: Object | None, lines: Sequence[Object], seen: Sequence[DecidedLine], contact: str | None = None, removed: Collection[str] = ()
) -> None:
    """Raise NotApplied with what was found, unless the job is the quote that the client saw, and still for that client.

    `removed` are lines that our own earlier attempt announced to remove: they may be gone already.
    """
    found = found_at_provider(job, lines)
    if job is None or not is_active(job.get("active")):
        raise NotApplied("The quote was deleted in ServiceM8.", found=found)
    if job.get("status") != QUOTE:
        raise NotApplied(f"In ServiceM8 this is no longer a quote; its status is {text_of(job.get('status'))[:50]!r}.", found=found)
    if contact and text_of(job.get("company_uuid")) != contact:
        raise NotApplied("In ServiceM8 this quote is for another client now.", found=found)
    there = {str(line["uuid"]): line for line in lines}
    wanted = {line.external_id: line for line in seen}
    gone = [line.description for uuid, line in wanted.items() if uuid not in there and uuid not in removed]
    added = [text_of(line.get("name")) for uuid, line in there.items() if uuid not in wanted]
    changed = [line.description for uuid, line in wanted.items() if uuid in there and not _same(line, there[uuid])]
    for words, names in (("was removed", gone), ("was added", added), ("was changed", changed)):
        if names:
            raise NotApplied(f"The quote changed in ServiceM8: the line {names[0][:80]!r} {words}.", found=found)


def found_at_provider(job: Object | None, lines: Sequence[Object]) -> Found:
    """What a person needs to compare; all amounts are texts."""
    return {
        "status": text_of(job.get("status")) if job else "",
        "active": bool(job) and is_active((job or {}).get("active")),
        "contact_external_id": text_of((job or {}).get("company_uuid")),
        "edit_date": text_of((job or {}).get("edit_date")),
        "total": str((job or {}).get("total_invoice_amount", "")),
        "lines": [
            {
                "external_id": str(line["uuid"]),
                "description": text_of(line.get("name")),
                "quantity": str(line.get("quantity", "")),
                "unit_price": str(line.get("price", "")),
            }
            for line in lines
        ],
    }


def _same(seen: DecidedLine, line: Object) -> bool:
    return _equal(line.get("quantity"), seen.quantity) and _equal(line.get("price"), seen.unit_price)


def _equal(value: Any, amount: Decimal) -> bool:
    try:
        return Decimal(str(value)) == amount
    except InvalidOperation:
        return False
