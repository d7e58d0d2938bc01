"""Line amounts and job totals, as the provider reckons them.

A line shows a unit price with or without tax (`displayed_amount`) and keeps the unit price without tax (`price`). That a job's
total is rounded to two places once, at the end, is assumed; that it includes tax was derived from live amounts.
"""

from collections.abc import Iterable
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation, localcontext

from .store import Account
from .table import Record, Values

CENT = Decimal("0.01")
FOUR_PLACES = Decimal("0.0001")
MOST_DIGITS = 24
# Prices are kept with fewer digits than a division gives, so a difference up to a cent agrees. Assumed.
TOLERANCE = CENT


def four_places(amount: Decimal) -> str:
    return str(amount.quantize(FOUR_PLACES, ROUND_HALF_UP))


def number_in(values: Values, field: str) -> Decimal:
    """A stored amount; zero where the text is no number or one beyond all amounts, as a broken record may hold."""
    try:
        amount = Decimal(str(values[field]))
    except InvalidOperation:
        return Decimal(0)
    return amount if amount.is_finite() and amount.adjusted() <= MOST_DIGITS else Decimal(0)


def shown_with_tax(values: Values) -> bool:
    return str(values["displayed_amount_is_tax_inclusive"]) == "1"


def agrees(account: Account, line: Values, shown: str, kept: str) -> bool:
    """Whether the unit amount as shown and the unit amount without tax say the same."""
    amount = number_in(line, kept)
    if shown_with_tax(line):
        amount *= 1 + account.rate_of(line["tax_rate_uuid"])
    return abs(number_in(line, shown) - amount) <= (TOLERANCE if shown_with_tax(line) else 0)


def price_without_tax(account: Account, line: Values) -> str:
    """The unit price that belongs to the amount shown: the server lets an amount with tax decide."""
    if not shown_with_tax(line):
        return str(line["price"])
    return four_places(number_in(line, "displayed_amount") / (1 + account.rate_of(line["tax_rate_uuid"])))


def unit_with_tax(account: Account, line: Values) -> Decimal:
    if shown_with_tax(line):
        return number_in(line, "displayed_amount")
    return number_in(line, "price") * (1 + account.rate_of(line["tax_rate_uuid"]))


def total_of(account: Account, lines: Iterable[Record]) -> str:
    """A job's `total_invoice_amount`: its active lines with tax."""
    with localcontext(prec=4 * MOST_DIGITS):
        parts = [number_in(one.values, "quantity") * unit_with_tax(account, one.values) for one in lines if one.active]
        return four_places(sum(parts, Decimal(0)).quantize(CENT, ROUND_HALF_UP))
