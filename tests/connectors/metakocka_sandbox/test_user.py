"""The MK user, behind the back of whoever uses the API; the ledger of what the API did."""

import pytest

from app.connectors.metakocka.sandbox.testing import ControlRefused, RunningSandbox, document_id, partner_id

from .provider import Provider, line, lines_of, listed, walk


async def test_a_partner_is_edited_with_its_contacts_and_addresses(sandbox: RunningSandbox, provider: Provider):
    mk_id = partner_id(0)
    before = await provider.whole(mk_id)
    billing, delivery = before["partner_delivery_address_list"]
    await sandbox.edit_partner(
        mk_id,
        customer="Preimenovan d.o.o.",
        tax_id_number=None,
        partner_contact_list=[{"mk_id": before["partner_contact_list"][0]["mk_id"], "email": "nov@x.test"}, {"name": "Dodan Kontakt"}],
        partner_delivery_address_list=[{"mk_id": billing["mk_id"], "street": "Popravljena 7"}],
    )
    after = await provider.whole(mk_id)

    assert (after["customer"], "tax_id_number" in after) == ("Preimenovan d.o.o.", False)
    assert after["partner_delivery_address_list"] == [billing | {"street": "Popravljena 7"}]
    kept, added = after["partner_contact_list"]
    assert kept == before["partner_contact_list"][0] | {"email": "nov@x.test", "contact_address": "Popravljena 7"}
    assert (added["name"], added["mk_address_id"]) == ("Dodan Kontakt", billing["mk_id"])
    assert delivery not in after["partner_delivery_address_list"]


async def test_partners_are_added_and_deleted(sandbox: RunningSandbox, provider: Provider):
    added = await sandbox.add_partner(customer="Uporabnikov d.o.o.", partner_delivery_address_list=[{"street": "Pot 1"}])
    await sandbox.delete_partner(partner_id(500))
    ids = [one["mk_id"] for one in await walk(provider)]

    assert len(ids) == 1200
    assert ids[-1] == added["mk_id"]
    assert partner_id(500) not in ids
    assert await provider.found(partner_id=partner_id(500)) == []
    assert (await provider.refused("update_partner", partner={"mk_id": partner_id(500), "customer": "X"}))[0] == "2"


async def test_an_offer_is_edited_with_its_lines_and_status(sandbox: RunningSandbox, provider: Provider):
    mk_id = document_id("sales_offer", 0)
    await sandbox.edit_document("sales_offer", mk_id, notes="Kupec je klical", status="accepted", product_list=[line(price="50"), line()])
    offer = await provider.document("sales_offer", mk_id, return_document_info="true")

    assert (offer["notes"], offer["status_desc"], offer["sum_all"]) == ("Kupec je klical", "accepted", "183")
    assert len(lines_of(offer)) == 2
    assert [one["operation_type"] for one in offer["document_info"]] == ["NEW", "CHANGE", "DOCUMENT_STATUS_CHANGE"]


async def test_offers_are_added_and_deleted(sandbox: RunningSandbox, provider: Provider):
    partner = {"mk_id": partner_id(0), "mk_address_id": (await provider.whole(partner_id(0)))["partner_delivery_address_list"][0]["mk_id"]}
    added = await sandbox.add_document("sales_offer", partner=partner, product_list=[line()], title="Ročno", status="sent")
    await sandbox.delete_document("sales_offer", document_id("sales_offer", 9))
    offers = await provider.search("sales_offer", order_direction="asc", offset="50")

    assert offers[-1]["mk_id"] == added["mk_id"]
    assert (await provider.document("sales_offer", added["mk_id"]))["sum_all"] == "122"
    gone = await provider.refused("get_document", doc_type="sales_offer", doc_id=document_id("sales_offer", 9))
    assert gone[0] == "2"
    assert (await provider.done("search", doc_type="sales_offer"))["result_all_records"] == "150"


async def test_nonsense_can_be_put_into_fields(sandbox: RunningSandbox, provider: Provider):
    offer = await sandbox.edit_document("sales_offer", document_id("sales_offer", 0), doc_date="kmalu", valid_to=["2026"])

    assert (offer["doc_date"], offer["valid_to"]) == ("kmalu", ["2026"])
    await sandbox.edit_partner(partner_id(0), customer=["ne", "besedilo"])
    assert (await provider.whole(partner_id(0)))["customer"] == ["ne", "besedilo"]


async def test_most_partners_can_vanish_and_come_back(sandbox: RunningSandbox, provider: Provider):
    before = await walk(provider)
    visible = await sandbox.show_percent("partner", 3)
    few = await walk(provider)
    hidden = next(one for one in before if one not in few)
    gone = await provider.found(partner_id=hidden["mk_id"])
    await sandbox.show_percent("partner", 100)

    assert visible == len(few) == 36
    assert gone == []
    assert await walk(provider) == before


async def test_most_offers_can_vanish_and_come_back(sandbox: RunningSandbox, provider: Provider):
    await sandbox.show_percent("sales_offer", 4)
    few = await provider.done("search", doc_type="sales_offer")
    await sandbox.show_percent("sales_offer", 100)

    assert few["result_all_records"] == str(len(listed(few["result"]))) == "6"
    assert (await provider.done("search", doc_type="sales_offer"))["result_all_records"] == "150"


async def test_the_ledger_holds_what_the_api_did_and_not_what_people_did(sandbox: RunningSandbox, provider: Provider):
    made = await provider.partner(customer="Zapisan d.o.o.")
    await sandbox.edit_partner(made["mk_id"], customer="Človek je popravil")
    await provider.done("update_partner", partner={"mk_id": made["mk_id"], "supplier": "true"})
    await provider.refused("update_partner", partner={"mk_id": "1"})
    await provider.found()
    writes = await sandbox.ledger()

    assert [(one["operation"], [effect["effect"] for effect in one["effects"]]) for one in writes] == [
        ("add_partner", ["created"]),
        ("update_partner", ["changed"]),
        ("update_partner", []),
    ]
    assert writes[1]["effects"][0] == {"effect": "changed", "object": "partner", "mk_id": made["mk_id"], "fields": ["supplier"]}
    assert [(one["opr_code"], one["answered"]) for one in writes] == [("0", True), ("0", True), ("2", True)]
    assert "secret_key" not in writes[0]["sent"]
    assert (await sandbox.counters())["effects"] == {"partner created": 1, "partner changed": 1}
    assert len(await sandbox.ledger(effect="changed")) == 1
    await sandbox.clear_ledger()
    assert await sandbox.ledger() == []


async def test_control_routes_say_what_is_wrong(sandbox: RunningSandbox):
    wrong = [
        ("GET", "partners/1", None, "no such partner"),
        ("DELETE", f"documents/sales_wish/{document_id('sales_offer', 0)}", None, "no document type"),
        ("POST", "documents/sales_offer", {"product_list": [{"code": "NEZNAN"}]}, "code or mk_id of a product"),
        ("POST", "visibility", {"object": "partner", "percent": 101}, "percent"),
        ("POST", "settings", {"seed": 2}, "cannot be changed"),
        ("POST", "stock/1", {"GL": "1"}, "no such product"),
    ]

    for method, route, body, text in wrong:
        with pytest.raises(ControlRefused, match=text):
            await sandbox.control(method, route, body)
    with pytest.raises(ControlRefused, match="no such company"):
        await sandbox.control("GET", f"partners/{partner_id(0)}", company_id="99")


async def test_a_reset_brings_the_start_back(sandbox: RunningSandbox, provider: Provider):
    before = await provider.whole(partner_id(0))
    await sandbox.edit_partner(partner_id(0), customer="X")
    await sandbox.settings(quota_per_minute=1)
    await sandbox.fault("opr-1", times=None)
    await sandbox.reset()

    assert await provider.whole(partner_id(0)) == before
    assert (await sandbox.control("GET", ""))["companies"][0]["records"]["partner"] == 1200
