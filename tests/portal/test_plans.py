"""An operator plans a sync first, applies what was chosen and nothing else, and takes a run back."""

import re

import pytest
from playwright.async_api import Page, expect

from app.connectors.metakocka.sandbox.testing import RunningSandbox as MetakockaSandbox
from tests import factories
from tests.portal.office import Office, follow
from tests.portal.two_sides import TwoSides
from tests.two_way.office import ALL
from tests.two_way.office import Office as TwoWayOffice

pytestmark = pytest.mark.browser

BOTH = pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without scripts"])


@pytest.fixture
def sides(office: Office) -> TwoSides:
    return TwoSides(office)


async def _stands(page: Page, words: str, *, scripts: bool) -> None:
    """Wait until the plan says so: by itself, or looked at again."""
    status = page.locator("#plan-status")
    for _ in range(0 if scripts else 60):
        if await status.get_by_text(words, exact=True).count():
            break
        await page.wait_for_timeout(300)
        await page.reload()
    await expect(status.get_by_text(words, exact=True)).to_be_visible()


async def _changed(two: TwoWayOffice, sides: TwoSides) -> dict[str, str]:
    """At Metakocka one partner was renamed, one deleted, two are new. The ids there, by name."""
    ids = {name: await _external_id(two, sides, name) for name in ("Renamed", "Gone")}
    await two.sandbox.edit_partner(ids["Renamed"], customer="Renamed there")
    await two.sandbox.delete_partner(ids["Gone"])
    ids |= {name: await two.add(name) for name in ("First new", "Second new")}
    return ids


async def _living(sides: TwoSides) -> set[str]:
    return {record.data["name"] for record in (await sides.hub.records.contacts(sides.owner, ALL)).items}


@BOTH
async def test_a_plan_is_approved_with_some_items_unchecked_and_exactly_the_others_are_applied(
    sides: TwoSides, metakocka: MetakockaSandbox, worker: None, scripts: bool
) -> None:
    two = await sides.metakocka(metakocka, "Kept", "Renamed", "Gone")
    await _changed(two, sides)
    page = await sides.office.staff(scripts=scripts)
    await page.goto(sides.office.console(f"/connections/{two.connection.id}"))
    await follow(page, page.get_by_role("link", name="Plan first"))
    for box in await page.locator("input[name=stream]:not([value=partners])").all():
        await box.uncheck()
    await page.get_by_role("radio", name="Everything Compares").check()

    await follow(page, page.get_by_role("button", name="Plan first"))
    await _stands(page, "Waits for a decision", scripts=scripts)
    assert await _living(sides) == {"Kept", "Renamed", "Gone"}
    await expect(page.get_by_text("4 of 4 changes selected")).to_be_visible()
    item = page.get_by_role("listitem").filter(has=page.get_by_role("checkbox", name="Apply: changed, Renamed"))
    await expect(item.locator("ins")).to_have_text("Renamed there")
    await page.get_by_role("checkbox", name="Apply: new, First new").uncheck()
    if scripts:
        await expect(page.get_by_text("3 of 4 changes selected")).to_be_visible()
    await page.get_by_role("checkbox", name=re.compile("^Deleted:")).uncheck()
    if scripts:
        await expect(page.get_by_text("2 of 4 changes selected")).to_be_visible()
    await follow(page, page.get_by_role("button", name=re.compile("^Apply")))

    await _stands(page, "Applied in part", scripts=scripts)
    assert await _living(sides) == {"Kept", "Renamed there", "Gone", "Second new"}
    await expect(page.get_by_text("0 of 2 changes selected")).to_be_visible()
    await follow(page, page.get_by_role("button", name="Select everything"))
    await follow(page, page.get_by_role("button", name="Apply all of it"))
    await _stands(page, "Applied", scripts=scripts)
    assert await _living(sides) == {"Kept", "Renamed there", "First new", "Second new"}


@BOTH
async def test_a_run_is_taken_back_but_for_what_was_changed_since(
    sides: TwoSides, metakocka: MetakockaSandbox, worker: None, scripts: bool
) -> None:
    two = await sides.metakocka(metakocka, "Kept", "Renamed", "Gone")
    ids = await _changed(two, sides)
    await two.sandbox.edit_partner(await _external_id(two, sides, "Kept"), customer="Kept there")
    run = await sides.hub.syncs.start(sides.owner, two.connection.id, streams=["partners"], mode="full")
    await factories.ended(sides.hub, sides.owner, run)
    edited = await two.edit(await two.record(ids["Renamed"]), name="Corrected here")
    page = await sides.office.staff(scripts=scripts)
    await page.goto(sides.office.console(f"/runs/{run.id}"))

    await follow(page, page.get_by_role("button", name="Undo this run"))
    await _stands(page, "Waits for a decision", scripts=scripts)
    left = page.get_by_role("listitem").filter(has=page.get_by_role("checkbox", name="Apply: conflicts, Corrected here"))
    for value in ("Renamed", "Renamed there", "Corrected here"):
        await expect(left.locator(".value").get_by_text(value, exact=True)).to_be_visible()
    await expect(left.get_by_role("checkbox")).not_to_be_checked()
    await expect(page.get_by_text("4 of 5 changes selected")).to_be_visible()
    await follow(page, page.get_by_role("button", name="Take back what is selected"))

    await _stands(page, "Applied in part", scripts=scripts)
    assert await _living(sides) == {"Kept", "Gone", "Corrected here"}
    assert (await sides.hub.records.get(sides.owner, edited.id)).version == edited.version
    await page.goto(sides.office.console(f"/runs/{run.id}"))
    await expect(page.get_by_text("This run was taken back")).to_be_visible()
    await expect(page.get_by_role("button", name="Undo this run")).to_have_count(0)


async def test_an_outdated_plan_says_what_has_moved_and_a_new_one_is_made(
    sides: TwoSides, metakocka: MetakockaSandbox, worker: None
) -> None:
    two = await sides.metakocka(metakocka, "Kept", "Renamed", "Gone")
    ids = await _changed(two, sides)
    plan = await sides.hub.plans.plan(sides.owner, two.connection.id, streams=["partners"], mode="full")
    page = await sides.office.staff()
    await page.goto(sides.office.console(f"/plans/{plan.id}"))
    await _stands(page, "Waits for a decision", scripts=True)
    await two.edit(await two.record(ids["Renamed"]), email="later@acme.test")

    await follow(page, page.get_by_role("button", name="Apply all of it"))

    await expect(page.get_by_text("The world has moved since this plan was made, so it is not applied")).to_be_visible()
    await expect(page.get_by_role("listitem").filter(has_text="Renamed: the record was changed here")).to_be_visible()
    assert await _living(sides) == {"Kept", "Renamed", "Gone"}
    await follow(page, page.get_by_role("button", name="Make a new plan"))
    await _stands(page, "Waits for a decision", scripts=True)
    await follow(page, page.get_by_role("button", name="Apply all of it"))
    await _stands(page, "Applied", scripts=True)
    assert await _living(sides) == {"Kept", "Renamed there", "First new", "Second new"}


async def test_a_plan_of_many_records_is_looked_at_page_by_page_and_keeps_what_was_left_out(
    sides: TwoSides, metakocka: MetakockaSandbox, worker: None
) -> None:
    two = await sides.metakocka(metakocka)
    for number in range(60):
        await two.add(f"Partner {number:02}")
    plan = await sides.hub.plans.plan(sides.owner, two.connection.id, streams=["partners"], mode="full")
    await factories.ended(sides.hub, sides.owner, await sides.hub.syncs.run(sides.owner, plan.run_id))
    page = await sides.office.staff(scripts=False)
    await page.goto(sides.office.console(f"/plans/{plan.id}"))
    await expect(page.locator("input[name=item]")).to_have_count(50)

    await page.locator("input[name=item]").first.uncheck()
    await follow(page, page.get_by_role("button", name="Show more"))
    await expect(page.locator("input[name=item]")).to_have_count(10)
    await page.locator("input[name=item]").last.uncheck()
    await follow(page, page.get_by_role("button", name=re.compile("^Apply")))

    await _stands(page, "Applied in part", scripts=False)
    assert len(await _living(sides)) == 58


async def _external_id(two: TwoWayOffice, sides: TwoSides, name: str) -> str:
    mapping = await two.mapped((await sides.record(name)).id)
    assert mapping is not None
    return mapping.external_id
