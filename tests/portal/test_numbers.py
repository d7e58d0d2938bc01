"""Statistics, comparisons and schedules in the console, in a real browser."""

import re

import pytest
from playwright.async_api import Page, expect

from app.connectors.metakocka.sandbox.testing import RunningSandbox as MetakockaSandbox
from tests.portal.office import Office, follow
from tests.portal.past import give_past
from tests.two_way.office import Office as Metakocka

pytestmark = pytest.mark.browser

LAST_SUNDAY_OF_OCTOBER = "30 2 * 10 0L"
"""The hour that Europe's clocks repeat."""


@pytest.mark.requirement("ERP-72", "MKD-36")
async def test_a_connections_statistics_are_drawn_and_stand_in_a_table(office: Office) -> None:
    await office.with_quote()
    assert office.connection
    await give_past(office.hub, office.owner, office.connection.id, days=60)
    days = await office.hub.statistics.by_day(office.owner, office.connection.id, days=7)
    page = await office.staff()
    await page.goto(office.console(f"/connections/{office.connection.id}"))

    await follow(page, page.get_by_role("link", name="Statistics"))
    drawn = await page.locator("figure svg rect").count()
    await follow(page, page.get_by_role("link", name="7 days"))

    changed = sum(day.records.created + day.records.updated + day.records.deleted for day in days)
    failed = sum(day.records.failed for day in days)
    finding = f"{changed:,} records changed" + (f", {failed} failed" if failed else "")
    await expect(page.get_by_role("img", name=re.compile(finding))).to_be_visible()
    await expect(page.get_by_role("img", name=re.compile("A run took .* on average"))).to_be_visible()
    await expect(page.get_by_role("img", name=re.compile("of runs took everything over|went well"))).to_have_count(1)
    assert 0 < await page.locator("figure svg rect").count() < drawn
    await page.get_by_text("Day by day").click()
    rows = page.locator("tbody tr")
    await expect(rows).to_have_count(sum(bool(day.runs or day.provider_calls) for day in days))
    yesterday = days[-2]
    cells = await rows.nth(1).get_by_role("cell").all_inner_texts()
    assert cells[1:2] + cells[4:7] == [
        f"{count:,}" for count in (yesterday.runs, yesterday.records.read, yesterday.records.created, yesterday.records.updated)
    ]


async def test_a_connection_that_did_nothing_says_what_its_statistics_will_show(office: Office) -> None:
    connection = await office.connect()
    page = await office.staff(scripts=False)

    await page.goto(office.console(f"/connections/{connection.id}/statistics?days=7"))
    await expect(page.get_by_role("img", name=re.compile("1 request to ServiceM8"))).to_be_visible()  # its test

    await page.goto(office.console(f"/connections/{connection.id}/reconciliation"))
    await expect(page.get_by_text("Nobody has compared clients yet.")).to_be_visible()
    await expect(page.get_by_text("Nothing compares this connection by itself yet.")).to_be_visible()


@pytest.mark.requirement("SM8-47", "SM8-90")
async def test_an_operator_compares_now_and_sees_what_drifted(office: Office, metakocka: MetakockaSandbox, worker: None) -> None:
    there = await Metakocka.open(office.hub, office.owner, metakocka)
    partners = [await there.add(f"Partner {number}") for number in range(5)]
    await there.run()
    await there.policy(brake_share=0.0, brake_minimum=1)
    for gone in partners[:3]:
        await metakocka.delete_partner(gone)
    page = await office.staff()
    await page.goto(office.console(f"/connections/{there.connection.id}/reconciliation"))
    partners_panel = page.get_by_role("region", name="Partners")
    await expect(partners_panel.get_by_text("In step", exact=True)).to_be_visible()

    await follow(page, page.get_by_role("button", name="Compare now"))
    await expect(page.locator("#run-status")).to_contain_text("Completed")
    await follow(page, page.get_by_role("link", name="All streams"))

    await expect(partners_panel.get_by_text("3 out of step")).to_be_visible()
    await partners_panel.get_by_text("Some ids at Metakocka").click()
    await expect(partners_panel.get_by_text(partners[0])).to_be_visible()
    await follow(page, partners_panel.get_by_role("link", name="Earlier comparisons"))
    await expect(page.locator("tbody tr")).to_have_count(2)
    await page.goto(office.console("/"))
    await expect(page.get_by_text(f"Partners of {there.connection.name} are out of step. 3 missing there.")).to_be_visible()
    await follow(page, page.get_by_role("link", name="Look at the comparison"))
    await expect(partners_panel).to_be_visible()


async def _open_form(office: Office, page: Page) -> None:
    assert office.connection
    await page.goto(office.console(f"/connections/{office.connection.id}/syncs/new?compare=yes"))


@pytest.mark.requirement("ERP-38", "MKC-53")
async def test_a_schedule_is_chosen_while_its_next_times_are_shown(office: Office) -> None:
    connection = await office.connect()
    page = await office.staff()
    await _open_form(office, page)
    times = page.locator("#times")
    await expect(times).to_contain_text("Sunday")

    await page.get_by_role("radio", name="Every day at").check()
    await page.get_by_label("Time of the day").fill("02:30")
    await page.get_by_label("Time zone").fill("Europe/Ljubljana")
    await expect(times.get_by_text("02:30")).to_have_count(5)
    await page.get_by_role("radio", name="By cron").check()
    await page.get_by_label("Cron", exact=True).fill(LAST_SUNDAY_OF_OCTOBER)
    await expect(times).to_contain_text("02:30 comes twice on this day; the sync starts once, the first time.")
    await page.get_by_label("Cron", exact=True).fill("now and then")
    await expect(times).to_contain_text("write five cron fields, for example 0 2 * * *")
    await page.get_by_label("Cron", exact=True).fill("30 2 * * 1-5")
    await expect(times.get_by_text("Monday")).to_have_count(1)
    await page.get_by_label("How exactly").select_option("Up to 15 minutes later")
    await follow(page, page.get_by_role("button", name="Save"))

    (sync,) = await office.hub.schedules.syncs(office.owner, connection.id)
    assert (sync.schedule, sync.time_zone, sync.jitter_seconds, sync.mode) == ("30 2 * * 1-5", "Europe/Ljubljana", 900, "full")
    await follow(page, page.get_by_role("link", name="Compare everything"))
    await expect(page.get_by_label("Cron", exact=True)).to_have_value("30 2 * * 1-5")


async def test_a_schedule_is_chosen_and_previewed_without_scripts(office: Office) -> None:
    connection = await office.connect()
    page = await office.staff(scripts=False)
    await _open_form(office, page)

    await page.get_by_role("radio", name="Every day at").check()
    await page.get_by_label("Time of the day").fill("")
    await page.get_by_role("button", name="Save").click()
    await expect(page.get_by_role("alert")).to_contain_text("Write a time of day, such as 03:00.")
    await page.get_by_label("Time of the day").fill("04:15")
    await page.get_by_label("Time zone").fill("Mars")
    await page.get_by_role("button", name="Show the next times").click()
    await expect(page.locator("#times")).to_contain_text("'Mars' is not a time zone")
    await page.get_by_label("Time zone").fill("Australia/Perth")
    await page.get_by_role("button", name="Show the next times").click()
    await expect(page.locator("#times").get_by_text("04:15")).to_have_count(5)
    await page.get_by_role("button", name="Save").click()

    await expect(page.get_by_text("The sync is saved.")).to_be_visible()
    await expect(page.get_by_text("Every day at 04:15")).to_be_visible()
    (sync,) = await office.hub.schedules.syncs(office.owner, connection.id)
    assert (sync.schedule, sync.time_zone) == ("15 4 * * *", "Australia/Perth")
