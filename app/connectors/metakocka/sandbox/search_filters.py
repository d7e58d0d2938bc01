"""The filters of `query_advance`, by document type: those that the vendor documents and no others.

https://github.com/metakocka/metakocka_api_base/blob/master/docs/search_examples.md
"""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal

from .answers import RULE, Failed, invalid
from .company import Company
from .document_types import DOCUMENT_TYPES
from .document_view import shown_party
from .documents import Document
from .sums import paid, sums_of
from .wire import Values, day_in, is_true, objects_in, text_of, wall_clock

Fits = Callable[[Document], bool]
Make = Callable[[Company, str], Fits]

NO_STATUS = "-2"
STATUS_CHANGE = ("status_change_from", "status_change_to", "status_change_list")
# What MCP saw for a date filter on offers; that any unknown filter is answered so is assumed.
UNKNOWN = "cannot get beQueryParam"


@dataclass(frozen=True)
class Filter:
    """One filter: the label of MK's form, what its value is, and the check it makes."""

    type: str
    label: str
    value_desc: str
    make: Make


def filters_of(doc_type: str) -> tuple[Filter, ...]:
    """The filters of one type."""
    if doc_type == "sales_order":
        return (*DATES, *STATUSES, *CHANGES, *ORDERS)
    if doc_type in DOCUMENT_TYPES and DOCUMENT_TYPES[doc_type].is_bill:
        return (*DATES, *STATUSES, *PARTNERS, PAYMENT)
    if doc_type.startswith("warehouse_"):
        return DATES if doc_type not in ("warehouse_acceptance_note", "warehouse_packing_list") else (*DATES, *STATUSES)
    return ()


def fits_all(company: Company, doc_type: str, given: Values) -> Fits | None:
    """Whether a document fits all filters of a request; None when it has none."""
    known = {one.type: one for one in filters_of(doc_type)}
    checks = []
    sent = {text_of(one.get("type")): text_of(one.get("value")) for one in objects_in(given.get("query_advance"))}
    for name, value in sent.items():
        if name not in known:
            raise invalid(f"{UNKNOWN} : {name}")
        checks.append(known[name].make(company, value))
    if status_change := [name for name in STATUS_CHANGE if name in sent]:
        if len(status_change) < len(STATUS_CHANGE):
            raise invalid(f"Paramethers {', '.join(STATUS_CHANGE)} must be set together.")
        checks.append(_status_changed(*(sent[name] for name in STATUS_CHANGE)))
    return (lambda document: all(check(document) for check in checks)) if checks else None


def _status_changed(first: str, last: str, keys: str) -> Fits:
    since, until, wanted = _moment(first), _moment(last), keys.split(",")

    def fits(document: Document) -> bool:
        changes = (one for one in document.log if one["operation_type"] == "DOCUMENT_STATUS_CHANGE" and one["value_new"] in wanted)
        return any(since <= str(one["operation_time"])[:19] <= until for one in changes)

    return fits


def _no_check(company: Company, value: str) -> Fits:
    return lambda document: True


def _day(value: str, name: str) -> str:
    day = day_in(value)
    if day is None:
        raise Failed(RULE, f"Not valid date for {name}")
    return day


def _moment(value: str) -> str:
    moment = wall_clock(value)
    if moment is None:
        raise Failed(RULE, f"Not valid timestamp : {value}")
    return moment


def _from_day(company: Company, value: str) -> Fits:
    day = _day(value, "doc_date_from")
    return lambda document: str(document.header["doc_date"]) >= day


def _to_day(company: Company, value: str) -> Fits:
    day = _day(value, "doc_date_to")
    return lambda document: str(document.header["doc_date"]) <= day


def _changed_from(company: Company, value: str) -> Fits:
    moment = _moment(value)
    return lambda document: document.changed_at[:19] >= moment


def _changed_to(company: Company, value: str) -> Fits:
    moment = _moment(value)
    return lambda document: document.changed_at[:19] <= moment


def _status_in(company: Company, value: str) -> Fits:
    keys = value.split(",")
    return lambda document: document.status in keys


def _status_id_in(company: Company, value: str) -> Fits:
    """Ids of a register's entries are their places in it here; -2 is no status."""
    wanted = value.split(",")

    def fits(document: Document) -> bool:
        keys = list(DOCUMENT_TYPES[document.doc_type].statuses)
        return (str(keys.index(document.status) + 1) if document.status in keys else NO_STATUS) in wanted

    return fits


def _is_paid(company: Company, value: str) -> Fits:
    wanted = is_true(value)
    return lambda document: (paid(document) >= sums_of(document).all > Decimal(0)) is wanted


def _partner(part: Callable[[Values], str], *, whole: bool = True) -> Make:
    def make(company: Company, value: str) -> Fits:
        wanted = value.casefold()

        def fits(document: Document) -> bool:
            text = part(shown_party(company, document.receiver or document.partner, with_contact=True)).casefold()
            return text == wanted if whole else wanted in text

        return fits

    return make


def _header(name: str) -> Make:
    return lambda company, value: lambda document: document.header.get(name) == value


def _product(name: str) -> Make:
    def make(company: Company, value: str) -> Fits:
        wanted = set(value.split(","))
        return lambda document: any(
            text_of((company.products.get(line["mk_id"]) or {"mk_id": line["mk_id"]}).get(name)) in wanted for line in document.lines
        )

    return make


def _tracked(check: Callable[[str, str], bool]) -> Make:
    def make(company: Company, value: str) -> Fits:
        moment = _moment(value)
        return lambda document: bool(at := str(document.header.get("tracking_last_event_date", ""))) and check(at[:19], moment)

    return make


def _of_contact(name: str) -> Callable[[Values], str]:
    return lambda party: str(party.get("partner_contact", {}).get(name, ""))


TIMESTAMP = "Timestamp (for example : 2026-03-01T14:28:54+02:00)"
DATES = (
    Filter("doc_date_from", "Datum od", "Date (for example : 2026-03-01+02:00)", _from_day),
    Filter("doc_date_to", "Datum do", "Date (for example : 2026-03-31+02:00)", _to_day),
)
STATUSES = (
    Filter("status_list", "Status", "List of status descriptions, separated by comma", _status_in),
    Filter("status_id_list", "Status", "List of status ids, separated by comma, -2 for documents without status", _status_id_in),
)
PARTNERS = (
    Filter("partner_mk_id", "Partner", "Partner mk_id", _partner(lambda party: str(party.get("mk_id", "")))),
    Filter("partner_code", "Partner", "Partner code", _partner(lambda party: str(party.get("count_code", "")))),
    Filter(
        "partner_query", "Partner", "Subquery search over partners", _partner(lambda party: str(party.get("customer", "")), whole=False)
    ),
    Filter("partner_tax_num", "Partner", "Partner tax number", _partner(lambda party: str(party.get("tax_id_number", "")))),
)
PAYMENT = Filter("payment_status", "Plačano", "'true' or 'false'", _is_paid)
CHANGES = (
    Filter("last_change_from", "Sprememba od", TIMESTAMP, _changed_from),
    Filter("last_change_to", "Sprememba do", TIMESTAMP, _changed_to),
    Filter("status_change_from", "Sprememba statusa od", TIMESTAMP, _no_check),
    Filter("status_change_to", "Sprememba statusa do", TIMESTAMP, _no_check),
    Filter("status_change_list", "Sprememba statusa", "List of status descriptions, separated by comma", _no_check),
)
ORDERS = (
    Filter("profit_center", "Profitni center", "Name of profit center", _header("profit_center")),
    Filter("delivery_type", "Način dostave", "Delivery type description", _header("delivery_type")),
    Filter("partner_country", "Država", "Country of partner", _partner(lambda party: str(party.get("country", "")))),
    Filter("partner_recipient_name", "Prejemnik", "Name of recipient", _partner(lambda party: str(party.get("customer", "")), whole=False)),
    Filter("partner_recipient_email", "E-pošta prejemnika", "E-mail of recipient", _partner(_of_contact("email"))),
    Filter("partner_recipient_phone", "Telefon prejemnika", "Phone of recipient", _partner(_of_contact("gsm"))),
    Filter("customer_order", "Naročilo kupca", "Customer order number", _header("buyer_order")),
    Filter("product_id_list", "Artikli", "List of product mk_ids, separated by comma", _product("mk_id")),
    Filter("product_code_list", "Artikli", "List of product codes, separated by comma", _product("code")),
    Filter("tracking_last_event_date_from", "Dogodek dostave od", TIMESTAMP, _tracked(lambda at, moment: at >= moment)),
    Filter("tracking_last_event_date_to", "Dogodek dostave do", TIMESTAMP, _tracked(lambda at, moment: at <= moment)),
)
