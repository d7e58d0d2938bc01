"""An operator mends failed records: by cause, one by its payload, many again, and some left as they are."""

import json
import re

import pytest
from playwright.async_api import expect

from app.connectors.metakocka.sandbox.testing import RunningSandbox as MetakockaSandbox
from app.paging import PageRequest
from app.syncs.models import FailedRecord
from portal.console import failed_retries
from tests.portal.office import Office, follow
from tests.portal.two_sides import TwoSides

pytestmark = pytest.mark.browser

ALL = PageRequest(100)


async def _nameless(office: Office, count: int) -> list[str]:
    """Companies that cannot be taken over; their ids at the provider."""
    made = [(await office.sandbox.create("company", name=""))["uuid"] for _ in range(count)]
    await office.connect()
    await office.sync()
    return made


async def _failed(office: Office, **wanted: str) -> list[FailedRecord]:
    return list((await office.hub.failed_records.failed_records(office.owner, ALL, **wanted)).items)  # type: ignore[arg-type]


@pytest.mark.requirement("MKC-47")
@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without scripts"])
async def test_a_failed_record_is_found_by_its_cause_edited_and_taken_over(office: Office, scripts: bool) -> None:
    (uuid,) = await _nameless(office, 1)
    page = await office.staff(scripts=scripts)
    await expect(page.get_by_text("1 record could not be taken over or written.")).to_be_visible()

    await follow(page, page.get_by_role("link", name="Failed records 1 waiting"))
    await expect(page.get_by_text("Fill in or correct the field at the provider, or edit the payload here.")).to_be_visible()
    await follow(page, page.get_by_role("link", name="Show the record"))
    editor = page.get_by_label("The payload, as the provider would send it")
    payload = json.loads(await editor.input_value())
    await editor.fill('{\n  "name": Mended\n}')
    await follow(page, page.get_by_role("button", name="Save and try again"))

    await expect(page.get_by_role("alert")).to_contain_text("Line 2, column 11")
    await expect(editor).to_have_value('{\n  "name": Mended\n}')
    await expect(editor).to_have_attribute("aria-invalid", "true")
    await editor.fill(json.dumps(payload | {"name": "Mended"}, indent=2))
    await follow(page, page.get_by_role("button", name="Save and try again"))
    await expect(page.get_by_text("It is well now")).to_be_visible()
    await expect(page.get_by_text("Well by now")).to_be_visible()
    await expect(page.get_by_role("link", name="Failed records", exact=True).first).to_be_visible()
    assert payload["uuid"] == uuid
    assert await _failed(office) == []
    assert [one.data["name"] for one in (await office.hub.records.contacts(office.owner, ALL)).items] == ["Mended"]


async def test_an_edit_that_does_not_help_says_why_and_lists_each_time_that_it_failed(office: Office) -> None:
    await _nameless(office, 1)
    (failed,) = await _failed(office)
    page = await office.staff(scripts=False)
    await page.goto(office.console(f"/failed-records/{failed.id}"))

    await page.get_by_label("The payload, as the provider would send it").fill("[]")
    await follow(page, page.get_by_role("button", name="Save and try again"))

    await expect(page.get_by_text("It still fails")).to_be_visible()
    await expect(page.get_by_text(re.compile("Edited by"))).to_be_visible()
    rows = page.get_by_role("table").get_by_role("row")
    await expect(rows).to_have_count(3)
    await expect(rows.nth(1)).to_contain_text("edited")
    await expect(rows.nth(1)).to_contain_text("somebody")
    await expect(rows.nth(2)).to_contain_text("a run")
    await expect(page.get_by_role("heading", name="What the provider sent")).to_be_visible()


@pytest.mark.requirement("MKD-33")
@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without scripts"])
async def test_all_of_a_cause_are_tried_again_with_progress_and_an_outcome(
    office: Office, scripts: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(failed_retries, "PART", 2)
    await _nameless(office, 5)
    (job,) = [await office.add_quote(status="Parked")]
    await office.sync()
    page = await office.staff(scripts=scripts)
    await page.goto(office.console("/failed-records"))

    await follow(page, page.get_by_role("button", name="Try all 5 again"))
    if not scripts:
        await expect(page.get_by_text("2 of 5 tried")).to_be_visible()
        await follow(page, page.get_by_role("button", name="Go on with the next"))
        await expect(page.get_by_text("4 of 5 tried")).to_be_visible()
        await follow(page, page.get_by_role("button", name="Go on with the next"))

    await expect(page.get_by_text("0 records healed, 5 records still fail.")).to_be_visible()
    attempts = {one.external_id: one.attempts for one in await _failed(office)}
    assert attempts.pop(job) >= 1
    assert len(attempts) == 5
    assert len(set(attempts.values())) == 1


async def test_some_are_left_as_they_are_for_a_reason_and_opened_again(office: Office) -> None:
    first, second = await _nameless(office, 2)
    page = await office.staff(scripts=False)
    await page.goto(office.console("/failed-records"))
    await follow(page, page.get_by_role("link", name="Show the 2 records"))

    await page.get_by_role("checkbox", name=f"Select {first}").check()
    await page.get_by_label("Why they may stay as they are").fill("A test company")
    await follow(page, page.get_by_role("button", name="Leave them as they are"))
    await expect(page.get_by_text("1 record left as it is")).to_be_visible()
    assert [one.external_id for one in await _failed(office)] == [second]
    await follow(page, page.get_by_role("link", name="Left as they are"))
    await follow(page, page.get_by_role("link", name=first))
    await expect(page.get_by_text("“A test company”")).to_be_visible()
    await follow(page, page.get_by_role("button", name="Open it again"))

    await expect(page.get_by_text("Still fails")).to_be_visible()
    assert {one.external_id for one in await _failed(office)} == {first, second}


async def test_a_record_that_could_not_be_written_leads_to_the_record_and_is_pushed_again(
    office: Office, metakocka: MetakockaSandbox
) -> None:
    sides = TwoSides(office)
    shop = await sides.metakocka(metakocka)
    record = await shop.create("No address")
    delivery = await office.hub.pushes.queue(office.owner, record.id, shop.connection.id)
    await office.hub.pushes.send(office.owner.organization_id, delivery)
    (failed,) = await _failed(office, direction="push")
    page = await office.staff(scripts=False)

    await page.goto(office.console(f"/failed-records/{failed.id}"))
    await expect(page.get_by_role("button", name="Save and try again")).to_have_count(0)
    await follow(page, page.get_by_role("button", name="Try it again"))
    await expect(page.get_by_text("It is being written")).to_be_visible()
    await follow(page, page.get_by_role("link", name="Look at the record and correct it"))

    await expect(page.get_by_role("heading", name="No address")).to_be_visible()


async def test_an_empty_page_says_what_would_come_here(office: Office) -> None:
    page = await office.staff()

    await page.goto(office.console("/failed-records"))

    await expect(page.get_by_text("Nothing failed")).to_be_visible()
    await page.goto(office.console("/failed-records/list?state=dismissed"))
    await expect(page.get_by_text("No record matches")).to_be_visible()
