"""Leases: one worker at a time, none that was frozen writes, and a worker that stops hands over."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from app.connectors.hold import Hold, now
from app.database import execute, fetch_row, transaction
from app.deliveries import repository
from app.deliveries.lease import while_held
from app.deliveries.models import DeliveryStatus, Work
from app.errors import LeaseLost
from app.settings import Settings
from tests.quotes.world import World

LEASE_SECONDS = 1.5
StartWorker = Callable[[World], Awaitable[asyncio.subprocess.Process]]


@pytest.fixture
async def start_worker(settings: Settings) -> AsyncIterator[StartWorker]:
    """Starts another process that sends the world's delivery."""
    started: list[asyncio.subprocess.Process] = []
    environment = os.environ | {
        "CROSSWALK_DATABASE_URL": str(settings.database_url),
        "CROSSWALK_REDIS_URL": str(settings.redis_url),
        "CROSSWALK_DATA_DIR": str(settings.data_dir),
        "CROSSWALK_SANDBOXES": "true",
        "CROSSWALK_SANDBOX_URLS": ",".join(settings.sandbox_urls),
    }

    async def start(world: World) -> asyncio.subprocess.Process:
        ids = str(world.operator.organization_id), str((await world.delivery()).id)
        command = (sys.executable, "-m", "tests.deliveries.worker", *ids, str(LEASE_SECONDS))
        started.append(await asyncio.create_subprocess_exec(*command, env=environment, stdout=asyncio.subprocess.DEVNULL))
        return started[-1]

    yield start
    for process in started:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def _row(world: World):
    sql = "SELECT * FROM delivery WHERE organization_id = $1 AND id = $2"
    return await fetch_row(world.operator.scope, sql, world.operator.organization_id, (await world.delivery()).id)


async def _effects(world: World) -> list[tuple[str, str]]:
    return [(write["object"], write["effect"]) for write in await world.sandbox.ledger() if write["effect"] != "none"]


async def test_a_frozen_worker_that_is_thawed_after_its_lease_writes_nothing(world: World, start_worker: StartWorker):
    await world.approve(lines=[(await world.quote()).lines[0].id])
    await world.sandbox.clear_ledger()
    await world.sandbox.hold_writes()
    frozen = await start_worker(world)
    await world.sandbox.wait_until_held()
    frozen.send_signal(signal.SIGSTOP)
    await asyncio.sleep(LEASE_SECONDS + 0.3)
    await world.sandbox.release_writes()

    delivery = await world.deliver()
    before = await _row(world)
    frozen.send_signal(signal.SIGCONT)
    assert await asyncio.wait_for(frozen.wait(), 20) == 0

    assert delivery.status is DeliveryStatus.CONFIRMED
    assert await _row(world) == before
    assert sorted(await _effects(world)) == [
        ("job", "updated"),
        ("jobmaterial", "deleted"),
        ("jobmaterial", "deleted"),
        ("note", "created"),
    ]
    assert await world.materials() == {"Switchboard"}


async def test_a_killed_worker_s_delivery_is_continued_when_its_lease_has_run_out(world: World, start_worker: StartWorker):
    await world.approve()
    await world.sandbox.clear_ledger()
    await world.sandbox.hold_writes()
    worker = await start_worker(world)
    await world.sandbox.wait_until_held()
    worker.kill()
    await world.sandbox.release_writes()

    assert (await world.deliver()).status is DeliveryStatus.SENDING
    await asyncio.sleep(LEASE_SECONDS)
    assert (await world.deliver()).status is DeliveryStatus.CONFIRMED

    assert sorted(await _effects(world)) == [("job", "updated"), ("note", "created")]


async def test_two_workers_that_are_rung_at_once_send_it_once(world: World):
    await world.approve()
    await world.sandbox.clear_ledger()

    await asyncio.gather(*(world.deliver() for _ in range(5)))

    assert (await world.delivery()).attempts == 1
    assert sorted(await _effects(world)) == [("job", "updated"), ("note", "created")]


async def test_a_worker_that_is_told_to_stop_gives_its_delivery_back_at_once(world: World):
    await world.approve()
    await world.sandbox.hold_writes(before_work=True)
    working = asyncio.create_task(world.deliver())
    await world.sandbox.wait_until_held()

    working.cancel()
    with pytest.raises(asyncio.CancelledError):
        await working

    assert (await world.delivery()).status is DeliveryStatus.QUEUED
    await world.sandbox.release_writes()
    assert (await world.deliver()).status is DeliveryStatus.CONFIRMED


async def _claim(world: World) -> Work:
    delivery = await world.delivery()
    async with transaction(world.operator.scope):
        work = await repository.claim(world.operator.scope, delivery.id, world.connection.id, at_most=1, lease_seconds=0.6)
    assert work is not None
    return work


async def test_a_lease_is_extended_as_long_as_the_work_goes_on(world: World):
    await world.approve()
    work = await _claim(world)

    assert await while_held(world.operator.scope, work, 0.6, Hold(now(), 0.6), asyncio.sleep(1.5, "done")) == "done"


async def test_work_ends_as_soon_as_its_lease_is_lost(world: World):
    await world.approve()
    work = await _claim(world)
    async with transaction(world.operator.scope):
        sql = "UPDATE delivery SET fence = fence + 1 WHERE organization_id = $1 AND id = $2"
        await execute(world.operator.scope, sql, work.organization_id, work.id)

    with pytest.raises(LeaseLost):
        await while_held(world.operator.scope, work, 0.6, Hold(now(), 0.6), asyncio.sleep(60))
