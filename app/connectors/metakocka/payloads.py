"""The provider's names of what becomes sales documents, and what is noted with them when they are read."""

OFFER, ORDER = "sales_offer", "sales_order"
BILLS = ("sales_bill_domestic", "sales_bill_foreign", "sales_bill_retail", "sales_bill_prepaid", "sales_bill_credit_note")
KIND_OF_TYPE = {
    OFFER: "offer",
    ORDER: "order",
    "sales_bill_domestic": "invoice",
    "sales_bill_foreign": "invoice",
    "sales_bill_retail": "invoice",
    "sales_bill_prepaid": "prepayment_invoice",
    "sales_bill_credit_note": "credit_note",
}
TYPES_OF_KIND = {"invoice": ("sales_bill_domestic", "sales_bill_foreign"), "prepayment_invoice": ("sales_bill_prepaid",)}
"""What the hub can make of bills: domestic or foreign by the partner. Credit notes need more than the hub knows of them."""
STATUS = "crosswalk_status"
"""An offer's status in the hub's words, by the connection's settings. Not the provider's: it is added when an offer is read."""
QUOTE, ACCEPTED, REJECTED = "quote", "accepted", "rejected"
