"""Seeded partners: each is made from its number alone, so that a million cost nothing until they are read.

Numbers, tax numbers, e-mail addresses and phone numbers carry the partner's number, so that a look-up finds it without a list.
"""

import re
from dataclasses import dataclass

import orjson

from .seed_names import ABROAD, FIRST_NAMES, STREETS, SURNAMES, TOWNS, TRADES, chance
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

# All pieces are put together once: what is left for each partner is choosing among them.
_COMPANIES = [f"{trade} {surname} {form}" for trade in TRADES for surname in SURNAMES for form in ("d.o.o.", "s.p.", "d.o.o.")]
_PERSONS = [f"{surname} {first}" for surname in SURNAMES for first in FIRST_NAMES]
_CONTACTS = [f"{first} {surname}" for surname in SURNAMES for first in FIRST_NAMES]
_STREETS = [f"{street} {number}" for street in STREETS for number in range(1, 121)]
_AT_HOME = [f'"post_number":"{post}","city":"{town}","country":"Slovenija"' for post, town in TOWNS]
_ABROAD = [f'"post_number":"{post}","city":"{town}","country":"{country}"' for post, town, country in ABROAD]
_MORE = [f'"payment_due_days":"{days}","language":"Slovenski","currency_id":"65","currency":"EUR"' for days in (8, 15, 30)]


@dataclass(frozen=True)
class PartnerMaker:
    """Makes the partners of one seed."""

    seed: int
    broken: bool

    def name(self, index: int) -> str:
        """The partner's name alone, for searches; empty for the one that has none."""
        if index == RIGHT_TO_LEFT:
            return RIGHT_TO_LEFT_NAME
        if index == NO_NAME and self.broken:
            return ""
        names = _COMPANIES if is_company(index) else _PERSONS
        return names[chance(self.seed, index) % len(names)]

    def make(self, index: int) -> Values:
        """The whole partner as replies have it."""
        partner: Values = orjson.loads(self.encoded(index))
        return partner

    def encoded(self, index: int) -> bytes:
        """The same as JSON, written by hand: a page of a thousand shall cost a few milliseconds."""
        mk_id, draw = FIRST_ID + index * STEP, chance(self.seed, index)
        name = f'"customer":"{name}",' if (name := self.name(index)) else ""
        first_street, second_street = _STREETS[(draw >> 8) % len(_STREETS)], _STREETS[(draw >> 20) % len(_STREETS)]
        two = index == TWO_ADDRESSES or index % 17 == 16
        contacts, addresses = "", _billing(index, mk_id, draw, first_street)
        if index != NO_CONTACT:
            contacts = f'"partner_contact_list":[{_first_contact(index, mk_id, draw, first_street)}'
            contacts += f",{_second_contact(index, mk_id, draw, second_street)}]," if two else "],"
        if two:
            addresses += "," + _delivery(mk_id, draw, second_street)
        head = _head(index, mk_id)
        return f'{{{head}{name}{contacts}"partner_delivery_address_list":[{addresses}]}}'.encode()


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


def _head(index: int, mk_id: int) -> str:
    foreign, supplier = "true" if is_foreign(index) else "false", "true" if index % 9 == 0 else "false"
    company = "true" if is_company(index) else "false"
    head = (
        f'"mk_id":"{mk_id}","count_code":"{FIRST_NUMBER + index}","business_entity":"{company}","taxpayer":"{company}",'
        f'"foreign_county":"{foreign}","buyer":"true","supplier":"{supplier}",'
    )
    if company == "false" or foreign == "true":
        return head
    return f'{head}"tax_id_number":"SI{FIRST_TAX_NUMBER + index * TAX_STEP}","registration_number":"{5_000_000 + index}000",'


def _billing(index: int, mk_id: int, draw: int, street: str) -> str:
    towns = _ABROAD if is_foreign(index) else _AT_HOME
    return (
        f'{{"mk_id":"{mk_id + 1}","address_type":"Račun","street":"{street}",'
        f"{towns[(draw >> 32) % len(towns)]},{_MORE[(draw >> 36) % len(_MORE)]}}}"
    )


def _delivery(mk_id: int, draw: int, street: str) -> str:
    return f'{{"mk_id":"{mk_id + 3}","address_type":"Dobava","street":"{street}",{_AT_HOME[(draw >> 40) % len(_AT_HOME)]}}}'


def _first_contact(index: int, mk_id: int, draw: int, street: str) -> str:
    mobile = f"{index % 1_000_000:06d}"
    return (
        f'{{"mk_id":"{mk_id + 2}","mk_address_id":"{mk_id + 1}","contact_address":"{street}",'
        f'"name":"{_CONTACTS[(draw >> 24) % len(_CONTACTS)]}","phone":"01 {(draw >> 28) % 900 + 100} {(draw >> 44) % 90 + 10} 00",'
        f'"gsm":"{PHONE_PREFIXES[index % 4]} {mobile[:3]} {mobile[3:]}","email":"pisarna{index}@narocnik.test"}}'
    )


def _second_contact(index: int, mk_id: int, draw: int, street: str) -> str:
    return (
        f'{{"mk_id":"{mk_id + 4}","mk_address_id":"{mk_id + 3}","contact_address":"{street}",'
        f'"name":"{_CONTACTS[(draw >> 16) % len(_CONTACTS)]}","email":"skladisce{index}@narocnik.test"}}'
    )
