"""Partners are written once, whatever becomes of the answer; the sandbox's ledger is the witness."""

from typing import Any

import pytest

from app.connectors.metakocka.connector import connector
from app.connectors.metakocka.sandbox.testing import RunningSandbox
from tests.connectors.metakocka.company import add_partner, metakocka, new_partner
from tests.connectors.metakocka.writing import create, shown, update, write_until_known

WRITER = connector.streams["partners"].writer
assert WRITER is not None
NEW = new_partner(tax_id_number="SI55566677")
FAULTS = ("drop-answer", "drop-request", "cut", "500", "maintenance", "opr-1")


async def contacts(mk: RunningSandbox, mk_id: str) -> list[dict[str, Any]]:
    found = (await mk.partner(mk_id)).get("partner_contact_list", [])
    return found if isinstance(found, list) else [found]


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("after_work", [False, True])
async def test_a_partner_is_created_once_whatever_becomes_of_the_answer(mk: RunningSandbox, fault: str, after_work: bool):
    async with metakocka(mk, attempts=1) as opened:
        await mk.fault(fault, path="*/add_partner", after_work=after_work)
        reading = await write_until_known(opened.session, "partners", create(NEW))

    assert (await mk.counters())["faults"] == {fault: 1}
    assert [(one["effect"], one["mk_id"]) for one in await mk.effects(object="partner")] == [("created", reading.item.external_id)]
    document = shown("partners", reading)
    assert (document["customer"], document["tax_id_number"]) == ("Šmarnica d.o.o.", "SI55566677")
    assert document["address"] == NEW["address"]
    assert (document["contact"]["email"], document["contact"]["phone"]) == ("info@smarnica.test", "05 123 45 67")
    kept = await mk.partner(reading.item.external_id)
    assert (kept["business_entity"], kept["taxpayer"], kept["foreign_county"], kept["buyer"]) == ("true", "true", "false", "true")


async def test_ids_and_numbers_are_metakockas_own_whatever_a_field_mapping_says(mk: RunningSandbox):
    mine, other = await add_partner(mk), await add_partner(mk, "Another one")
    async with metakocka(mk) as opened:
        write = await update(opened.session, "partners", mine["mk_id"], mk_id=other["mk_id"], count_code="X", customer="Renamed")
        await write_until_known(opened.session, "partners", write)
        created = await write_until_known(opened.session, "partners", create({**NEW, "mk_id": other["mk_id"], "count_code": "X"}))

    assert await mk.partner(other["mk_id"]) == other
    renamed, new = await mk.partner(mine["mk_id"]), await mk.partner(created.item.external_id)
    assert (renamed["customer"], renamed["count_code"]) == ("Renamed", mine["count_code"])
    assert new["count_code"] not in ("X", other["count_code"])
    assert len(await mk.effects(object="partner")) == 2


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("after_work", [False, True])
async def test_a_contact_is_added_once_whatever_becomes_of_the_answer(mk: RunningSandbox, fault: str, after_work: bool):
    partner = await add_partner(mk, partner_contact_list=[])
    async with metakocka(mk, attempts=1) as opened:
        write = await update(opened.session, "partners", partner["mk_id"], contact={"email": "nova@acme.test", "gsm": "040 999 888"})
        await mk.fault(fault, path="*/update_partner", after_work=after_work)
        reading = await write_until_known(opened.session, "partners", write)

    assert (await mk.counters())["faults"] == {fault: 1}
    there = await contacts(mk, partner["mk_id"])
    assert [(one["email"], one["gsm"]) for one in there] == [("nova@acme.test", "040 999 888")]
    assert len(await mk.effects(object="partner")) == 1
    assert shown("partners", reading)["contact"]["email"] == "nova@acme.test"


@pytest.mark.requirement("MKC-11", "MKC-12")
async def test_only_what_changed_is_sent_and_by_the_ids_of_address_and_contact(mk: RunningSandbox):
    partner = await add_partner(mk)
    address, contact = partner["partner_delivery_address_list"], partner["partner_contact_list"]
    async with metakocka(mk) as opened:
        write = await update(
            opened.session,
            "partners",
            partner["mk_id"],
            address={"street": "Slovenska 5"},
            contact={"phone": "01 999"},
            customer="Nov d.o.o.",
        )
        reading = await WRITER.write(opened.session, write)

    (sent,) = [one["sent"]["partner"] for one in await mk.ledger(operation="update_partner")]
    assert sent == {
        "mk_id": partner["mk_id"],
        "customer": "Nov d.o.o.",
        "partner_delivery_address_list": [{"mk_id": address[0]["mk_id"], "street": "Slovenska 5"}],
        "partner_contact_list": [{"mk_id": contact[0]["mk_id"], "phone": "01 999"}],
    }
    assert shown("partners", reading)["address"]["street"] == "Slovenska 5"


async def test_what_is_there_already_is_not_written(mk: RunningSandbox):
    partner = await add_partner(mk)
    async with metakocka(mk) as opened:
        write = await update(opened.session, "partners", partner["mk_id"], contact={"phone": "01 234 56 78"})
        await WRITER.write(opened.session, write)

    assert await mk.ledger() == []


async def test_a_partner_without_an_address_gets_address_and_contact(mk: RunningSandbox):
    partner = await add_partner(mk, partner_contact_list=[], partner_delivery_address_list=[])
    async with metakocka(mk) as opened:
        write = await update(opened.session, "partners", partner["mk_id"], address=NEW["address"], contact=NEW["contact"])
        reading = await WRITER.write(opened.session, write)

    document = shown("partners", reading)
    assert document["address"] == NEW["address"]
    assert document["contact"]["email"] == "info@smarnica.test"


async def test_what_metakocka_does_not_empty_is_shown_as_it_is_and_the_rest_is_written(mk: RunningSandbox):
    partner = await add_partner(mk)
    async with metakocka(mk) as opened:
        write = await update(opened.session, "partners", partner["mk_id"], contact={"phone": "", "email": "nova@acme.test"})
        reading = await WRITER.write(opened.session, write)

    contact = shown("partners", reading)["contact"]
    assert (contact["email"], contact["phone"]) == ("nova@acme.test", "01 234 56 78")


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ({"tax_id_number": "55566677"}, {"tax_id_number": "SI55566677"}),
        ({"tax_id_number": "SI55566677"}, {"tax_id_number": "55566677"}),
        ({"tax_id_number": ""}, {"partner_contact_list": [{"name": "X", "email": "INFO@smarnica.test"}]}),
        ({"tax_id_number": "", "contact": {}}, {"customer": "ŠMARNICA d.o.o."}),
    ],
)
async def test_a_partner_that_is_there_is_found(mk: RunningSandbox, ours: dict[str, Any], theirs: dict[str, Any]):
    for number in range(6):  # more of the same beginning than a page holds
        await add_partner(mk, f"Šmarnica d.o.o. podružnica {number}")
    partner = await add_partner(mk, **theirs)
    async with metakocka(mk) as opened:
        found = await WRITER.find(opened.session, {**NEW, **ours}, "key")

    assert [one.item.external_id for one in found] == [partner["mk_id"]]


async def test_two_with_different_tax_numbers_are_never_the_same(mk: RunningSandbox):
    await add_partner(mk, "Šmarnica d.o.o.", tax_id_number="SI11111111")
    async with metakocka(mk) as opened:
        assert await WRITER.find(opened.session, NEW, "key") == ()


@pytest.mark.requirement("MKD-30")
def test_the_key_is_what_a_partner_is_found_by():
    assert WRITER.key_of(NEW) == "tax:55566677"
    assert WRITER.key_of({**NEW, "tax_id_number": ""}) == "email:info@smarnica.test"
    assert WRITER.key_of({"customer": " Šmarnica "}) == "name:šmarnica"
    assert WRITER.key_of({}) is None
