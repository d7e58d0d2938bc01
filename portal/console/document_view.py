"""Sales documents as people read them: what they are called, their lines with amounts, and who they are for. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

import msgspec

from app.records.entities import DocumentLine, SalesDocument
from app.syncs.counterparts import Counterpart
from portal.console.fields import label_of
from portal.formats import NO_CURRENCY
from portal.statuses import Look, mapping_look

KINDS = {
    "offer": "Offer",
    "order": "Order",
    "invoice": "Invoice",
    "prepayment_invoice": "Prepayment invoice",
    "credit_note": "Credit note",
}
ONLY_HERE = Look("", "ring", "Only here")
ON_ITS_WAY = Look("information", "turn", "On its way", moving=True)
_DAYS = ("issued_on", "due_on", "valid_until", "service_from", "service_until")
_TEXTS = ("number", "reference", "status")


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a document, with its amount after the line's own discount and before tax."""

    line: DocumentLine
    amount: Decimal

    @property
    def title(self) -> str:
        return self.line.name or self.line.description or self.line.code or "Without a name"

    @property
    def detail(self) -> str:
        """What stands beside the title."""
        parts = (self.line.code, self.line.description)
        return " · ".join(part for part in parts if part and part != self.title)


@dataclass(frozen=True, slots=True)
class DocumentView:
    """One offer, order or bill."""

    document: SalesDocument
    currency: str
    title: str
    """Offer 2026-104."""
    lines: Sequence[Line]
    lines_total: Decimal
    facts: Sequence[tuple[str, str | date]]


def view_of(data: Mapping[str, Any]) -> DocumentView:
    """The document of a record's data."""
    document = msgspec.convert(data, SalesDocument, strict=False)
    lines = [Line(line, line.quantity * line.unit_price * (1 - line.discount / 100)) for line in document.lines]
    total = sum((line.amount for line in lines), Decimal(0))
    return DocumentView(document, document.currency or NO_CURRENCY, document_title(data), lines, total, _facts(document))


def _facts(document: SalesDocument) -> list[tuple[str, str | date]]:
    """What is known of its head, in order."""
    values = [(name, getattr(document, name)) for name in (*_TEXTS, *_DAYS)]
    if document.offer_numbers:
        values.append(("offer_numbers", ", ".join(document.offer_numbers)))
    return [(label_of(name), value) for name, value in values if value]


def document_title(data: Mapping[str, Any]) -> str:
    """What kind of document it is, with its number where it has one."""
    kind = KINDS.get(data.get("kind", ""), "Document")
    return f"{kind} {data['number']}" if data.get("number") else kind


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a document stands at one connection."""

    connection_name: str
    look: Look
    trouble: str
    """What went wrong last, in a sentence; empty where nothing did."""


def standings_of(counterparts: Sequence[Counterpart], names: Mapping[Any, str]) -> list[Standing]:
    """At each connection that has it or is to have it."""
    return [Standing(names.get(one.connection_id, "A removed connection"), _look(one), _trouble(one)) for one in counterparts]


def _look(one: Counterpart) -> Look:
    if one.delivery_id is not None:
        return ON_ITS_WAY
    if one.conflicts:
        return mapping_look("conflict")
    return mapping_look("failed" if one.failed_record_id else one.status)


def _trouble(one: Counterpart) -> str:
    return one.last_error or ""
