"""`get_document`, `update_document`, `change_document_status`, `delete_document`.

https://github.com/metakocka/metakocka_api_base/blob/master/docs/documents_update_document_sales_order.md
"""

from dataclasses import replace

from .answers import INTERNAL, Failed, invalid, must_be_set
from .company import Company
from .document_types import DocumentType
from .document_view import shown_document
from .document_writes import EXTRA, create_invoice, header_in, party_in
from .documents import Document, found_by, found_by_text, keep, logged, status_key, type_in, with_status
from .lines import lines_in
from .warehouses import warehouse_mark
from .wire import Values, as_list, is_true, objects_in, text_of

ORDER = "sales_order"
STATUS_CALL = (ORDER, "warehouse_receiving_note")
ORDER_FIELDS = ("delivery_type", "tracking_code", "shipped_date", "discount_value", "notes", "notes_header", "warehouse", "parcel_shop_id")
CLEARABLE = ("tracking_code", "notes", "notes_header")


def get_document(company: Company, given: Values) -> Values:
    """A document by `doc_id`; an order by the buyer's reference too. The field name `mk_id` is not taken here."""
    type = type_in(given)
    if doc_id := text_of(given.get("doc_id")):
        return shown_document(company, found_by(company, type, doc_id), given)
    reference = text_of(given.get("buyer_order"))
    if type.name != ORDER or not reference:
        raise must_be_set("doc_id")
    return shown_document(company, found_by_text(company, type, "buyer_order", reference), given)


def update_document(company: Company, given: Values) -> Values:
    """Single fields of an order, or the status of a bill. For other types no such call is documented."""
    type = type_in(given)
    if type.name == ORDER:
        return _update_order(company, type, given)
    if type.is_bill:
        return _update_bill(company, type, given)
    raise invalid(f"Operation update_document is not supported for document type : {type.name}")


def change_document_status(company: Company, given: Values) -> Values:
    """Another status for one or several orders or receiving notes."""
    type = type_in(given)
    if type.name not in STATUS_CALL:
        raise invalid(f"Operation change_document_status is not supported for document type : {type.name}")
    key = status_key(type, text_of(given.get("status_code")))
    for document in _chosen(company, type, given):
        keep(company, with_status(company, document, key))
    return {}


def delete_document(company: Company, given: Values) -> Values:
    """Delete an order or a stock document; others are not taken."""
    if not given.get("doc_type"):
        raise Failed(INTERNAL, "Internal server error.")
    type = type_in(given)
    if not type.deletable:
        raise invalid(f"Operation delete_document is not supported for document type : {type.name}")
    if not (mk_id := text_of(given.get("mk_id"))):
        raise must_be_set("mk_id")
    found_by(company, type, mk_id)
    company.documents[type.name].put(int(mk_id), None)
    return {"mk_id": mk_id}


def _update_order(company: Company, type: DocumentType, given: Values) -> Values:
    order = _one(company, type, given, "buyer_order")
    changed = replace(
        order,
        header=_header_after(company, type, order, given),
        lines=_lines_after(company, order, given),
        partner=party_in(company, given["partner"]) if given.get("partner") else order.partner,
        receiver=party_in(company, given["receiver"]) if given.get("receiver") else order.receiver,
        count_code=text_of(given.get("count_code_new")) or order.count_code,
        extra={**(order.extra or {}), **{name: as_list(given[name]) for name in EXTRA if given.get(name)}},
    )
    if given.get("status_code"):
        changed = with_status(company, changed, status_key(type, text_of(given["status_code"])))
    kept = keep(company, logged(company, changed, "CHANGE"))
    reply: Values = {"mk_id": kept.mk_id, "count_code": kept.count_code}
    if is_true(given.get("create_invoice")):
        reply["attachment_list"] = [{"bill_mk_id": create_invoice(company, kept).mk_id}]
    return reply


def _update_bill(company: Company, type: DocumentType, given: Values) -> Values:
    bill = _one(company, type, given, "count_code")
    if "status_code" not in given:
        raise must_be_set("status_code")
    text = text_of(given["status_code"])
    changed = with_status(company, bill, status_key(type, text) if text else "")
    keep(company, changed)
    return {"mk_id": bill.mk_id, "count_code": bill.count_code}


def _header_after(company: Company, type: DocumentType, order: Document, given: Values) -> Values:
    sent = header_in(company, type, {name: given[name] for name in ORDER_FIELDS if name in given})
    if "warehouse" in sent:
        sent["warehouse"] = warehouse_mark(sent["warehouse"])
    cleared = {text_of(one) for one in as_list(given.get("clear"))} & set(CLEARABLE)
    return {name: value for name, value in {**order.header, **sent}.items() if name not in cleared}


def _lines_after(company: Company, order: Document, given: Values) -> tuple[Values, ...]:
    """Lines with those of `product_add` added, those of `product_remove` and those marked taken out, and, of
    `product_list`, rows with an id changed."""
    removed = {text_of(one.get("mk_row_id")) for one in objects_in(given.get("product_remove"))}
    rows = {text_of(one.get("mk_row_id")): one for one in objects_in(given.get("product_list"))}
    removed |= {row for row, one in rows.items() if is_true(one.get("mark_delete"))}
    if unknown := sorted((removed | set(rows)) - {line["mk_row_id"] for line in order.lines}):
        raise invalid(f"Cannot find row with mk_row_id = {unknown[0]}")
    left = [line for line in order.lines if line["mk_row_id"] not in removed]
    changed = [_line_after(company, line, rows.get(line["mk_row_id"])) for line in left]
    return (*changed, *lines_in(company, {"product_list": given.get("product_add")}))


def _line_after(company: Company, line: Values, sent: Values | None) -> Values:
    if sent is None:
        return line
    product = company.products.get(line["mk_id"]) or {}
    before = {
        name: value for name, value in line.items() if not (name.startswith("price") and ("price" in sent or "price_with_tax" in sent))
    }
    tax = {} if "tax" in sent else {"tax_factor": line["tax_factor"]}
    (new,) = lines_in(company, {"product_list": [{**before, **tax, **sent, "code": product.get("code", "")}]})
    return {**new, "mk_row_id": line["mk_row_id"]}


def _chosen(company: Company, type: DocumentType, given: Values) -> list[Document]:
    """The documents of `mk_id_list` (a list, or texts separated by commas), or the one of `mk_id` or `buyer_order`."""
    given_list = given.get("mk_id_list")
    ids = given_list.split(",") if isinstance(given_list, str) else [text_of(one) for one in as_list(given_list)]
    if ids:
        return [found_by(company, type, one.strip()) for one in ids]
    return [_one(company, type, given, "buyer_order")]


def _one(company: Company, type: DocumentType, given: Values, other_key: str) -> Document:
    if mk_id := text_of(given.get("mk_id")):
        return found_by(company, type, mk_id)
    if text := text_of(given.get(other_key)):
        return found_by_text(company, type, other_key, text)
    raise must_be_set("mk_id")
