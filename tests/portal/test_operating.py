"""An operator works in the console, with a real provider's sandbox behind it."""

import re

import pytest
from playwright.async_api import Page, expect

from app.paging import PageRequest
from tests.portal.office import Office

pytestmark = pytest.mark.browser


async def _add_connection(office: Office, page: Page) -> None:
    await page.goto(office.console("/connections/new"))
    await page.get_by_role("link", name="ServiceM8").click()
    await page.get_by_role("link", name="Try with a sandbox").click()
    await page.get_by_label("Address").fill(office.sandbox.url)
    await page.get_by_label("Delay").fill("0")


@pytest.mark.requirement("SM8-21")
@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without scripts"])
async def test_an_operator_tests_a_connection_before_saving_it_and_reads_what_is_wrong(office: Office, scripts: bool) -> None:
    page = await office.staff(scripts=scripts)
    await _add_connection(office, page)
    await page.get_by_label("API key").fill("smk-wrong-key")

    await page.get_by_role("button", name="Test the connection").click()

    await expect(page.get_by_role("alert")).to_contain_text("The test did not succeed")
    await expect(page.get_by_role("alert")).to_contain_text("You can fix this")
    await page.get_by_label("API key").fill(office.sandbox.api_key)
    await page.get_by_role("button", name="Test the connection").click()
    await expect(page.get_by_text("Connected to Sandbox Electrical")).to_be_visible()
    await expect(page.get_by_text(re.compile(r"ServiceM8 answered as Sandbox Electrical in \d+ ms"))).to_be_visible()
    await page.get_by_role("button", name="Save the connection").click()
    await expect(page.get_by_text("The connection is saved and tested")).to_be_visible()
    assert office.sandbox.api_key not in await page.content()


@pytest.mark.requirement("SM8-19", "SM8-20")
async def test_an_operator_imports_data_and_watches_the_run_finish(office: Office, worker: None) -> None:
    await office.add_quote()
    page = await office.staff()
    await _add_connection(office, page)
    await page.get_by_role("button", name="Save the connection").click()
    await office.sandbox.fault("slow", path="*/job.json", milliseconds=700, times=1)

    await page.get_by_role("link", name="Import data").click()
    await expect(page.get_by_role("checkbox", name="Clients")).to_be_checked()
    await page.get_by_role("button", name="Start the import").click()

    await expect(page.get_by_role("progressbar", name="Progress of the run")).to_be_visible()
    await expect(page.locator("#run-status")).to_contain_text("Completed")
    await expect(page.get_by_text("100 %").first).to_be_visible()
    row = page.get_by_role("row", name="Jobs")
    await expect(row.get_by_role("cell").nth(1)).to_have_text("1")
    await page.goto(office.console("/"))
    await expect(page.get_by_role("heading", name="Your connection is healthy.")).to_be_visible()
    await page.goto(office.console("/quotes"))
    await expect(page.get_by_role("link", name="Replace switchboard")).to_be_visible()


@pytest.mark.requirement("SM8-22")
async def test_a_full_sync_asks_first_and_then_compares_everything(office: Office, worker: None) -> None:
    await office.add_quote()
    connection = await office.connect()
    await office.sync()
    page = await office.staff()
    await page.goto(office.console(f"/connections/{connection.id}"))

    await page.get_by_role("link", name="Full sync").click()
    await expect(page.get_by_role("heading", name="Read everything from ServiceM8 again?")).to_be_visible()
    await page.get_by_role("button", name="Start the full sync").click()

    await expect(page.get_by_role("heading", name=re.compile("Full sync of"))).to_be_visible()
    await expect(page.locator("#run-status")).to_contain_text("Completed")
    (latest, *_) = (await office.hub.syncs.runs(office.owner, PageRequest(5), connection_id=connection.id)).items
    assert latest.mode == "full"
    assert latest.counts.unchanged >= 2


@pytest.mark.requirement("SM8-20")
async def test_the_overview_shows_live_what_runs_now(office: Office) -> None:
    connection = await office.connect()
    page = await office.staff()
    await expect(page.get_by_text("Nothing runs at the moment.")).to_be_visible()

    run = await office.hub.syncs.start(office.owner, connection.id)

    await expect(page.get_by_role("progressbar", name="Progress of ServiceM8 Perth")).to_be_visible()
    await office.hub.syncs.cancel(office.owner, run.id)
    await office.hub.syncs.advance(office.owner.organization_id, run.id)
    await expect(page.get_by_text("Nothing runs at the moment.")).to_be_visible()


@pytest.mark.requirement("SM8-20")
async def test_a_run_is_cancelled_from_its_page(office: Office, worker: None) -> None:
    await office.add_quote()
    connection = await office.connect()
    await office.sandbox.fault("slow", milliseconds=1500, times=3)
    page = await office.staff()
    await page.goto(office.console(f"/connections/{connection.id}/import"))
    await page.get_by_role("button", name="Start the import").click()

    await page.get_by_role("button", name="Cancel").click()

    await expect(page.locator("#run-status")).to_contain_text("Cancelled")


async def test_starting_a_sync_twice_leads_to_the_run_that_is_going_on(office: Office) -> None:
    connection = await office.connect()
    going_on = await office.hub.syncs.start(office.owner, connection.id)
    page = await office.staff(scripts=False)

    await page.goto(office.console(f"/connections/{connection.id}/import"))
    await page.get_by_role("button", name="Start the import").click()

    await expect(page).to_have_url(re.compile(str(going_on.id)))
    await office.hub.syncs.cancel(office.owner, going_on.id)


async def test_an_operator_invites_a_client_who_then_signs_in(office: Office) -> None:
    await office.add_quote()
    await office.connect()
    await office.sync()
    page = await office.staff()

    await page.goto(office.console("/contacts?search=Žagar"))
    await page.get_by_role("link", name="Invite").click()
    await page.get_by_label("Their name").fill("Maja Novak")
    await page.get_by_label("Their e-mail address").fill("maja@zagar.test")
    await page.get_by_role("button", name="Send the invitation").click()
    await expect(page.get_by_text("The invitation is on its way.")).to_be_visible()
    await page.get_by_role("button", name="Make a link").click()
    link = await page.locator("#link").inner_text()

    visitor = await office.page(width=390, height=844)
    await visitor.goto(office.local(link))
    await visitor.get_by_role("button", name="Continue as Maja Novak").click()
    await expect(visitor.get_by_role("link", name="Replace switchboard")).to_be_visible()
    await page.goto(office.console("/mail"))
    await expect(page.get_by_text("maja@zagar.test")).to_be_visible()


async def test_a_connection_is_removed_only_after_asking(office: Office) -> None:
    connection = await office.connect()
    page = await office.staff()
    await page.goto(office.console(f"/connections/{connection.id}"))

    await page.get_by_role("link", name="Remove").click()
    await expect(page.get_by_text("Nothing is deleted at ServiceM8.")).to_be_visible()
    await page.get_by_role("button", name="Remove the connection").click()

    await expect(page.get_by_text("The connection is removed.")).to_be_visible()
    await expect(page.get_by_text("No connections yet")).to_be_visible()
    await page.get_by_role("button", name="Bring back ServiceM8 Perth").click()
    await expect(page.get_by_text("The connection is back. Enter its credentials again, then test it.")).to_be_visible()


async def test_a_token_is_shown_once_and_revoked(office: Office) -> None:
    page = await office.staff()
    await page.goto(office.console("/settings"))

    await page.get_by_label("Name").fill("Website")
    await page.get_by_role("button", name="Make the token").click()
    secret = await page.locator("#secret").inner_text()
    assert (await office.hub.organizations.actor_for_token(secret)).name == "Website"
    await page.get_by_role("link", name="Revoke Website").click()
    await page.get_by_role("button", name="Revoke the token").click()

    await expect(page.get_by_text("The token is revoked.")).to_be_visible()
    assert secret not in await page.content()


async def test_keys_move_through_lists_and_find_the_search(office: Office) -> None:
    await office.add_quote()
    await office.sandbox.create("company", name="Zupan Ltd")
    await office.connect()
    await office.sync()
    page = await office.staff()
    await page.goto(office.console("/contacts"))

    await page.keyboard.press("j")
    await page.keyboard.press("j")
    await expect(page.locator(".list tbody tr").nth(1).locator("a").first).to_be_focused()
    await page.keyboard.press("/")
    await expect(page.get_by_label("Name starts with")).to_be_focused()
    await page.keyboard.press("Escape")
    await page.locator("body").click(position={"x": 5, "y": 5})
    await page.keyboard.press("?")
    await expect(page.get_by_role("dialog", name="Keys")).to_be_visible()


async def test_a_sync_is_put_on_a_schedule(office: Office) -> None:
    connection = await office.connect()
    page = await office.staff(scripts=False)
    await page.goto(office.console(f"/connections/{connection.id}/syncs/new"))

    await page.get_by_role("radio", name="Every day at").check()
    await page.get_by_label("Name").fill("Every night")
    await page.get_by_role("button", name="Save").click()

    await expect(page.get_by_text("The sync is saved.")).to_be_visible()
    (sync,) = await office.hub.schedules.syncs(office.owner, connection.id)
    assert (sync.name, sync.schedule) == ("Every night", "0 3 * * *")
