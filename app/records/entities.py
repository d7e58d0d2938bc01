"""The hub's canonical shapes. What a record's `data` holds is one of these, as JSON.

Amounts and quantities are Decimal and travel as text, so that no digit is lost. Times are UTC. References to other
records are the provider's external ids (`…_external_id`): a mapping resolves them, also when it comes later.
Fields that the hub does not know travel in `custom`.
"""

from datetime import date, datetime
from decimal import Decimal
from typing import Any, Literal

import msgspec


class Address(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A postal address; `text` is how the provider writes it in one piece."""

    text: str = ""
    street: str = ""
    city: str = ""
    state: str = ""
    postcode: str = ""
    country: str = ""


class ContactPerson(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Somebody to speak to at a contact."""

    external_id: str
    name: str = ""
    email: str = ""
    phone: str = ""
    mobile: str = ""
    role: str = ""
    is_primary: bool = False


class Contact(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A company or private person that an organization deals with."""

    name: str
    email: str = ""
    phone: str = ""
    website: str = ""
    mobile: str = ""
    tax_number: str = ""
    registration_number: str = ""
    is_individual: bool = False
    is_customer: bool = True
    is_supplier: bool = False
    notes: str = ""
    parent_external_id: str | None = None
    address: Address = Address()
    billing_address: Address = Address()
    people: tuple[ContactPerson, ...] = ()
    edited_at: datetime | None = None
    custom: dict[str, Any] = {}


class JobLine(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A line of a job: material, labour or anything else that is quoted or invoiced."""

    external_id: str
    description: str
    quantity: Decimal
    unit_price: Decimal
    """Before tax, with the provider's digits."""
    tax_rate: Decimal = Decimal(0)
    """Percent."""
    position: int = 0
    material_external_id: str | None = None


class Job(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A piece of work for a contact. While it is offered it is the record of a quote as well."""

    status: str
    """quote, work_order, completed or unsuccessful"""
    number: str = ""
    title: str = ""
    work_done: str = ""
    contact_external_id: str | None = None
    site_address: str = ""
    billing_address: str = ""
    purchase_order_number: str = ""
    scheduled_on: date | None = None
    quoted_at: datetime | None = None
    quote_sent_at: datetime | None = None
    ordered_at: datetime | None = None
    completed_at: datetime | None = None
    rejected_at: datetime | None = None
    edited_at: datetime | None = None
    total: Decimal | None = None
    """As the provider computes it, tax included; lags behind its lines there."""
    lines: tuple[JobLine, ...] = ()
    custom: dict[str, Any] = {}


class DocumentLine(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A line of a sales document."""

    external_id: str = ""
    """The provider's id of the line; where it gives a new one with each write, the article and the how-manieth line of it."""
    code: str = ""
    """The article's."""
    name: str = ""
    """The article's."""
    description: str = ""
    """What this line says beside the article."""
    quantity: Decimal
    unit: str = ""
    unit_price: Decimal
    """Before tax and discount, with the provider's digits."""
    discount: Decimal = Decimal(0)
    """Percent."""
    tax_rate: Decimal = Decimal(0)
    """Percent."""
    position: int = 0


class SalesDocument(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An offer, order or invoice to a customer. An offer is the record of a quote as well."""

    kind: Literal["offer", "order", "invoice", "prepayment_invoice", "credit_note"]
    number: str = ""
    reference: str = ""
    """Our own mark at the provider (a buyer's order number)."""
    status: str = ""
    """offer: quote, accepted, rejected …; else the provider's own key."""
    title: str = ""
    contact_external_id: str | None = None
    contact_name: str = ""
    currency: str = ""
    """ISO 4217."""
    issued_on: date | None = None
    due_on: date | None = None
    valid_until: date | None = None
    service_from: date | None = None
    service_until: date | None = None
    notes: str = ""
    discount: Decimal = Decimal(0)
    """Percent of the whole document."""
    discount_amount: Decimal = Decimal(0)
    """Money off the whole document."""
    offer_numbers: tuple[str, ...] = ()
    """The offers that it was made from."""
    lines: tuple[DocumentLine, ...] = ()
    subtotal: Decimal | None = None
    tax: Decimal | None = None
    total: Decimal | None = None
    """As the provider computes it, tax included."""
    paid: Decimal | None = None
    edited_at: datetime | None = None
    custom: dict[str, Any] = {}


class Product(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Something that is sold or bought: goods or a service."""

    name: str
    code: str = ""
    number: str = ""
    unit: str = ""
    is_service: bool = False
    is_sold: bool = True
    is_purchased: bool = False
    is_active: bool = True
    unit_price: Decimal | None = None
    currency: str = ""
    edited_at: datetime | None = None
    custom: dict[str, Any] = {}


class InventoryLevel(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How much of a product lies in a place. Quantities in the product's unit."""

    product_external_id: str
    code: str = ""
    name: str = ""
    location_external_id: str = ""
    location_name: str = ""
    on_hand: Decimal
    reserved: Decimal = Decimal(0)
    available: Decimal | None = None
    unit: str = ""
    custom: dict[str, Any] = {}


ENTITIES: dict[str, type[msgspec.Struct]] = {
    "contact": Contact,
    "job": Job,
    "sales_document": SalesDocument,
    "product": Product,
    "inventory_level": InventoryLevel,
}
