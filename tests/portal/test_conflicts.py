"""An operator decides conflicts: one, many, and by a rule; what was decided can be taken back."""

import re

import pytest
from playwright.async_api import expect

from app.conflicts.rules import Rule
from tests.portal.office import Office, follow
from tests.portal.two_sides import TwoSides

pytestmark = pytest.mark.browser


@pytest.fixture
def sides(office: Office) -> TwoSides:
    return TwoSides(office)


@pytest.mark.requirement("MKC-05", "MKC-45")
@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without scripts"])
async def test_a_conflict_is_shown_with_its_three_values_decided_and_taken_back(sides: TwoSides, scripts: bool) -> None:
    conflict = await sides.conflict()
    page = await sides.office.staff(scripts=scripts)
    await expect(page.get_by_role("heading", name="1 conflict waits for you.")).to_be_visible()

    await follow(page, page.get_by_role("link", name="Conflicts 1 open"))
    card = page.get_by_role("article", name="Čebelar · Website")
    for value in ("https://both.test", "https://ours.test", "https://theirs.test"):
        await expect(card.get_by_text(value)).to_be_visible()
    await card.get_by_role("button", name="Take ServiceM8’s").click()

    await expect(page.get_by_text("ServiceM8’s value was taken: “https://theirs.test”.").first).to_be_visible()
    await expect(page.get_by_role("link", name="Conflicts", exact=True)).to_be_visible()
    assert (await sides.data(conflict.record_id))["website"] == "https://theirs.test"
    await follow(page, page.get_by_role("button", name="Undo"))
    await expect(page.get_by_text("1 decision is taken back")).to_be_visible()
    assert (await sides.data(conflict.record_id))["website"] == "https://ours.test"
    (waiting,) = await sides.conflicts()
    assert (waiting.id, waiting.ours, waiting.theirs) == (conflict.id, "https://ours.test", "https://theirs.test")
    await expect(page.get_by_role("button", name="Take ServiceM8’s")).to_be_visible()


@pytest.mark.requirement("MKC-45")
async def test_another_value_is_written_over_both(sides: TwoSides) -> None:
    conflict = await sides.conflict()
    page = await sides.office.staff()
    await page.goto(sides.office.console("/conflicts"))

    await page.get_by_text("Write another value").click()
    await page.get_by_role("textbox", name="Website").fill("https://third.test")
    await page.get_by_role("button", name="Use this").click()

    await expect(page.get_by_text("Another value was written: “https://third.test”.")).to_be_visible()
    assert (await sides.data(conflict.record_id))["website"] == "https://third.test"


async def test_a_conflict_that_somebody_else_decided_meanwhile_says_so_and_stays_decided(sides: TwoSides) -> None:
    conflict = await sides.conflict()
    page = await sides.office.staff()
    await page.goto(sides.office.console("/conflicts"))
    await sides.hub.conflicts.resolve(sides.owner, conflict.id, resolution="ours")

    await page.get_by_role("button", name="Take ServiceM8’s").click()

    await expect(page.get_by_role("alert")).to_contain_text("This conflict is resolved already.")
    await expect(page.get_by_text("The hub’s value was kept.")).to_be_visible()
    assert (await sides.data(conflict.record_id))["website"] == "https://ours.test"


@pytest.mark.requirement("MKC-45")
@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without scripts"])
async def test_many_are_selected_decided_alike_and_taken_back_together(sides: TwoSides, scripts: bool) -> None:
    names = ("Anton", "Berta", "Cene")
    uuids = await sides.companies(*names, website="https://both.test")
    for name, uuid in zip(names, uuids, strict=True):
        await sides.clash(name, uuid, f"https://ours-{name}.test", f"https://theirs-{name}.test")
    await sides.office.sync()
    page = await sides.office.staff(scripts=scripts)
    await page.goto(sides.office.console("/conflicts?field=website"))

    for name in ("Anton", "Cene"):
        await page.get_by_role("checkbox", name=f"Select {name}, Website").check()
    if scripts:
        await expect(page.get_by_text("With the 2 selected:")).to_be_visible()
    await follow(page, page.get_by_role("button", name="Take the providers’ values"))

    await expect(page.get_by_text("2 conflicts decided")).to_be_visible()
    await expect(page.get_by_role("article")).to_have_count(1)
    websites = {name: (await sides.record(name)).data["website"] for name in names}
    assert websites == {"Anton": "https://theirs-Anton.test", "Berta": "https://ours-Berta.test", "Cene": "https://theirs-Cene.test"}
    await follow(page, page.get_by_role("button", name="Undo"))
    await expect(page.get_by_text("2 decisions are taken back")).to_be_visible()
    assert (await sides.record("Anton")).data["website"] == "https://ours-Anton.test"


@pytest.mark.requirement("MKC-45")
async def test_what_has_changed_since_a_decision_is_not_undone(sides: TwoSides) -> None:
    await sides.conflict()
    page = await sides.office.staff(scripts=False)
    await page.goto(sides.office.console("/conflicts"))
    await follow(page, page.get_by_role("button", name="Take ServiceM8’s"))
    await sides.edit("Čebelar", website="https://later.test")

    await follow(page, page.get_by_role("button", name="Undo"))

    await expect(page.get_by_text("1 of them was left as it is")).to_be_visible()
    assert (await sides.record("Čebelar")).data["website"] == "https://later.test"


@pytest.mark.requirement("MKC-45", "MKC-52")
async def test_a_rule_for_a_field_says_what_it_decides_decides_it_and_counts_from_then_on(sides: TwoSides) -> None:
    names = ("Anton", "Berta")
    uuids = await sides.companies(*names, website="https://both.test")
    for name, uuid in zip(names, uuids, strict=True):
        await sides.clash(name, uuid, f"https://ours-{name}.test", f"https://theirs-{name}.test")
    await sides.office.sync()
    page = await sides.office.staff(scripts=False)
    await page.goto(sides.office.console("/conflicts"))

    await follow(page, page.get_by_role("link", name="Always decide this field").first)
    await page.get_by_role("radio", name="ServiceM8’s value counts").check()
    await follow(page, page.get_by_role("button", name="Show what it decides now"))
    await expect(page.get_by_role("heading", name="It decides 2 open conflicts now")).to_be_visible()
    await expect(page.get_by_text("https://ours-Berta.test")).to_be_visible()
    assert len(await sides.conflicts()) == 2
    await follow(page, page.get_by_role("button", name="Make this rule and decide 2 conflicts"))

    await expect(page.get_by_text("2 conflicts decided")).to_be_visible()
    assert (await sides.record("Berta")).data["website"] == "https://theirs-Berta.test"
    await sides.clash("Anton", uuids[0], "https://again.test", "https://there-again.test")
    await sides.office.sync()
    assert (await sides.record("Anton")).data["website"] == "https://there-again.test"
    assert await sides.conflicts() == []


@pytest.mark.requirement("MKC-52")
async def test_the_rules_of_a_stream_are_set_and_a_stale_form_overwrites_nobodys(sides: TwoSides) -> None:
    connection = await sides.office.connect()
    page, other = await sides.office.staff(scripts=False), await sides.office.staff(scripts=False)
    path = sides.office.console(f"/connections/{connection.id}/streams/companies/rules")
    await page.goto(path)
    await other.goto(path)

    await page.get_by_role("radio", name="The hub’s value counts").check()
    await page.get_by_text("Some fields otherwise").click()
    await page.get_by_label("E-mail").select_option("newest")
    await page.get_by_role("radio", name="Keep it here").check()
    await page.get_by_label("And more than this many").fill("25")
    await follow(page, page.get_by_role("button", name="Save the rules"))
    await other.get_by_role("radio", name="ServiceM8’s value counts").check()
    await follow(other, other.get_by_role("button", name="Save the rules"))

    await expect(page.get_by_text("The rules are saved.")).to_be_visible()
    await expect(page.get_by_role("row", name=re.compile("Clients.*The hub’s value counts.*1 field otherwise"))).to_be_visible()
    await expect(other.get_by_role("alert")).to_contain_text("Somebody else has changed these rules meanwhile")
    policy = await sides.hub.conflicts.policy(sides.owner, connection.id, "companies")
    assert (policy.conflicts, dict(policy.field_conflicts)) == (Rule.HUB_WINS, {"email": Rule.NEWEST})
    assert (policy.provider_deletions, policy.brake_minimum, policy.brake_share) == ("ignore", 25, 0.05)


async def test_a_limit_that_is_no_number_is_said_at_its_field(sides: TwoSides) -> None:
    connection = await sides.office.connect()
    page = await sides.office.staff(scripts=False)
    await page.goto(sides.office.console(f"/connections/{connection.id}/streams/companies/rules"))

    await page.get_by_label("More than this share").fill("500")
    await page.locator("main form").evaluate("form => form.noValidate = true")
    await follow(page, page.get_by_role("button", name="Save the rules"))

    await expect(page.get_by_role("link", name="Write a number from 0 to 100.")).to_be_visible()
    assert (await sides.hub.conflicts.policy(sides.owner, connection.id, "companies")).version == 0


async def test_an_empty_inbox_says_what_would_come_here(sides: TwoSides) -> None:
    page = await sides.office.staff()

    await page.goto(sides.office.console("/conflicts"))

    await expect(page.get_by_text("No conflict waits for you")).to_be_visible()
    await expect(page.get_by_text("nobody’s value is overwritten")).to_be_visible()
