"""The pages of failed records and held deletions: no finding of axe, nothing wider than a small phone."""

import pytest

from app.paging import PageRequest
from tests.portal.office import Office
from tests.portal.test_accessibility import RIGHT_TO_LEFT, SMALL_PHONE, _findings, _is_too_wide
from tests.security.two_way import add_quarantine

pytestmark = pytest.mark.browser


@pytest.mark.parametrize(("scheme", "width"), [("light", SMALL_PHONE), ("dark", 1280)])
async def test_the_pages_of_failed_records_and_held_deletions_have_no_accessibility_finding_and_fit(
    office: Office, scheme: str, width: int
) -> None:
    for name in ("", "", RIGHT_TO_LEFT):
        company = await office.sandbox.create("company", name=name)
    await office.sandbox.create("job", company_uuid=company["uuid"], status="Parked" * 30)
    connection = await office.connect()
    await office.sync()
    services, owner = office.hub, office.owner
    failed = {one.external_id: one for one in (await services.failed_records.failed_records(owner, PageRequest(10))).items}
    first, second, third = failed.values()
    await services.failed_records.dismiss(owner, [second.id], reason=RIGHT_TO_LEFT)
    await services.failed_records.edit(owner, third.id, "[]")
    run = (await services.syncs.runs(owner, PageRequest(1))).items[0]
    scope = owner.scope
    held, released = [await add_quarantine(scope, connection.id, run.id, company["uuid"]) for _ in range(2)]
    await services.quarantine.release(owner, released)
    page = await office.staff(scheme=scheme, width=width)
    findings: list[str] = []

    for path in (
        "/",
        "/failed-records",
        "/failed-records?healed=1&still=2&queued=1",
        "/failed-records?dismissed=1",
        "/failed-records/list?state=",
        f"/failed-records/list?like={third.id}",
        f"/failed-records/list?run={run.id}&state=resolved",
        f"/failed-records/{first.id}?tried=again",
        f"/failed-records/{second.id}",
        f"/failed-records/{third.id}",
        "/held-deletions",
        "/held-deletions?show=all",
        f"/held-deletions/{held}",
        f"/held-deletions/{held}/release",
        f"/held-deletions/{released}",
    ):
        await page.goto(office.console(path))
        await page.evaluate("document.querySelectorAll('main details').forEach((closed) => closed.open = true)")
        findings.extend([*await _findings(page), *await _is_too_wide(page)])

    assert findings == []
