"""`get_partner`, `add_partner`, `update_partner`."""

import pytest

from app.connectors.metakocka.sandbox.testing import RunningSandbox, partner_id

from .provider import Provider, walk


async def test_successes_have_no_code_and_all_scalars_are_text(provider: Provider):
    made = await provider.partner(partner_contact={"name": "Ana"})
    read = await provider.done("get_partner", partner_id=made["mk_id"])
    updated = await provider.done("update_partner", partner={"mk_id": made["mk_id"], "customer": "Novejši d.o.o."})

    for reply in (made, read, updated):
        assert "opr_code" not in reply
    assert read["partner_list_count"] == "1"
    assert {type(value) for value in read["partner_list"][0].values()} == {str, list}
    assert updated["partner_list"][0]["customer"] == "Novejši d.o.o."


async def test_a_new_partner_gets_ids_of_more_than_32_bits_for_itself_its_addresses_and_its_contact(provider: Provider):
    made = await provider.partner(
        place="Kranj",
        partner_contact={"name": "Ana Čuk", "gsm": "031 000 111"},
        partner_delivery_address={"address_type": "Dobava", "street": "Skladiščna 4", "city": "Žalec"},
    )
    partner = await provider.whole(made["mk_id"])
    billing, delivery = partner["partner_delivery_address_list"]
    (contact,) = partner["partner_contact_list"]
    ids = [made["mk_id"], made["mk_contact_id"], *(one["mk_id"] for one in made["mk_address_id_list"])]

    assert len(set(ids)) == 4
    assert all(len(one) >= 12 for one in ids)
    assert [one["street"] for one in made["mk_address_id_list"]] == ["Čopova 1", "Skladiščna 4"]
    assert (billing["address_type"], billing["city"], delivery["address_type"]) == ("Račun", "Kranj", "Dobava")
    assert contact == {
        "mk_id": made["mk_contact_id"],
        "mk_address_id": billing["mk_id"],
        "contact_address": "Čopova 1",
        "name": "Ana Čuk",
        "gsm": "031 000 111",
    }


async def test_no_match_is_code_2(provider: Provider):
    assert await provider.refused("get_partner", partner_name="Nikogar ni") == ("2", "No partner with such properties.")


@pytest.mark.parametrize(
    ("filter", "text"),
    [("partner_name", "ŽAREK in"), ("partner_tax_number", "SI99887766"), ("partner_email", "ana@zarek.test"),
     ("partner_phone_number", "01 555 66 77"), ("partner_phone_number", "051999888")],
)  # fmt: skip
async def test_a_partner_is_found_by_what_was_sent(provider: Provider, filter: str, text: str):
    made = await provider.partner(
        customer="Žarek in sinovi d.o.o.",
        tax_id_number="SI99887766",
        partner_contact={"name": "Ana", "email": "ana@zarek.test", "phone": "01 555 66 77", "gsm": "051 999 888"},
    )

    assert [one["mk_id"] for one in await provider.found(**{filter: text})] == [made["mk_id"]]


async def test_every_seeded_partner_is_found_by_what_it_shows(provider: Provider):
    for index in (0, 7, 999, 1199):
        seeded = await provider.whole(partner_id(index))
        contact = seeded["partner_contact_list"][0]
        filters = {"partner_email": contact["email"], "partner_phone_number": contact["gsm"]}
        if "tax_id_number" in seeded:
            filters["partner_tax_number"] = seeded["tax_id_number"]

        for name, text in filters.items():
            assert await provider.found(**{name: text}) == [seeded]
        assert seeded in await provider.found(partner_name=seeded["customer"][2:].lower())


async def test_an_edit_is_found_by_what_is_there_now(sandbox: RunningSandbox, provider: Provider):
    before = await provider.whole(partner_id(7))
    await sandbox.edit_partner(partner_id(7), customer="Prenovljen d.o.o.", tax_id_number="SI11112222")

    assert partner_id(7) not in {one["mk_id"] for one in await provider.found(partner_name=before["customer"])}
    assert [one["mk_id"] for one in await provider.found(partner_name="prenovljen")] == [partner_id(7)]
    assert [one["mk_id"] for one in await provider.found(partner_tax_number="SI11112222")] == [partner_id(7)]


async def test_the_walk_without_filters_gives_windows_of_a_thousand_in_the_order_of_ids(provider: Provider):
    first = await provider.found()
    everyone = await walk(provider)
    ids = [one["mk_id"] for one in everyone]

    assert (len(first), len(ids)) == (1000, 1200)
    assert ids == sorted(set(ids))
    assert [one["mk_id"] for one in await walk(provider, limit=70)] == ids
    assert len(await provider.found(limit="5000")) == 1000
    assert await provider.found(offset="1200") == []


async def test_the_same_partner_twice_is_two_partners(sandbox: RunningSandbox, provider: Provider):
    made = [await provider.partner(customer="Dvojček d.o.o.") for _ in range(2)]

    assert len(await provider.found(partner_name="Dvojček")) == 2
    assert [one["mk_id"] for one in await sandbox.effects(object="partner", effect="created")] == [one["mk_id"] for one in made]


async def test_contacts_and_addresses_without_an_id_are_added_each_time(provider: Provider):
    made = await provider.partner(partner_contact={"name": "Ana"})
    address = made["mk_address_id_list"][0]["mk_id"]
    sent = {
        "mk_id": made["mk_id"],
        "partner_contact_list": [{"mk_address_id": address, "name": "Bojan"}],
        "partner_delivery_address_list": [{"address_type": "Poslovna enota", "street": "Nova 2", "city": "Celje"}],
    }
    for _ in range(2):
        await provider.done("update_partner", partner=sent)
    partner = await provider.whole(made["mk_id"])

    assert [one["name"] for one in partner["partner_contact_list"]] == ["Ana", "Bojan", "Bojan"]
    assert [one["street"] for one in partner["partner_delivery_address_list"]] == ["Čopova 1", "Nova 2", "Nova 2"]


async def test_contacts_and_addresses_with_their_ids_are_changed_and_the_rest_stays(provider: Provider):
    made = await provider.partner(partner_contact={"name": "Ana", "phone": "01 1", "email": "ana@x.test"})
    address = made["mk_address_id_list"][0]["mk_id"]
    await provider.done(
        "update_partner",
        partner={
            "mk_id": made["mk_id"],
            "partner_contact_list": [{"mk_id": made["mk_contact_id"], "email": "nova@x.test", "phone": ""}],
            "partner_delivery_address_list": [{"mk_id": address, "street": "Popravljena 3"}],
        },
    )
    partner = await provider.whole(made["mk_id"])
    (contact,), (billing,) = partner["partner_contact_list"], partner["partner_delivery_address_list"]

    assert (contact["name"], contact["email"], contact["phone"]) == ("Ana", "nova@x.test", "01 1")
    assert (billing["street"], billing["address_type"], contact["contact_address"]) == ("Popravljena 3", "Račun", "Popravljena 3")


async def test_a_head_street_leaves_the_billing_address_as_it_was(provider: Provider):
    made = await provider.partner()
    await provider.done("update_partner", partner={"mk_id": made["mk_id"], "street": "Druga 9", "post_number": "2000", "place": "Maribor"})
    partner = await provider.whole(made["mk_id"])

    assert [one["street"] for one in partner["partner_delivery_address_list"]] == ["Čopova 1"]
    assert "street" not in partner


async def test_a_partner_is_updated_by_its_number_too(provider: Provider):
    seeded = await provider.whole(partner_id(20))
    await provider.done("update_partner", partner={"count_code": seeded["count_code"], "buyer": "false", "supplier": "true"})

    assert await provider.whole(partner_id(20)) == seeded | {"buyer": "false", "supplier": "true"}


async def test_notes_and_website_are_ignored_and_any_country_is_taken(provider: Provider):
    made = await provider.partner(notes="VIP", website="https://x.test", country="Slowenien (EU)")
    partner = await provider.whole(made["mk_id"])

    assert not {"notes", "website"} & set(partner)
    assert partner["partner_delivery_address_list"][0]["country"] == "Slowenien (EU)"


@pytest.mark.parametrize(
    ("partner", "text"),
    [
        (None, "Partner data are missing"),
        ({"customer": "Brez ulice"}, "customer and street"),
        ({"street": "Brez imena 1"}, "customer and street"),
        ({"customer": "A" * 101, "street": "B"}, "customer is too long"),
    ],
)
async def test_a_partner_without_what_it_needs_is_refused_and_leaves_nothing(
    sandbox: RunningSandbox, provider: Provider, partner: dict[str, str] | None, text: str
):
    code, said = await provider.refused("add_partner", **({"partner": partner} if partner is not None else {}))

    assert code == "2"
    assert text in said
    assert [one["effects"] for one in await sandbox.ledger()] == [[]]


@pytest.mark.parametrize(
    "partner",
    [{}, {"mk_id": "228999999999"}, {"count_code": "0"}, {"mk_id": partner_id(0), "partner_contact_list": [{"name": "Brez naslova"}]},
     {"mk_id": partner_id(0), "partner_contact_list": [{"mk_id": "5", "name": "X"}]},
     {"mk_id": partner_id(0), "partner_delivery_address_list": [{"mk_id": "5", "street": "X"}]}],
)  # fmt: skip
async def test_an_update_of_what_is_not_there_is_code_2_and_changes_nothing(provider: Provider, partner: dict[str, str]):
    before = await provider.whole(partner_id(0))

    assert (await provider.refused("update_partner", partner=partner))[0] == "2"
    assert await provider.whole(partner_id(0)) == before
