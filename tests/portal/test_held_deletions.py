"""An operator decides about deletions that the brake held back."""

import asyncio

import pytest
from playwright.async_api import expect

from app.connectors.metakocka.sandbox.testing import RunningSandbox as MetakockaSandbox
from app.paging import PageRequest
from tests.portal.office import Office, follow
from tests.portal.two_sides import TwoSides
from tests.two_way.office import Office as TwoWayOffice

pytestmark = pytest.mark.browser

ALL = PageRequest(100)
PARTNERS, GONE = 16, 12


@pytest.fixture
async def shop(office: Office, metakocka: MetakockaSandbox) -> TwoWayOffice:
    """A Metakocka that lost more partners than the rules let go at once."""
    found = await TwoSides(office).metakocka(metakocka, *(f"Partner {number:02}" for number in range(PARTNERS)))
    known = (await office.hub.records.contacts(office.owner, ALL)).items
    for record in known[:GONE]:
        await metakocka.delete_partner(str(record.external_id))
    await found.run()
    return found


@pytest.mark.requirement("MKC-51")
@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without scripts"])
async def test_held_deletions_are_looked_at_released_and_carried_out(
    office: Office, shop: TwoWayOffice, worker: None, scripts: bool
) -> None:
    page = await office.staff(scripts=scripts)
    await expect(page.get_by_text("12 deletions are held back for")).to_be_visible()

    await follow(page, page.get_by_role("link", name="Held deletions 1 waiting"))
    await follow(page, page.get_by_role("link", name="Partners"))
    await expect(page.get_by_text("did not find 12 of 16 records that were known")).to_be_visible()
    await expect(page.get_by_text("more than 10, and more than 5 %")).to_be_visible()
    await expect(page.get_by_role("link", name="Partner 00")).to_be_visible()
    await follow(page, page.get_by_role("link", name="Delete them after all"))
    await expect(page.get_by_role("heading", name="Delete 12 records of Partners?")).to_be_visible()
    assert await shop.living() == PARTNERS
    await follow(page, page.get_by_role("button", name="Delete 12 records"))

    if not scripts:
        await _wait_until_released(office)
        await page.reload()
    await expect(page.get_by_text("12 records were deleted here")).to_be_visible()
    assert await shop.living() == PARTNERS - GONE


async def _wait_until_released(office: Office) -> None:
    async with asyncio.timeout(60):
        while (await office.hub.quarantine.quarantined(office.owner, ALL)).items:
            await asyncio.sleep(0.1)


async def test_held_deletions_are_kept_and_nothing_is_deleted(office: Office, shop: TwoWayOffice) -> None:
    page = await office.staff(scripts=False)
    await page.goto(office.console("/held-deletions"))
    await follow(page, page.get_by_role("link", name="Partners"))

    await follow(page, page.get_by_role("button", name="Keep them"))

    await expect(page.get_by_text("Nothing was deleted.")).to_be_visible()
    await expect(page.get_by_text("Kept").first).to_be_visible()
    await expect(page.get_by_role("link", name="Held deletions", exact=True).first).to_be_visible()
    assert await shop.living() == PARTNERS
    await page.goto(office.console("/held-deletions"))
    await expect(page.get_by_text("No deletions are held back")).to_be_visible()
    await follow(page, page.get_by_role("link", name="Show earlier ones too"))
    await expect(page.get_by_role("row", name="Partners")).to_be_visible()
