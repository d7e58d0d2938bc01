"""A client decides quotes in the portal, with a real provider's sandbox behind it."""

import asyncio
from uuid import UUID

import pytest
from playwright.async_api import expect

from app.database import execute, transaction
from tests.portal.office import Office

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without scripts"])
async def test_a_client_approves_a_part_of_a_quote_and_sees_it_confirmed(office: Office, worker: None, scripts: bool) -> None:
    job = await office.with_quote()
    page = await office.client(scripts=scripts, width=390, height=844)

    await page.get_by_role("link", name="Replace switchboard").click()
    await page.get_by_role("checkbox", name="Paint repair").uncheck()
    if not scripts:
        await page.get_by_role("button", name="Update the sum").click()
    await expect(page.locator("#sum")).to_contain_text("2 of 3 lines chosen")
    await expect(page.locator("#sum")).to_contain_text("A$1,064.80")
    await page.get_by_role("button", name="Review and approve").click()
    await expect(page.get_by_role("heading", name="You leave out 1 line")).to_be_visible()
    await page.get_by_role("checkbox").check()
    await page.get_by_label("Your name").fill("Maja Novak")
    await page.get_by_role("button", name="Approve 2 lines for A$1,064.80").click()

    await expect(page.get_by_role("heading", name="You approved a part of this quote")).to_be_visible()
    if scripts:
        await expect(page.locator(".steps .done", has_text="Confirmed by ServiceM8")).to_be_visible()
    else:
        await page.get_by_role("link", name="Look again").click()
        async with asyncio.timeout(60):
            while not await page.locator(".steps .done", has_text="Confirmed by ServiceM8").count():
                await asyncio.sleep(0.25)
                await page.reload()
    materials = await office.sandbox.records("jobmaterial", job_uuid=job)
    assert {line["name"] for line in materials if int(line["active"])} == {"Replace main switchboard", "Labour, two electricians"}
    assert (await office.sandbox.record("job", job))["status"] == "Work Order"


async def test_a_client_declines_a_quote_with_a_reason(office: Office, worker: None) -> None:
    job = await office.with_quote()
    page = await office.client(width=390, height=844)
    await page.get_by_role("link", name="Replace switchboard").click()
    await page.get_by_role("link", name="Decline this quote").click()

    await page.get_by_role("button", name="Decline this quote").click()
    await expect(page.get_by_role("alert")).to_be_focused()
    await page.get_by_text("Too expensive").click()
    await page.get_by_label("In your own words").fill("We asked for three breakers only.")
    await page.get_by_role("button", name="Decline this quote").click()

    await expect(page.get_by_role("heading", name="You declined this quote")).to_be_visible()
    await expect(page.locator(".steps .done", has_text="Confirmed by ServiceM8")).to_be_visible()
    decision = (await office.quote(job)).decision
    assert decision is not None
    assert decision.reason == "Too expensive: We asked for three breakers only."
    assert (await office.sandbox.record("job", job))["status"] == "Unsuccessful"


async def test_a_decision_is_not_applied_when_the_quote_changed_at_the_provider_and_the_quote_opens_again(
    office: Office, worker: None
) -> None:
    job = await office.with_quote()
    page = await office.client(width=390, height=844)
    await page.get_by_role("link", name="Replace switchboard").click()
    await page.get_by_role("button", name="Review and approve").click()
    await office.sandbox.add_line(job, name="New fuse box", quantity="1", price="90.00")

    await page.get_by_role("checkbox").check()
    await page.get_by_label("Your name").fill("Maja Novak")
    await page.get_by_role("button", name="Approve 3 lines").click()

    await expect(page.get_by_text("Your decision has no effect any more.")).to_be_visible()
    await expect(page.locator("#quote-status")).to_have_text("Waiting for you")
    await expect(page.get_by_text("Your decision is recorded. Thank you.")).to_have_count(0)
    await page.get_by_role("link", name="See what changed and decide again").click()
    await expect(page.get_by_role("cell", name="New fuse box")).to_be_visible()
    await expect(page.get_by_text("Waiting for you")).to_be_visible()
    await expect(page.get_by_role("link", name="Decide again")).to_be_visible()
    assert (await office.sandbox.record("job", job))["status"] == "Quote"


async def test_a_quote_that_changed_before_the_signature_asks_again_and_keeps_the_choices(office: Office) -> None:
    job = await office.with_quote()
    page = await office.client()
    await page.get_by_role("link", name="Replace switchboard").click()
    await page.get_by_role("checkbox", name="Paint repair").uncheck()
    await page.get_by_role("button", name="Review and approve").click()
    await office.sandbox.add_line(job, name="New fuse box", quantity="1", price="90.00")
    await office.sync()

    await page.get_by_role("checkbox").check()
    await page.get_by_label("Your name").fill("Maja Novak")
    await page.get_by_role("button", name="Approve 2 lines").click()

    await expect(page.get_by_role("status")).to_contain_text("The quote changed while you were looking at it")
    await expect(page.get_by_role("cell", name="New fuse box")).to_be_visible()
    await expect(page.get_by_role("heading", name="You leave out 2 lines")).to_be_visible()
    await expect(page.get_by_label("Your name")).to_have_value("Maja Novak")
    assert (await office.quote(job)).decision is None


async def test_pressing_approve_twice_decides_once(office: Office) -> None:
    job = await office.with_quote()
    page = await office.client()
    await page.get_by_role("link", name="Replace switchboard").click()
    await page.get_by_role("button", name="Review and approve").click()
    await page.get_by_role("checkbox").check()
    await page.get_by_label("Your name").fill("Maja Novak")
    await page.get_by_role("button", name="Approve 3 lines").click()
    await expect(page.get_by_role("heading", name="You approved this quote")).to_be_visible()
    first = (await office.quote(job)).decision

    await page.go_back()
    await page.get_by_role("button", name="Approve 3 lines").click()

    await expect(page.get_by_role("heading", name="You approved this quote")).to_be_visible()
    again = (await office.quote(job)).decision
    assert first is not None
    assert again is not None
    assert again.id == first.id


async def test_a_signature_that_is_missing_is_asked_for_in_words_and_nothing_is_lost(office: Office) -> None:
    await office.with_quote()
    page = await office.client(scripts=False)
    await page.get_by_role("link", name="Replace switchboard").click()
    await page.get_by_role("checkbox", name="Paint repair").uncheck()
    await page.get_by_role("button", name="Review and approve").click()
    await page.get_by_role("checkbox").check()
    await page.get_by_label("Your name").fill(" ")
    await page.get_by_label("A note").fill("Please call before you come.")

    await page.get_by_role("button", name="Approve 2 lines").click()

    await expect(page.get_by_role("alert")).to_contain_text("name")
    await expect(page.get_by_label("A note")).to_have_value("Please call before you come.")
    await expect(page.get_by_role("button", name="Approve 2 lines")).to_be_visible()


@pytest.mark.requirement("SM8-24", "SM8-25")
async def test_the_portal_keeps_working_while_the_provider_is_down_and_says_so_in_plain_words(office: Office, worker: None) -> None:
    job = await office.with_quote()
    await office.sandbox.fault("503", times=50)
    page = await office.client(width=390, height=844)

    await page.get_by_role("link", name="Replace switchboard").click()
    await page.get_by_role("button", name="Review and approve").click()
    await page.get_by_role("checkbox").check()
    await page.get_by_label("Your name").fill("Maja Novak")
    await page.get_by_role("button", name="Approve 3 lines").click()

    await expect(page.get_by_role("heading", name="You approved this quote")).to_be_visible()
    await expect(page.get_by_text("ServiceM8 did not answer. Your decision is safe and will be sent again.")).to_be_visible()
    await office.sandbox.clear_faults()
    delivery = (await office.quote(job)).delivery
    assert delivery is not None
    await office.hub.deliveries.retry(office.owner, delivery.id)
    await expect(page.locator(".steps .done", has_text="Confirmed by ServiceM8")).to_be_visible()


@pytest.mark.requirement("SM8-25")
async def _put_off(office: Office, quote_id: UUID) -> None:
    """Once its first attempt has failed, the quote's delivery is not tried again by itself for an hour."""
    scope, put_off = office.owner.scope, 0
    sql = """
        UPDATE delivery SET next_attempt_at = now() + interval '1 hour'
        WHERE organization_id = $1 AND quote_id = $2 AND status = 'queued' AND error_code IS NOT NULL
        """
    async with asyncio.timeout(30):
        while not put_off:
            await asyncio.sleep(0.05)
            async with transaction(scope):
                put_off = await execute(scope, sql, scope.organization_id, quote_id)


async def test_an_operator_sees_why_a_decision_waits_and_sends_it_now(office: Office, worker: None) -> None:
    job = await office.with_quote()
    await office.sandbox.fault("503", times=50)
    quote = await office.quote(job)
    contact = await office.contact()
    await office.hub.quotes.approve(
        contact, quote.id, version=1, lines=None, signature_name="Maja Novak", accept_terms=True, idempotency_key="once"
    )
    await _put_off(office, quote.id)
    page = await office.staff()

    await page.goto(office.console(f"/quotes/{quote.id}"))
    await expect(page.get_by_text("Time fixes this: it is tried again by itself.")).to_be_visible()
    await office.sandbox.clear_faults()
    await page.get_by_role("button", name="Send it now").click()

    await expect(page.locator(".steps .done", has_text="Confirmed by ServiceM8")).to_be_visible()


async def test_what_a_provider_calls_things_is_text_and_never_markup(office: Office) -> None:
    hostile = "<img src=x onerror=alert(1)> \"' {{7*7}} ‮"
    office.company = (await office.sandbox.create("company", name=hostile[:90]))["uuid"]
    job = await office.with_quote(job_description=hostile, lines=[(hostile, "1", "10.00"), (hostile, "2", "5.00")])
    quote = await office.quote(job)
    client, staff = await office.client(), await office.staff()
    addresses = [(client, office.portal(f"/quotes/{quote.id}{tail}")) for tail in ("", "/review", "/decline")]
    addresses += [
        (staff, office.console(path))
        for path in ("/contacts", "/quotes", f"/quotes/{quote.id}", f"/clients/{quote.client_id}", "/mail", "/audit")
    ]

    for page, address in addresses:
        await page.goto(address)
        assert await page.locator("img").count() == 0, address
        assert "49" not in await page.locator("h1").inner_text()


async def test_a_client_prints_a_receipt(office: Office, worker: None) -> None:
    await office.with_quote()
    page = await office.client()
    await page.get_by_role("link", name="Replace switchboard").click()
    await page.get_by_role("button", name="Review and approve").click()
    await page.get_by_role("checkbox").check()
    await page.get_by_label("Your name").fill("Maja Novak")
    await page.get_by_role("button", name="Approve 3 lines").click()

    await page.get_by_role("link", name="Receipt").click()

    await expect(page.get_by_text("Receipt number")).to_be_visible()
    await expect(page.get_by_text("A$1,218.80 with tax")).to_be_visible()
    await expect(page.locator("dd", has_text="Maja Novak")).to_be_visible()


async def test_choosing_nothing_sums_to_zero_and_leads_to_declining(office: Office) -> None:
    await office.with_quote()
    page = await office.client(width=390, height=844)
    await page.get_by_role("link", name="Replace switchboard").click()
    for box in await page.get_by_role("checkbox").all():
        await box.uncheck()

    await expect(page.locator("#sum")).to_contain_text("0 of 3 lines chosen")
    await expect(page.locator("#sum")).to_contain_text("A$0.00")
    await page.get_by_role("button", name="Review and approve").click()

    await expect(page.get_by_text("You have not chosen any line.")).to_be_visible()
    await expect(page.get_by_role("link", name="Choose lines")).to_be_visible()


async def test_going_back_from_the_review_keeps_the_choices(office: Office) -> None:
    await office.with_quote()
    page = await office.client(scripts=False)
    await page.get_by_role("link", name="Replace switchboard").click()
    await page.get_by_role("checkbox", name="Paint repair").uncheck()
    await page.get_by_role("button", name="Review and approve").click()

    await page.get_by_role("link", name="Change my choices").click()

    await expect(page.get_by_role("checkbox", name="Paint repair")).not_to_be_checked()
    await expect(page.get_by_role("checkbox", name="Labour")).to_be_checked()


async def test_a_quote_that_was_taken_back_says_so_and_offers_no_button(office: Office) -> None:
    job = await office.with_quote()
    await office.sandbox.edit("job", job, status="Unsuccessful")
    await office.sync()
    page = await office.client()

    await page.get_by_role("link", name="Replace switchboard").click()

    await expect(page.get_by_text("has taken this quote back")).to_be_visible()
    await expect(page.get_by_role("button", name="Review and approve")).to_have_count(0)
    await page.goto(f"{page.url}/review")
    await expect(page.get_by_text("has taken this quote back")).to_be_visible()


async def test_of_two_windows_that_decide_against_each_other_the_first_one_counts(office: Office) -> None:
    job = await office.with_quote()
    first, second = await office.client(), await office.client()
    for page in (first, second):
        await page.get_by_role("link", name="Replace switchboard").click()
    await first.get_by_role("link", name="Decline this quote").click()
    await second.get_by_role("button", name="Review and approve").click()
    await second.get_by_role("checkbox").check()
    await second.get_by_label("Your name").fill("Maja Novak")
    await second.get_by_role("button", name="Approve 3 lines").click()
    await expect(second.get_by_role("heading", name="You approved this quote")).to_be_visible()

    await first.get_by_text("Too expensive").click()
    await first.get_by_role("button", name="Decline this quote").click()

    await expect(first.get_by_text("This quote was decided already")).to_be_visible()
    decision = (await office.quote(job)).decision
    assert decision is not None
    assert decision.outcome == "approved"
