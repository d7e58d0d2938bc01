"""Values that GraphQL has no type for: times, exact numbers and money."""

from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

import strawberry
from babel.numbers import format_currency, get_currency_precision, get_currency_symbol, list_currencies
from strawberry.exceptions import StrawberryInputCoercionError
from strawberry.types.scalar import ScalarDefinition

from app.api.reads.sources import Expression, Inline, Shape, quoted, sql_case

# Enough for any provider's unit price; more digits than this help nobody who reads a price.
_MOST_DIGITS = 8


def _parse_datetime(value: Any) -> datetime:
    try:
        time = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        raise StrawberryInputCoercionError("Write a time as ISO 8601, like 2026-11-21T09:30:00Z.") from None
    if time.tzinfo is None:
        raise StrawberryInputCoercionError("A time needs its offset from UTC, like 2026-11-21T09:30:00Z.")
    try:
        return time.astimezone(UTC)
    except OverflowError:
        raise StrawberryInputCoercionError("This time is too far away.") from None


def _parse_date(value: Any) -> date:
    try:
        return date.fromisoformat(value)
    except (TypeError, ValueError):
        raise StrawberryInputCoercionError("Write a day as ISO 8601, like 2026-11-21.") from None


def _parse_decimal(value: Any) -> Decimal:
    try:
        number = Decimal(value if isinstance(value, str | int) and not isinstance(value, bool) else str(value))
    except (InvalidOperation, ValueError):
        number = Decimal("NaN")
    if not number.is_finite() or abs(number.adjusted()) > 30:
        raise StrawberryInputCoercionError("Write an exact number as text, like 1240.50.")
    return number


def _scalar(name: str, description: str, origin: type, serialize: Any, parse: Any) -> ScalarDefinition:
    return ScalarDefinition(
        name=name,
        description=description,
        specified_by_url=None,
        serialize=serialize,
        parse_value=parse,
        parse_literal=None,
        origin=origin,
    )


def _serialize_datetime(value: datetime) -> str:
    # Six digits always, as app/api/reads/rendering.py writes them.
    return value.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def _serialize_decimal(value: Decimal) -> str:
    return format(value, "f")


SCALARS: dict[object, ScalarDefinition] = {
    datetime: _scalar(
        "DateTime", "A moment as ISO 8601 in UTC, like `2026-11-21T09:30:00Z`.", datetime, _serialize_datetime, _parse_datetime
    ),
    date: _scalar("Date", "A day without a time zone, like `2026-11-21`.", date, date.isoformat, _parse_date),
    Decimal: _scalar(
        "Decimal",
        'An exact number as text, like `"1240.50"`. It keeps its digits; do not read it as a floating-point number.',
        Decimal,
        _serialize_decimal,
        _parse_decimal,
    ),
}


@strawberry.type(description="An amount of money. Amounts of two currencies are never added up.")
class Money:
    amount: Decimal = strawberry.field(description="The exact amount.")
    currency: str = strawberry.field(description="The currency as ISO 4217, like `EUR`; `XXX` where the provider names none.")

    @strawberry.field(description="The amount as English readers write it, like `€1,240.50`.")
    def formatted(self) -> str:
        digits = max(get_currency_precision(self.currency), -int(self.amount.as_tuple().exponent))
        pattern = "¤#,##0" + ("." + "0" * min(digits, _MOST_DIGITS) if digits > 0 else "")
        return str(format_currency(self.amount, self.currency, format=pattern, locale="en", currency_digits=False))


def money(amount: str, currency: str, *, is_text: bool = False) -> Inline:
    """An amount of money made of two SQL values."""
    number = f"({amount})::numeric" if is_text else amount
    fields = {
        "amount": Expression(amount, is_text),
        "currency": Expression(currency),
        "formatted": Expression(_formatted(number, currency)),
    }
    return Inline(Shape(fields))


def _formatted(amount: str, currency: str) -> str:
    """Money.formatted as SQL."""
    digits = f"least(greatest({_PRECISION.format(currency)}, scale({amount})), {_MOST_DIGITS})"
    decimals = f"CASE WHEN {digits} > 0 THEN '.' || repeat('0', {digits}) ELSE '' END"
    sign = f"CASE WHEN {amount} < 0 THEN '-' ELSE '' END"
    return f"({sign} || {_SYMBOL.format(currency)} || to_char(abs({amount}), 'FM{_WHOLE}' || {decimals}))"


_WHOLE = "999," * 11 + "990"
_SYMBOLS = {name: get_currency_symbol(name, "en") for name in sorted(list_currencies())}
_PRECISIONS = {name: str(get_currency_precision(name)) for name in _SYMBOLS}
_SYMBOL = sql_case("{0}", {name: quoted(sign) for name, sign in _SYMBOLS.items() if sign != name}, "{0}")
_PRECISION = sql_case("{0}", {name: digits for name, digits in _PRECISIONS.items() if digits != "2"}, "2")
