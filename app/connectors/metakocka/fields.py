"""How documents become contacts, sales documents, products and stock. Lengths are the provider's own.

Rows of direction "both" are what Metakocka can be told; sums, numbers and ids are its own.
"""

from app.connectors.base import FieldMapping, FieldRow
from app.connectors.metakocka.payloads import KIND_OF_TYPE

NAME = (("trim",), ("text", "100"))
LINE = (("trim",), ("text", "255"))
SHORT = (("trim",), ("text", "50"))
ANY_TEXT = (("trim",), ("text", "10000"))
REFERENCE = (("trim",), ("text", "100"), ("empty_to_none",))
NUMBER = (("number",),)
DAY = (("date",),)
FLAG = (("flag",),)
_KINDS = ("enum", *(f"{kind}={kind}" for kind in dict.fromkeys(KIND_OF_TYPE.values())))

PARTNER_FIELDS = FieldMapping(
    version=1,
    rows=(
        FieldRow("name", "customer", NAME, required=True, direction="both"),
        FieldRow("is_individual", "is_person", FLAG, direction="both"),
        FieldRow("is_customer", "buyer", FLAG, direction="both"),
        FieldRow("is_supplier", "supplier", FLAG, direction="both"),
        FieldRow("tax_number", "tax_id_number", SHORT, direction="both"),
        FieldRow("registration_number", "registration_number", SHORT, direction="both"),
        FieldRow("email", "contact.email", LINE, direction="both"),
        FieldRow("phone", "contact.phone", LINE, direction="both"),
        FieldRow("mobile", "contact.gsm", LINE, direction="both"),
        FieldRow("address.street", "address.street", (("trim",), ("text", "150")), direction="both"),
        FieldRow("address.city", "address.city", NAME, direction="both"),
        FieldRow("address.state", "address.province", SHORT, direction="both"),
        FieldRow("address.postcode", "address.post_number", (("trim",), ("text", "20")), direction="both"),
        FieldRow("address.country", "address.country", (*SHORT, ("country", "sl", "en")), direction="both"),
        FieldRow("people[].external_id", "contacts[].mk_id", REFERENCE, required=True),
        FieldRow("people[].name", "contacts[].name", LINE),
        FieldRow("people[].email", "contacts[].email", LINE),
        FieldRow("people[].phone", "contacts[].phone", LINE),
        FieldRow("people[].mobile", "contacts[].gsm", LINE),
        FieldRow("people[].is_primary", "contacts[].is_first", FLAG),
    ),
)

_HEAD = (
    FieldRow("kind", "kind", (_KINDS,), required=True, direction="both"),
    FieldRow("number", "count_code", NAME),
    FieldRow("status", "status", NAME, direction="both"),
    FieldRow("title", "title", ANY_TEXT, direction="both"),
    FieldRow("notes", "notes", ANY_TEXT, direction="both"),
    FieldRow("contact_external_id", "partner_mk_id", REFERENCE, direction="both"),
    FieldRow("contact_name", "partner_name", LINE),
    FieldRow("currency", "currency_code", (("trim",), ("text", "3")), direction="both"),
    FieldRow("issued_on", "doc_date", DAY, direction="both"),
    FieldRow("due_on", "duo_payment", DAY, direction="both"),
    FieldRow("discount", "discount_percent", NUMBER, direction="both"),
    FieldRow("discount_amount", "discount_value", NUMBER),
    FieldRow("subtotal", "sum_basic", NUMBER),
    FieldRow("tax", "sum_tax", NUMBER),
    FieldRow("total", "sum_all", NUMBER),
    FieldRow("paid", "sum_paid", NUMBER),
    FieldRow("edited_at", "edited_at", (("local_time",),)),
)
_LINES = (
    FieldRow("lines[].external_id", "lines[].external_id", ANY_TEXT),
    FieldRow("lines[].code", "lines[].code", NAME, direction="both"),
    FieldRow("lines[].name", "lines[].name", ANY_TEXT),
    FieldRow("lines[].description", "lines[].doc_desc", ANY_TEXT, default="", direction="both"),
    FieldRow("lines[].quantity", "lines[].amount", NUMBER, required=True, direction="both"),
    FieldRow("lines[].unit", "lines[].unit", SHORT, direction="both"),
    FieldRow("lines[].unit_price", "lines[].price", NUMBER, required=True, direction="both"),
    FieldRow("lines[].discount", "lines[].discount", NUMBER, direction="both"),
    FieldRow("lines[].tax_rate", "lines[].tax_percent", NUMBER, required=True, direction="both"),
    FieldRow("lines[].position", "lines[].position", (("integer",),)),
)
_REFERENCE = FieldRow("reference", "buyer_order", NAME, direction="both")
_VALIDITY = FieldRow("valid_until", "valid_to", DAY, direction="both")
_OFFERS = FieldRow("offer_numbers", "offer_numbers")
_SERVICE = (
    FieldRow("service_from", "service_from_date", DAY, direction="both"),
    FieldRow("service_until", "service_to_date", DAY, direction="both"),
)

OFFER_FIELDS = FieldMapping(version=1, rows=(*_HEAD, _VALIDITY, *_LINES))
ORDER_FIELDS = FieldMapping(version=1, rows=(*_HEAD, _REFERENCE, _OFFERS, *_LINES))
BILL_FIELDS = FieldMapping(version=1, rows=(*_HEAD, _REFERENCE, _OFFERS, *_SERVICE, *_LINES))

PRODUCT_FIELDS = FieldMapping(
    version=1,
    rows=(
        FieldRow("name", "name", (("trim",), ("text", "200")), required=True),
        FieldRow("code", "code", NAME),
        FieldRow("number", "count_code", NAME),
        FieldRow("unit", "unit", SHORT),
        FieldRow("is_service", "service", FLAG),
        FieldRow("is_sold", "sales", FLAG),
        FieldRow("is_purchased", "purchasing", FLAG),
        FieldRow("is_active", "activated", FLAG),
        FieldRow("unit_price", "price", NUMBER),
        FieldRow("currency", "currency", SHORT),
    ),
)

STOCK_FIELDS = FieldMapping(
    version=1,
    rows=(
        FieldRow("product_external_id", "mk_id", REFERENCE, required=True),
        FieldRow("code", "code", NAME),
        FieldRow("name", "title", (("trim",), ("text", "200"))),
        FieldRow("location_external_id", "warehouse_id", REFERENCE, required=True),
        FieldRow("location_name", "warehouse_name", NAME),
        FieldRow("on_hand", "amount", NUMBER, required=True),
        FieldRow("reserved", "reserved_amount", NUMBER),
        FieldRow("available", "free_amount", NUMBER),
        FieldRow("unit", "unit", SHORT),
    ),
)
