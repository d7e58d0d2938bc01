"""A push whose page is interrupted: what was done of it is counted once, whatever interrupted it."""

import asyncio

import pytest

from app.database import execute, transaction
from app.mappings import links
from app.syncs.models import RunStatus, SyncRun
from tests import factories
from tests.two_way.office import Office

CONTACTS = 8


async def _all_changed(office: Office) -> list[str]:
    """Contacts at the provider that all have changed in the hub."""
    ids = [await office.add(f"Partner {number}") for number in range(CONTACTS)]
    await office.run()
    for number, mk_id in enumerate(ids):
        await office.edit(await office.record(mk_id), name=f"Edited {number}")
    return ids


async def _written(office: Office) -> int:
    return len(await office.sandbox.effects(object="partner", effect="changed"))


async def _waiting(office: Office) -> int:
    return await links.waiting_count(office.operator.scope, office.connection.id, "partners")


async def _due_now(office: Office, run: SyncRun) -> None:
    """Nobody waits here for what waits for the provider, or for a lease to end."""
    async with transaction(office.operator.scope):
        for table in ("sync_run", "delivery"):
            await execute(
                office.operator.scope,
                f"UPDATE {table} SET next_attempt_at = now(), lease_expires_at = NULL WHERE organization_id = $1",
                office.operator.organization_id,
            )


@pytest.mark.parametrize("fault", ["500", "opr-1", "maintenance"])
async def test_what_was_written_before_the_provider_failed_is_counted_once(office: Office, fault: str):
    await _all_changed(office)
    await office.sandbox.fault(fault, path="*/update_partner", skip=3, times=3)

    run = await office.hub.syncs.start(office.operator, office.connection.id, streams=["partners"], direction="push")
    interrupted = 0
    while (run := await factories.finish(office.hub, office.operator, run)).status.is_active:
        interrupted += 1
        await _due_now(office, run)

    assert interrupted
    assert (run.status, await _written(office)) == (RunStatus.COMPLETED, CONTACTS)
    assert (run.counts.read, run.counts.updated, run.counts.failed) == (CONTACTS, CONTACTS, 0)


async def test_a_push_that_fails_says_how_much_it_had_written(office: Office):
    await _all_changed(office)
    await office.sandbox.fault("opr-3", path="*/update_partner", skip=3)

    run = await office.run("push")

    assert run.status is RunStatus.FAILED
    assert 0 < run.counts.updated < CONTACTS
    assert run.counts.updated == await _written(office)


async def test_a_push_that_is_cancelled_within_a_page_says_how_much_it_had_written(office: Office):
    await _all_changed(office)
    await office.sandbox.fault("slow", path="*/update_partner", skip=3, milliseconds=60_000)
    run = await office.hub.syncs.start(office.operator, office.connection.id, streams=["partners"], direction="push")

    worker = asyncio.create_task(office.hub.syncs.advance(office.operator.organization_id, run.id))
    while await _waiting(office) > CONTACTS - 3:
        await asyncio.sleep(0.05)
    await office.hub.syncs.cancel(office.operator, run.id)
    await asyncio.wait_for(worker, 20)

    run = await office.hub.syncs.run(office.operator, run.id)
    assert (run.status, run.counts.updated) == (RunStatus.CANCELLED, CONTACTS - await _waiting(office))
    assert run.counts.updated >= 3


async def test_a_worker_that_ends_within_a_page_leaves_nothing_uncounted(office: Office):
    await _all_changed(office)
    await office.sandbox.fault("slow", path="*/update_partner", skip=3, times=4, milliseconds=60_000)
    run = await office.hub.syncs.start(office.operator, office.connection.id, streams=["partners"], direction="push")

    worker = asyncio.create_task(office.hub.syncs.advance(office.operator.organization_id, run.id))
    while await _written(office) < 3:
        await asyncio.sleep(0.05)
    worker.cancel()
    await asyncio.gather(worker, return_exceptions=True)
    await office.sandbox.clear_faults()
    await _due_now(office, run)
    run = await factories.ended(office.hub, office.operator, await office.hub.syncs.run(office.operator, run.id))

    assert (run.status, await _written(office)) == (RunStatus.COMPLETED, CONTACTS)
    assert (run.counts.read, run.counts.updated, run.counts.failed) == (CONTACTS, CONTACTS, 0)


async def test_what_failed_before_a_page_was_interrupted_is_neither_counted_nor_tried_twice(office: Office):
    bad = await office.record((await _all_changed(office))[0])
    await office.edit(bad, name="longer than the provider takes " * 5)
    await office.sandbox.fault("500", path="*/update_partner", skip=4, times=2)

    run = await office.hub.syncs.start(office.operator, office.connection.id, streams=["partners"], direction="push")
    while (run := await factories.finish(office.hub, office.operator, run)).status.is_active:
        await _due_now(office, run)

    assert (run.counts.read, run.counts.updated, run.counts.failed) == (CONTACTS, CONTACTS - 1, 1)
