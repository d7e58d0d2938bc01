"""From a job or an offer to what a client sees: lines with exact amounts, a hash that tells versions apart, and differences. Pure."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, tzinfo
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation, localcontext
from hashlib import sha256
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec
from babel.numbers import get_currency_precision

from app.quotes.models import ChangeKind, Content, ContentLine, FieldChange, LineChange, Totals
from app.records.entities import DocumentLine, Job, JobLine, SalesDocument

_DIGITS = 80
"""Enough for the exact product of the longest quantity and price that a record can hold."""
_GREATEST = Decimal(10) ** 18
"""A sum beyond this is a mistake in the data."""
_HUNDRED = Decimal(100)
_LAST_SECOND = time(23, 59, 59)


OFFER = "offer"
"""The kind of sales document that is a quote."""


class ContentInvalid(ValueError):
    """A job or an offer whose lines cannot be added up; the message is for the operator."""


@dataclass(frozen=True, slots=True)
class Projected:
    """A job or an offer as a quote: what stands at its head, and the content that is decided on."""

    number: str
    contact_external_id: str | None
    site_address: str
    provider_status: str
    issued_at: datetime | None
    edited_at: datetime | None
    valid_until: datetime | None
    """Until when its provider offers it; None: it does not say."""
    content: Content
    content_hash: str


def project(data: Mapping[str, Any], currency: str, time_zone: str = "UTC") -> Projected:
    """What a client sees of a job's or a sales document's record. Raises ContentInvalid.

    `currency` is for what names none; in `time_zone` days end.
    """
    return project_document(data, currency, time_zone) if "kind" in data else project_job(data, currency)


def project_job(data: Mapping[str, Any], currency: str) -> Projected:
    """What a client sees of the job. Raises ContentInvalid for amounts that make no sense."""
    try:
        job = msgspec.convert(data, Job)
    except msgspec.ValidationError as error:
        raise ContentInvalid(f"The job cannot be read as a quote: {error}.") from None
    content = make_content(job.title or f"Quote {job.number}".strip(), currency, job.lines)
    return Projected(
        number=job.number,
        contact_external_id=job.contact_external_id,
        site_address=job.site_address,
        provider_status=job.status,
        issued_at=job.quote_sent_at or job.quoted_at,
        edited_at=job.edited_at,
        valid_until=None,
        content=content,
        content_hash=content_hash(content),
    )


def project_document(data: Mapping[str, Any], currency: str, time_zone: str = "UTC") -> Projected:
    """What a client sees of an offer. Raises ContentInvalid, also for a discount in money, which no line bears.

    An offer has a day and no time: midday stands for it, which is the same day in most places. Its last valid day counts to its end
    in the account's time zone. Totals are ours: what the provider
    adds up stays in the record, as it may round in another order.
    """
    try:
        document = msgspec.convert(data, SalesDocument)
    except msgspec.ValidationError as error:
        raise ContentInvalid(f"The document cannot be read as a quote: {error}.") from None
    if document.discount_amount:
        raise ContentInvalid("The offer has a discount in money, which cannot be divided among its lines; give it in percent.")
    lines = [_shown_line(line, document.discount) for line in document.lines]
    content = make_content(document.title or f"Quote {document.number}".strip(), _currency(document.currency or currency), lines)
    return Projected(
        number=document.number,
        contact_external_id=document.contact_external_id,
        site_address="",
        provider_status=document.status,
        issued_at=None if document.issued_on is None else datetime.combine(document.issued_on, time(12), UTC),
        edited_at=document.edited_at,
        valid_until=end_of(document.valid_until, time_zone),
        content=content,
        content_hash=content_hash(content),
    )


def end_of(day: date | None, time_zone: str) -> datetime | None:
    """The last second of a day; in UTC for a zone that this machine does not know."""
    if day is None:
        return None
    try:
        zone: tzinfo = ZoneInfo(time_zone)
    except (ZoneInfoNotFoundError, ValueError):
        zone = UTC
    return datetime.combine(day, _LAST_SECOND, zone)


def _shown_line(line: DocumentLine, discount: Decimal) -> JobLine:
    """A line at the price that the client pays: after its own discount and the document's."""
    if not all(value.is_finite() for value in (line.unit_price, line.discount, discount)):
        raise ContentInvalid(f"The line {line.description[:60]!r} has a number that is none.")
    with localcontext(prec=_DIGITS):
        left = (1 - line.discount / _HUNDRED) * (1 - discount / _HUNDRED)
        price = line.unit_price if left == 1 else Decimal(_plain(line.unit_price * left))
    return JobLine(
        external_id=line.external_id,
        description=" – ".join(text for text in (line.name, line.description) if text),
        quantity=line.quantity,
        unit_price=price,
        tax_rate=line.tax_rate,
        position=line.position,
    )


def _currency(code: str) -> str:
    if len(code) == 3 and code.isascii() and code.isalpha() and code.isupper():
        return code
    raise ContentInvalid(f"The currency {code[:20]!r} is not a code of three letters.")


def make_content(title: str, currency: str, lines: Iterable[JobLine]) -> Content:
    """Lines in their order with amounts, and their sums. Raises ContentInvalid."""
    rounded = _rounding(currency)
    ordered = sorted(lines, key=lambda line: (line.position, line.external_id))
    if len({line.external_id for line in ordered}) != len(ordered):
        raise ContentInvalid("Two lines have the same id.")
    content = tuple(_line(line, rounded) for line in ordered)
    sums = sum_up(currency, content, len(content))
    return Content(title, currency, content, sums.subtotal, sums.tax, sums.total)


def sum_up(currency: str, lines: Iterable[Any], of: int) -> Totals:
    """The sums of lines that carry `amount` and `tax`; of no lines, zero."""
    chosen = list(lines)
    zero = _rounding(currency)(Decimal(0))
    with localcontext(prec=_DIGITS):
        subtotal = sum((line.amount for line in chosen), zero)
        tax = sum((line.tax for line in chosen), zero)
        return Totals(currency, len(chosen), of, subtotal, tax, subtotal + tax)


def content_hash(content: Content) -> str:
    """Equal for what looks equal: neither the order of lines nor the zeros after a number make a version."""
    lines = sorted(
        [line.external_id, line.description, _plain(line.quantity), _plain(line.unit_price), _plain(line.tax_rate)]
        for line in content.lines
    )
    return sha256(msgspec.json.encode([content.title, content.currency, lines])).hexdigest()


def line_changes(old: Content, new: Content) -> tuple[LineChange, ...]:
    """Line by line, in the order of the new content; removed lines last."""
    before = {line.external_id: line for line in old.lines}
    after = {line.external_id: line for line in new.lines}
    changes = [_change(before.get(key), line) for key, line in after.items() if not _same(before.get(key), line)]
    changes += [_change(line, None) for key, line in before.items() if key not in after]
    return tuple(changes)


def field_changes(old: Content, new: Content) -> tuple[FieldChange, ...]:
    """What else a client would notice."""
    shown = (("title", old.title, new.title), ("currency", old.currency, new.currency), ("total", f"{old.total:f}", f"{new.total:f}"))
    return tuple(FieldChange(name, before, after) for name, before, after in shown if before != after)


def _line(line: JobLine, rounded: Callable[[Decimal], Decimal]) -> ContentLine:
    if not all(value.is_finite() for value in (line.quantity, line.unit_price, line.tax_rate)):
        raise ContentInvalid(f"The line {line.description[:60]!r} has a number that is none.")
    if line.tax_rate < 0:
        raise ContentInvalid(f"The line {line.description[:60]!r} has a tax rate below zero.")
    with localcontext(prec=_DIGITS):
        amount = rounded(line.quantity * line.unit_price)
        tax = rounded(amount * line.tax_rate / _HUNDRED)
        if abs(amount) >= _GREATEST or abs(tax) >= _GREATEST:
            raise ContentInvalid(f"The line {line.description[:60]!r} has an amount that is out of range.")
        return ContentLine(
            line.external_id, line.position, line.description, line.quantity, line.unit_price, line.tax_rate, amount, tax, amount + tax
        )


def _rounding(currency: str) -> Callable[[Decimal], Decimal]:
    """To the currency's exponent, half up: 2 for EUR, 0 for JPY, 3 for KWD."""
    exponent = Decimal(1).scaleb(-get_currency_precision(currency))

    def rounded(value: Decimal) -> Decimal:
        with localcontext(prec=_DIGITS):
            try:
                return value.quantize(exponent, ROUND_HALF_UP) + 0  # + 0 makes a negative zero a zero
            except InvalidOperation:
                raise ContentInvalid("An amount is out of range.") from None

    return rounded


def _plain(value: Decimal) -> str:
    with localcontext(prec=_DIGITS):
        return f"{value.normalize() + 0:f}"


def _change(old: ContentLine | None, new: ContentLine | None) -> LineChange:
    kind = ChangeKind.ADDED if old is None else ChangeKind.REMOVED if new is None else ChangeKind.CHANGED
    line = new or old
    assert line is not None
    return LineChange(line.external_id, kind, line.description, old, new)


def _same(old: ContentLine | None, new: ContentLine) -> bool:
    if old is None or old.description != new.description:
        return False
    return (old.quantity, old.unit_price, old.tax_rate, old.total) == (new.quantity, new.unit_price, new.tax_rate, new.total)
