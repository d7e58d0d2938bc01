"""What is sent of a partner. Pure.

https://github.com/metakocka/metakocka_api_base/blob/master/docs/add_partner.md, update_partner.md
An address or a contact without its own mk_id is appended, each time again: that is why every entry here has one where it can.
"""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from app.connectors.metakocka.partners import ADDRESS, BILLING, CONTACT, HEAD, billing_address, first_contact
from app.connectors.metakocka.values import Values, text_of, texts_of

HOME = frozenset(("", "slovenija", "slovenia", "si", "svn"))
FLAGS = frozenset(("business_entity", "taxpayer", "foreign_county", "buyer", "supplier"))
_VAT_NUMBER = re.compile(r"[A-Za-z]{2}.+")


@dataclass(frozen=True)
class Changes:
    """How to bring a partner from what the provider shows to what is wanted."""

    body: Values = field(default_factory=dict)
    """For `update_partner`, without the mk_id; empty: nothing is to be changed."""
    appends: bool = False
    """Whether something is added, which must not be done twice."""
    fills: tuple[str, ...] = ()
    """Fields that are to get another text. Whether Metakocka empties a field is not documented."""
    waits: bool = False
    """Whether a contact waits for the address that this body adds."""

    @property
    def is_needed(self) -> bool:
        return bool(self.body) or self.waits


def new_partner(document: Mapping[str, Any]) -> Values:
    """The partner of `add_partner`. Its address becomes the one of type "Račun"."""
    address, contact = _texts(document, "address", ADDRESS), _texts(document, "contact", CONTACT)
    partner: Values = texts_of(document, HEAD) | _consequences(document, ("is_person", "tax_id_number", "address"))
    partner |= {"place" if name == "city" else name: text for name, text in address.items()}
    if any(contact.values()):
        partner["partner_contact"] = {"name": text_of(document.get("customer")), **_given(contact)}
    return _given(partner)


def changes_of(partner: Values, document: Mapping[str, Any], changed: Collection[str]) -> Changes:
    """What of the changed top-level names of the document differs from the partner as it is."""
    head: Values = {name: _text_wanted(document, name) for name in HEAD if name in changed and name in document}
    head |= _consequences(document, changed)
    head = {name: text for name, text in head.items() if text != _text_there(partner, name)}
    address, contact = billing_address(partner), first_contact(partner)
    new_address = _difference(address, document, "address", ADDRESS) if "address" in changed else {}
    new_contact = _difference(contact, document, "contact", CONTACT) if "contact" in changed else {}
    body = dict(head)
    if new_address:
        owner = {"mk_id": address["mk_id"]} if address else {"address_type": BILLING}
        body["partner_delivery_address_list"] = [{**owner, **new_address}]
    if new_contact and (contact or address):
        owner = {"mk_id": contact["mk_id"]} if contact else {"mk_address_id": address["mk_id"], "name": text_of(document.get("customer"))}
        body["partner_contact_list"] = [{**owner, **new_contact}]
    texts = head | {f"address.{name}": text for name, text in new_address.items()}
    texts |= {f"contact.{name}": text for name, text in new_contact.items()}
    return Changes(
        body,
        appends=bool((new_address and not address) or (new_contact and not contact)),
        fills=tuple(name for name, text in texts.items() if text),
        waits=bool(new_contact) and not contact and not address,
    )


def is_abroad(country: str) -> bool:
    return country.strip().casefold() not in HOME


def _consequences(document: Mapping[str, Any], changed: Collection[str]) -> Values:
    """Flags that follow from others. That a tax number with a country's letters means a payer of VAT is assumed."""
    flags: dict[str, bool] = {}
    if "is_person" in changed and "is_person" in document:
        flags["business_entity"] = text_of(document["is_person"]) not in ("true", "1")
    if "tax_id_number" in changed and "tax_id_number" in document:
        flags["taxpayer"] = bool(_VAT_NUMBER.fullmatch(text_of(document["tax_id_number"])))
    if "address" in changed and "country" in (document.get("address") or {}):
        flags["foreign_county"] = is_abroad(text_of(document["address"]["country"]))
    return {name: text_of(flag) for name, flag in flags.items()}


def _difference(there: Values, document: Mapping[str, Any], part: str, names: tuple[str, ...]) -> Values:
    wanted = _texts(document, part, names)
    different = {name: text for name, text in wanted.items() if text != text_of(there.get(name))}
    return different if there else _given(different)


def _text_there(partner: Values, name: str) -> str:
    """A flag that is left out is one that is not set."""
    return text_of(partner.get(name)) or ("false" if name in FLAGS else "")


def _text_wanted(document: Mapping[str, Any], name: str) -> str:
    return text_of(document.get(name)) or ("false" if name in FLAGS else "")


def _texts(document: Mapping[str, Any], part: str, names: tuple[str, ...]) -> Values:
    values = document.get(part)
    return {name: text_of(values.get(name)) for name in names if name in values} if isinstance(values, Mapping) else {}


def _given(texts: Values) -> Values:
    return {name: value for name, value in texts.items() if value}
