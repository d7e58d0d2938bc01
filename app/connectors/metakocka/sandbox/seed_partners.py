"""Seeded partners: each is made from its number alone, so that a million cost nothing until they are read.

Numbers, tax numbers, e-mail addresses and phone numbers carry the partner's number, so that a look-up finds it without a list.
"""

import re
from dataclasses import dataclass

from .seed_names import ABROAD, FIRST_NAMES, STREETS, SURNAMES, TOWNS, TRADES, Dice
from .wire import Values

FIRST_ID = 228_000_000_000
# A partner's own id, then those of two addresses and two contacts.
STEP = 10
FIRST_NUMBER = 1000
FIRST_TAX_NUMBER = 10_000_011
TAX_STEP = 37
PHONE_PREFIXES = ("031", "041", "051", "070")
RIGHT_TO_LEFT_NAME = "شركة الأفق للتجارة"

TWO_ADDRESSES, NO_CONTACT, FOREIGN, NO_NAME, RIGHT_TO_LEFT = range(5)
_IN_EMAIL = re.compile(r"\D+(\d+)@")


@dataclass(frozen=True)
class PartnerMaker:
    """Makes the partners of one seed."""

    seed: int
    broken: bool

    def name(self, index: int) -> str:
        """The partner's name alone, for searches; empty for the one that has none."""
        if index == NO_NAME and self.broken:
            return ""
        if index == RIGHT_TO_LEFT:
            return RIGHT_TO_LEFT_NAME
        dice = Dice(self.seed, index)
        surname = SURNAMES[dice.below(len(SURNAMES))]
        if is_company(index):
            return f"{TRADES[dice.below(len(TRADES))]} {surname} {'d.o.o.' if dice.below(3) else 's.p.'}"
        return f"{surname} {FIRST_NAMES[dice.below(len(FIRST_NAMES))]}"

    def make(self, index: int) -> Values:
        """The whole partner as replies have it."""
        mk_id = FIRST_ID + index * STEP
        addresses = _addresses(Dice(self.seed, index, 1), index, mk_id)
        partner = _head(index, mk_id)
        if name := self.name(index):
            partner["customer"] = name
        if index != NO_CONTACT:
            partner["partner_contact_list"] = _contacts(Dice(self.seed, index, 2), index, mk_id, addresses)
        partner["partner_delivery_address_list"] = addresses
        return partner


def is_company(index: int) -> bool:
    return index % 10 < 7


def is_foreign(index: int) -> bool:
    return index % 12 == FOREIGN


def index_of_number(count_code: str) -> int:
    return int(count_code) - FIRST_NUMBER if count_code.isascii() and count_code.isdigit() else -1


def index_of_tax_number(tax_number: str) -> int:
    digits = tax_number.upper().removeprefix("SI")
    return (int(digits) - FIRST_TAX_NUMBER) // TAX_STEP if digits.isascii() and digits.isdigit() else -1


def index_of_email(email: str) -> int:
    match = _IN_EMAIL.match(email)
    return int(match[1]) if match else -1


def index_of_phone(phone: str) -> int:
    digits = "".join(filter(str.isdigit, phone))
    return int(digits[-6:]) if len(digits) >= 6 else -1


def _head(index: int, mk_id: int) -> Values:
    company, foreign = is_company(index), is_foreign(index)
    head = {
        "mk_id": str(mk_id),
        "count_code": str(FIRST_NUMBER + index),
        "business_entity": "true" if company else "false",
        "taxpayer": "true" if company else "false",
        "foreign_county": "true" if foreign else "false",
        "buyer": "true",
        "supplier": "true" if index % 9 == 0 else "false",
    }
    if company and not foreign:
        head["tax_id_number"] = f"SI{FIRST_TAX_NUMBER + index * TAX_STEP}"
        head["registration_number"] = f"{5_000_000 + index}000"
    return head


def _addresses(dice: Dice, index: int, mk_id: int) -> list[Values]:
    billing = _address(dice, mk_id + 1, "Račun", abroad=is_foreign(index)) | {
        "payment_due_days": ("8", "15", "30")[dice.below(3)],
        "language": "Slovenski",
        "currency_id": "65",
        "currency": "EUR",
    }
    if index != TWO_ADDRESSES and index % 17:
        return [billing]
    return [billing, _address(dice, mk_id + 3, "Dobava", abroad=False)]


def _address(dice: Dice, mk_id: int, address_type: str, *, abroad: bool) -> Values:
    post_number, city, country = ABROAD[dice.below(len(ABROAD))] if abroad else (*TOWNS[dice.below(len(TOWNS))], "Slovenija")
    return {
        "mk_id": str(mk_id),
        "address_type": address_type,
        "street": f"{STREETS[dice.below(len(STREETS))]} {dice.below(120) + 1}",
        "post_number": post_number,
        "city": city,
        "country": country,
    }


def _contacts(dice: Dice, index: int, mk_id: int, addresses: list[Values]) -> list[Values]:
    first = _person(dice, mk_id + 2, addresses[0]) | {
        "phone": f"01 {dice.below(900) + 100} {dice.below(90) + 10} {dice.below(90) + 10}",
        "gsm": _mobile(index),
        "email": f"pisarna{index}@narocnik.test",
    }
    if len(addresses) == 1:
        return [first]
    return [first, _person(dice, mk_id + 4, addresses[1]) | {"email": f"skladisce{index}@narocnik.test"}]


def _mobile(index: int) -> str:
    digits = f"{index % 1_000_000:06d}"
    return f"{PHONE_PREFIXES[index % 4]} {digits[:3]} {digits[3:]}"


def _person(dice: Dice, mk_id: int, address: Values) -> Values:
    return {
        "mk_id": str(mk_id),
        "mk_address_id": address["mk_id"],
        "contact_address": address["street"],
        "name": f"{FIRST_NAMES[dice.below(len(FIRST_NAMES))]} {SURNAMES[dice.below(len(SURNAMES))]}",
    }
