"""Assembles documents in the provider's words: a company with its contacts, a job with its lines."""

from collections.abc import Iterable, Sequence
from contextlib import suppress
from decimal import Decimal, InvalidOperation
from typing import Any

from app.connectors.base import Account, Part
from app.connectors.servicem8.payloads import TAX_PERCENT, decode_object, is_active, text_of

Document = dict[str, Any]
_GREATEST_EXPONENT = 20


def company_document(payload: bytes, parts: Sequence[Part], account: Account) -> Document:
    """A company with `contacts`, and with the `email` and `phone` to use: those of the billing contact, else of the primary one,
    else of the first that has one. Raises ValueError."""
    company = decode_object(payload)
    contacts = sorted(map(_with_name, _active(parts)), key=_preference)
    company["contacts"] = contacts
    company["email"] = _first(text_of(contact.get("email")) for contact in contacts)
    company["phone"] = _first(text_of(contact.get("phone")) or text_of(contact.get("mobile")) for contact in contacts)
    return company


def job_document(payload: bytes, parts: Sequence[Part], account: Account) -> Document:
    """A job with its active `lines` in their order. Raises ValueError."""
    job = decode_object(payload)
    job["lines"] = sorted((_with_tax_percent(line) for line in _active(parts)), key=_place)
    return job


def with_tax_percent(payload: bytes, percent: str | None) -> bytes:
    """A jobmaterial's JSON with its tax rate's percent as one more member; unchanged where the rate is not known."""
    if percent is None:
        return payload
    # The percent comes from the provider as text; only its digits are taken over.
    return payload.rstrip()[:-1] + f',"{TAX_PERCENT}":"{plain_percent(percent)}"}}'.encode()


def _active(parts: Iterable[Part]) -> Iterable[Document]:
    objects = (decode_object(part.payload) for part in parts if part.payload)
    return (found for found in objects if is_active(found.get("active")))


def _with_name(contact: Document) -> Document:
    names = (text_of(contact.get("first")), text_of(contact.get("last")))
    return {**contact, "full_name": " ".join(name for name in names if name)}


def _preference(contact: Document) -> tuple[bool, bool, str]:
    billing = text_of(contact.get("type")).upper().startswith("BILLING")
    return not billing, contact.get("is_primary_contact") not in (1, "1", True), str(contact.get("uuid"))


def _first(values: Iterable[str]) -> str:
    return next((value for value in values if value), "")


def _with_tax_percent(line: Document) -> Document:
    if TAX_PERCENT in line:
        return line
    return {**line, TAX_PERCENT: _percent_by_amounts(line)}


def _percent_by_amounts(line: Document) -> str:
    """The tax rate of a line whose rate is not in the account's list any more, from its price with and without tax."""
    shown, price = _amount(line.get("displayed_amount")), _amount(line.get("price"))
    if line.get("displayed_amount_is_tax_inclusive") in (1, "1", True) and shown is not None and price:
        with suppress(ArithmeticError):  # no percentage comes of amounts that are out of range
            return str(round((shown / price - 1) * 100, 2))
    raise ValueError(f"The line {text_of(line.get('name'))[:60]!r} has a tax rate that the account does not list, so its tax is not known.")


def _amount(value: Any) -> Decimal | None:
    try:
        amount = Decimal(str(value))
    except InvalidOperation:
        return None
    return amount if amount.is_finite() else None


def plain_percent(percent: Any) -> str:
    """A percentage's digits; nothing for what is none. Out of range is none too: written out it could fill the memory."""
    amount = _amount(percent)
    return "" if amount is None or abs(amount.adjusted()) > _GREATEST_EXPONENT else f"{amount:f}"


def _place(line: Document) -> tuple[Decimal, str]:
    order = _amount(line.get("sort_order"))
    return (Decimal(0) if order is None else order), str(line.get("uuid"))
