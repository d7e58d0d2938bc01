"""Documents in the provider's words, flat and clean: numbers with a point, dates as YYYY-MM-DD, lists as lists."""

from collections import Counter
from collections.abc import Sequence
from decimal import Decimal, localcontext
from typing import Any

import msgspec

from app.connectors.base import Account, Part
from app.connectors.metakocka.payloads import KIND_OF_TYPE, STATUS
from app.connectors.metakocka.values import (
    Values,
    day_of,
    is_true,
    number_of,
    number_text,
    objects_in,
    plain_number,
    stamp_of,
    text_of,
    texts_of,
)

TEXTS = ("mk_id", "doc_type", "count_code", "buyer_order", "title", "notes", "currency_code")
DAYS = ("doc_date", "valid_to", "duo_payment", "service_from_date", "service_to_date")
NUMBERS = ("discount_percent", "discount_value", "sum_basic", "sum_all", "sum_paid")
TAX_PERCENT_OF_CODE = {"EX4": "22", "220": "22", "095": "9.5", "000": "0"}
"""Of EX1 to EX3 the rates are not published, and of the old codes 200 and 085 it is not said whether they kept the old rates."""
_HUNDRED = Decimal(100)
_PRICE_DIGITS = Decimal("0.000001")
"""To how many places a price without tax is reckoned from one with tax."""


def decode_object(payload: bytes) -> Values:
    """Raises ValueError."""
    try:
        document = msgspec.json.decode(payload)
    except (msgspec.DecodeError, RecursionError) as error:
        raise ValueError(f"The object is not valid JSON: {error}") from None
    if not isinstance(document, dict):
        raise ValueError("The object is not a JSON object.")
    return document


def sales_document(payload: bytes, parts: Sequence[Part], account: Account) -> Values:
    """An offer, order or bill. Raises ValueError, also for a line whose tax is not known."""
    return flat_document(decode_object(payload))


def flat_document(raw: Values) -> Values:
    """The same of a decoded one."""
    partner = raw["partner"] if isinstance(raw.get("partner"), dict) else {}
    return {
        **texts_of(raw, TEXTS),
        **{name: day_of(raw.get(name)) for name in DAYS},
        **{name: plain_number(raw.get(name)) for name in NUMBERS},
        "kind": KIND_OF_TYPE.get(text_of(raw.get("doc_type")), ""),
        "status": text_of(raw.get(STATUS)) or text_of(raw.get("status_desc")),
        "discount_percent": percent_of(raw.get("discount_percent")),
        "partner_mk_id": text_of(partner.get("mk_id")),
        "partner_name": text_of(partner.get("customer")),
        "sum_tax": _sum_of_taxes(raw),
        "offer_numbers": offer_numbers(raw),
        "edited_at": _edited_at(raw),
        "lines": lines_of(raw),
    }


def lines_of(raw: Values) -> list[Values]:
    """The lines in their order. Rows get a new id with each write, so a line is told by its article, and the how-manieth of that it is."""
    seen: Counter[str] = Counter()
    lines = []
    for place, line in enumerate(objects_in(raw.get("product_list")), start=1):
        code = article_of(line)
        seen[code] += 1
        lines.append({**_line(line), "external_id": f"{code}#{seen[code]}" if seen[code] > 1 else code, "position": str(place)})
    return lines


def article_of(line: Values) -> str:
    return text_of(line.get("code")) or text_of(line.get("count_code")) or text_of(line.get("mk_id"))


def tax_percent(line: Values) -> str:
    """A line's tax rate in percent. Raises ValueError when Metakocka names it by a code whose rate nobody published."""
    factor = number_of(line.get("tax_factor"))
    if factor is not None:
        return number_text(factor * _HUNDRED)
    if number_of(line.get("tax_desc")) is not None:
        return plain_number(line["tax_desc"])
    code = text_of(line.get("tax"))
    if code in TAX_PERCENT_OF_CODE:
        return TAX_PERCENT_OF_CODE[code]
    raise ValueError(f"The line {text_of(line.get('name'))[:60]!r} has the tax code {code[:20]!r}, whose rate is not known.")


def percent_of(value: Any) -> str:
    """A discount in percent; "22;23" is one after the other."""
    text = text_of(value)
    if ";" not in text:
        return plain_number(text)
    left = Decimal(1)
    for part in text.split(";"):
        percent = number_of(part)
        if percent is None:
            return text
        left *= 1 - percent / _HUNDRED
    return number_text((1 - left) * _HUNDRED)


def offer_numbers(raw: Values) -> list[str]:
    """The offers that a document was made from."""
    named = [text_of(one.get("count_code")) for one in objects_in(raw.get("offer_list"))]
    linked = [text_of(one.get("count_code")) for one in objects_in(raw.get("doc_link_list")) if one.get("doc_type") == "sales_offer"]
    return [number for number in dict.fromkeys(named or linked) if number]


def _line(line: Values) -> Values:
    return {
        "code": text_of(line.get("code")) or text_of(line.get("count_code")),
        "name": text_of(line.get("name")),
        "doc_desc": text_of(line.get("doc_desc")),
        "unit": text_of(line.get("unit")),
        "amount": plain_number(line.get("amount")),
        "price": _net_price(line),
        "discount": percent_of(line.get("discount")),
        "tax_percent": tax_percent(line),
    }


def _net_price(line: Values) -> str:
    gross = number_of(line.get("price_with_tax"))
    if text_of(line.get("price")) or gross is None:
        return plain_number(line.get("price"))
    with localcontext(prec=60):
        net = gross / (1 + Decimal(tax_percent(line)) / _HUNDRED)
        return number_text(net.quantize(_PRICE_DIGITS))


def _sum_of_taxes(raw: Values) -> str:
    taxes = [number_of(value) for name, value in raw.items() if name.startswith("sum_tax")]
    return number_text(sum((tax for tax in taxes if tax is not None), Decimal(0))) if "sum_all" in raw else ""


def _edited_at(raw: Values) -> str:
    """When it was last changed, where the change log came with it."""
    stamps = [stamp for entry in objects_in(raw.get("document_info")) if (stamp := stamp_of(entry.get("operation_time")))]
    return max(stamps).isoformat() if stamps else ""


def product_document(payload: bytes, parts: Sequence[Part], account: Account) -> Values:
    """A product, with `price`: that of the first price list for sales. Raises ValueError."""
    raw = decode_object(payload)
    flags = {name: "true" if is_true(raw.get(name)) else "false" for name in ("service", "sales", "purchasing")}
    texts = texts_of(raw, ("mk_id", "count_code", "code", "name", "unit"))
    active = "false" if text_of(raw.get("activated")) == "false" else "true"
    return {**texts, **flags, "activated": active, **_price(raw, account)}


def _price(raw: Values, account: Account) -> Values:
    for pricelist in objects_in(raw.get("pricelist")):
        for price in objects_in(pricelist.get("price_def")):
            if text_of(price.get("price")) and text_of(pricelist.get("sales_purchase")) in ("", "sales"):
                currency = text_of(pricelist.get("currency_code")) or account.currency
                return {"price": plain_number(price["price"]), "currency": currency}
    return {"price": "", "currency": ""}


def stock_document(payload: bytes, parts: Sequence[Part], account: Account) -> Values:
    """A product's stock in a warehouse. Without a free amount, it is what lies there less what is reserved. Raises ValueError."""
    raw = decode_object(payload)
    texts = texts_of(raw, ("mk_id", "warehouse_id", "warehouse_name", "code", "title", "unit"))
    amounts = {name: plain_number(raw.get(name)) for name in ("amount", "reserved_amount", "free_amount")}
    there, reserved = number_of(amounts["amount"]), number_of(amounts["reserved_amount"]) or Decimal(0)
    if not amounts["free_amount"] and there is not None:
        amounts["free_amount"] = number_text(there - reserved)
    return {**texts, **amounts}
