"""SIGKILL at many moments of a sync: it ends in the state of an uninterrupted one.

The suite runs a short, seeded form; `scripts/campaign kill` sets CROSSWALK_KILLS=50 and CROSSWALK_KILL_RECORDS=20000.
"""

import asyncio
import os
import random
import signal
import time

import pytest

from app.actors import Actor
from app.bootstrap import Hub
from app.connectors.servicem8.sandbox.testing import RunningSandbox
from app.database import execute, fetch, fetch_value, transaction
from app.syncs.models import SyncRun
from tests.factories import make_connection, make_organization, sync
from tests.kill.workers import kill, running_worker, start_worker

KILLS = int(os.environ.get("CROSSWALK_KILLS", "8"))
RECORDS = int(os.environ.get("CROSSWALK_KILL_RECORDS", "3000"))
SEED = int(os.environ.get("CROSSWALK_SEED", "20261121"))


async def _everything(hub: Hub, actor: Actor) -> dict[str, list]:
    """What a sync leaves, without the ids and times that differ between any two syncs."""
    scope, organization = actor.scope, actor.organization_id
    records = await fetch(
        scope,
        """
        SELECT m.external_id, r.entity, r.data, r.version, r.deleted_at IS NULL AS live,
               m.status, m.provider_version, m.payload, m.fingerprint
        FROM record r JOIN mapping m ON m.organization_id = r.organization_id AND m.record_id = r.id
        WHERE r.organization_id = $1 ORDER BY m.stream, m.external_id
        """,
        organization,
    )
    parts = await fetch(
        scope, "SELECT kind, external_id, parent_id, payload FROM part WHERE organization_id = $1 ORDER BY kind, external_id", organization
    )
    failures = await fetch(
        scope,
        """
        SELECT external_id, stage, message, payload FROM failed_record
        WHERE organization_id = $1 AND resolved_at IS NULL ORDER BY external_id
        """,
        organization,
    )
    counts = await fetch(
        scope,
        """
        SELECT (SELECT count(*) FROM record WHERE organization_id = $1) AS records,
               (SELECT count(*) FROM record_version WHERE organization_id = $1) AS versions
        """,
        organization,
    )
    return {"records": list(records), "parts": list(parts), "failures": list(failures), "counts": list(counts)}


@pytest.fixture(autouse=True)
async def _pages(sandbox: RunningSandbox):
    """Enough pages to be killed between, and few enough for the provider's limit of requests in a minute."""
    await sandbox.settings(page_size=max(200, RECORDS // 40))
    yield
    await sandbox.settings(page_size=sandbox.config.page_size)


async def _seeded(sandbox: RunningSandbox) -> None:
    await sandbox.reset()
    await sandbox.seed("companies", RECORDS * 3 // 4)
    await sandbox.seed("jobs", RECORDS // 4)
    await sandbox.create("company", name="")


async def _shorten_leases(actor: Actor, run: SyncRun) -> None:
    """A killed worker's lease ends in 30 s; the campaign does not wait for that each time."""
    async with transaction(actor.scope):
        await execute(
            actor.scope,
            "UPDATE sync_run SET lease_expires_at = least(lease_expires_at, now()) WHERE organization_id = $1 AND id = $2",
            actor.organization_id,
            run.id,
        )


def _moments(kills: int) -> list[str]:
    """A third after a COMMIT that was not acknowledged, a third before one, a third at any time."""
    chance = random.Random(SEED)
    kinds = [
        lambda: f"after_commit:{chance.randint(1, 12)}",
        lambda: f"before_commit:{chance.randint(1, 12)}",
        lambda: f"seconds:{chance.uniform(0.05, 0.6):.3f}",
    ]
    return [kinds[number % 3]() for number in range(kills)]


@pytest.mark.timeout(900)
async def test_a_sync_killed_at_many_moments_ends_like_an_uninterrupted_one(hub: Hub, settings, sandbox: RunningSandbox):
    await _seeded(sandbox)
    calm, harried = await make_organization(hub), await make_organization(hub)
    await sync(hub, calm, await make_connection(hub, calm, sandbox))
    connection = await make_connection(hub, harried, sandbox)
    run = await hub.syncs.start(harried, connection.id)
    killed = 0
    for moment in _moments(KILLS):
        worker = start_worker(settings, moment)
        while worker.poll() is None and (await hub.syncs.run(harried, run.id)).status.is_active:
            await asyncio.sleep(0.05)
        killed += worker.poll() == -signal.SIGKILL
        kill(worker)
        await _shorten_leases(harried, run)
        if not (await hub.syncs.run(harried, run.id)).status.is_active:
            run = await hub.syncs.start(harried, connection.id, mode="full")

    with running_worker(settings):
        run = await _ended(hub, harried, run)

    assert killed >= KILLS * 0.9
    assert run.error_message is None
    assert await _everything(hub, harried) == await _everything(hub, calm)


async def _ended(hub: Hub, actor: Actor, run: SyncRun, seconds: float = 120) -> SyncRun:
    deadline = time.monotonic() + seconds
    while (run := await hub.syncs.run(actor, run.id)).status.is_active:
        assert time.monotonic() < deadline, run
        await asyncio.sleep(0.1)
    return run


@pytest.mark.timeout(240)
async def test_a_frozen_worker_writes_nothing_after_it_thaws(hub: Hub, settings, sandbox: RunningSandbox):
    await _seeded(sandbox)
    calm, harried = await make_organization(hub), await make_organization(hub)
    await sync(hub, calm, await make_connection(hub, calm, sandbox))
    connection = await make_connection(hub, harried, sandbox)
    run = await hub.syncs.start(harried, connection.id)
    frozen = start_worker(settings)
    try:
        while (await hub.syncs.run(harried, run.id)).counts.read < RECORDS // 5:
            await asyncio.sleep(0.01)
        frozen.send_signal(signal.SIGSTOP)
        fence = await fetch_value(
            harried.scope, "SELECT fence FROM sync_run WHERE organization_id = $1 AND id = $2", harried.organization_id, run.id
        )
        await asyncio.sleep(16)  # a transaction that it froze in is ended by the server after 15 s
        await _shorten_leases(harried, run)
        with running_worker(settings):
            run = await _ended(hub, harried, run)
        after = await _everything(hub, harried)
        frozen.send_signal(signal.SIGCONT)
        await asyncio.sleep(3)
    finally:
        kill(frozen)

    assert run.counts.read >= RECORDS
    assert after == await _everything(hub, harried) == await _everything(hub, calm)
    assert fence < await fetch_value(
        harried.scope, "SELECT fence FROM sync_run WHERE organization_id = $1 AND id = $2", harried.organization_id, run.id
    )


@pytest.mark.timeout(120)
async def test_sigterm_hands_a_run_over_at_its_last_page(hub: Hub, settings, sandbox: RunningSandbox):
    await _seeded(sandbox)
    actor = await make_organization(hub)
    connection = await make_connection(hub, actor, sandbox)
    run = await hub.syncs.start(actor, connection.id)
    worker = start_worker(settings)
    while (await hub.syncs.run(actor, run.id)).counts.read < RECORDS // 5:
        await asyncio.sleep(0.01)
    worker.terminate()
    assert worker.wait(20) == 0
    held = await fetch_value(
        actor.scope,
        "SELECT lease_expires_at FROM sync_run WHERE organization_id = $1 AND id = $2",
        actor.organization_id,
        run.id,
    )

    with running_worker(settings):
        run = await _ended(hub, actor, run)

    assert held is None
    assert run.counts.failed == 1
