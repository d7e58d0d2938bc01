"""An operator looks at what one side does not have, brings it there or takes it over; and cleans up what lost its other side."""

import re

import pytest
from playwright.async_api import expect

from app.connectors.metakocka.sandbox.testing import RunningSandbox as MetakockaSandbox
from tests.portal.office import Office, follow
from tests.portal.two_sides import ALL, TwoSides

pytestmark = pytest.mark.browser
KRANJ = {"street": "Nova 1", "city": "Kranj", "country": "SI"}


@pytest.fixture
def sides(office: Office) -> TwoSides:
    return TwoSides(office)


@pytest.mark.requirement("MKC-37")
async def test_records_that_a_provider_does_not_have_are_brought_there_one_by_one_selected_and_all(
    sides: TwoSides, metakocka: MetakockaSandbox, worker: None
) -> None:
    two = await sides.metakocka(metakocka, "Pekarna")
    for name in ("Anton", "Berta", "Cene", "Drago"):
        await sides.hub.edits.create(sides.owner, "contact", {"name": name, "address": KRANJ})
    page = await sides.office.staff()
    await page.goto(sides.office.console(f"/connections/{two.connection.id}"))
    await follow(page, page.get_by_role("link", name="What one side does not have"))
    only_here = page.get_by_role("region", name="Only here")

    await page.get_by_role("checkbox", name="Select Cene").check()
    await follow(page, only_here.get_by_role("button", name="Bring there Anton"))
    await expect(page.get_by_text("1 record is on the way to Metakocka")).to_be_visible()
    await page.get_by_role("checkbox", name="Select Berta").check()
    await follow(page, only_here.get_by_role("button", name="Bring them to Metakocka"))
    await expect(page.get_by_text("1 record is on the way to Metakocka")).to_be_visible()
    await follow(page, only_here.get_by_role("link", name="Bring all there"))
    await follow(page, page.get_by_role("button", name=re.compile("Bring .* there")))

    await expect(page.locator("#run-status")).to_contain_text("Completed")
    await page.goto(sides.office.console(f"/connections/{two.connection.id}/missing"))
    await expect(page.get_by_text("Metakocka has every record of this kind that the hub has.")).to_be_visible()
    assert len(await metakocka.effects(object="partner", effect="created")) == 4
    policy = await sides.hub.conflicts.policy(sides.owner, two.connection.id, "partners")
    assert policy.creates_missing is False


@pytest.mark.requirement("MKC-40")
async def test_objects_that_the_hub_does_not_have_say_why_and_are_taken_over(sides: TwoSides) -> None:
    (uuid,) = await sides.companies("")
    assert sides.office.connection is not None
    page = await sides.office.staff(scripts=False)
    await page.goto(sides.office.console(f"/connections/{sides.office.connection.id}/missing?stream=companies"))
    only_there = page.get_by_role("region", name="Only at ServiceM8")
    await expect(only_there.get_by_role("row", name=uuid)).to_contain_text("name")

    await follow(page, only_there.get_by_role("button", name=f"Take over {uuid}"))
    await expect(page.get_by_text("Not everything could be done")).to_be_visible()
    await sides.office.sandbox.edit("company", uuid, name="Čebelar")
    await page.get_by_role("checkbox", name=f"Select {uuid}").check()
    await follow(page, only_there.get_by_role("button", name="Take them over"))

    await expect(page.get_by_text("1 object was taken over")).to_be_visible()
    await expect(page.get_by_role("checkbox", name=f"Select {uuid}")).to_have_count(0)
    assert (await sides.record("Čebelar")).external_id == uuid


@pytest.mark.requirement("MKC-19")
@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without scripts"])
async def test_orphans_are_counted_looked_at_put_away_and_brought_back(sides: TwoSides, scripts: bool) -> None:
    await sides.companies("Anton", "Berta", "Cene")
    for name in ("Anton", "Berta"):
        record = await sides.record(name)
        await sides.hub.edits.delete(sides.owner, record.id, version=record.version)
    page = await sides.office.staff(scripts=scripts)
    assert sides.office.connection is not None
    await page.goto(sides.office.console(f"/connections/{sides.office.connection.id}"))

    await follow(page, page.get_by_role("link", name="Orphaned mappings"))
    await page.get_by_role("checkbox", name="Select Berta").check()
    await follow(page, page.get_by_role("button", name="Put them away"))
    await expect(page.get_by_text("1 mapping was put away")).to_be_visible()
    await follow(page, page.get_by_role("link", name="Clean up 1 (Deleted here)"))
    await expect(page.get_by_role("row", name=re.compile("^ServiceM8 Perth Clients .*Deleted here"))).to_be_visible()
    await follow(page, page.get_by_role("button", name="Put 1 mapping away"))

    await expect(page.get_by_role("heading", name="Orphaned mappings")).to_be_visible()
    assert (await sides.hub.orphans.orphans(sides.owner, ALL)).items == []
    await follow(page, page.get_by_role("link", name="kept here"))
    await follow(page, page.get_by_role("button", name="Bring all 2 back (Deleted here)"))
    await expect(page.get_by_text("2 mappings are back")).to_be_visible()
    assert {one.name for one in (await sides.hub.orphans.orphans(sides.owner, ALL)).items} == {"Anton", "Berta"}
