"""`warehouse_list`, `warehouse_stock`: two warehouses, amounts that orders reserve and do not lower.

https://github.com/metakocka/metakocka_api_base/blob/master/docs/warehouse_stock.md
"""

from collections import defaultdict
from collections.abc import Mapping
from decimal import Decimal

from .company import Company
from .table import id_of
from .wire import Values, decimal_out, given_texts

MOST = 1000
WAREHOUSES = (
    {"mk_id": "150000000042", "mark": "GL", "name": "Glavno skladišče", "main_warehouse": "true", "street": "Železna cesta 14",
     "post": "1000", "place": "Ljubljana", "country": "Slovenija", "include_in_stock_info": "true", "active": "true",
     "warehouse_type": "normal"},
    {"mk_id": "150000000067", "mark": "MB", "name": "Skladišče Maribor", "main_warehouse": "false", "street": "Šentiljska cesta 3",
     "post": "2000", "place": "Maribor", "country": "Slovenija", "include_in_stock_info": "true", "active": "true",
     "warehouse_type": "normal"},
)  # fmt: skip
MARKS = tuple(one["mark"] for one in WAREHOUSES)

# What open orders hold back, by product and warehouse mark.
Reserved = Mapping[tuple[str, str], Decimal]
CLOSED = ("shipped", "cancelled")


def warehouse_list(company: Company, given: Values) -> Values:
    """All warehouses."""
    return {"offset": "0", "limit": "1000", "warehouse_list_count": str(len(WAREHOUSES)), "warehouse_list": list(WAREHOUSES)}


def warehouse_stock(company: Company, given: Values) -> Values:
    """A row for every product and warehouse, narrowed by lists separated by commas."""
    wanted = given_texts(given, ("wh_id_list", "product_mk_id_list", "product_code_list"))
    lists = {name: set(text.split(",")) for name, text in wanted.items()}
    held = reserved(company)
    rows = [row for product in company.products if _listed(product, lists) for row in stock_rows(product, held)]
    rows = [row for row in rows if row["warehouse_id"] in lists.get("wh_id_list", {row["warehouse_id"]})]
    offset, limit = id_of(given.get("offset", 0)) or 0, min(id_of(given.get("limit", MOST)) or MOST, MOST)
    window = rows[offset : offset + limit]
    return {**wanted, "offset": str(offset), "limit": str(limit)} | ({"stock_list": window} if window else {})


def stock_rows(product: Values, reserved: Reserved) -> list[Values]:
    """The rows of one product, as the call and the webhook have them. Services have no stock."""
    return [_row(product, warehouse, reserved) for warehouse in WAREHOUSES if warehouse["mark"] in product.get("_stock", {})]


def stock_of(product: Values) -> Values:
    """What `product_list` adds when stock is asked for."""
    amounts = product.get("_stock", {})
    total = sum((Decimal(amount) for amount in amounts.values()), Decimal(0))
    details = [
        {"warehouse_mark": one["mark"], "warehouse_name": one["name"], "amount": amounts[one["mark"]]}
        for one in WAREHOUSES
        if one["mark"] in amounts
    ]
    return {"amount": decimal_out(total)} | ({"amount_detail": details} if details else {})


def reserved(company: Company) -> Reserved:
    """What the orders made since the start reserve, each in its warehouse."""
    held: defaultdict[tuple[str, str], Decimal] = defaultdict(Decimal)
    for order in company.documents["sales_order"].kept.values():
        if order.status not in CLOSED:
            for line in order.lines:
                held[line["mk_id"], order.header["warehouse"]] += Decimal(line["amount"])
    return held


def warehouse_mark(text: str) -> str:
    """The mark that is kept: an unknown one becomes the company's default without a word."""
    return text if text in MARKS else MARKS[0]


def _row(product: Values, warehouse: Mapping[str, str], reserved: Reserved) -> Values:
    amount = Decimal(product["_stock"][warehouse["mark"]])
    held = Decimal(reserved.get((product["mk_id"], warehouse["mark"]), 0))
    row = {
        "warehouse_id": warehouse["mk_id"],
        "mk_id": product["mk_id"],
        "count_code": product["count_code"],
        "code": product["code"],
        "title": product["name"],
        "amount": decimal_out(amount),
        "unit": product["unit"],
    }
    return row | ({"reserved_amount": decimal_out(held), "free_amount": decimal_out(amount - held)} if held else {})


def _listed(product: Values, lists: Mapping[str, set[str]]) -> bool:
    in_ids = product["mk_id"] in lists.get("product_mk_id_list", {product["mk_id"]})
    return in_ids and product["code"] in lists.get("product_code_list", {product["code"]})
