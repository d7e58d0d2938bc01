"""An operator looks through offers, orders and bills, and brings one or all that changed to Metakocka."""

import asyncio
import re

import pytest
from playwright.async_api import expect

from app.connectors.metakocka.sandbox.testing import RunningSandbox as MetakockaSandbox
from app.records.models import Record
from tests.connectors.metakocka.company import add_document, add_offer, product_codes
from tests.portal.office import Office, follow
from tests.portal.two_sides import ALL, TwoSides
from tests.two_way.office import Office as TwoWayOffice

pytestmark = pytest.mark.browser


class Papers:
    """An offer, an order and a bill of a baker's, at Metakocka and here."""

    def __init__(self, sides: TwoSides, two: TwoWayOffice, partner: dict[str, str]) -> None:
        self.sides, self.two, self.partner = sides, two, partner

    @classmethod
    async def lie_ready(cls, office: Office, metakocka: MetakockaSandbox) -> "Papers":
        sides = TwoSides(office)
        two = await sides.metakocka(metakocka, "Pekarna")
        mapping = await two.mapped((await sides.record("Pekarna")).id)
        assert mapping is not None
        partner = await metakocka.partner(mapping.external_id)
        await add_offer(metakocka, partner, title="Nova streha")
        await add_document(metakocka, "sales_order", partner, title="Prenova kopalnice", notes="Prosimo, pokličite")
        await add_document(metakocka, "sales_bill_domestic", partner, title="Za kopalnico", duo_payment="2026-04-01")
        await two.run(streams=("offers", "orders", "bills"))
        return cls(sides, two, partner)

    async def record(self, kind: str) -> Record:
        (found,) = (await self.two.hub.records.sales_documents(self.two.operator, ALL, kind=kind)).items
        return found

    async def only_here(self, kind: str = "order", **data: object) -> Record:
        line = {"code": (await product_codes(self.two.sandbox))[0], "quantity": "2", "unit_price": "10", "tax_rate": "22"}
        given = {"kind": kind, "title": "Samo tu", "contact_external_id": self.partner["mk_id"], "currency": "EUR", "lines": [line]}
        return await self.two.hub.edits.create(self.two.operator, "sales_document", given | data)


@pytest.fixture
async def papers(office: Office, metakocka: MetakockaSandbox) -> Papers:
    return await Papers.lie_ready(office, metakocka)


async def test_documents_are_found_by_kind_and_by_sync_status(papers: Papers, office: Office) -> None:
    await papers.two.edit(await papers.record("order"), notes="Edited here")
    page = await office.staff(scripts=False)
    await page.goto(office.console("/documents"))
    rows = page.locator("tbody tr")
    await expect(rows).to_have_count(3)
    await expect(rows.filter(has_text="Prenova kopalnice")).to_contain_text("Waits to be sent")

    await page.get_by_label("Sync status").select_option(label="Waits to be sent")
    await follow(page, page.get_by_role("button", name="Filter"))
    await expect(rows).to_have_count(1)
    await expect(rows).to_contain_text(re.compile(r"Order \S+ · Prenova kopalnice\s*Pekarna\s*€333.71"))

    await page.get_by_label("Kind").select_option(label="Offer")
    await follow(page, page.get_by_role("button", name="Filter"))
    await expect(page.get_by_text("No documents match")).to_be_visible()
    await follow(page, page.get_by_role("link", name="Show all documents"))
    await expect(rows).to_have_count(3)


@pytest.mark.requirement("MKD-14", "MKD-30", "MKD-33")
async def test_one_document_shows_its_lines_and_is_brought_to_metakocka_while_one_watches(
    papers: Papers, office: Office, worker: None
) -> None:
    record = await papers.two.edit(await papers.record("order"), notes="Edited here")
    page = await office.staff()
    await page.goto(office.console(f"/records/{record.id}"))
    await expect(page.get_by_role("region", name="Lines").get_by_role("row")).to_have_count(4)
    await expect(page.get_by_role("region", name="Sums")).to_contain_text("€333.71")
    await expect(page.get_by_role("link", name="Pekarna")).to_be_visible()
    row = page.get_by_role("row", name=re.compile("^Metakocka"))
    await expect(row).to_contain_text("Waits to be sent")

    await follow(page, page.get_by_role("button", name=f"Bring to {papers.two.connection.name} now"))

    await expect(page.locator(".steps .done", has_text="Confirmed by Metakocka")).to_be_visible()
    await expect(row).to_contain_text("In step")
    mapping = await papers.two.mapped(record.id)
    assert mapping is not None
    assert (await papers.two.sandbox.document("sales_order", mapping.external_id))["notes"] == "Edited here"


async def test_a_document_that_only_the_hub_has_is_offered_to_the_one_stream_of_its_kind(
    papers: Papers, office: Office, worker: None
) -> None:
    record = await papers.only_here("order")
    page = await office.staff(scripts=False)
    await page.goto(office.console(f"/records/{record.id}"))
    row = page.get_by_role("row", name=re.compile("^Metakocka"))
    await expect(row).to_have_count(1)
    await expect(row).to_contain_text("Orders")
    await expect(row).to_contain_text("Not there yet")

    await follow(page, page.get_by_role("button", name="Bring to"))
    async with asyncio.timeout(60):
        while not await page.get_by_text(re.compile("Confirmed by Metakocka at")).is_visible():
            await follow(page, page.get_by_role("link", name="Look again"))

    await expect(page.get_by_role("region", name="Sums")).to_contain_text("€24.40")


async def test_what_metakocka_did_not_take_is_said_on_the_page_and_in_the_list(papers: Papers, office: Office, worker: None) -> None:
    record = await papers.only_here("offer", title="Brez stranke", contact_external_id=None)
    page = await office.staff()
    await page.goto(office.console(f"/records/{record.id}"))

    await follow(page, page.get_by_role("button", name="Bring to"))
    await expect(page.locator(".steps .wrong")).to_contain_text("Metakocka did not take it")

    for address in (f"/records/{record.id}", "/documents?status="):
        await page.goto(office.console(address))
        row = page.get_by_role("row", name=re.compile("Metakocka|Brez stranke"))
        await expect(row).to_contain_text("Did not work")
        await expect(row).to_contain_text("needs a partner that is known there")


@pytest.mark.requirement("MKD-15", "MKD-33")
async def test_all_documents_that_changed_are_brought_after_a_question_and_the_run_is_watched(
    papers: Papers, office: Office, worker: None
) -> None:
    for kind in ("order", "offer"):
        await papers.two.edit(await papers.record(kind), notes="Edited here")
    page = await office.staff()
    await page.goto(office.console("/documents"))

    await follow(page, page.get_by_role("link", name="Bring all that changed"))
    assert (await papers.two.sandbox.effects(effect="changed")) == []
    await expect(page.get_by_role("checkbox", name="Bills None wait.")).to_be_checked()
    await follow(page, page.get_by_role("button", name="Bring 2 documents to Metakocka"))

    await expect(page.locator("#run-status")).to_contain_text("Completed")
    written = page.get_by_role("region", name="Written to Metakocka")
    rows = [await row.get_by_role("cell").all_inner_texts() for row in (await written.get_by_role("row").all())[1:]]
    looked_at_and_updated = {title: (looked_at, updated) for title, looked_at, _, updated, *_ in rows}
    assert looked_at_and_updated == {"Offers": ("1", "1"), "Orders": ("1", "1"), "Bills": ("0", "0")}
    assert sorted(one["object"] for one in await papers.two.sandbox.effects(effect="changed")) == ["sales_offer", "sales_order"]


async def test_without_a_connection_that_takes_documents_the_question_says_so(office: Office) -> None:
    await office.connect()
    page = await office.staff(scripts=False)

    await page.goto(office.console("/documents"))
    await expect(page.get_by_text("No documents here yet")).to_be_visible()
    await follow(page, page.get_by_role("link", name="Bring all that changed"))

    await expect(page.get_by_text("No connection takes documents")).to_be_visible()
