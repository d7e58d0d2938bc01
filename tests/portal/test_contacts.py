"""An operator edits a contact, brings it to a provider, looks at its history, deletes it and brings it back."""

import asyncio
import re

import pytest
from playwright.async_api import expect

from app.connectors.metakocka.sandbox.testing import RunningSandbox as MetakockaSandbox
from tests.portal.office import Office, follow
from tests.portal.two_sides import ALL, TwoSides

pytestmark = pytest.mark.browser


@pytest.fixture
def sides(office: Office) -> TwoSides:
    return TwoSides(office)


@pytest.mark.requirement("MKC-01", "MKC-07", "MKC-12")
async def test_an_edited_contact_waits_and_is_then_brought_to_the_provider(
    sides: TwoSides, metakocka: MetakockaSandbox, worker: None
) -> None:
    two = await sides.metakocka(metakocka, "Pekarna")
    record = await sides.record("Pekarna")
    page = await sides.office.staff()
    await page.goto(sides.office.console(f"/records/{record.id}"))
    row = page.get_by_role("row", name=re.compile("^Metakocka"))
    await expect(row).to_contain_text("In step")

    await follow(page, page.get_by_role("link", name="Edit"))
    await page.get_by_label("Name").fill("Pekarna Pečjak")
    await page.get_by_label("E-mail").fill("nova@pekarna.test")
    await follow(page, page.get_by_role("button", name="Save"))

    await expect(page.get_by_text("Saved.")).to_be_visible()
    await expect(row).to_contain_text("Waits to be sent")
    await expect(row).to_contain_text("E-mail, Name")
    await follow(page, page.get_by_role("button", name=f"Bring to {two.connection.name} now"))
    await expect(page.locator(".steps .done", has_text="Confirmed by Metakocka")).to_be_visible()
    await expect(row).to_contain_text("In step")
    (mapping,) = (await sides.hub.records.mappings(sides.owner, ALL, record_id=record.id)).items
    assert (await metakocka.partner(mapping.external_id))["customer"] == "Pekarna Pečjak"


async def test_what_would_be_written_is_looked_at_first_then_applied(sides: TwoSides, metakocka: MetakockaSandbox, worker: None) -> None:
    two = await sides.metakocka(metakocka, "Pekarna", "Mlekarna")
    for name in ("Pekarna", "Mlekarna"):
        record = await sides.record(name)
        await sides.hub.edits.update(sides.owner, record.id, version=record.version, changes={"name": f"{name} d.o.o."})
    record = await sides.record("Pekarna d.o.o.")
    page = await sides.office.staff()
    await page.goto(sides.office.console(f"/records/{record.id}"))

    await follow(page, page.get_by_role("button", name=f"Look first what would be written to {two.connection.name}"))

    line = page.locator("main").get_by_text("Pekarna d.o.o.").first
    await expect(line).to_be_visible()
    await expect(page.get_by_text("Mlekarna")).to_have_count(0)
    assert await metakocka.effects(object="partner", effect="changed") == []
    await follow(page, page.get_by_role("button", name=re.compile("^Apply")))
    async with asyncio.timeout(60):
        while not (changed := await metakocka.effects(object="partner", effect="changed")):
            await asyncio.sleep(0.1)
    assert [(await metakocka.partner(one["mk_id"]))["customer"] for one in changed] == ["Pekarna d.o.o."]


@pytest.mark.requirement("MKC-36")
async def test_what_only_the_hub_has_is_brought_there_without_scripts(sides: TwoSides, metakocka: MetakockaSandbox, worker: None) -> None:
    two = await sides.metakocka(metakocka)
    address = {"street": "Nova 1", "city": "Kranj", "country": "SI"}
    record = await sides.hub.edits.create(sides.owner, "contact", {"name": "Samo tu", "tax_number": "SI71717171", "address": address})
    page = await sides.office.staff(scripts=False)
    await page.goto(sides.office.console(f"/records/{record.id}"))
    await expect(page.get_by_role("row", name=re.compile("^Metakocka"))).to_contain_text("Not there yet")

    await follow(page, page.get_by_role("button", name=f"Bring to {two.connection.name} now"))

    async with asyncio.timeout(60):
        while not await page.get_by_text(re.compile("Confirmed by Metakocka at")).is_visible():
            await follow(page, page.get_by_role("link", name="Look again"))
    mapping = await two.mapped(record.id)
    assert mapping is not None
    assert (await metakocka.partner(mapping.external_id))["customer"] == "Samo tu"


@pytest.mark.requirement("MKC-06", "MKC-44")
async def test_what_the_provider_refuses_is_said_in_a_sentence(sides: TwoSides, metakocka: MetakockaSandbox, worker: None) -> None:
    two = await sides.metakocka(metakocka)
    twins = [await two.add("Dvojčka", tax_id_number="SI12121212") for _ in range(2)]
    record = await sides.hub.edits.create(sides.owner, "contact", {"name": "Dvojčka", "tax_number": "SI12121212"})
    page = await sides.office.staff()
    await page.goto(sides.office.console(f"/records/{record.id}"))

    await follow(page, page.get_by_role("button", name=f"Bring to {two.connection.name} now"))

    await expect(page.locator(".steps .wrong")).to_contain_text("Metakocka did not take it")
    await expect(page.locator(".steps .wrong")).to_contain_text(twins[0])
    assert await metakocka.effects(object="partner", effect="created") == []


@pytest.mark.requirement("MKC-05")
@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without scripts"])
async def test_a_stale_form_shows_what_changed_and_keeps_what_was_written(sides: TwoSides, scripts: bool) -> None:
    await sides.companies("Čebelar", website="https://both.test")
    record = await sides.edit("Čebelar", phone="1")
    page = await sides.office.staff(scripts=scripts)
    await page.goto(sides.office.console(f"/records/{record.id}/edit"))
    await sides.edit("Čebelar", website="https://colleague.test", phone="2")

    await page.get_by_label("E-mail").fill("mine@cebelar.test")
    await page.get_by_label("Phone", exact=False).first.fill("3")
    await follow(page, page.get_by_role("button", name="Save"))

    await expect(page.get_by_text("Somebody changed this contact while you were writing")).to_be_visible()
    await expect(page.get_by_role("row", name="Phone 1 2 3")).to_be_visible()
    await expect(page.get_by_label("Website")).to_have_value("https://colleague.test")
    assert (await sides.data(record.id)).get("email", "") == ""
    await follow(page, page.get_by_role("button", name="Save"))
    data = await sides.data(record.id)
    assert (data["email"], data["website"], data["phone"]) == ("mine@cebelar.test", "https://colleague.test", "3")


async def test_parts_of_an_address_and_boxes_are_changed_alone(sides: TwoSides) -> None:
    await sides.companies("Čebelar", address="1 High St")
    record = await sides.record("Čebelar")
    page = await sides.office.staff(scripts=False)
    await page.goto(sides.office.console(f"/records/{record.id}/edit"))

    await page.get_by_role("group", name="Address", exact=True).get_by_label("City").fill("Kranj")
    await page.get_by_role("checkbox", name="Supplier").check()
    await follow(page, page.get_by_role("button", name="Save"))

    data = await sides.data(record.id)
    assert data["address"] == {"text": "1 High St", "city": "Kranj"}
    assert data["is_supplier"] is True
    assert data.get("billing_address", {}) == record.data.get("billing_address", {})
    await expect(page.get_by_role("row", name=re.compile("ServiceM8 Perth"))).to_contain_text("This connection is only read.")


async def test_a_contact_without_a_name_is_not_saved_and_says_so(sides: TwoSides) -> None:
    await sides.companies("Čebelar")
    record = await sides.record("Čebelar")
    page = await sides.office.staff(scripts=False)
    await page.goto(sides.office.console(f"/records/{record.id}/edit"))

    await page.get_by_label("Name").fill(" ")
    await follow(page, page.get_by_role("button", name="Save"))

    await expect(page.get_by_role("link", name="Write the contact's name.")).to_be_visible()
    assert (await sides.data(record.id))["name"] == "Čebelar"


@pytest.mark.requirement("MKC-51")
async def test_deleting_says_what_happens_elsewhere_and_is_taken_back(sides: TwoSides, metakocka: MetakockaSandbox) -> None:
    await sides.companies("Čebelar")
    await sides.metakocka(metakocka, "Pekarna")
    page = await sides.office.staff(scripts=False)
    for name, sentence in (("Čebelar", "It stays at ServiceM8, which this connection only reads."), ("Pekarna", "It stays at Metakocka")):
        record = await sides.record(name)
        await page.goto(sides.office.console(f"/records/{record.id}"))
        await follow(page, page.get_by_role("link", name="Delete"))
        await expect(page.get_by_text(sentence)).to_be_visible()
        assert (await sides.hub.records.get(sides.owner, record.id)).deleted_at is None
        await follow(page, page.get_by_role("button", name="Delete it here"))

        await expect(page.get_by_text("This record is deleted here")).to_be_visible()
        assert (await sides.hub.records.get(sides.owner, record.id)).deleted_at is not None
        await follow(page, page.get_by_role("link", name="bring it back"))
        await follow(page, page.get_by_role("button", name="Make it this again"))
        await expect(page.get_by_text("The record is again what it was.")).to_be_visible()
        assert (await sides.hub.records.get(sides.owner, record.id)).deleted_at is None


async def test_the_history_shows_who_changed_what_and_makes_a_version_the_newest_again(sides: TwoSides) -> None:
    await sides.companies("Čebelar", website="https://first.test")
    record = await sides.edit("Čebelar", website="https://second.test")
    await sides.edit("Čebelar", notes="Rings twice")
    page = await sides.office.staff(scripts=False)
    await page.goto(sides.office.console(f"/records/{record.id}"))

    second = page.get_by_role("listitem").filter(has_text="Version 2")
    await expect(second).to_contain_text("Olive Owner")
    await expect(second.locator("del")).to_have_text("https://first.test")
    await expect(second.locator("ins")).to_have_text("https://second.test")
    await follow(page, page.get_by_role("link", name="Make it this again (version 1)"))
    await expect(page.locator("del").first).to_have_text("Rings twice")
    await follow(page, page.get_by_role("button", name="Make it this again"))

    data = await sides.data(record.id)
    assert (data["website"], data.get("notes", "")) == ("https://first.test", "")
    await expect(page.get_by_text("Version 4, changed")).to_be_visible()


@pytest.mark.requirement("MKC-01")
async def test_a_sync_both_ways_is_started_and_shows_what_was_read_and_what_was_written(
    sides: TwoSides, metakocka: MetakockaSandbox, worker: None
) -> None:
    two = await sides.metakocka(metakocka, "Anton", "Berta")
    await sides.edit("Berta", email="nova@berta.test")
    await two.add("Cene")
    page = await sides.office.staff()
    await page.goto(sides.office.console(f"/connections/{two.connection.id}"))

    await follow(page, page.get_by_role("link", name="Sync now"))
    await expect(page.get_by_text("1 record waits here to be written.")).to_be_visible()
    await page.get_by_role("radio", name="Both ways").check()
    for title in ("Offers", "Orders", "Bills", "Products", "Stock"):
        await page.get_by_role("checkbox", name=title).uncheck()
    await page.get_by_role("radio", name="Everything Compares").check()
    await follow(page, page.get_by_role("button", name="Start the sync"))

    await expect(page.locator("#run-status")).to_contain_text("Completed")
    read, written = (page.get_by_role("region", name=name) for name in ("Read from Metakocka", "Written to Metakocka"))
    assert await read.get_by_role("row").last.get_by_role("cell").all_inner_texts() == ["Partners", "3", "1", "0", "2", "0", "0"]
    assert await written.get_by_role("row").last.get_by_role("cell").all_inner_texts() == ["Partners", "1", "0", "1", "0", "0", "0"]


async def test_only_what_can_be_written_takes_part_in_a_sync_that_writes(sides: TwoSides, metakocka: MetakockaSandbox) -> None:
    two = await sides.metakocka(metakocka)
    page = await sides.office.staff(scripts=False)
    await page.goto(sides.office.console(f"/connections/{two.connection.id}/import"))

    await page.get_by_role("radio", name="Write to Metakocka").check()
    await follow(page, page.get_by_role("button", name="Start the sync"))

    await expect(page.get_by_role("heading", name=re.compile("Writing to"))).to_be_visible()
    (run, *_) = (await sides.hub.syncs.runs(sides.owner, ALL, connection_id=two.connection.id)).items
    assert run.direction == "push"
    assert {one.direction for one in run.streams} == {"push"}
    await sides.hub.syncs.cancel(sides.owner, run.id)
