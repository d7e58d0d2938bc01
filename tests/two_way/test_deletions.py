"""What a complete scan does not find: deleted, held back by the brake, or only looked at again."""

from uuid import UUID

import pytest

from app.actors import Actor
from app.bootstrap import Hub
from app.conflicts.models import StreamPolicy
from app.connectors.metakocka.sandbox.testing import RunningSandbox
from app.database import execute, fetch, transaction
from app.syncs import absence
from app.syncs.models import RunStatus
from tests import factories
from tests.two_way.office import ALL, Office

PARTNERS = 40


@pytest.fixture
async def town(office: Office) -> tuple[Office, list[str]]:
    ids = [await office.add(f"Partner {number:02}") for number in range(PARTNERS)]
    await office.run()
    return office, ids


async def _held(office: Office):
    return (await office.hub.quarantine.quarantined(office.operator, ALL, connection_id=office.connection.id)).items


@pytest.mark.requirement("MKC-51", "MKC-25")
async def test_what_a_complete_scan_does_not_find_is_deleted_with_a_tombstone(town):
    office, ids = town
    record = await office.record(ids[0])
    for mk_id in ids[:3]:
        await office.sandbox.delete_partner(mk_id)

    run = await office.run()

    assert (run.status, run.counts.deleted, await office.living()) == (RunStatus.COMPLETED, 3, PARTNERS - 3)
    assert (await office.mapped(record.id)).status == "deleted"
    assert (await office.hub.records.get(office.operator, record.id)).deleted_at is not None
    assert (await office.run()).counts.deleted == 0


async def test_a_provider_that_suddenly_shows_three_percent_trips_the_brake(town):
    office, _ = town
    await office.sandbox.show_percent("partner", 3)

    run = await office.run()

    assert (run.counts.deleted, await office.living()) == (0, PARTNERS)
    (held,) = await _held(office)
    assert held.known == PARTNERS
    told = await fetch(office.operator.scope, "SELECT subject FROM mail WHERE organization_id = $1", office.operator.organization_id)
    assert f"{held.count} deletions are held back" in [row["subject"] for row in told]


async def test_a_scan_that_finds_everything_again_clears_what_was_held(town):
    office, _ = town
    await office.sandbox.show_percent("partner", 3)
    await office.run()
    await office.sandbox.show_percent("partner", 100)

    await office.run()

    assert (await _held(office), await office.living()) == ([], PARTNERS)


async def test_dismissed_deletions_leave_everything(town):
    office, _ = town
    await office.sandbox.show_percent("partner", 3)
    await office.run()
    (held,) = await _held(office)

    assert (await office.hub.quarantine.dismiss(office.operator, held.id)).status == "dismissed"
    assert await office.living() == PARTNERS


async def test_an_edit_in_the_hub_survives_a_deletion_at_the_provider(town):
    office, ids = town
    record = await office.edit(await office.record(ids[0]), name="Just corrected")
    await office.sandbox.delete_partner(ids[0])

    await office.run()

    (conflict,) = await office.conflicts()
    assert (conflict.field, conflict.record_id) == ("deleted", record.id)
    assert (await office.hub.records.get(office.operator, record.id)).deleted_at is None


async def test_a_deletion_that_the_policy_ignores_leaves_the_record(town):
    office, ids = town
    await office.policy(provider_deletions="ignore")
    record = await office.record(ids[0])
    await office.sandbox.delete_partner(ids[0])

    await office.run()

    assert (await office.mapped(record.id)).status == "deleted"
    assert (await office.hub.records.get(office.operator, record.id)).deleted_at is None


SCANNED, PAGE = 20, 5


@pytest.mark.parametrize("page", range(SCANNED // PAGE + 1))
async def test_a_full_scan_that_is_cut_at_any_page_deletes_nothing_until_it_is_complete(
    hub: Hub, operator: Actor, metakocka: RunningSandbox, page: int
):
    """The request after the last page is the last look at what seems to be missing."""
    office = await Office.open(hub, operator, metakocka, page_size=PAGE)
    ids = [await office.add(f"Partner {number:02}") for number in range(SCANNED)]
    await office.run()
    for mk_id in ids[::7]:
        await metakocka.delete_partner(mk_id)
    await metakocka.fault("500", path="*/get_partner", skip=page, times=None)
    run = await hub.syncs.start(operator, office.connection.id, streams=["partners"], mode="full")

    await hub.syncs.advance(operator.organization_id, run.id)
    cut, living = await hub.syncs.run(operator, run.id), await office.living()
    await metakocka.clear_faults()
    await _due_now(office, run.id)
    whole = await factories.ended(hub, operator, run)

    assert (cut.status, cut.counts.deleted, living) == (RunStatus.RUNNING, 0, SCANNED)
    assert (whole.status, whole.counts.deleted, await office.living()) == (RunStatus.COMPLETED, 3, SCANNED - 3)
    assert await _held(office) == []


async def _due_now(office: Office, run_id: UUID) -> None:
    """What waits before it tries again need not wait any longer."""
    scope = office.operator.scope
    async with transaction(scope):
        sql = "UPDATE sync_run SET next_attempt_at = now() WHERE organization_id = $1 AND id = $2"
        await execute(scope, sql, scope.organization_id, run_id)


@pytest.mark.parametrize(
    ("missing", "known", "trips"), [(10, 100, False), (11, 100, True), (11, 1000, False), (51, 1000, True), (29, 30, True)]
)
def test_the_brake_knows_a_share_and_a_number(missing: int, known: int, trips: bool):
    assert absence.trips_brake(StreamPolicy(None, "partners"), missing, known) is trips  # type: ignore[arg-type]
