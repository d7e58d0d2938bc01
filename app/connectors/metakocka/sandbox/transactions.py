"""Payments: `put_transaction`, and `mark_paid` on a document that is put.

https://github.com/metakocka/metakocka_api_base/blob/master/docs/put_transaction.md
"""

from dataclasses import replace
from decimal import Decimal

from .answers import RULE, Failed, invalid, must_be_set
from .company import Company
from .document_types import DOCUMENT_TYPES
from .documents import Document, found_by_text, keep, logged, no_document, type_in
from .wire import Values, day_in, decimal_in, decimal_out, given_texts, objects_in, text_of

MODES = ("payment", "prepayment", "return")
FISCAL = ("Gotovina", "Kartica")
PAYABLE = ("sales_offer", "sales_order", "sales_bill", "purchase_bill")
ANY_BILL = "bill"
LONGEST_NOTES = 100


def put_transaction(company: Company, given: Values) -> Values:
    """One more payment on a document, each time again."""
    document = _document(company, given)
    payment = _payment(company, given, "price")
    mode = text_of(given.get("payment_mode")) or MODES[0]
    if mode not in MODES:
        raise invalid(f"Paramether 'payment_mode' has invalid value : {mode}. Valid values : {','.join(MODES)}")
    changed = replace(document, payments=(*document.payments, payment | ({"payment_mode": mode} if mode != MODES[0] else {})))
    keep(company, logged(company, changed, "CHANGE"))
    return {}


def payments_in(company: Company, given: object, earlier: tuple[Values, ...]) -> tuple[Values, ...]:
    """A document's payments after it was put: those sent take the place of earlier ones, none sent leaves them,
    and an amount of zero clears them. Without an amount nothing is known to be paid, so it counts as zero."""
    sent = objects_in(given)
    if not sent:
        return earlier
    payments = (_payment(company, one, "amount") for one in sent)
    return tuple(one for one in payments if Decimal(one["amount"]))


def _document(company: Company, given: Values) -> Document:
    """The document by its id, number or, an order, the buyer's reference; `bill` stands for any bill."""
    keys = given_texts(given, ("mk_id", "count_code", "buyer_order"))
    if not keys:
        raise must_be_set("mk_id")
    if text_of(given.get("doc_type")) != ANY_BILL:
        type = type_in(given)
        if not type.name.startswith(PAYABLE):
            raise invalid(f"Unknown document type : {type.name}")
        return _found(company, type.name, keys)
    for name, type in DOCUMENT_TYPES.items():
        if type.is_bill:
            try:
                return _found(company, name, keys)
            except Failed:
                continue
    raise no_document(ANY_BILL, *next(iter(keys.items())))


def _found(company: Company, doc_type: str, keys: Values) -> Document:
    if "mk_id" in keys:
        document = company.documents[doc_type].get(keys["mk_id"])
        if document is None:
            raise no_document(doc_type, "id", keys["mk_id"])
        return document
    name = "count_code" if "count_code" in keys else "buyer_order"
    return found_by_text(company, DOCUMENT_TYPES[doc_type], name, keys[name])


def _payment(company: Company, given: Values, amount_name: str) -> Values:
    day = day_in(text_of(given.get("date")))
    if day is None:
        raise Failed(RULE, "Not valid date for date")
    amount = decimal_in(text_of(given.get(amount_name)) or "0")
    if amount is None:
        raise invalid(f"Not valid number for {amount_name} : {given.get(amount_name)}")
    if len(text_of(given.get("notes"))) > LONGEST_NOTES:
        raise invalid(f"Value for notes is too long (max {LONGEST_NOTES}).")
    payment_type = _payment_type(company, text_of(given.get("payment_type")))
    register = given_texts(given, ("cash_register", "cashRegister"))
    register = {"cashRegister": next(iter(register.values()))} if register else {}
    return {"payment_type": payment_type, "date": day, "amount": decimal_out(amount)} | register | given_texts(given, ("notes",))


def _payment_type(company: Company, text: str) -> str:
    """A type of the company's register; cash and cards are refused unless fiscal registers are on."""
    types = company.described.payment_types
    if not text:
        return types[0]
    if text not in types:
        raise invalid(f"Paramether 'payment_type' has invalid value : {text}. Valid values : {','.join(types)}")
    if text in FISCAL and not company.config.fiscal_registers:
        raise Failed(RULE, f"Payment type '{text}' needs a fiscal cash register.")
    return text
