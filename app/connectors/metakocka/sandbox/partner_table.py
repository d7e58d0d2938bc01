"""The partners of one company: look-ups that do not walk through all, and their JSON ready to send."""

from bisect import bisect_right
from collections.abc import Callable, Iterator
from functools import lru_cache

import orjson

from . import seed_partners
from .seed_partners import FIRST_ID, STEP, PartnerMaker
from .table import Journal, Table, id_of
from .wire import Values, as_list

CHUNK = 1000
CHUNKS_KEPT = 60


class PartnerTable(Table[Values]):
    """Partners in the order of their ids."""

    def __init__(self, journal: Journal, maker: PartnerMaker, count: int) -> None:
        super().__init__("partner", journal, first=FIRST_ID, step=STEP, count=count, make=maker.make)
        self._maker = maker
        self._names: MadeNames | None = None
        self._chunk = lru_cache(maxsize=CHUNKS_KEPT)(self._encode_chunk)

    def encoded(self, ids: list[int]) -> list[bytes]:
        """The JSON of these partners."""
        return [orjson.dumps(self.kept[mk_id]) if mk_id in self.kept else self._encoded_as_made(mk_id) for mk_id in ids]

    def by_number(self, count_code: str) -> Values | None:
        """The partner with this number."""
        found = self._where(lambda one: one.get("count_code") == count_code, seed_partners.index_of_number(count_code))
        return next(found, None)

    def by_id_or_number(self, text: str) -> list[Values]:
        """What `partner_id` means is not found anywhere, so it is the id and, without such an id, the number."""
        found = self.get(text) or self.by_number(text)
        return [found] if found else []

    def by_tax_number(self, tax_number: str) -> list[Values]:
        wanted = tax_number.upper()
        matches = self._where(lambda one: str(one.get("tax_id_number", "")).upper() == wanted, seed_partners.index_of_tax_number(wanted))
        return list(matches)

    def by_email(self, email: str) -> list[Values]:
        wanted = email.casefold()
        return list(self._where(lambda one: wanted in _of_contacts(one, "email", str.casefold), seed_partners.index_of_email(wanted)))

    def by_phone(self, phone: str) -> list[Values]:
        """Those with this phone or mobile number; that spaces do not matter is assumed."""
        wanted = _digits(phone)
        if not wanted:
            return []
        return list(self._where(lambda one: wanted in _numbers(one), seed_partners.index_of_phone(phone)))

    def by_name(self, part: str) -> list[Values]:
        """Those whose name contains the text, letter case aside."""
        wanted = part.casefold()
        if self._names is None:
            self._names = MadeNames(self._maker.name, self.count)
        made = [one for index in self._names.containing(wanted) if (one := self.made_at(index)) and self.is_made(int(one["mk_id"]))]
        kept = [one for one in self._kept_visible() if wanted in str(one.get("customer", "")).casefold()]
        return sorted(made + kept, key=lambda one: id_of(one["mk_id"]) or 0)

    def _where(self, fits: Callable[[Values], bool], index: int) -> Iterator[Values]:
        """Of the partner made from that number and of all that were changed since, those that fit."""
        made = self.made_at(index)
        if made is not None and self.is_made(int(made["mk_id"])) and fits(made):
            yield made
        yield from (one for one in self._kept_visible() if fits(one))

    def _kept_visible(self) -> Iterator[Values]:
        return (one for mk_id in list(self.kept) if (one := self.get(mk_id)) is not None)

    def _encoded_as_made(self, mk_id: int) -> bytes:
        chunk, place = divmod(self.index_of(mk_id), CHUNK)
        return self._chunk(chunk)[place]

    def _encode_chunk(self, chunk: int) -> list[bytes]:
        return [self._maker.encoded(index) for index in range(chunk * CHUNK, min((chunk + 1) * CHUNK, self.count))]


class MadeNames:
    """The names of all seeded partners in one text, so that a part of a name is found at once."""

    def __init__(self, name: Callable[[int], str], count: int) -> None:
        names = [name(index).casefold() for index in range(count)]
        self._text = "\n".join(names)
        self._starts = [0]
        for one in names:
            self._starts.append(self._starts[-1] + len(one) + 1)

    def containing(self, part: str) -> list[int]:
        """The numbers of the partners, in their order."""
        found, place = [], self._text.find(part)
        while place >= 0:
            index = bisect_right(self._starts, place) - 1
            found.append(index)
            place = self._text.find(part, self._starts[index + 1])
        return found


def contacts_of(partner: Values) -> list[Values]:
    return [one for one in as_list(partner.get("partner_contact_list")) if isinstance(one, dict)]


def addresses_of(partner: Values) -> list[Values]:
    return [one for one in as_list(partner.get("partner_delivery_address_list")) if isinstance(one, dict)]


def _of_contacts(partner: Values, name: str, plain: Callable[[str], str]) -> set[str]:
    return {plain(str(contact[name])) for contact in contacts_of(partner) if contact.get(name)}


def _numbers(partner: Values) -> set[str]:
    return _of_contacts(partner, "phone", _digits) | _of_contacts(partner, "gsm", _digits)


def _digits(text: str) -> str:
    return "".join(filter(str.isdigit, text))
