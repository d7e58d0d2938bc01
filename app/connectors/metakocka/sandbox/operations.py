"""All calls by their path. The three families of paths do not overlap, and a call under another's path is not found."""

from collections.abc import Callable
from dataclasses import dataclass

from .attachments import add_attachment
from .company import Company
from .document_updates import change_document_status, delete_document, get_document, update_document
from .document_writes import put_document
from .partners import PartnerPage, add_partner, get_partner, update_partner
from .products import product_add, product_delete, product_list, product_update
from .searching import discovery, search
from .transactions import put_transaction
from .warehouses import warehouse_list, warehouse_stock
from .wire import Values

MAIN, JSON, OLD = "/rest/eshop/v1/", "/rest/eshop/v1/json/", "/rest/eshop/"


@dataclass(frozen=True)
class Operation:
    """One call. `with_code` is false for those whose success carries no `opr_code`."""

    work: Callable[[Company, Values], Values | PartnerPage]
    is_write: bool
    with_code: bool = True


READS = {
    f"{MAIN}get_document": get_document,
    f"{MAIN}search": search,
    f"{JSON}product_list": product_list,
    f"{JSON}warehouse_list": warehouse_list,
    f"{JSON}warehouse_stock": warehouse_stock,
}
WRITES = {
    f"{MAIN}put_document": put_document,
    f"{MAIN}update_document": update_document,
    f"{MAIN}delete_document": delete_document,
    f"{MAIN}change_document_status": change_document_status,
    f"{MAIN}put_transaction": put_transaction,
    f"{JSON}product_add": product_add,
    f"{JSON}product_update": product_update,
    f"{JSON}product_delete": product_delete,
    f"{OLD}add_attachment": add_attachment,
}
OPERATIONS: dict[str, Operation] = {
    **{path: Operation(work, is_write=False) for path, work in READS.items()},
    **{path: Operation(work, is_write=True) for path, work in WRITES.items()},
    f"{MAIN}get_partner": Operation(get_partner, is_write=False, with_code=False),
    f"{MAIN}search_query_advance_discovery": Operation(discovery, is_write=False, with_code=False),
    f"{MAIN}add_partner": Operation(add_partner, is_write=True, with_code=False),
    f"{MAIN}update_partner": Operation(update_partner, is_write=True, with_code=False),
}
SEARCH = f"{MAIN}search"
