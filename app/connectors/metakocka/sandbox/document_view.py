"""A document as `get_document` and `search` show it.

https://github.com/metakocka/metakocka_api_base/blob/master/docs/documents_get_document_sales_order.md
"""

import re

from .company import Company
from .document_types import DOCUMENT_TYPES
from .documents import Document, Party, document_by
from .partner_table import addresses_of, contacts_of
from .sums import number, paid, sums_of, sums_out
from .wire import Values, day_out, decimal_out, dotted, is_true, with_comma

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
PARTNER_HEAD = ("mk_id", "count_code", "business_entity", "taxpayer", "foreign_county", "tax_id_number", "customer")
COUNTRIES = {
    "slovenija": "SI", "slovenia": "SI", "avstrija": "AT", "austria": "AT", "italija": "IT", "italy": "IT", "hrvaška": "HR",
    "croatia": "HR", "nemčija": "DE", "germany": "DE",
}  # fmt: skip
LINKING = ("sales_order", "sales_bill_domestic", "sales_bill_foreign", "sales_bill_retail", "sales_bill_prepaid")
AMOUNTS = frozenset(("amount", "price", "price_with_tax", "discount", "discount_value", "discount_percent", "total_price"))


def shown_document(company: Company, document: Document, given: Values) -> Values:
    """The document with what the request's flags ask for beside."""
    shown: Values = {"opr_code": "0", "mk_id": document.mk_id, "doc_type": document.doc_type, "count_code": document.count_code}
    shown |= {name: _shown_text(value) for name, value in document.header.items()}
    shown |= _parties(company, document)
    shown |= _status(document)
    if document.offers:
        shown["offer_list"] = [{"count_code": one} for one in document.offers]
    shown |= document.extra or {}
    shown["product_list"] = [_line(company, one, given) for one in document.lines]
    shown |= sums_out(document)
    shown |= _payments(document, given)
    if is_true(given.get("return_document_info")):
        shown["document_info"] = list(document.log)
    if links := _links(company, document):
        shown["doc_link_list"] = links
    if document.log:
        shown["last_change_user"] = document.log[-1]["user_email"]
    whole = {name: value for name, value in shown.items() if value not in ("", None, [])}
    return _with_commas(whole) if document.comma_decimals or company.config.comma_decimals else whole


def shown_party(company: Company, party: Party, *, with_contact: bool = False) -> Values:
    """A partner as documents have it: flat, with the address that the document chose."""
    partner = company.partners.get(party.mk_id)
    if partner is None:
        return {"mk_id": party.mk_id, "mk_address_id": party.mk_address_id}
    shown = {name: partner[name] for name in PARTNER_HEAD if name in partner} | {"mk_address_id": party.mk_address_id}
    address = next((one for one in addresses_of(partner) if one.get("mk_id") == party.mk_address_id), {})
    shown |= {name: address[name] for name in ("street", "post_number", "province", "country") if name in address}
    if city := address.get("city"):
        shown["place"] = city
    if code := COUNTRIES.get(str(address.get("country", "")).casefold()):
        shown["country_iso_2"] = code
    contact = next((one for one in contacts_of(partner) if one.get("mk_address_id") == party.mk_address_id), None)
    if with_contact and contact:
        shown["partner_contact"] = {name: contact[name] for name in ("name", "phone", "gsm", "email") if name in contact}
    return shown


def _parties(company: Company, document: Document) -> Values:
    shown = {"partner": shown_party(company, document.partner, with_contact=document.doc_type == "sales_order")}
    return shown | ({"receiver": shown_party(company, document.receiver)} if document.receiver else {})


def _status(document: Document) -> Values:
    """The register's text under `status_code` and its key under `status_desc`, though a write wants the key."""
    label = DOCUMENT_TYPES[document.doc_type].statuses.get(document.status)
    return {"status_code": label or document.status, "status_desc": document.status} if document.status else {}


def _line(company: Company, line: Values, given: Values) -> Values:
    product = company.products.get(line["mk_id"]) or {}
    shown = {name: product[name] for name in ("count_code", "code", "name", "name_desc", "unit") if name in product} | line
    if is_true(given.get("show_tax_factor")):
        shown["tax_desc"] = decimal_out(number(line.get("tax_factor")) * 100)
    else:
        shown.pop("tax_factor", None)
    if is_true(given.get("show_product_detail")):
        shown["type"] = "service" if product.get("service") == "true" else "material"
    else:
        shown.pop("mk_row_id", None)
    return shown


def _payments(document: Document, given: Values) -> Values:
    shown: Values = {}
    if is_true(given.get("show_payment_detail")):
        shown["mark_paid"] = [{**one, "date": dotted(one["date"])} for one in document.payments]
    if is_true(given.get("show_last_payment_date")) and document.payments:
        last = max(document.payments, key=lambda one: str(one["date"]))
        shown |= {"last_paid_date": dotted(last["date"]), "last_paid_sum": decimal_out(number(last["amount"]))}
        if paid(document) >= sums_of(document).all:
            shown["sum_full_paid_when"] = day_out(last["date"])
    return shown


def _links(company: Company, document: Document) -> list[Values]:
    """Offers that this document was made from, and documents made from this offer since the start."""
    links = []
    if document.offers:
        offers = (document_by(company, DOCUMENT_TYPES["sales_offer"], "count_code", number) for number in document.offers)
        links = [one for one in offers if one]
    elif document.doc_type == "sales_offer":
        tables = (company.documents[name] for name in LINKING)
        links = [one for table in tables for one in table.kept.values() if document.count_code in one.offers]
    return [{"mk_id": one.mk_id, "count_code": one.count_code, "doc_type": one.doc_type} for one in links]


def _shown_text(value: object) -> object:
    text = str(value)
    return day_out(text) if _DAY.fullmatch(text) else value


def _with_commas(shown: Values) -> Values:
    """The same with all numbers as people write them."""
    return {
        name: [_with_commas(one) for one in value]
        if isinstance(value, list)
        else with_comma(value)
        if name in AMOUNTS or name.startswith("sum_")
        else value
        for name, value in shown.items()
    }
