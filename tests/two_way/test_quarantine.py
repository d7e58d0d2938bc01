"""Deletions that the brake held back: kept, or carried out by a worker that asks for each once more."""

import asyncio

import pytest

from app.actors import Role
from app.database import execute, transaction
from app.errors import PermissionDenied
from app.syncs import quarantine
from app.syncs.quarantine import QuarantineNotFound, QuarantineSettled
from app.syncs.quarantine_store import Quarantine
from jobs.schedule import sweep
from jobs.worker import work
from tests.factories import colleague, key, make_organization
from tests.two_way.office import ALL, Office

PARTNERS, GONE = 20, 12


class Town:
    """An office whose provider lost more partners than the policy lets go at once."""

    def __init__(self, office: Office, ids: list[str]) -> None:
        self.office, self.hub, self.ids = office, office.hub, ids

    async def held(self) -> Quarantine:
        (held,) = (await self.hub.quarantine.quarantined(self.office.operator, ALL, connection_id=self.office.connection.id)).items
        return held

    async def now(self, held: Quarantine) -> Quarantine:
        return await self.hub.quarantine.get(self.office.operator, held.id)

    async def advance(self, held: Quarantine) -> Quarantine:
        await self.hub.quarantine.advance(self.office.operator.organization_id, held.id)
        return await self.now(held)

    async def due_now(self, held: Quarantine) -> None:
        scope = self.office.operator.scope
        async with transaction(scope):
            sql = "UPDATE quarantine SET next_attempt_at = now() WHERE organization_id = $1 AND id = $2"
            await execute(scope, sql, scope.organization_id, held.id)


@pytest.fixture
async def town(office: Office) -> Town:
    ids = [await office.add(f"Partner {number:02}") for number in range(PARTNERS)]
    await office.run()
    for mk_id in ids[:GONE]:
        await office.sandbox.delete_partner(mk_id)
    await office.run()
    return Town(office, ids)


async def test_what_tripped_the_brake_is_told_with_its_limits_and_its_records(town: Town):
    held = await town.held()

    first = await town.hub.quarantine.deletions(town.office.operator, held.id, ALL)

    assert (held.count, held.known, held.brake_share, held.brake_minimum) == (GONE, PARTNERS, 0.05, 10)
    assert [one.external_id for one in first.items] == sorted(town.ids[:GONE])
    assert not any(one.is_deleted for one in first.items)
    assert first.items[0].record_id == (await town.office.record(first.items[0].external_id)).id


async def test_released_deletions_are_carried_out_by_a_worker_and_nothing_else_goes(town: Town):
    held, stop = await town.held(), asyncio.Event()
    working = asyncio.create_task(work(town.hub, stop))

    released = await town.hub.quarantine.release(town.office.operator, held.id)
    async with asyncio.timeout(60):
        while (done := await town.now(held)).status != "released":
            await asyncio.sleep(0.05)
    stop.set()
    await working

    assert (released.status, released.decided_by) == ("releasing", town.office.operator.name)
    assert (done.looked_at, done.deleted, await town.office.living()) == (GONE, GONE, PARTNERS - GONE)
    assert all(one.is_deleted for one in (await town.hub.quarantine.deletions(town.office.operator, held.id, ALL)).items)
    events = [entry.event for entry in (await town.hub.audit.entries(town.office.operator, ALL, subject_id=held.id)).items]
    assert sorted(events) == ["quarantine.carried_out", "quarantine.released"]


async def test_what_is_there_again_by_then_stays(town: Town):
    await town.office.sandbox.show_percent("partner", 3)
    await town.office.run()
    held = await town.held()
    await town.office.sandbox.show_percent("partner", 100)

    await town.hub.quarantine.release(town.office.operator, held.id)
    done = await town.advance(held)

    assert held.count > GONE
    assert (done.status, done.looked_at, done.deleted) == ("released", held.count, GONE)
    assert await town.office.living() == PARTNERS - GONE


async def test_a_release_that_is_cut_anywhere_goes_on_where_it_was(town: Town):
    held = await town.held()
    await town.hub.quarantine.release(town.office.operator, held.id)
    await town.office.sandbox.fault("opr-3", path="*/get_partner", skip=3 * quarantine.BATCH + 2, times=None)  # it takes three to be sure

    cut = await town.advance(held)
    waits = await town.advance(held)
    await town.office.sandbox.clear_faults()
    await town.due_now(held)
    done = await town.advance(held)

    assert (cut.status, cut.looked_at, cut.deleted) == ("releasing", quarantine.BATCH, quarantine.BATCH)
    assert cut.error_message
    assert waits == cut
    assert (done.status, done.deleted, done.error_message) == ("released", GONE, None)


async def test_two_workers_on_one_release_delete_each_record_once(town: Town):
    held = await town.held()
    await town.hub.quarantine.release(town.office.operator, held.id)

    async def late() -> Quarantine:
        await town.due_now(held)
        return await town.advance(held)

    await asyncio.gather(town.advance(held), late(), late())
    done = await town.advance(held)

    assert (done.status, done.deleted, await town.office.living()) == ("released", GONE, PARTNERS - GONE)


async def test_the_rest_of_a_release_can_still_be_kept(town: Town, monkeypatch: pytest.MonkeyPatch):
    held = await town.held()
    await town.hub.quarantine.release(town.office.operator, held.id)
    monkeypatch.setattr(quarantine, "SLICE_SECONDS", 0.000001)
    begun = await town.advance(held)

    kept = await town.hub.quarantine.dismiss(town.office.operator, held.id)
    after = await town.advance(held)

    assert (begun.status, begun.looked_at, begun.deleted) == ("releasing", 1, 1)
    assert (kept.status, after) == ("dismissed", kept)
    assert await town.office.living() == PARTNERS - 1


async def test_the_sweeper_rings_for_a_release_that_nobody_carries_out(town: Town):
    held = await town.held()
    await town.hub.quarantine.release(town.office.operator, held.id)
    await town.hub.redis.flushdb()

    await sweep(town.hub)

    rung = [job.decode() for job in await town.hub.redis.zrange("crosswalk:bulk", 0, -1)]
    assert any(job.startswith(f"release_deletions:{held.id}") for job in rung)


async def test_a_decision_is_made_once_and_a_repeated_one_changes_nothing(town: Town):
    held, same = await town.held(), key()

    await town.hub.quarantine.dismiss(town.office.operator, held.id, idempotency_key=same)
    again = await town.hub.quarantine.dismiss(town.office.operator, held.id, idempotency_key=same)

    assert (again.status, await town.office.living()) == ("dismissed", PARTNERS)
    for decide in (town.hub.quarantine.dismiss, town.hub.quarantine.release):
        with pytest.raises(QuarantineSettled):
            await decide(town.office.operator, held.id)


async def test_only_who_may_change_records_of_the_organization_decides(town: Town, owner):
    held = await town.held()
    stranger, viewer = await make_organization(town.hub), colleague(owner, Role.VIEWER)

    for decide in (town.hub.quarantine.dismiss, town.hub.quarantine.release):
        with pytest.raises(QuarantineNotFound):
            await decide(stranger, held.id)
        with pytest.raises(PermissionDenied):
            await decide(viewer, held.id)
    with pytest.raises(QuarantineNotFound):
        await town.hub.quarantine.deletions(stranger, held.id, ALL)
    assert (await town.now(held)).status == "held"
