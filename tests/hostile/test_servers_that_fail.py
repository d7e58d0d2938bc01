"""Redis forgets or is gone, Postgres cuts every connection, a worker dies: all that was begun still ends, once."""

import asyncio
import logging
import subprocess
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import replace
from pathlib import Path

import asyncpg
import pytest
import structlog

from app.actors import Actor
from app.bootstrap import Hub
from app.connectors.servicem8.sandbox.testing import RunningSandbox
from app.database import execute, fetch_value, transaction
from app.embedded.programs import installed_programs
from app.paging import PageRequest
from app.settings import Secret, Settings
from app.syncs.models import RunStatus, SyncRun
from jobs.worker import work
from tests.factories import key, make_connection, sync
from tests.kill.workers import kill, running_worker, start_worker

ALL = PageRequest(100)
QUOTES = 4
COMPANIES = 1500


class Load:
    """A sync that takes seconds, and decisions on their way."""

    def __init__(self, hub: Hub, actor: Actor, sandbox: RunningSandbox) -> None:
        self.hub, self.actor, self.sandbox = hub, actor, sandbox
        self.jobs: list[str] = []

    async def prepare(self) -> None:
        company = await self.sandbox.create("company", name="Acme")
        for number in range(QUOTES):
            job = await self.sandbox.create("job", company_uuid=company["uuid"], status="Quote", job_description=f"Work {number}")
            for line in ("Kept", "Declined"):
                await self.sandbox.add_line(job["uuid"], name=line, quantity="1", price="10")
            self.jobs.append(job["uuid"])
        self.connection = await make_connection(self.hub, self.actor, self.sandbox)
        await sync(self.hub, self.actor, self.connection)
        await self.sandbox.seed("companies", COMPANIES)
        await self.sandbox.clear_ledger()
        await self.sandbox.fault("slow", path="*", milliseconds=150, times=None)

    async def begin(self) -> SyncRun:
        for quote in (await self.hub.quotes.quotes(self.actor, ALL)).items:
            await self._decide(quote.id)
        return await self.hub.syncs.start(self.actor, self.connection.id, mode="full")

    async def _decide(self, quote_id) -> None:
        quote = await self.hub.quotes.quote(self.actor, quote_id)
        kept = [line.id for line in quote.lines if line.description == "Kept"]
        await self.hub.quotes.approve(
            self.actor, quote_id, version=quote.version, lines=kept, signature_name="Olive", accept_terms=True, idempotency_key=key()
        )

    async def ended(self, run: SyncRun, seconds: float = 45) -> None:
        """Wait; then look at both sides."""
        deadline = time.monotonic() + seconds
        while await self._waits(run):
            assert time.monotonic() < deadline, "work is left over"
            await asyncio.sleep(0.1)
        run = await self.hub.syncs.run(self.actor, run.id)
        assert (run.status, run.error_message) == (RunStatus.COMPLETED, None)
        assert run.counts.read >= COMPANIES
        effects = Counter((write["object"], write["uuid"], write["effect"]) for write in await self.sandbox.ledger())
        assert [effect for effect, count in effects.items() if count > 1 and effect[2] != "none"] == []
        for job in self.jobs:
            assert (await self.sandbox.record("job", job))["status"] == "Work Order"
            lines = [line["name"] for line in await self.sandbox.records("jobmaterial", job_uuid=job) if int(line["active"])]
            assert lines == ["Kept"]
            assert len(await self.sandbox.records("note", related_object_uuid=job)) == 1

    async def _waits(self, run: SyncRun) -> bool:
        waiting = await fetch_value(
            self.actor.scope,
            """
            SELECT EXISTS (SELECT FROM delivery WHERE organization_id = $1 AND status IN ('queued', 'sending'))
                OR EXISTS (SELECT FROM sync_run WHERE organization_id = $1 AND id = $2
                           AND status NOT IN ('completed', 'partially_completed', 'failed', 'cancelled'))
            """,
            self.actor.organization_id,
            run.id,
        )
        return bool(waiting)


@pytest.fixture
async def load(hub: Hub, operator: Actor, sandbox: RunningSandbox, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Load]:
    await sandbox.reset()
    monkeypatch.setattr(hub.deliveries, "lease_seconds", 5.0)  # who dies with a delivery in hand holds it for so long
    prepared = Load(hub, operator, sandbox)
    await prepared.prepare()
    yield prepared
    await sandbox.reset()


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """Tracebacks drawn for a terminal would hold the workers of this process up for seconds."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    yield
    structlog.reset_defaults()


@pytest.fixture
async def worker(hub: Hub) -> AsyncIterator[None]:
    stop = asyncio.Event()
    working = asyncio.create_task(work(hub, stop))
    yield
    stop.set()
    await working


async def _again_and_again(trouble: Callable[[], Awaitable[object]], *, times: int, seconds: float) -> None:
    for _ in range(times):
        await asyncio.sleep(seconds)
        await trouble()


async def test_a_redis_that_forgets_everything_loses_nothing(load: Load, hub: Hub, worker):
    run = await load.begin()

    await _again_and_again(hub.redis.flushdb, times=6, seconds=0.3)

    await load.ended(run)


async def test_a_postgres_that_cuts_every_connection_loses_nothing(load: Load, servers, worker):
    run = await load.begin()
    knife = await asyncpg.connect(servers.app_url, server_settings={"application_name": "knife"})

    async def cut() -> None:
        await knife.execute(
            """
            SELECT pg_terminate_backend(pid) FROM pg_stat_activity
            WHERE datname = current_database() AND application_name = 'crosswalk'
            """
        )

    await _again_and_again(cut, times=4, seconds=0.4)
    await knife.close()
    await asyncio.sleep(0.3)
    await _free(load.actor)

    await load.ended(run)


async def test_of_two_workers_one_is_killed(load: Load, settings: Settings):
    with running_worker(settings):
        victim = start_worker(settings)
        run = await load.begin()
        await asyncio.sleep(0.6)
        kill(victim)
        await _free(load.actor)

        await load.ended(run)


async def _free(actor: Actor) -> None:
    """What nobody could hand back is free at once, not after its lease."""
    for table in ("delivery", "sync_run"):
        async with transaction(actor.scope):
            await execute(
                actor.scope,
                f"UPDATE {table} SET lease_expires_at = least(lease_expires_at, now()) WHERE organization_id = $1",
                actor.organization_id,
            )


async def test_a_redis_that_is_killed_and_comes_back_empty_loses_nothing(load: Load, settings: Settings, tmp_path: Path):
    socket = tmp_path / "r"
    elsewhere = replace(settings, redis_url=Secret(f"unix://{socket}"))
    redis = _start_redis(socket)
    try:
        with running_worker(elsewhere):
            run = await load.begin()
            await asyncio.sleep(0.8)
            redis.kill()
            redis.wait()
            await asyncio.sleep(2)
            redis = _start_redis(socket)
            await load.ended(run, 90)  # what was in hand when Redis went is free when its lease ends
    finally:
        redis.kill()
        redis.wait()


def _start_redis(socket: Path) -> "subprocess.Popen[bytes]":
    """A Redis of this test alone, with nothing in it."""
    program = installed_programs().valkey
    socket.unlink(missing_ok=True)
    command = [str(program), "--port", "0", "--unixsocket", str(socket), "--save", "", "--appendonly", "no"]
    process = subprocess.Popen(command, cwd=socket.parent, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while not socket.exists():
        assert process.poll() is None
        time.sleep(0.01)
    return process
