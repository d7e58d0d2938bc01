"""`product_list`, `product_add`, `product_update`, `product_delete`.

https://github.com/metakocka/metakocka_api_base/blob/master/docs/product_list.md
"""

from .answers import invalid, must_be_set
from .company import Company
from .table import id_of
from .warehouses import stock_of
from .wire import Values, given_texts, is_true, text_of

FIELDS = ("code", "name", "name_desc", "unit", "service", "sales", "purchasing", "activated", "weight", "barcode")
FILTERS = {"sales": "sales", "purchase": "purchasing", "service": "service", "active": "activated"}
ECHOED = ("count_code", "code", "mk_id", *FILTERS, "category", "return_warehause_stock", "return_pricelist")
LONGEST = {"code": 20, "name": 200}
REMOVE = "$REMOVE_STRING_VALUE$"
MOST = 1000
NO_SUCH = "Product not found."


def product_list(company: Company, given: Values) -> Values:
    """A window of the products that fit, with the request's fields at the top and the number of those in the window."""
    wanted = {one: is_true(given[name]) for name, one in FILTERS.items() if name in given}
    keys = given_texts(given, ("count_code", "code", "mk_id"))
    fitting = [
        one
        for one in company.products
        if all(is_true(one.get(name)) is value for name, value in wanted.items())
        and all(one.get(name) == text for name, text in keys.items())
    ]
    offset, limit = id_of(given.get("offset", 0)) or 0, min(id_of(given.get("limit", MOST)) or MOST, MOST)
    window = [_shown(one, given) for one in fitting[offset : offset + limit]]
    head = {**given_texts(given, ECHOED), "limit": str(limit), "offset": str(offset), "product_list_count": str(len(window))}
    return head | ({"product_list": window} if window else {})


def product_add(company: Company, given: Values) -> Values:
    """A new product; code, name and unit are needed."""
    sent = given_texts(given, FIELDS)
    for name in ("code", "name", "unit"):
        if name not in sent:
            raise must_be_set(name)
    for name, longest in LONGEST.items():
        if len(sent[name]) > longest:
            raise invalid(f"Value for {name} is too long (max {longest}).")
    if company.product_by("code", sent["code"]):
        raise invalid(f"Product with code {sent['code']} already exists.")
    product = create_product(company, sent)
    return {"mk_id": product["mk_id"], "count_code": product["count_code"]}


def product_update(company: Company, given: Values) -> Values:
    """Change what is sent; a text is cleared by the provider's word for it alone."""
    product = _existing(company, given)
    changes = given_texts(given, tuple(name for name in FIELDS if name != "code" or given.get("mk_id") or given.get("count_code")))
    changed = {name: value for name, value in {**product, **changes}.items() if value != REMOVE}
    company.products.put(int(product["mk_id"]), changed)
    return {"mk_id": product["mk_id"], "count_code": product["count_code"]}


def product_delete(company: Company, given: Values) -> Values:
    """Delete a product."""
    product = _existing(company, given)
    company.products.put(int(product["mk_id"]), None)
    return {"mk_id": product["mk_id"]}


def create_product(company: Company, sent: Values) -> Values:
    """Keep a new product; without a name it is called as its code."""
    flags = {"service": "false", "sales": "true", "purchasing": "false", "activated": "true"}
    product = {"mk_id": company.new_id("product"), "count_code": company.new_number("product"), "name": sent["code"], **flags, **sent}
    company.products.put(int(product["mk_id"]), product)
    return product


def shown_product(product: Values) -> Values:
    """A product as replies have it."""
    return {name: value for name, value in product.items() if not name.startswith("_")}


def _shown(product: Values, given: Values) -> Values:
    shown = shown_product(product)
    if is_true(given.get("return_warehause_stock")):
        shown |= stock_of(product)
    if is_true(given.get("return_pricelist")) and (price := product.get("_price")):
        definition = {"price": price, "tax": "EX4", "tax_desc": "22"}
        shown["pricelist"] = [{"count_code": "PC_1", "title": "Osnovni cenik", "price_def": definition, "sales_purchase": "sales"}]
    return shown


def _existing(company: Company, given: Values) -> Values:
    if mk_id := text_of(given.get("mk_id")):
        found = company.products.get(mk_id)
    else:
        found = company.product_by("count_code", text_of(given.get("count_code"))) or company.product_by("code", text_of(given.get("code")))
    if found is None:
        raise invalid(NO_SUCH)
    return found
