"""What `put_document` is sent. Pure.

https://github.com/metakocka/metakocka_api_base/blob/master/docs/documents_put_document.md
A document with its mk_id is replaced whole: what is left out is gone. So a body begins with everything that was read.
"""

from base64 import b32encode
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from decimal import Decimal
from hashlib import sha256
from typing import Any

from app.connectors.errors import RequestRejected
from app.connectors.metakocka.assembling import DAYS, article_of, flat_document, lines_of, offer_numbers, percent_of
from app.connectors.metakocka.payloads import ACCEPTED, OFFER, ORDER, REJECTED, STATUS
from app.connectors.metakocka.sales_documents import status_key
from app.connectors.metakocka.values import Values, day_text, number_of, number_text, objects_in, plain_number, text_of

TEXTS = ("title", "notes", "currency_code", "buyer_order")
PUSHED = (*TEXTS, *DAYS, "discount_percent", "status", "partner_mk_id", "lines")
"""Names of the assembled document that can be told to Metakocka."""
LONGEST_NEW_NAME = 200

_NOT_SENT = frozenset((
    "opr_code", "opr_desc", "opr_time_ms", "opr_time_no_lock_ms", "count_code", "status_code", "status_desc", "partner", "receiver",
    "product_list", "doc_link_list", "offer_list", "document_info", "last_change_user", "last_paid_date", "last_paid_sum",
    "sum_full_paid_when", "mark_paid", STATUS,
))  # fmt: skip
_TAKEN_OVER = (
    "partner", "receiver", "title", "currency_code", "discount_percent", "sales_pricelist_code", "warehouse", "delivery_type",
    "method_of_payment", "pariteta", "profit_center",
)  # fmt: skip
_NUMBERS = frozenset(("discount_value", "discount_percent", "prepayment_value", "prepayment_percent"))
_NOT_OF_A_LINE = frozenset(("mk_id", "mk_row_id", "tax_desc", "type", "count_code", "code"))
_LINE_NUMBERS = frozenset(("amount", "price", "price_with_tax", "tax_factor"))


def mark_of(key: str) -> str:
    """Our own number for what a delivery makes: the same for each attempt, of no other, 29 characters. Metakocka takes 30."""
    return "CW-" + b32encode(sha256(key.encode()).digest()[:16]).decode().rstrip("=")


def carried(raw: Values) -> Values:
    """A document as it was read, as a replacement that changes nothing. The status is read as a label and written as a key."""
    body: Values = {
        name: plain_number(value) if name in _NUMBERS else value
        for name, value in raw.items()
        if name not in _NOT_SENT and not name.startswith("sum_")
    }
    if key := text_of(raw.get("status_desc")):
        body["status_code"] = key
    for party in ("partner", "receiver"):
        if isinstance(raw.get(party), dict):
            body[party] = {name: raw[party][name] for name in ("mk_id", "mk_address_id") if name in raw[party]}
    if numbers := offer_numbers(raw):
        body["offer_list"] = [{"count_code": number} for number in numbers]
    body["product_list"] = [carried_line(line) for line in objects_in(raw.get("product_list"))]
    return body


def carried_line(line: Values) -> Values:
    """A line as it was read. It is found again by its article, as an mk_id alone finds nothing."""
    body = {name: plain_number(value) if name in _LINE_NUMBERS else value for name, value in line.items() if name not in _NOT_OF_A_LINE}
    if text_of(line.get("tax_factor")):
        body.pop("tax", None)
    if discount := text_of(line.get("discount")):
        body["discount"] = ";".join(plain_number(part) for part in discount.split(";"))
    name = "code" if text_of(line.get("code")) else "count_code"
    return {name: text_of(line.get(name)), **body}


def differences(raw: Values, document: Mapping[str, Any], changed: Collection[str]) -> frozenset[str]:
    """Which of the changed names are not yet as wanted in the document that the provider shows."""
    there = flat_document(raw)
    return frozenset(name for name in PUSHED if name in changed and name in document and not _is_equal(name, there[name], document[name]))


def replaced(raw: Values, document: Mapping[str, Any], changed: Collection[str], settings: Any, partner: Values | None) -> Values:
    """The body that brings a document to what is wanted; `partner` with its address where it is to be another one."""
    body = carried(raw)
    for name in differences(raw, document, changed):
        value = document[name]
        if name == "lines":
            body["product_list"] = _lines(objects_in(raw.get("product_list")), lines_of(raw), value)
        elif name == "partner_mk_id":
            body["partner"] = partner
        elif name == "status":
            body["status_code"] = known_key(text_of(value), settings, text_of(raw.get("doc_type"))) or body.get("status_code", "")
        else:
            body.pop(name, None)
            body |= _head_value(name, value)
    return body


def new_document(doc_type: str, document: Mapping[str, Any], *, number: str, partner: Values, today: str, settings: Any) -> Values:
    """The body of a new document with our own number. A bill's due date and end of service, which it needs, default to its day."""
    body: Values = {"doc_type": doc_type, "count_code": number, "partner": partner, "doc_date": day_text(today)}
    for name in (*TEXTS, *DAYS, "discount_percent"):
        body |= _head_value(name, document.get(name))
    if "bill" in doc_type:
        body = {"duo_payment": body["doc_date"], "service_to_date": body["doc_date"], **body}
    if status := text_of(document.get("status")):
        body["status_code"] = known_key(status, settings, doc_type)
    body["product_list"] = [new_line(line, place) for place, line in enumerate(document.get("lines") or (), start=1)]
    return body


def order_from(offer: Values, accepted: Collection[str], *, reference: str, notes: str, day: str) -> Values:
    """The order that an approved offer becomes: its accepted lines as they stand there, its partner and terms, and our reference."""
    whole = carried(offer)
    lines = [
        line for line, flat in zip(whole["product_list"], flat_document(offer)["lines"], strict=True) if flat["external_id"] in accepted
    ]
    body = {name: whole[name] for name in _TAKEN_OVER if name in whole}
    return body | {
        "doc_type": ORDER,
        "doc_date": day_text(day),
        "buyer_order": reference,
        "offer_list": [{"count_code": text_of(offer.get("count_code"))}],
        "notes": notes,
        "product_list": lines,
    }


def new_line(line: Mapping[str, Any], place: int) -> Values:
    """A line of our own. An article that Metakocka does not know yet is made of it there, so it comes with unit and name."""
    code = text_of(line.get("code"))
    if not code:
        raise RequestRejected(f"Line {place} names no article: Metakocka has no lines of text alone.")
    name = text_of(line.get("name")) or text_of(line.get("doc_desc")) or code
    body = {"code": code, "name": name.splitlines()[0][:LONGEST_NEW_NAME], "unit": text_of(line.get("unit")) or "kos"}
    return body | {name: text for name, text in _leaves(line).items() if text}


def known_key(status: str, settings: Any, doc_type: str) -> str:
    """The provider's key of a status. Raises RequestRejected for an offer's when the connection's settings name none."""
    key = status_key(status, settings) if doc_type == OFFER else status
    if not key and status in (ACCEPTED, REJECTED):
        raise RequestRejected(f"The connection's settings name no status of Metakocka's for an offer that is {status}.")
    return key


def _head_value(name: str, value: Any) -> Values:
    """One field as a request has it; nothing for what is empty."""
    if name in DAYS:
        text = day_text(value)
    elif name == "discount_percent":
        number = number_of(value)
        text = number_text(number) if number else ""
    else:
        text = text_of(value)
    return {name: text} if text else {}


def _lines(raw: Sequence[Values], there: Sequence[Values], wanted: Any) -> list[Values]:
    """The wanted lines. One whose article was there keeps all that the hub does not know of it."""
    known = dict(zip(_numbered(there), zip(raw, there, strict=True), strict=True))
    lines = []
    for place, (key, line) in enumerate(zip(_numbered(wanted), wanted, strict=True), start=1):
        if key not in known:
            lines.append(new_line(line, place))
            continue
        raw_line, there_line = known[key]
        lines.append(_changed_line(raw_line, there_line, line))
    return lines


def _changed_line(raw: Values, there: Values, wanted: Mapping[str, Any]) -> Values:
    body, before, after = carried_line(raw), _leaves(there), _leaves(wanted)
    for name, text in after.items():
        if text == before[name]:
            continue
        if name == "price":
            body.pop("price_with_tax", None)
        if name == "tax_factor":
            body.pop("tax", None)
        body[name] = text
    return {name: value for name, value in body.items() if value != ""}


def _leaves(line: Mapping[str, Any]) -> dict[str, str]:
    """The parts of a line that can be told, in one form, so that they can be compared."""
    numbers = {name: number_of(line.get(name)) for name in ("amount", "price")}
    discount, tax = number_of(percent_of(line.get("discount"))), number_of(line.get("tax_percent"))
    return {
        **{name: "" if number is None else number_text(number) for name, number in numbers.items()},
        "discount": number_text(discount) if discount else "",
        "tax_factor": "" if tax is None else number_text(tax / Decimal(100)),
        "unit": text_of(line.get("unit")),
        "doc_desc": text_of(line.get("doc_desc")),
    }


def _numbered(lines: Sequence[Mapping[str, Any]]) -> list[tuple[str, int]]:
    """Each line's article, and the how-manieth line of it this is."""
    seen: Counter[str] = Counter()
    keys = []
    for line in lines:
        code = article_of(dict(line))
        seen[code] += 1
        keys.append((code, seen[code]))
    return keys


def _is_equal(name: str, there: Any, wanted: Any) -> bool:
    if name != "lines":
        return _head_value(name, there) == _head_value(name, wanted)
    return _numbered(there) == _numbered(wanted) and [_leaves(line) for line in there] == [_leaves(line) for line in wanted]
