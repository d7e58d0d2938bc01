"""The hub's canonical shapes. What a record's `data` holds is one of these, as JSON.

Amounts and quantities are Decimal and travel as text, so that no digit is lost. Times are UTC. References to other
records are the provider's external ids (`…_external_id`): a mapping resolves them, also when it comes later.
Fields that the hub does not know travel in `custom`.
"""

from datetime import date, datetime
from decimal import Decimal
from typing import Any

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
    tax_number: str = ""
    is_individual: bool = False
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


ENTITIES: dict[str, type[msgspec.Struct]] = {"contact": Contact, "job": Job}
