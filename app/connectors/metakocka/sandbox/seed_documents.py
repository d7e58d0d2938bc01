"""Seeded offers, orders and bills: each is made from its number alone, with days counted back from the sandbox's first."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import date, timedelta

from .config import CompanyConfig, Sizes
from .document_types import DOCUMENT_TYPES
from .documents import Document, Party
from .seed_names import WORKS, Dice
from .seed_partners import FIRST_ID as FIRST_PARTNER_ID
from .seed_partners import FOREIGN
from .seed_partners import STEP as PARTNER_STEP
from .seed_products import FIRST_ID as FIRST_PRODUCT_ID
from .seed_products import STEP as PRODUCT_STEP
from .seed_products import price_of
from .wire import Values

STEP = 10
UNREADABLE_DATE, COMMA_DECIMALS = 5, 6
OFFER_STATUSES = ("open", "open", "sent", "sent", "accepted", "rejected")
ORDER_STATUSES = ("draft", "confirmed", "confirmed", "ready_to_ship", "shipped", "cancelled")
FOREIGN_BILL_EVERY = 6
FIRST_ROW_ID = 1_700_000_000_000


@dataclass(frozen=True)
class DocumentMaker:
    """Makes the documents of one seed."""

    seed: int
    sizes: Sizes
    first_day: str
    company: CompanyConfig
    broken: bool
    makers: dict[str, Callable[[int], Document]] = field(init=False)

    def __post_init__(self) -> None:
        makers = {
            "sales_offer": self.offer,
            "sales_order": self.order,
            "sales_bill_domestic": lambda index: self.bill("sales_bill_domestic", index),
            "sales_bill_foreign": lambda index: self.bill("sales_bill_foreign", index),
        }
        object.__setattr__(self, "makers", makers)

    def count_of(self, doc_type: str) -> int:
        """How many of a type there are; one bill in six is a foreign one."""
        foreign = self.sizes.bills // FOREIGN_BILL_EVERY
        counts = {"sales_offer": self.sizes.offers, "sales_order": self.sizes.orders}
        counts |= {"sales_bill_domestic": self.sizes.bills - foreign, "sales_bill_foreign": foreign}
        return counts.get(doc_type, 0)

    def make_none(self, index: int) -> Document:
        raise IndexError(index)

    def offer(self, index: int) -> Document:
        dice = Dice(self.seed, index, 11)
        day = self._day(dice)
        header = self._header(dice, day, index) | {"title": WORKS[dice.below(len(WORKS))]}
        if index % 3:  # the others are open without an end
            header |= {"valid_days": "30", "valid_to": _later(day, 30)}
        if index == UNREADABLE_DATE and self.broken:
            header["doc_date"] = f"{day[:4]}-13-45"
        document = self._document("sales_offer", index, dice, header, OFFER_STATUSES[index % len(OFFER_STATUSES)])
        return _with_comma(document) if index == COMMA_DECIMALS and self.broken else document

    def order(self, index: int) -> Document:
        dice = Dice(self.seed, index, 12)
        day = self._day(dice)
        delivery_type = self.company.delivery_types[dice.below(len(self.company.delivery_types))]
        header = self._header(dice, day, index) | {
            "buyer_order": f"NAR-{index + 1:05d}",
            "delivery_type": delivery_type,
            "delivery_deadline": _later(day, 14),
        }
        document = self._document("sales_order", index, dice, header, ORDER_STATUSES[index % len(ORDER_STATUSES)])
        if index % 4 or index >= self.sizes.offers:
            return document
        return replace(document, offers=(f"{DOCUMENT_TYPES['sales_offer'].number_prefix}{index + 1}",))

    def bill(self, doc_type: str, index: int) -> Document:
        dice = Dice(self.seed, index, 13)
        day = self._day(dice)
        header = self._header(dice, day, index) | {
            "service_to_date": day,
            "duo_payment": _later(day, 15),
            "location_of_service": "Ljubljana",
        }
        document = self._document(doc_type, index, dice, header, "checked" if index % 5 == 0 else "")
        if index % 3 == 0:
            return document
        amount = "1895.01" if index % 7 == 1 else f"{dice.below(300) + 20}.5"
        payment = {"payment_type": self.company.payment_types[0], "date": _later(day, 9), "amount": amount}
        return replace(document, payments=(payment,))

    def _header(self, dice: Dice, day: str, index: int) -> Values:
        header: Values = {
            "doc_date": day,
            "currency_code": "USD" if index % 7 == 3 else "EUR",
            "warehouse": "GL",
            "profit_center": self.company.profit_centers[0],
        }
        if index % 5 == 2:
            header["notes"] = "Dostava po dogovoru. Hvala za zaupanje!"
        if index % 8 == 4:
            header["discount_percent"] = str(dice.below(4) * 5 + 5)
        return header

    def _document(self, doc_type: str, index: int, dice: Dice, header: Values, status: str) -> Document:
        type = DOCUMENT_TYPES[doc_type]
        moment = f"{header['doc_date']}T{8 + dice.below(9):02d}:{dice.below(60):02d}:{dice.below(60):02d}+02:00"
        first = {"operation_type": "NEW", "operation_time": moment, "user_email": self.company.users[0]}
        return Document(
            mk_id=str(type.first_id + index * STEP),
            doc_type=doc_type,
            count_code=f"{type.number_prefix}{index + 1}",
            partner=self._partner(dice, foreign=doc_type == "sales_bill_foreign"),
            header=header,
            lines=tuple(self._line(dice, type.first_id, index, number) for number in range(index % 5 + 1)),
            status=status,
            log=(first,),
        )

    def _partner(self, dice: Dice, *, foreign: bool) -> Party:
        index = dice.below(max(self.sizes.partners, 1))
        if foreign and self.sizes.partners > FOREIGN:
            index = min(index // 12 * 12 + FOREIGN, self.sizes.partners - 1) if index >= 12 else FOREIGN
        mk_id = FIRST_PARTNER_ID + index * PARTNER_STEP
        return Party(str(mk_id), str(mk_id + 1))

    def _line(self, dice: Dice, first_id: int, index: int, number: int) -> Values:
        product = dice.below(max(self.sizes.products, 1))
        factor, code = (("0.22", "EX4"), ("0.22", "EX4"), ("0.095", "095"))[dice.below(3)]
        line = {
            "mk_row_id": str(FIRST_ROW_ID + (first_id - 1_600_000_000_000) // 1000 + index * STEP + number),
            "mk_id": str(FIRST_PRODUCT_ID + product * PRODUCT_STEP),
            "amount": str(dice.below(12) + 1),
            "price": price_of(self.seed, product),
            "tax": code,
            "tax_factor": factor,
        }
        if number == 1:
            line["discount"] = "10"
        if number == 2:
            line["doc_desc"] = "Po dogovoru, rok 14 dni"
        return line

    def _day(self, dice: Dice) -> str:
        return (date.fromisoformat(self.first_day) - timedelta(days=dice.below(300) + 1)).isoformat()


def _later(day: str, days: int) -> str:
    return (date.fromisoformat(day) + timedelta(days=days)).isoformat()


def _with_comma(document: Document) -> Document:
    lines = ({**document.lines[0], "amount": "7.3", "price": "1895.01"}, *document.lines[1:])
    return replace(document, lines=lines, comma_decimals=True)
