"""Partners: head data, addresses, and contact persons hanging on addresses.

https://github.com/metakocka/metakocka_api_base/blob/master/docs/get_partner.md
"""

from collections.abc import Sequence
from typing import Any

from app.connectors.base import Account, Item, Part, Reading, Session
from app.connectors.metakocka import listing
from app.connectors.metakocka.assembling import decode_object
from app.connectors.metakocka.cutting import Row
from app.connectors.metakocka.values import Values, objects_in, text_of, texts_of
from app.connectors.metakocka.walks import Progress, stretches

BILLING = "Račun"
"""The address type under which `add_partner` keeps the default address."""
HEAD = ("customer", "buyer", "supplier", "tax_id_number", "registration_number")
ADDRESS = ("street", "post_number", "city", "province", "country")
CONTACT = ("name", "phone", "gsm", "email")
HEAD_READ, CONTACT_READ = ("mk_id", "count_code", *HEAD), ("mk_id", *CONTACT)
"""With what is only read: written, it would name another partner."""


def partner_items(session: Session, rows: Sequence[Row]) -> list[Item]:
    """No partner has a time of its last change."""
    return [Item(row.id, row.payload) for row in rows]


def partner_document(payload: bytes, parts: Sequence[Part], account: Account) -> Values:
    """A partner flat: `address` is its billing address, `contact` the first person there, `contacts` all. Raises ValueError."""
    partner = decode_object(payload)
    address, contacts = billing_address(partner), objects_in(partner.get("partner_contact_list"))
    contact = _first_contact_at(address, contacts)
    document: dict[str, Any] = texts_of(partner, HEAD_READ)
    document["is_person"] = "true" if text_of(partner.get("business_entity")) == "false" else "false"
    document["address"] = place = texts_of(address, ADDRESS)
    # One reply of the provider's spells it so.
    place["province"] = place["province"] or text_of(address.get("provice"))
    document["contact"] = texts_of(contact, CONTACT)
    document["contacts"] = [_person(one, contact) for one in contacts]
    return document


def billing_address(partner: Values) -> Values:
    """The first address of that type, else the first; empty where there is none."""
    addresses = objects_in(partner.get("partner_delivery_address_list"))
    for one in addresses:
        if text_of(one.get("address_type")) == BILLING:
            return one
    return addresses[0] if addresses else {}


def first_contact(partner: Values) -> Values:
    """The first contact on the billing address, else the first; empty where there is none."""
    return _first_contact_at(billing_address(partner), objects_in(partner.get("partner_contact_list")))


def _first_contact_at(address: Values, contacts: Sequence[Values]) -> Values:
    address_id = text_of(address.get("mk_id"))
    for one in contacts:
        if address_id and text_of(one.get("mk_address_id")) == address_id:
            return one
    return contacts[0] if contacts else {}


async def find_partner(session: Session, mk_id: str) -> Reading | None:
    """One partner by its id. Raises ConnectorError.

    Whether `partner_id` is the mk_id or the number is not documented: what it finds is checked, and where it finds nothing all partners
    are gone through, because "not found" would be taken for "deleted".
    """
    found = await partners_by(session, "partner_id", mk_id)
    reading = next((one for one in found if one.item.external_id == mk_id), None)
    return reading or await _look_through(session, mk_id)


async def partners_by(session: Session, name: str, value: str) -> list[Reading]:
    """Partners that fit one of the provider's filters; some match a part of the text. Raises ConnectorError."""
    found: list[Item] = []
    limit, more = session.settings.page_size, True
    while more:
        window = await listing.partners(session, "all", len(found), limit, {name: value})
        found += partner_items(session, window.rows)
        more = len(window.rows) >= limit
    return [Reading(item) for item in found if item.external_id]


async def _look_through(session: Session, mk_id: str) -> Reading | None:
    async for stretch in stretches(
        lambda offset, limit: listing.partners(session, "all", offset, limit, {}), session.settings.page_size, Progress(phase="all")
    ):
        for item in partner_items(session, [row for row in stretch.rows if row.id == mk_id]):
            return Reading(item)
    return None


def _person(contact: Values, first: Values) -> Values:
    person = texts_of(contact, CONTACT_READ)
    person["is_first"] = "true" if contact is first or person["mk_id"] == text_of(first.get("mk_id")) else "false"
    return person
