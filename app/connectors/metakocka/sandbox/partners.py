"""`get_partner`, `add_partner`, `update_partner`. Their replies have no `opr_code` when they succeed.

https://github.com/metakocka/metakocka_api_base/blob/master/docs/get_partner.md
"""

from dataclasses import dataclass
from typing import Any

from .answers import invalid, must_be_set
from .company import Company
from .partner_table import addresses_of, contacts_of
from .table import id_of
from .wire import Values, given_texts, is_true, objects_in, text_of

HEAD = (
    "customer", "business_entity", "taxpayer", "foreign_county", "buyer", "supplier", "tax_id_number", "registration_number",
)  # fmt: skip
FLAGS = ("business_entity", "taxpayer", "foreign_county", "buyer", "supplier")
ADDRESS = ("address_type", "street", "post_number", "city", "province", "country")
CONTACT = ("name", "phone", "gsm", "fax", "email")
LONGEST = {"customer": 100, "tax_id_number": 50, "street": 150, "post_number": 20, "place": 100, "province": 50, "country": 50}
NO_SUCH = "No partner with such properties."
NO_ADDRESS = "Partner must have mk_address_id or customer and street for address identification."


@dataclass(frozen=True, slots=True)
class PartnerPage:
    """A reply whose JSON is ready."""

    body: bytes


def get_partner(company: Company, given: Values) -> PartnerPage:
    """Partners by the filters that were sent, all of which must fit; without filters a window of all. None is a failure."""
    found = _filtered(company, given)
    offset, limit = _window(company, given)
    ids = company.partners.page(offset, limit) if found is None else [int(one["mk_id"]) for one in found[offset : offset + limit]]
    if not ids:
        raise invalid(NO_SUCH)
    return partner_page(company, ids)


def add_partner(company: Company, given: Values) -> Values:
    """A new partner, even if there is one like it."""
    partner = create_partner(company, _partner_in(given))
    contacts = contacts_of(partner)
    addresses = [{"mk_id": one["mk_id"], "street": one.get("street", "")} for one in addresses_of(partner)]
    reply = {"mk_id": partner["mk_id"], "mk_address_id_list": addresses}
    return reply | ({"mk_contact_id": contacts[0]["mk_id"]} if contacts else {})


def update_partner(company: Company, given: Values) -> PartnerPage:
    """Change head fields, and contacts and addresses by their ids; what comes without an id is added, each time again.

    Head street, post number and place leave the address of type "Račun" as it is, as the vendor's example shows.
    """
    sent = _partner_in(given)
    partner = _existing(company, sent)
    changed = {**partner, **given_texts(sent, HEAD)}
    changed["partner_delivery_address_list"] = _addresses_after(company, partner, sent)
    changed["partner_contact_list"] = _contacts_after(company, partner, changed, sent)
    keep_partner(company, changed)
    return partner_page(company, [int(partner["mk_id"])])


def create_partner(company: Company, sent: Values) -> Values:
    """Keep what was sent as a new partner. The docs demand a street, so a partner without one is refused; so is one
    without a name, and a text that is too long. That these are code 2 is assumed."""
    _check_lengths(sent)
    head = given_texts(sent, HEAD)
    street = text_of(sent.get("street")).strip()
    if "customer" not in head or not street:
        raise invalid(NO_ADDRESS)
    partner: Values = {"mk_id": company.new_id("partner"), "count_code": company.new_number("partner")}
    partner |= {name: "false" for name in FLAGS} | head
    billing = _billing_address(company, sent)
    partner["partner_delivery_address_list"] = [billing, *_extra_addresses(company, sent)]
    partner["partner_contact_list"] = _first_contact(company, sent, billing, head["customer"])
    return keep_partner(company, partner)


def keep_partner(company: Company, partner: Values) -> Values:
    """Store a partner with its contacts' `contact_address`, and without what is empty."""
    streets = {one.get("mk_id"): one.get("street", "") for one in addresses_of(partner)}
    contacts = [{**one, "contact_address": streets.get(one.get("mk_address_id"), "")} for one in contacts_of(partner)]
    whole = {**partner, "partner_contact_list": [_without_empty(one) for one in contacts]}
    kept = _without_empty(whole)
    company.partners.put(int(kept["mk_id"]), kept)
    return kept


def partner_page(company: Company, ids: list[int]) -> PartnerPage:
    """These partners as a reply."""
    joined = b",".join(company.partners.encoded(ids))
    return PartnerPage(b'{"partner_list_count":"%d","partner_list":[%b]}' % (len(ids), joined))


def _filtered(company: Company, given: Values) -> list[Values] | None:
    filters = {
        "partner_id": company.partners.by_id_or_number,
        "partner_tax_number": company.partners.by_tax_number,
        "partner_email": company.partners.by_email,
        "partner_phone_number": company.partners.by_phone,
        "partner_name": company.partners.by_name,
    }
    wanted = given_texts(given, tuple(filters))
    if not wanted:
        return None
    found = [{one["mk_id"]: one for one in filters[name](text)} for name, text in wanted.items()]
    return [one for mk_id, one in found[0].items() if all(mk_id in other for other in found[1:])]


def _window(company: Company, given: Values) -> tuple[int, int]:
    most = company.config.partner_page
    limit = id_of(given.get("limit", most))
    return id_of(given.get("offset", 0)) or 0, most if limit is None else min(limit, most)


def _partner_in(given: Values) -> Values:
    partner = given.get("partner")
    if not isinstance(partner, dict):
        raise invalid("Partner data are missing")
    return partner


def _existing(company: Company, sent: Values) -> Values:
    mk_id, count_code = text_of(sent.get("mk_id")), text_of(sent.get("count_code"))
    if not mk_id and not count_code:
        raise must_be_set("mk_id")
    partner = company.partners.get(mk_id) if mk_id else company.partners.by_number(count_code)
    if partner is None:
        raise invalid(NO_SUCH)
    return partner


def _check_lengths(sent: Values) -> None:
    for name, longest in LONGEST.items():
        if len(text_of(sent.get(name))) > longest:
            raise invalid(f"Value for {name} is too long (max {longest}).")


def _billing_address(company: Company, sent: Values) -> Values:
    address = given_texts(sent, ("street", "post_number", "province", "country"))
    city = given_texts(sent, ("place",)).get("place", "")
    return _new_address(company, {**address, "city": city, "address_type": "Račun"})


def _extra_addresses(company: Company, sent: Values) -> list[Values]:
    return [_new_address(company, given_texts(one, ADDRESS)) for one in objects_in(sent.get("partner_delivery_address"))]


def _new_address(company: Company, address: Values) -> Values:
    return _without_empty({"mk_id": company.new_id("partner"), **address, "language": "Slovenski"})


def _first_contact(company: Company, sent: Values, address: Values, customer: str) -> list[Values]:
    """The contact of a new partner; its name is `name` in the samples and `contact` in the docs' table."""
    given = next(iter(objects_in(sent.get("partner_contact"))), None)
    if given is None:
        return []
    contact = given_texts(given, CONTACT)
    name = customer if is_true(given.get("useCustomerAsContact")) else text_of(given.get("name") or given.get("contact"))
    return [{"mk_id": company.new_id("partner"), "mk_address_id": address["mk_id"], **contact, "name": name}]


def _addresses_after(company: Company, partner: Values, sent: Values) -> list[Values]:
    addresses = {one["mk_id"]: one for one in addresses_of(partner)}
    for one in objects_in(sent.get("partner_delivery_address_list")):
        mk_id = text_of(one.get("mk_id"))
        if not mk_id:
            new = _new_address(company, given_texts(one, ADDRESS))
            addresses[new["mk_id"]] = new
        elif mk_id in addresses:
            addresses[mk_id] = {**addresses[mk_id], **given_texts(one, ADDRESS)}
        else:
            raise invalid(f"Address with mk_id {mk_id} not found.")
    return list(addresses.values())


def _contacts_after(company: Company, partner: Values, changed: Values, sent: Values) -> list[Values]:
    contacts = {one["mk_id"]: one for one in contacts_of(partner)}
    addresses = {one["mk_id"] for one in addresses_of(changed)}
    for one in objects_in(sent.get("partner_contact_list")):
        mk_id = text_of(one.get("mk_id")) or company.new_id("partner")
        contacts[mk_id] = _contact_after(contacts.get(mk_id), one, addresses) | {"mk_id": mk_id}
    return list(contacts.values())


def _contact_after(contact: Values | None, sent: Values, addresses: set[Any]) -> Values:
    if contact is None and sent.get("mk_id"):
        raise invalid(f"Contact with mk_id {sent['mk_id']} not found.")
    if contact is None and text_of(sent.get("mk_address_id")) not in addresses:
        raise must_be_set("mk_address_id")
    return {**(contact or {"mk_address_id": text_of(sent["mk_address_id"])}), **given_texts(sent, CONTACT)}


def _without_empty(values: Values) -> Values:
    return {name: value for name, value in values.items() if value not in ("", None, [])}
