"""`search` and `search_query_advance_discovery`.

https://github.com/metakocka/metakocka_api_base/blob/master/docs/search_concept.md
"""

from collections.abc import Callable

from .answers import invalid
from .company import Company
from .document_types import DOCUMENT_TYPES
from .document_view import shown_document
from .documents import Document, type_in
from .products import shown_product
from .search_filters import UNKNOWN, filters_of, fits_all
from .table import id_of
from .wire import Values, objects_in, text_of

MOST = 100
PRODUCTS = {"purchase_product": "purchasing", "sales_product": "sales", "product": ""}


def search(company: Company, given: Values) -> Values:
    """A window of what fits, in the order of ids. More than a hundred are cut to a hundred."""
    if text_of(given.get("doc_type")) in PRODUCTS:
        return _products(company, given)
    type = type_in(given)
    table = company.documents[type.name]
    checks = [check for check in (fits_all(company, type.name, given), _query(company, given)) if check]
    offset, limit = _window(given)
    descending = _descending(given, ascending=type.ascending)
    if checks:
        found = [one for one in table if all(check(one) for check in checks)]
        total, window = len(found), (found[::-1] if descending else found)[offset : offset + limit]
    else:
        total, window = len(table), [table[mk_id] for mk_id in table.page(offset, limit, descending=descending)]
    return _reply("result", [_row(company, one, given) for one in window], total, offset, limit)


def discovery(company: Company, given: Values) -> Values:
    """The filters of every type, or of one, as `search` takes them; types without any are left out."""
    types = [type_in(given).name] if given.get("doc_type") else list(DOCUMENT_TYPES)
    return {
        name: [{"type": one.type, "label": one.label, "value_desc": one.value_desc} for one in filters]
        for name in types
        if (filters := filters_of(name))
    }


def _query(company: Company, given: Values) -> Callable[[Document], bool] | None:
    """Free text, found in the number, the buyer's reference and the partner's name; whether titles too is not known."""
    wanted = text_of(given.get("query")).strip().casefold()
    if not wanted:
        return None

    def fits(document: Document) -> bool:
        partner = company.partners.get(document.partner.mk_id) or {}
        texts = [document.count_code, document.header.get("buyer_order"), partner.get("customer")]
        texts += [document.header.get("title")] if company.config.query_sees_title else []
        return any(wanted in text_of(text).casefold() for text in texts)

    return fits


def _window(given: Values) -> tuple[int, int]:
    limit = id_of(given.get("limit", MOST))
    return id_of(given.get("offset", 0)) or 0, MOST if limit is None else min(limit, MOST)


def _descending(given: Values, *, ascending: bool) -> bool:
    """As asked; without a wish orders and stock documents ascend. That all others descend is assumed."""
    wish = text_of(given.get("order_direction")).lower()
    return wish == "desc" if wish in ("asc", "desc") else not ascending


def _row(company: Company, document: Document, given: Values) -> Values:
    if given.get("result_type") == "doc":
        return shown_document(company, document, given)
    return {"mk_id": document.mk_id, "opr_code": "0", "count_code": document.count_code}


def _products(company: Company, given: Values) -> Values:
    if unknown := [one for one in objects_in(given.get("query_advance"))]:
        raise invalid(f"{UNKNOWN} : {text_of(unknown[0].get('type'))}")
    flag, wanted = PRODUCTS[text_of(given["doc_type"])], text_of(given.get("query")).strip().casefold()
    found = [
        one
        for one in company.products
        if (not flag or one[flag] == "true") and (not wanted or wanted in f"{one['code']}\n{one['count_code']}\n{one['name']}".casefold())
    ]
    offset, limit = _window(given)
    window = (found[::-1] if _descending(given, ascending=True) else found)[offset : offset + limit]
    return _reply("result_product", [shown_product(one) for one in window], len(found), offset, limit)


def _reply(name: str, rows: list[Values], total: int, offset: int, limit: int) -> Values:
    """Zero hits: the list is absent, as everything empty is."""
    head = {"result_all_records": str(total), "result_count": str(len(rows)), "offset": str(offset), "limit": str(limit)}
    return head | ({name: rows} if rows else {})
