"""`put_document`: a new document each time, or another whole one in the place of that with `mk_id`.

https://github.com/metakocka/metakocka_api_base/blob/master/docs/documents_put_document.md
"""

from dataclasses import replace

from .answers import RULE, Failed, invalid
from .company import Company
from .document_types import NUMBERS, DocumentType
from .documents import Document, Party, document_by, found_by, keep, logged, status_key, type_in, with_status
from .lines import lines_in
from .partner_table import addresses_of
from .partners import NO_ADDRESS, create_partner
from .sums import sums_of
from .transactions import payments_in
from .warehouses import warehouse_mark
from .wire import Values, as_list, day_in, decimal_in, given_texts, is_true, objects_in, text_of

NUMBER_CHOICE = "COUNT_CODE_SELECT#"
LONGEST_NUMBER = 30
EXTRA = ("extra_column", "meta_data", "attachment_list")


def put_document(company: Company, given: Values) -> Values:
    """Create or replace. Everything is checked first; a refused request leaves nothing behind."""
    type = type_in(given)
    old = found_by(company, type, mk_id) if (mk_id := text_of(given.get("mk_id"))) else None
    document = _document(company, type, given, old)
    keep(company, document)
    reply: Values = {
        "mk_id": document.mk_id,
        "count_code": document.count_code,
        "partner": {"mk_id": document.partner.mk_id},
        "total_price": f"{sums_of(document).all:.2f}",
    }
    if is_true(given.get("create_invoice")) and type.name == "sales_order":
        reply["attachment_list"] = [{"bill_mk_id": create_invoice(company, document).mk_id}]
    return reply


def create_invoice(company: Company, order: Document) -> Document:
    """The bill of an order: foreign or domestic by its partner, due in eight days."""
    partner = company.partners.get(order.partner.mk_id) or {}
    name = "sales_bill_foreign" if partner.get("foreign_county") == "true" else "sales_bill_domestic"
    day = company.today()
    dates = {"doc_date": day, "service_to_date": day, "duo_payment": day}
    kept = {one: order.header[one] for one in ("buyer_order", "currency_code", "warehouse", "profit_center") if one in order.header}
    bill = replace(
        order,
        mk_id=company.new_id(name),
        doc_type=name,
        count_code=company.new_number(name),
        header=dates | kept,
        status="",
        payments=(),
        log=(),
    )
    return keep(company, logged(company, bill, "NEW"))


def header_in(company: Company, type: DocumentType, given: Values) -> Values:
    """The header fields that were sent, checked as far as the provider checks them."""
    header = given_texts(given, type.header)
    for name in ("doc_date", *type.dates):
        if name in header:
            header[name] = _day(name, header[name])
    for name in NUMBERS:
        if name in header and decimal_in(header[name]) is None:
            raise invalid(f"Not valid number for {name} : {header[name]}")
    if header.get("delivery_type") not in company.described.delivery_types:
        header.pop("delivery_type", None)
    center = header.get("profit_center")
    if center and center not in company.described.profit_centers:
        raise Failed(RULE, f"Profit center '{center}' doesn't exist.")
    return header


def party_in(company: Company, given: object) -> Party:
    """The partner and address of a request: linked by ids, or, without them, a new partner every time."""
    if not isinstance(given, dict) or not given:
        raise invalid("Partner data are missing")
    mk_id, count_code = text_of(given.get("mk_id")), text_of(given.get("count_code"))
    if not mk_id and not count_code:
        partner = create_partner(company, given)
        return Party(partner["mk_id"], addresses_of(partner)[0]["mk_id"])
    found = company.partners.get(mk_id) if mk_id else company.partners.by_number(count_code)
    if found is None:
        raise invalid(f"Cannot find partner with id = {mk_id or count_code}")
    return Party(found["mk_id"], _address_id(found, given))


def _document(company: Company, type: DocumentType, given: Values, old: Document | None) -> Document:
    _check_needed(type, given)
    header = header_in(company, type, given)
    partner = party_in(company, given.get("partner"))
    receiver = party_in(company, given["receiver"]) if given.get("receiver") else None
    status = status_key(type, text_of(given["status_code"])) if given.get("status_code") else None
    header["warehouse"] = warehouse_mark(header.get("warehouse", ""))
    header.setdefault("currency_code", "EUR")
    header.setdefault("profit_center", company.described.profit_centers[0])
    if type.name == "sales_order":
        header.setdefault("order_create_ts", (old.header.get("order_create_ts") if old else None) or company.moment())
    content = Document(
        mk_id=old.mk_id if old else company.new_id(type.name),
        doc_type=type.name,
        count_code=old.count_code if old else _number(company, type, text_of(given.get("count_code")).strip()),
        partner=partner,
        header=header,
        lines=lines_in(company, given),
        receiver=receiver,
        status=old.status if old else status or type.first_status,
        offers=tuple(text_of(one.get("count_code")) for one in objects_in(given.get("offer_list"))),
        extra={name: as_list(given[name]) for name in EXTRA if given.get(name)},
        payments=payments_in(company, given.get("mark_paid"), old.payments if old else ()),
        log=old.log if old else (),
    )
    document = logged(company, content, "CHANGE" if old else "NEW")
    return with_status(company, document, status) if old and status else document


def _check_needed(type: DocumentType, given: Values) -> None:
    for name in type.needed:
        if not text_of(given.get(name)).strip():
            raise invalid(f"Value is require for {name}")


def _day(name: str, text: str) -> str:
    day = day_in(text)
    if day is None:
        raise Failed(RULE, f"Not valid date for {name}")
    return day


def _number(company: Company, type: DocumentType, wanted: str) -> str:
    """The number that was sent, unless it is taken: then, as without one, the next of the company's own series."""
    if wanted.startswith(NUMBER_CHOICE):
        return company.new_number(type.name, wanted.removeprefix(NUMBER_CHOICE))
    if len(wanted) > LONGEST_NUMBER:
        raise invalid(f"Value for count_code is too long (max {LONGEST_NUMBER}).")
    if wanted and document_by(company, type, "count_code", wanted) is None:
        return wanted
    return company.new_number(type.name)


def _address_id(partner: Values, given: Values) -> str:
    """The address by its id; with a street and no id the first one."""
    wanted = text_of(given.get("mk_address_id"))
    ids = [one["mk_id"] for one in addresses_of(partner)]
    if wanted in ids:
        return wanted
    if wanted or not (given.get("customer") and given.get("street")) or not ids:
        raise invalid(NO_ADDRESS)
    return str(ids[0])
