"""How the sandbox reckons a document, since the provider's own rule is not published and its samples do not add up.

A line is amount times price less its discounts, one after another, rounded to the cent; a gross price is divided by 1 + the tax
factor first. A document's percent is taken off the sum of the lines, its value after that. Tax is reckoned per rate on what
is left, each rate bearing its share of the document's discount. `sum_basic` is net after all discounts, `sum_discount` what
they took off, `sum_all` is `sum_basic` with all taxes.
"""

from collections import defaultdict
from dataclasses import dataclass
from decimal import Decimal

from .documents import Document
from .wire import Values, decimal_in, decimal_out, money

ZERO = Decimal(0)
HUNDRED = Decimal(100)


@dataclass(frozen=True)
class Sums:
    """Money of one document in its currency; taxes by their code."""

    basic: Decimal
    discount: Decimal
    taxes: dict[str, Decimal]

    @property
    def all(self) -> Decimal:
        return self.basic + sum(self.taxes.values(), ZERO)


def sums_of(document: Document) -> Sums:
    """The document's sums."""
    undiscounted, nets, factors = ZERO, defaultdict[str, Decimal](lambda: ZERO), dict[str, Decimal]()
    for line in document.lines:
        factors[str(line["tax"])] = number(line.get("tax_factor"))
        undiscounted += _net(line, ZERO)
        nets[str(line["tax"])] += _net(line, discount_factor(str(line.get("discount", ""))))
    total = sum(nets.values(), ZERO)
    left = _after_document_discount(total, document.header)
    share = left / total if total else ZERO
    taxes = {code: money(net * share * factors[code]) for code, net in nets.items() if factors[code]}
    return Sums(left, undiscounted - left, taxes)


def discount_factor(text: str) -> Decimal:
    """What a percent or a chain of them ("22;23") takes off, as a fraction."""
    kept = Decimal(1)
    for percent in text.split(";"):
        kept *= 1 - number(percent) / HUNDRED
    return 1 - kept


def paid(document: Document) -> Decimal:
    """What payments come to, returns taken off."""
    return sum((number(one["amount"]) * (-1 if one.get("payment_mode") == "return" else 1) for one in document.payments), ZERO)


def sums_out(document: Document) -> Values:
    """The sums as replies have them; `sum_paid` is there only when something was paid."""
    sums = sums_of(document)
    out = {"sum_basic": decimal_out(sums.basic)}
    if sums.discount:
        out["sum_discount"] = decimal_out(sums.discount)
    out |= {f"sum_tax_{code.lower()}": decimal_out(tax) for code, tax in sums.taxes.items()}
    if prepayment := number(document.header.get("prepayment_value")):
        out["sum_prepayment"] = decimal_out(prepayment)
    out["sum_all"] = decimal_out(sums.all)
    if document.payments:
        out["sum_paid"] = decimal_out(paid(document))
    return out


def number(value: object) -> Decimal:
    """A number, or zero for what is none."""
    return decimal_in(value) or ZERO


def _net(line: Values, discount: Decimal) -> Decimal:
    price = number(line.get("price"))
    if "price_with_tax" in line:
        price = number(line["price_with_tax"]) / (1 + number(line.get("tax_factor")))
    return money(number(line.get("amount")) * price * (1 - discount))


def _after_document_discount(net: Decimal, header: Values) -> Decimal:
    left = money(net * (1 - discount_factor(str(header.get("discount_percent", "")))))
    return left - number(header.get("discount_value"))
