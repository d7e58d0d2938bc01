"""A document's lines: what is sent, resolved to products and checked."""

from decimal import Decimal

from .answers import RULE, UNKNOWN_PRODUCT, Failed, invalid
from .company import Company
from .products import create_product
from .wire import Values, decimal_in, decimal_out, given_texts, is_true, objects_in, text_of

TEXTS = ("name_desc", "doc_desc", "discount")
TAX_CODES = {"EX4": "0.22", "220": "0.22", "200": "0.22", "095": "0.095", "085": "0.095", "000": "0"}
# The codes that a factor gets; others are written as those two are, in thousandths.
CODE_OF_FACTOR = {Decimal("0.22"): "EX4"}


def lines_in(company: Company, given: Values) -> tuple[Values, ...]:
    """All lines of a request, each with a new row id."""
    return tuple(_line(company, one) for one in objects_in(given.get("product_list")))


def _line(company: Company, given: Values) -> Values:
    product = _product(company, given)
    amount = _number(given, "amount", default="1")
    if amount < 0 and product.get("service") != "true":
        raise Failed(RULE, f"Amount for product with code '{product['code']}' can be negative only for service.")
    line = {"mk_row_id": company.new_id("row"), "mk_id": product["mk_id"], "amount": decimal_out(amount)}
    return line | _price(given) | given_texts(given, TEXTS) | _tax(given, product)


def _product(company: Company, given: Values) -> Values:
    """The product by code or number; an unknown code with a unit makes a new one. An id alone finds nothing."""
    code, count_code = text_of(given.get("code")).strip(), text_of(given.get("count_code")).strip()
    found = company.product_by("code", code) or company.product_by("count_code", count_code)
    if found is not None:
        return found
    if not given.get("unit") or not (code or count_code):
        raise Failed(UNKNOWN_PRODUCT, f"Product with code {code or count_code} not found - unit must be set to add new product")
    flags = {name: "true" if is_true(given.get(name)) else "false" for name in ("service", "purchasing")}
    sales = text_of(given.get("sales")) or "true"
    return create_product(company, {**given_texts(given, ("name", "unit")), "code": code or count_code, **flags, "sales": sales})


def _price(given: Values) -> Values:
    """Net or gross, as it was sent; the net one if both were."""
    name = "price_with_tax" if given.get("price") in (None, "") and given.get("price_with_tax") not in (None, "") else "price"
    return {name: decimal_out(_number(given, name, default="0"))}


def _tax(given: Values, product: Values) -> Values:
    sent = given_texts(given, ("tax", "tax_factor"))
    if "tax_factor" in sent:
        factor = _number(given, "tax_factor", default="0")
        return {"tax": CODE_OF_FACTOR.get(factor, f"{int(factor * 1000):03d}"), "tax_factor": decimal_out(factor)}
    if "tax" not in sent:
        raise invalid(f"Attribute 'tax' for product with code '{product['code']}' must be set.")
    if sent["tax"] not in TAX_CODES:
        raise invalid(f"Paramether 'tax' has invalid value : {sent['tax']}. Valid values : {','.join(TAX_CODES)}")
    return {"tax": sent["tax"], "tax_factor": TAX_CODES[sent["tax"]]}


def _number(given: Values, name: str, *, default: str) -> Decimal:
    text = text_of(given.get(name)) or default
    value = decimal_in(text)
    if value is None:
        raise invalid(f"Not valid number for {name} : {text}")
    return value
