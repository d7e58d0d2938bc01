"""What happens with nobody there: syncs and comparisons that are due are started by a worker, and what drifted is told."""

import asyncio
from collections.abc import AsyncIterator
from uuid import UUID

import pytest

from app.actors import Actor
from app.database import execute, transaction
from app.syncs.models import RunStatus, Sync, SyncRun
from jobs.worker import work
from tests.connectors.metakocka.company import add_offer
from tests.two_way.office import ALL, Office

PARTNERS = 6
WAIT_SECONDS = 60


@pytest.fixture
async def worker(office: Office) -> AsyncIterator[None]:
    """A worker in this process, with its sweeper."""
    stop = asyncio.Event()
    working = asyncio.create_task(work(office.hub, stop))
    yield
    stop.set()
    await working


@pytest.fixture
async def partners(office: Office) -> list[str]:
    """Known to the hub; more than one missing at once is held back."""
    ids = [await office.add(f"Partner {number}") for number in range(PARTNERS)]
    await office.run()
    await office.policy(brake_share=0.0, brake_minimum=1)
    return ids


async def _standing(office: Office, **values: object) -> Sync:
    wish = {"name": "By itself", "streams": ["partners"], "schedule": "0 3 * * 0", "time_zone": "Europe/Ljubljana"}
    return await office.hub.schedules.create(office.operator, office.connection.id, **wish | values)  # type: ignore[arg-type]


async def _its_time_comes(office: Office, sync: Sync, *, after: UUID | None = None) -> SyncRun:
    """The run that a worker starts and ends."""
    async with transaction(office.operator.scope):
        sql = "UPDATE sync SET next_due_at = now() WHERE organization_id = $1 AND id = $2"
        await execute(office.operator.scope, sql, office.operator.organization_id, sync.id)
    async with asyncio.timeout(WAIT_SECONDS):
        while True:
            runs = (await office.hub.syncs.runs(office.operator, ALL, connection_id=office.connection.id)).items
            if found := [run for run in runs if run.sync_id == sync.id and run.id != after and not run.status.is_active]:
                return found[0]
            await asyncio.sleep(0.1)


@pytest.mark.requirement("MKC-53", "MKD-24")
async def test_both_sides_are_kept_in_step_on_a_schedule_with_nobody_there(office: Office, partners: list[str], worker: None):
    sync = await _standing(office, direction="two_way", streams=["partners", "offers"])
    record = await office.record(partners[0])
    await office.edit(record, name="Changed here")
    await office.sandbox.edit_partner(partners[1], customer="Changed there")
    await add_offer(office.sandbox)

    run = await _its_time_comes(office, sync)

    assert (run.status, run.requested_by["name"], run.direction) == (RunStatus.COMPLETED, "Schedule", "two_way")
    assert (await office.record(partners[1])).data["name"] == "Changed there"
    assert (await office.sandbox.partner(partners[0]))["customer"] == "Changed here"
    assert len((await office.hub.records.sales_documents(office.operator, ALL, connection_id=office.connection.id)).items) == 1
    later = await office.hub.schedules.get(office.operator, sync.id)
    assert later.next_due_at
    assert later.next_due_at > office.hub.now()


@pytest.mark.requirement("SM8-47", "MKC-53")
async def test_a_comparison_on_a_schedule_finds_what_went_missing_behind_the_hubs_back_and_tells_of_it(
    office: Office, owner: Actor, partners: list[str], worker: None
):
    sync = await _standing(office, name="Compare everything", mode="full")
    well = await _its_time_comes(office, sync)
    for gone in partners[:3]:  # Metakocka tells nobody
        await office.sandbox.delete_partner(gone)

    run = await _its_time_comes(office, sync, after=well.id)

    before, after = await office.hub.reconciliations.of_run(owner, well.id), await office.hub.reconciliations.of_run(owner, run.id)
    assert [(one.seen, one.mapped, one.has_drift) for one in before] == [(PARTNERS, PARTNERS, False)]
    assert [(one.seen, one.mapped, one.drift) for one in after] == [(PARTNERS - 3, PARTNERS, (0, 3, 0))]
    assert sorted(after[0].examples["missing_there"]) == sorted(partners[:3])
    told = [mail.body for mail in (await office.hub.mail.kept(owner, ALL)).items if "out of step" in mail.subject]
    assert ["found 3 missing there, of 3 objects" in body for body in told] == [True]
    assert await office.living() == PARTNERS


async def test_what_a_comparison_takes_over_is_counted_and_is_no_drift(office: Office, owner: Actor, partners: list[str], worker: None):
    sync = await _standing(office, mode="full")
    await office.sandbox.edit_partner(partners[0], customer="Changed there")
    await office.sandbox.delete_partner(partners[1])
    await office.add("New there")

    run = await _its_time_comes(office, sync)

    [found] = await office.hub.reconciliations.of_run(owner, run.id)
    assert (found.seen, found.mapped, found.taken_over, found.has_drift) == (PARTNERS, PARTNERS, 3, False)
    assert found.sentence == f"{PARTNERS} objects compared, all in step; 3 taken over"
