"""The document types, what each can hold, and the registers of their statuses.

https://github.com/metakocka/metakocka_api_base/blob/master/docs/documents_concept.md
"""

from dataclasses import dataclass, field

COMMON = ("title", "notes", "currency_code", "sales_pricelist_code", "discount_value", "discount_percent", "pariteta",
          "doc_created_email", "method_of_payment", "warehouse", "delivery_type", "profit_center")  # fmt: skip
OFFER = ("valid_days", "inquiry_num", "prepayment_value", "prepayment_percent", "purchase_pricelist_code")
ORDER = ("buyer_order", "priority", "notes_header", "commercialist_email", "order_create_ts", "duo_payment_days", "parcel_shop_id",
         "link_to_web_store", "tracking_code", "tracking_last_event_date")  # fmt: skip
BILL = ("buyer_order", "location_of_service", "bank_ref_prefix", "bank_ref_number", "credit_note_type", "credit_note_bill")
ORDER_DATES = ("duo_payment", "delivery_deadline", "finish_date", "shipped_date", "shipped_date_expected_seller")
NUMBERS = ("discount_value", "discount_percent", "prepayment_value", "prepayment_percent")

OFFER_STATUSES = {"open": "Odprta", "sent": "Poslana", "accepted": "Potrjena", "rejected": "Zavrnjena"}
ORDER_STATUSES = {
    "draft": "Osnutek", "confirmed": "Potrjeno", "ready_to_ship": "Pripravljeno", "shipped": "Odpremljeno", "cancelled": "Preklicano",
}  # fmt: skip
BILL_STATUSES = {"checked": "Pregledan", "disputed": "Sporen", "closed": "Zaključen"}
OTHER_STATUSES = {"active": "Aktiven", "closed": "Zaključen"}


@dataclass(frozen=True)
class DocumentType:
    """One type: its fields beside the common ones, the dates among them, and which calls take it."""

    name: str
    first_id: int
    number_prefix: str
    texts: tuple[str, ...] = ()
    dates: tuple[str, ...] = ()
    needed: tuple[str, ...] = ("doc_date",)
    statuses: dict[str, str] = field(default_factory=lambda: dict(OTHER_STATUSES))
    first_status: str = ""
    ascending: bool = False
    deletable: bool = False
    is_bill: bool = False

    @property
    def header(self) -> tuple[str, ...]:
        """The header fields in the order of replies."""
        return ("doc_date", *self.dates, *COMMON, *self.texts)


def _bill(name: str, first_id: int, prefix: str, *more: str) -> DocumentType:
    dates = ("service_from_date", "service_to_date", "duo_payment", *more)
    needed = ("doc_date", "service_to_date", "duo_payment", *more)
    return DocumentType(name, first_id, prefix, BILL, dates, needed, BILL_STATUSES, is_bill=True)


def _stock(name: str, first_id: int, prefix: str) -> DocumentType:
    return DocumentType(name, first_id, prefix, ("buyer_order",), first_status="active", ascending=True, deletable=True)


_ALL = (
    DocumentType("sales_offer", 1_600_000_000_000, "PP1_", OFFER, ("valid_to", "duo_payment"), statuses=OFFER_STATUSES,
                 first_status="open"),
    DocumentType("sales_order", 1_601_000_000_000, "PN1_", ORDER, ORDER_DATES, statuses=ORDER_STATUSES, first_status="draft",
                 ascending=True, deletable=True),
    _bill("sales_bill_domestic", 1_602_000_000_000, "PRD1_"),
    _bill("sales_bill_foreign", 1_603_000_000_000, "PRT1_"),
    _bill("sales_bill_retail", 1_604_000_000_000, "PRM1_"),
    _bill("sales_bill_prepaid", 1_605_000_000_000, "AVR1_"),
    _bill("sales_bill_credit_note", 1_606_000_000_000, "DOB1_"),
    DocumentType("purchase_order", 1_607_000_000_000, "NN1_", ("buyer_order",), ("delivery_deadline",)),
    _bill("purchase_bill_domestic", 1_608_000_000_000, "NRD1_", "receive_date"),
    _bill("purchase_bill_foreign", 1_609_000_000_000, "NRT1_", "receive_date"),
    _bill("purchase_bill_prepaid", 1_610_000_000_000, "NRA1_", "receive_date"),
    _bill("purchase_bill_credit_note", 1_611_000_000_000, "NRC1_", "receive_date"),
    _stock("warehouse_delivery_note", 1_612_000_000_000, "D_"),
    _stock("warehouse_packing_list", 1_613_000_000_000, "O_"),
    _stock("warehouse_receiving_note", 1_614_000_000_000, "P_"),
    _stock("warehouse_acceptance_note", 1_615_000_000_000, "PR_"),
    _stock("transfer_order", 1_616_000_000_000, "M_"),
    DocumentType("workorder", 1_617_000_000_000, "DN_", ("buyer_order",), ("finish_date",)),
)  # fmt: skip
DOCUMENT_TYPES = {one.name: one for one in _ALL}
