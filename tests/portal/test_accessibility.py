"""Every page: no finding of axe, nothing wider than a small phone, readable at 400 %, light enough for a slow line."""

import asyncio
import gzip
import re

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Page, expect

from app.connectors.metakocka.fields import PARTNER_FIELDS
from app.connectors.metakocka.sandbox.testing import RunningSandbox as MetakockaSandbox
from app.syncs.plans.models import PlanOutdated
from tests import factories
from tests.connectors.metakocka.company import add_offer
from tests.portal.office import Office, follow
from tests.portal.two_sides import ALL, TwoSides

pytestmark = pytest.mark.browser

RULES = {"runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}}
SMALL_PHONE = 320
WEIGHT_LIMIT = 60_000
"""Bytes of a page with everything that it loads, compressed."""
RIGHT_TO_LEFT = "استبدال لوحة الكهرباء الرئيسية"


async def _findings(page: Page) -> list[str]:
    results = await Axe().run(page, options=RULES)
    return [
        f"{page.url}: {found['id']}: {node['html'][:160]} {node.get('failureSummary', '')[:300]}"
        for found in results.response["violations"]
        for node in found["nodes"]
    ]


async def _is_too_wide(page: Page) -> list[str]:
    width = await page.evaluate("document.documentElement.scrollWidth")
    return [f"{page.url} is {width} px wide"] if width > await page.evaluate("innerWidth") else []


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_a_clients_pages_have_no_accessibility_finding_and_fit_a_small_phone(office: Office, worker: None, scheme: str) -> None:
    await office.with_quote(job_description=RIGHT_TO_LEFT)
    page = await office.client(scheme=scheme, width=SMALL_PHONE, height=640)
    findings: list[str] = []

    async def look() -> None:
        findings.extend([*await _findings(page), *await _is_too_wide(page)])

    await look()
    await follow(page, page.get_by_role("link", name=RIGHT_TO_LEFT))
    await look()
    quote = page.url
    await page.goto(f"{quote}/decline")
    await look()
    await follow(page, page.get_by_role("button", name="Decline"))
    await look()
    await page.goto(quote)
    await page.get_by_role("checkbox", name="Paint repair").uncheck()
    await follow(page, page.get_by_role("button", name="Review and approve"))
    await look()
    await page.get_by_role("checkbox").check()
    await page.get_by_label("Your name").fill("Maja Novak")
    await follow(page, page.get_by_role("button", name="Approve"))
    await expect(page.locator(".steps .done", has_text="Confirmed by ServiceM8")).to_be_visible()
    await look()
    await follow(page, page.get_by_role("link", name="Receipt"))
    await look()
    await follow(page, page.get_by_role("button", name="Sign out"))
    await look()

    assert findings == []


@pytest.mark.parametrize(("scheme", "width"), [("light", SMALL_PHONE), ("dark", 1280)])
async def test_the_consoles_pages_have_no_accessibility_finding_and_fit(office: Office, scheme: str, width: int) -> None:
    await office.sandbox.create("company", name="")
    job = await office.with_quote(job_description=RIGHT_TO_LEFT)
    assert office.connection is not None
    connection, quote = f"/connections/{office.connection.id}", await office.quote(job)
    run = (await office.hub.syncs.status(office.owner, office.connection.id))[0].last_run_id
    contact = (await office.hub.clients.client(office.owner, quote.client_id)).contact_record_id if quote.client_id else None
    page = await office.staff(scheme=scheme, width=width)
    findings: list[str] = []

    for path in (
        "/",
        "/connections",
        "/connections/new",
        "/connections/new/servicem8",
        "/connections/new/servicem8?sandbox=1",
        connection,
        f"{connection}/settings",
        f"{connection}/removal",
        f"{connection}/import",
        f"{connection}/full-sync",
        f"{connection}/syncs/new",
        f"{connection}/syncs/new?compare=yes",
        f"{connection}/statistics",
        f"{connection}/statistics?days=90",
        f"{connection}/reconciliation",
        f"{connection}/reconciliation/companies",
        "/runs",
        f"/runs/{run}",
        "/failed-records",
        "/contacts",
        f"/records/{contact}",
        "/quotes",
        f"/quotes/{quote.id}",
        "/clients",
        f"/clients/{quote.client_id}",
        f"/clients/new?contact={contact}",
        "/mail",
        "/audit",
        "/settings",
        "/nothing-here",
    ):
        await page.goto(office.console(path))
        findings.extend([*await _findings(page), *await _is_too_wide(page)])

    assert findings == []


@pytest.mark.parametrize(("scheme", "width"), [("light", SMALL_PHONE), ("dark", 1280)])
async def test_the_pages_of_two_way_sync_have_no_accessibility_finding_and_fit(
    office: Office, metakocka: MetakockaSandbox, worker: None, scheme: str, width: int
) -> None:
    sides = TwoSides(office)
    conflict = await sides.conflict(f"{RIGHT_TO_LEFT} and a name that is long enough to need several lines on a phone")
    decided = await sides.hub.conflicts.resolve(sides.owner, conflict.id, resolution="theirs")
    name = (await sides.data(conflict.record_id))["name"]
    await sides.clash(name, conflict.external_id, "https://" + "ours" * 30, "https://" + "theirs" * 30)
    await office.sync()
    (waiting,) = await sides.conflicts()
    two = await sides.metakocka(metakocka, "Pekarna")
    pekarna = await sides.edit("Pekarna", email="nova@pekarna.test")
    delivery = await sides.hub.pushes.queue(sides.owner, pekarna.id, two.connection.id)
    run = await sides.hub.syncs.start(sides.owner, two.connection.id, streams=["partners"], direction="two_way")
    await factories.ended(sides.hub, sides.owner, run)
    saved = await sides.hub.field_mappings.save(sides.owner, two.connection.id, "partners", PARTNER_FIELDS.rows[:1], note=RIGHT_TO_LEFT)
    page = await office.staff(scheme=scheme, width=width)
    findings: list[str] = []

    for path in (
        "/",
        f"/connections/{two.connection.id}/streams/partners/fields",
        f"/connections/{two.connection.id}/streams/partners/fields?version={saved.version}",
        f"/connections/{two.connection.id}/streams/partners/fields/versions/{saved.version}",
        f"/connections/{two.connection.id}/streams/partners/fields/versions/{saved.version}/publication",
        "/conflicts",
        f"/conflicts?show=all&decided={decided.id}",
        "/conflicts?field=email&undone=1&refused=2",
        f"/conflicts/{waiting.id}/rule",
        f"/conflicts/{waiting.id}/rule?rule=provider_wins",
        f"/records/{waiting.record_id}",
        f"/records/{waiting.record_id}/edit",
        f"/records/{waiting.record_id}/deletion",
        f"/records/{waiting.record_id}/versions/1",
        f"/records/{pekarna.id}?delivery={delivery}",
        f"/connections/{two.connection.id}",
        f"/connections/{two.connection.id}/streams/partners/rules",
        f"/connections/{two.connection.id}/import",
        f"/connections/{two.connection.id}/syncs/new",
        f"/runs/{run.id}",
    ):
        await page.goto(office.console(path))
        await page.evaluate("document.querySelectorAll('main details').forEach((closed) => closed.open = true)")
        findings.extend([*await _findings(page), *await _is_too_wide(page)])

    assert findings == []


@pytest.mark.parametrize(("scheme", "width"), [("light", SMALL_PHONE), ("dark", 1280)])
async def test_the_pages_of_documents_have_no_accessibility_finding_and_fit(
    office: Office, metakocka: MetakockaSandbox, scheme: str, width: int
) -> None:
    sides = TwoSides(office)
    two = await sides.metakocka(metakocka)
    await add_offer(metakocka, title=f"{RIGHT_TO_LEFT} and a title that is long enough to need several lines on a phone", notes="One\nTwo")
    await two.run(streams=("offers",))
    (offer,) = (await sides.hub.records.sales_documents(sides.owner, ALL)).items
    await two.edit(offer, notes="Three")
    page = await office.staff(scheme=scheme, width=width)
    findings: list[str] = []

    for path in ("/documents", "/documents?status=failed", "/documents/push", f"/records/{offer.id}", f"/records/{offer.id}/edit"):
        await page.goto(office.console(path))
        findings.extend([*await _findings(page), *await _is_too_wide(page)])

    assert findings == []


@pytest.mark.parametrize(("scheme", "width"), [("light", SMALL_PHONE), ("dark", 1280)])
async def test_the_pages_of_contacts_that_are_one_or_missing_have_no_accessibility_finding_and_fit(
    office: Office, metakocka: MetakockaSandbox, scheme: str, width: int
) -> None:
    sides = TwoSides(office)
    long = f"{RIGHT_TO_LEFT} and a name that is long enough to need several lines on a phone"
    two = await sides.metakocka(metakocka, "Pekarna")
    values = ({"name": long, "tax_number": "12345678"}, {"name": "Pekarna & sinovi", "tax_number": "1234 5678", "notes": "n" * 300})
    stays, goes = [await sides.hub.edits.create(sides.owner, "contact", given) for given in values]
    merged, survivor = await sides.record("Pekarna"), await sides.hub.edits.create(sides.owner, "contact", {"name": "Samo tu"})
    await sides.hub.merges.merge(sides.owner, survivor.id, merged.id, {"name": "loser"})
    connection = f"/connections/{two.connection.id}"
    page = await office.staff(scheme=scheme, width=width)
    findings: list[str] = []

    for path in (
        "/contacts/new",
        "/contacts/duplicates",
        f"/records/{stays.id}",
        f"/records/{stays.id}/merge?search=pek",
        f"/records/{stays.id}/merge?other={goes.id}",
        f"/records/{survivor.id}?done=merged&merged={merged.id}",
        f"/records/{merged.id}",
        f"/records/{stays.id}?done=parted&parted={goes.id}&kept=name,website",
        f"{connection}/missing?stream=partners&sent=2&left=A+sentence.",
        f"{connection}/missing?stream=orders",
        f"{connection}/missing/all?stream=partners&way=push",
        f"{connection}/missing/all?stream=partners&way=pull",
        f"/orphans?connection={two.connection.id}&cleaned=2",
        "/orphans?kind=merged",
        "/orphans?show=cleaned",
        "/orphans/cleaning?kind=merged",
    ):
        await page.goto(office.console(path))
        findings.extend([*await _findings(page), *await _is_too_wide(page)])

    assert findings == []


@pytest.mark.parametrize(("scheme", "width"), [("light", SMALL_PHONE), ("dark", 1280)])
async def test_the_pages_of_plans_have_no_accessibility_finding_and_fit(
    office: Office, metakocka: MetakockaSandbox, scheme: str, width: int
) -> None:
    sides = TwoSides(office)
    long = f"{RIGHT_TO_LEFT} and a name that is long enough to need several lines on a phone"
    two = await sides.metakocka(metakocka, long, "Both", "Gone")
    hub, owner, ids = sides.hub, sides.owner, {}
    for name in (long, "Both", "Gone"):
        mapping = await two.mapped((await sides.record(name)).id)
        ids[name] = mapping.external_id if mapping else ""
    await two.sandbox.edit_partner(ids[long], customer=f"{long}, {'x' * 60}")
    await two.edit(await two.record(ids["Both"]), name="Both, ours")
    await two.sandbox.edit_partner(ids["Both"], customer="Both, theirs")
    await two.sandbox.delete_partner(ids["Gone"])
    await two.add("New")
    drafted = await hub.plans.plan(owner, two.connection.id, streams=["partners"], mode="full")
    await factories.finish(hub, owner, await hub.syncs.run(owner, drafted.run_id))
    run = await two.run()
    await two.edit(await two.record(ids[long]), name="Corrected")
    undo = await hub.plans.undo(owner, run.id)
    await factories.finish(hub, owner, await hub.syncs.run(owner, undo.run_id))
    making = await hub.plans.plan(owner, two.connection.id, streams=["partners"], mode="full")
    page = await office.staff(scheme=scheme, width=width)
    findings: list[str] = []

    async def look(path: str) -> None:
        await page.goto(office.console(path))
        await page.evaluate("document.querySelectorAll('main details').forEach((closed) => closed.open = true)")
        findings.extend([*await _findings(page), *await _is_too_wide(page)])

    await look(f"/plans/{making.id}")
    await hub.syncs.cancel(owner, making.run_id)
    with pytest.raises(PlanOutdated):
        await hub.plans.apply(owner, drafted.id)
    for path in (f"/plans/{undo.id}", f"/plans/{drafted.id}", f"/plans/{making.id}", "/plans", "/runs", f"/runs/{run.id}"):
        await look(path)

    assert findings == []


async def test_a_quote_that_opened_again_shows_both_versions_without_a_finding(office: Office, worker: None) -> None:
    job = await office.with_quote()
    quote = await office.quote(job)
    await office.sandbox.add_line(job, name="A very long description of a new fuse box " * 6, quantity="1", price="90.00")
    await office.hub.quotes.approve(
        await office.contact(), quote.id, version=1, lines=None, signature_name="Maja Novak", accept_terms=True, idempotency_key="once"
    )
    page = await office.client(width=SMALL_PHONE, height=640)
    async with asyncio.timeout(60):
        while not (await office.quote(job)).history:
            await asyncio.sleep(0.1)

    await page.goto(office.portal(f"/quotes/{quote.id}"))

    await expect(page.get_by_text("This quote is open again.")).to_be_visible()
    assert [*await _findings(page), *await _is_too_wide(page)] == []


async def test_a_quote_of_sixty_lines_reads_at_four_hundred_percent_and_its_bar_hides_nothing(office: Office) -> None:
    lines = [(f"Position {number}, with a description that goes on for a while", "2", "12.50") for number in range(60)]
    await office.with_quote(lines=lines)
    # 1280 px at 400 % are 320 px, and the height shrinks as well.
    page = await office.client(width=320, height=256)
    await follow(page, page.get_by_role("link", name="Replace switchboard"))

    assert await _is_too_wide(page) == []
    last = page.get_by_role("checkbox").last
    await last.focus()
    box = await last.bounding_box()
    assert box is not None
    covered = await page.evaluate("([x, y]) => document.elementFromPoint(x, y)?.name !== 'line'", [box["x"] + 8, box["y"] + 8])
    assert not covered


async def test_everything_on_a_quote_is_reached_by_the_tab_key(office: Office) -> None:
    await office.with_quote()
    page = await office.client(width=390, height=844)
    await follow(page, page.get_by_role("link", name="Replace switchboard"))
    await expect(page.get_by_role("heading", name="What is in it")).to_be_visible()
    reached = []

    for _ in range(12):
        await page.keyboard.press("Tab")
        reached.append(await page.evaluate("(document.activeElement.innerText || document.activeElement.name || '').trim()"))

    assert reached[0] == "Skip to the content"
    for wanted in ("line", "Review and approve", "Decline this quote", "Sign out"):
        assert wanted in reached


@pytest.mark.parametrize("door", ["portal", "console"])
async def test_a_page_weighs_at_most_sixty_kilobytes(office: Office, door: str) -> None:
    await office.with_quote(lines=[(f"Position {number}", "2", "12.50") for number in range(60)])
    page = await (office.client() if door == "portal" else office.staff())
    await page.goto(office.portal() if door == "portal" else office.console("/quotes"))
    await follow(page, page.locator("main").get_by_role("link", name=re.compile("Replace switchboard")))
    parts = await page.evaluate("[location.href, ...performance.getEntriesByType('resource').map((entry) => entry.name)]")

    weights = {part: len(gzip.compress(await (await page.context.request.get(part)).body())) for part in parts if "/events" not in part}

    assert len(weights) >= 4
    assert sum(weights.values()) < WEIGHT_LIMIT, weights
