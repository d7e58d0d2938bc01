"""Offers, orders and invoices, as GraphQL shows them. The fields are those of app/records/entities.py."""

from datetime import date
from decimal import Decimal
from enum import Enum
from typing import Self

import msgspec
import strawberry

from app.api.enums import enum
from app.api.reads import sources as reads
from app.api.types.record_parts import Recorded, common, record_shape, same
from app.records import entities
from app.records.models import Record


@enum(
    "What a sales document is.",
    OFFER="An offer; a quote as well, on which clients decide.",
    ORDER="An order.",
    INVOICE="An invoice.",
    PREPAYMENT_INVOICE="An invoice that is paid in advance.",
    CREDIT_NOTE="It takes an invoice back, or a part of one.",
)
class SalesDocumentKind(Enum):
    OFFER = "offer"
    ORDER = "order"
    INVOICE = "invoice"
    PREPAYMENT_INVOICE = "prepayment_invoice"
    CREDIT_NOTE = "credit_note"


@strawberry.type(description="A line of a sales document.")
class DocumentLine:
    external_id: str = strawberry.field(description="The provider's id, where it keeps one.")
    position: int = strawberry.field(description="Its place in the list.")
    code: str = strawberry.field(description="The article's code.")
    name: str = strawberry.field(description="The article's name.")
    description: str = strawberry.field(description="What this line says beside the article.")
    quantity: Decimal = strawberry.field(description="How many.")
    unit: str = strawberry.field(description="Of what, like `h`.")
    unit_price: Decimal = strawberry.field(description="The price of one, before tax and discount, with the provider's digits.")
    discount: Decimal = strawberry.field(description="The discount in percent.")
    tax_rate: Decimal = strawberry.field(description="The tax rate in percent.")

    @classmethod
    def of(cls, line: entities.DocumentLine) -> Self:
        return cls(**same(line))


@strawberry.type(description="An offer, order or invoice to a customer. Its amounts are in its currency.")
class SalesDocument(Recorded):
    kind: SalesDocumentKind = strawberry.field(description="What it is.")
    number: str = strawberry.field(description="The number that people see.")
    reference: str = strawberry.field(description="The buyer's own mark.")
    status: str = strawberry.field(
        name="providerStatus", description="Where it stands: `quote`, `accepted`, `rejected` … of an offer, else the provider's own word."
    )
    title: str = strawberry.field(description="What it is about.")
    contact_external_id: str | None = strawberry.field(description="The provider's id of the contact that it is for.")
    contact_name: str = strawberry.field(description="The name of the contact that it is for.")
    currency: str = strawberry.field(description="The currency as ISO 4217; empty where the provider names none.")
    issued_on: date | None = strawberry.field(description="The day of the document.")
    due_on: date | None = strawberry.field(description="By when it is to be paid.")
    valid_until: date | None = strawberry.field(description="Until when an offer holds.")
    service_from: date | None = strawberry.field(description="The first day of the service.")
    service_until: date | None = strawberry.field(description="The last day of the service.")
    notes: str = strawberry.field(description="What is noted on it.")
    discount: Decimal = strawberry.field(description="The discount on all of it in percent.")
    discount_amount: Decimal = strawberry.field(description="Money off all of it.")
    offer_numbers: list[str] = strawberry.field(description="The offers that it was made from.")
    lines: list[DocumentLine] = strawberry.field(description="Its lines, in order.")
    subtotal: Decimal | None = strawberry.field(description="The sum before tax, as the provider computes it.")
    tax: Decimal | None = strawberry.field(description="The tax, as the provider computes it.")
    total: Decimal | None = strawberry.field(description="The sum as the provider computes it, tax included.")
    paid: Decimal | None = strawberry.field(description="What was paid of it.")

    @classmethod
    def of(cls, record: Record) -> Self:
        document = msgspec.convert(record.data, entities.SalesDocument, strict=False)
        return cls(
            **common(record),
            **same(document, "kind", "offer_numbers", "lines", "edited_at"),
            kind=SalesDocumentKind(document.kind),
            offer_numbers=list(document.offer_numbers),
            lines=[DocumentLine.of(line) for line in document.lines],
        )


reads.declare(
    "SalesDocument",
    record_shape(
        "SalesDocument",
        "sales_document",
        entities.SalesDocument,
        offer_numbers=reads.json_value("offer_numbers", default="[]"),
    ),
)
