"""An operator changes how fields are translated: tries rows, is refused broken ones, publishes, re-maps and rolls back."""

import re
from uuid import UUID

import pytest
from playwright.async_api import Page, expect

from app.connectors.metakocka.sandbox.testing import RunningSandbox as MetakockaSandbox
from tests.portal.office import Office, follow
from tests.portal.two_sides import TwoSides

pytestmark = pytest.mark.browser
TRANSFORMS = re.compile("Done to it")


@pytest.fixture
def sides(office: Office) -> TwoSides:
    return TwoSides(office)


async def editor(sides: TwoSides, metakocka: MetakockaSandbox, *names: str, **how: object) -> tuple[Page, str]:
    """The editor of a Metakocka's partners in the owner's browser, and its address."""
    two = await sides.metakocka(metakocka, *names)
    page = await sides.office.staff(**how)
    address = sides.office.console(f"/connections/{two.connection.id}/streams/partners/fields")
    await page.goto(sides.office.console(f"/connections/{two.connection.id}"))
    await follow(page, page.get_by_role("link", name="Fields of partners"))
    return page, address


async def open_row(page: Page, target: str) -> str:
    """Open the row of a field; the beginning of its inputs' ids."""
    row = page.locator(f".rows li:has(input[value='{target}'])").first
    await row.locator("summary").click()
    return str(await row.get_attribute("id"))


async def capitals(page: Page) -> None:
    """Names in capital letters, which can only be read."""
    row = await open_row(page, "name")
    await page.locator(f"#{row}-transforms").fill("trim\nupper\ntext 100")
    await page.locator(f"#{row}-way").select_option("pull")


@pytest.mark.requirement("MKC-04", "ERP-88")
@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without scripts"])
async def test_a_mapping_is_previewed_saved_published_with_a_remap_and_rolled_back(
    sides: TwoSides, metakocka: MetakockaSandbox, worker: None, scripts: bool
) -> None:
    page, address = await editor(sides, metakocka, "Pekarna", scripts=scripts)

    await capitals(page)
    if not scripts:
        await follow(page, page.get_by_role("button", name="Preview 10 records"))
    await expect(page.get_by_role("article").locator("ins", has_text="PEKARNA")).to_be_visible()
    await page.get_by_label("What is different about it").fill("Capitals")
    await follow(page, page.get_by_role("button", name="Save as a version"))
    await expect(page.get_by_text("It does not count before you publish it.")).to_be_visible()
    await expect(page.get_by_text("Name: done to it")).to_be_visible()
    assert (await sides.record("Pekarna")).data["name"] == "Pekarna"

    await follow(page, page.get_by_role("link", name="Publish"))
    await expect(page.get_by_text("1 record of")).to_be_visible()
    await expect(page.get_by_text("1 of the newest 1 would be otherwise")).to_be_visible()
    await follow(page, page.get_by_role("button", name="Publish and re-map 1 record"))
    await expect(page.get_by_role("heading", name="Re-map of")).to_be_visible()
    await _until_completed(page)
    assert (await sides.record("PEKARNA")).data["name"] == "PEKARNA"

    await page.goto(address)
    await expect(page.get_by_text("Version 1 counts since")).to_be_visible()
    await follow(page, page.get_by_role("link", name="The rows that come with Metakocka"))
    await follow(page, page.get_by_role("link", name="Roll back to it"))
    await follow(page, page.get_by_role("button", name="Roll back and re-map 1 record"))
    await _until_completed(page)
    assert (await sides.record("Pekarna")).data["name"] == "Pekarna"


async def _until_completed(page: Page) -> None:
    """Without scripts one looks again."""
    done = page.locator("#run-status", has_text="Completed")
    for _ in range(40):
        if await done.count():
            return
        await page.wait_for_timeout(500)
        await page.reload()
    await expect(done).to_be_visible()


@pytest.mark.requirement("MKC-04")
async def test_a_row_that_would_write_something_else_is_refused_at_the_row_with_an_example(
    sides: TwoSides, metakocka: MetakockaSandbox
) -> None:
    page, address = await editor(sides, metakocka, "1E+3", scripts=False)

    row = await open_row(page, "name")
    await page.locator(f"#{row}-transforms").fill("number\ntext 100")
    await follow(page, page.get_by_role("button", name="Save as a version"))

    await expect(page.locator(f"#{row}-error")).to_contain_text("name: what is written comes back changed: '1E+3' as '1000'.")
    await expect(page.get_by_role("alert").get_by_role("link")).to_have_attribute("href", f"#{row}")
    await expect(page.locator(f"#{row}-transforms")).to_have_value("number\ntext 100")
    connection = address.split("/connections/")[1].split("/")[0]
    assert (await sides.hub.field_mappings.published(sides.owner, UUID(connection))) == {}


async def test_a_field_that_nobody_reads_is_found_with_an_example_and_added(sides: TwoSides, metakocka: MetakockaSandbox) -> None:
    page, _ = await editor(sides, metakocka, "Pekarna", scripts=False)
    found = page.get_by_role("table").get_by_role("row").filter(has=page.get_by_role("button", name=re.compile("^Add ")))
    path = await found.first.locator("code").inner_text()

    await follow(page, found.first.get_by_role("button", name=re.compile("^Add ")))

    added = page.locator(".rows > .versions > li").last
    await expect(added.get_by_text("added", exact=True)).to_be_visible()
    await expect(added.get_by_label("Field here")).to_have_value(f"custom.{path.replace('.', '_')}")
    await follow(page, page.get_by_role("button", name="Preview 10 records"))
    await expect(page.get_by_role("article").get_by_text("Other fields").first).to_be_visible()


async def test_a_row_is_left_out_put_back_and_tried_on_all_that_was_read(sides: TwoSides, metakocka: MetakockaSandbox) -> None:
    page, _ = await editor(sides, metakocka, "Pekarna", "Mlin", scripts=False)
    row = await open_row(page, "is_customer")
    await page.locator(f"[name={row}-removed]").check()

    await follow(page, page.get_by_role("button", name="Try them on all of these"))

    await expect(page.locator("#outcome").get_by_text("Tried")).to_be_visible()
    await expect(page.locator(f"#{row}").get_by_text("left out", exact=True)).to_be_visible()
    await follow(page, page.get_by_role("button", name="Save as a version"))
    await expect(page.get_by_text("Customer")).to_be_visible()
    await follow(page, page.get_by_role("link", name="Work on it"))
    await follow(page, page.get_by_role("button", name="Put back is_customer"))
    await expect(page.locator(".rows > .versions > li").last.get_by_label("Field here")).to_have_value("is_customer")


async def test_without_anything_read_the_page_says_what_to_do(sides: TwoSides, metakocka: MetakockaSandbox) -> None:
    page, _ = await editor(sides, metakocka, scripts=False)

    await expect(page.get_by_text("Nothing was read yet")).to_be_visible()
    await follow(page, page.get_by_role("button", name="Preview 10 records"))
    await expect(page.get_by_text("There is nothing to try them on before the first sync.")).to_be_visible()
