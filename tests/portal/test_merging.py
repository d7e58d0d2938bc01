"""An operator makes two contacts one, and two of one; and makes a new one, which a provider may have already."""

import re

import pytest
from playwright.async_api import expect

from app.connectors.metakocka.sandbox.testing import RunningSandbox as MetakockaSandbox
from tests.portal.office import Office, follow
from tests.portal.two_sides import TwoSides

pytestmark = pytest.mark.browser
TAX = "SI71717171"


@pytest.fixture
def sides(office: Office) -> TwoSides:
    return TwoSides(office)


@pytest.mark.requirement("MKC-54")
@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without scripts"])
async def test_duplicates_are_compared_merged_field_by_field_and_parted_again(sides: TwoSides, scripts: bool) -> None:
    create = sides.hub.edits.create
    stays = await create(sides.owner, "contact", {"name": "Pekarna", "tax_number": TAX, "phone": "1"})
    goes = await create(sides.owner, "contact", {"name": "Pekarna d.o.o.", "tax_number": "71717171", "phone": "2", "notes": "Rings twice"})
    page = await sides.office.staff(scripts=scripts)
    await page.goto(sides.office.console("/contacts"))

    await follow(page, page.get_by_role("link", name="Duplicates"))
    await expect(page.get_by_role("heading", name="Same tax number: 71717171")).to_be_visible()
    await follow(page, page.get_by_role("button", name="Compare the two"))
    for label, choice in (("Name", 1), ("Phone", 0), ("Notes", 1)):
        row = page.get_by_role("row", name=re.compile(f"^{label} "))
        await row.get_by_role("radio").nth(choice).check()
    await follow(page, page.get_by_role("button", name="Merge Pekarna d.o.o. into Pekarna"))

    await expect(page.get_by_text("Pekarna d.o.o. is part of this contact now")).to_be_visible()
    data = await sides.data(stays.id)
    assert (data["name"], data["phone"], data["notes"], data["tax_number"]) == ("Pekarna d.o.o.", "1", "Rings twice", TAX)
    assert (await sides.hub.records.get(sides.owner, goes.id)).merged_into == stays.id
    await page.goto(sides.office.console(f"/records/{goes.id}"))
    await expect(page.get_by_text("This contact is part of another one")).to_be_visible()
    await expect(page.get_by_role("link", name="Edit")).to_have_count(0)
    await sides.hub.edits.update(sides.owner, stays.id, version=2, changes={"notes": "Rings thrice"})
    await follow(page, page.get_by_role("button", name="Part them again"))

    await expect(page.get_by_text("They are two contacts again")).to_be_visible()
    await expect(page.get_by_text("What was changed since stays as it is now: notes.")).to_be_visible()
    assert [(await sides.data(id))["name"] for id in (stays.id, goes.id)] == ["Pekarna", "Pekarna d.o.o."]
    assert (await sides.data(stays.id))["notes"] == "Rings thrice"


@pytest.mark.requirement("MKC-54")
async def test_what_changed_while_two_were_compared_is_shown_before_they_are_merged(sides: TwoSides) -> None:
    create = sides.hub.edits.create
    stays, goes = [await create(sides.owner, "contact", {"name": name, "phone": name}) for name in ("Anton", "Berta")]
    page = await sides.office.staff(scripts=False)
    await page.goto(sides.office.console(f"/records/{stays.id}/merge?search=ber"))
    await follow(page, page.get_by_role("link", name="Compare with Berta"))
    await page.get_by_role("row", name=re.compile("^Phone ")).get_by_role("radio").nth(1).check()
    await sides.hub.edits.update(sides.owner, goes.id, version=1, changes={"website": "https://berta.test"})

    await follow(page, page.get_by_role("button", name="Merge Berta into Anton"))

    await expect(page.get_by_text("They were not merged")).to_be_visible()
    await expect(page.get_by_text("https://berta.test")).to_be_visible()
    await expect(page.get_by_role("row", name=re.compile("^Phone ")).get_by_role("radio").nth(1)).to_be_checked()
    assert (await sides.hub.records.get(sides.owner, goes.id)).merged_into is None


@pytest.mark.requirement("MKC-36", "MKC-17")
async def test_a_new_contact_is_made_and_brought_to_the_provider_at_once(
    sides: TwoSides, metakocka: MetakockaSandbox, worker: None
) -> None:
    two = await sides.metakocka(metakocka)
    page = await sides.office.staff()
    await page.goto(sides.office.console("/contacts"))

    await follow(page, page.get_by_role("link", name="New contact"))
    await page.get_by_label("Name").fill("Nova stranka")
    await page.get_by_label("Tax number").fill(TAX)
    await page.get_by_role("group", name="Address", exact=True).get_by_label("City").fill("Kranj")
    await page.get_by_role("group", name="Address", exact=True).get_by_label("Street").fill("Nova 1")
    await page.get_by_role("group", name="Address", exact=True).get_by_label("Country").fill("SI")
    await page.get_by_role("checkbox", name=two.connection.name).check()
    await follow(page, page.get_by_role("button", name="Create this contact"))

    await expect(page.get_by_text("The contact is here now.")).to_be_visible()
    await expect(page.locator(".steps .done", has_text="Confirmed by Metakocka")).to_be_visible()
    mapping = await two.mapped((await sides.record("Nova stranka")).id)
    assert mapping is not None
    partner = await metakocka.partner(mapping.external_id)
    (address,) = partner["partner_delivery_address_list"]
    assert (partner["customer"], address["city"]) == ("Nova stranka", "Kranj")
    row = page.get_by_role("row", name=re.compile("^Metakocka"))
    await expect(row).to_contain_text(mapping.external_id)
    await expect(row).to_contain_text("In step")


@pytest.mark.requirement("MKC-18")
async def test_a_second_contact_of_one_partner_is_refused_and_leads_to_merging_the_two(
    sides: TwoSides, metakocka: MetakockaSandbox, worker: None
) -> None:
    two = await sides.metakocka(metakocka)
    mk_id = await two.add("Pekarna", tax_id_number=TAX)
    await two.run()
    twin = await sides.hub.edits.create(sides.owner, "contact", {"name": "Pekarna Kranj", "tax_number": TAX})
    page = await sides.office.staff()
    await page.goto(sides.office.console(f"/records/{twin.id}"))

    await follow(page, page.get_by_role("button", name=f"Bring to {two.connection.name} now"))

    await expect(page.locator(".steps .wrong")).to_contain_text(f"{mk_id} belongs to another record of the hub; merge the two.")
    assert await two.mapped(twin.id) is None
    await follow(page, page.get_by_role("link", name="Compare with Pekarna"))
    await follow(page, page.get_by_role("link", name="The other way round"))
    await follow(page, page.get_by_role("button", name="Merge Pekarna Kranj into Pekarna"))
    mapping = await two.mapped((await sides.record("Pekarna")).id)
    assert mapping is not None
    assert mapping.external_id == mk_id
    assert await metakocka.effects(object="partner", effect="created") == []


async def test_what_a_merged_contact_is_at_a_provider_is_shown_on_the_one_that_stayed(sides: TwoSides, metakocka: MetakockaSandbox) -> None:
    two = await sides.metakocka(metakocka, "Pekarna")
    stays, goes = await sides.hub.edits.create(sides.owner, "contact", {"name": "Samo tu"}), await sides.record("Pekarna")
    await sides.hub.merges.merge(sides.owner, stays.id, goes.id, {})
    page = await sides.office.staff(scripts=False)

    await page.goto(sides.office.console(f"/records/{stays.id}"))

    row = page.get_by_role("row", name=re.compile(f"^{two.connection.name}"))
    await expect(row).to_have_count(1)
    await expect(row).to_contain_text("as Pekarna")
    await expect(page.get_by_role("button", name="Bring to")).to_have_count(0)
