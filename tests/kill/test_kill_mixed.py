"""Pulls, pushes and plans that are applied, at once, while workers die and stand still, servers restart and the provider is away:
nothing is lost, and nothing is done twice.

The suite plays a short, seeded form; `scripts/campaign kill` sets CROSSWALK_KILLS, CROSSWALK_FREEZES and CROSSWALK_OUTAGE (seconds).
"""

import asyncio
import os
import random
import signal
import subprocess
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import Any, TypeVar
from uuid import UUID

import asyncpg
import pytest
import redis.exceptions

from app.actors import Actor
from app.connectors.metakocka.sandbox.testing import RunningSandbox
from app.database import fetch
from app.settings import Settings
from app.syncs.models import RunStatus
from tests import factories
from tests.connectors.metakocka.company import SECOND
from tests.kill.hall import Hall, open_hall
from tests.kill.workers import SHORT_LEASE, free_leases, freeze, kill, start_worker, thaw
from tests.two_way.office import Office

KILLS = int(os.environ.get("CROSSWALK_KILLS", "6"))
FREEZES = int(os.environ.get("CROSSWALK_FREEZES", "1"))
OUTAGE = float(os.environ.get("CROSSWALK_OUTAGE", "4"))
SEED = int(os.environ.get("CROSSWALK_SEED", "20261121"))
PARTNERS = 24
"""Of each company; a third of them changes in the hub in each round, a third at the provider."""
HARMS = ("kill",) * 5 + ("freeze",)
DISASTERS = ("Postgres restarts", "Redis is flushed", "Redis restarts", "the provider is away")
AWAY = (asyncpg.PostgresError, asyncpg.InterfaceError, redis.exceptions.RedisError, OSError)
"""What a call of the test's own may raise while a server restarts."""
KRANJ = {"street": "Nova 1", "city": "Kranj", "country": "SI"}
Answer = TypeVar("Answer")


async def patiently(ask: Callable[[], Awaitable[Answer]]) -> Answer:
    """Ask again while a server restarts."""
    deadline = time.monotonic() + 60
    while True:
        try:
            return await ask()
        except AWAY:
            if time.monotonic() > deadline:
                raise
            await asyncio.sleep(0.2)


class Company:
    """A company at the provider and its connection; what each of its partners is to be called in the end."""

    def __init__(self, office: Office, company_id: str) -> None:
        self.office, self.company_id = office, company_id
        self.names: dict[str, str] = {}
        self.pushed: set[str] = set()
        """The names that the hub is to write in this round, each once."""
        self.new: set[str] = set()

    async def fill(self) -> None:
        for number in range(PARTNERS):
            added = await self._control("POST", "partners", {"customer": f"Partner {number}", "tax_id_number": f"SI{number:08d}"})
            self.names[added["mk_id"]] = f"Partner {number}"
        await self.office.run()
        await self.office.policy(creates_missing=True)

    async def edit(self, round_: int) -> None:
        """A third of the partners changes here, a third there, and two are new."""
        self.pushed, self.new = set(), set()
        for number, mk_id in enumerate(self.names):
            if (number + round_) % 3 == 2:
                continue
            name = self.names[mk_id] = f"{self.company_id} round {round_} partner {number}"
            if (number + round_) % 3:
                self.pushed.add(name)
                await self.office.edit(await self.office.record(mk_id), name=name)
            else:
                await self._control("POST", f"partners/{mk_id}", {"customer": name})
        for number in range(2):
            name = f"{self.company_id} round {round_} new {number}"
            self.new.add(name)
            await self.office.create(name, tax_number=f"{round_:04d}{number:04d}", address=KRANJ)

    async def check(self) -> None:
        """Both sides show the same, and each write was done once."""
        for mk_id, name in self.names.items():
            assert (await self._control("GET", f"partners/{mk_id}"))["customer"] == name
            assert (await self.office.record(mk_id)).data["name"] == name
        writes = [one for one in await self.office.sandbox.ledger() if one.get("company_id") == self.company_id]
        effects = Counter((one["mk_id"], one["effect"]) for write in writes for one in write["effects"] if one["object"] == "partner")
        assert {what: count for what, count in effects.items() if count > 1} == {}
        changed = {self.names[mk_id] for mk_id, effect in effects if effect == "changed" and mk_id in self.names}
        assert changed == self.pushed
        created = [(await self._control("GET", f"partners/{mk_id}"))["customer"] for mk_id, effect in effects if effect == "created"]
        assert Counter(created) == Counter(self.new)
        assert await self.office.conflicts() == []

    async def _control(self, method: str, route: str, body: object = None) -> Any:
        return await self.office.sandbox.control(method, route, body, company_id=self.company_id)


class Harm:
    """What is done to the workers of both organizations, and how often it was."""

    def __init__(self, hall: Hall, actors: list[Actor], sandbox: RunningSandbox, chance: random.Random) -> None:
        self.hall, self.actors, self.sandbox, self.chance = hall, actors, sandbox, chance
        self.counts: Counter[str] = Counter()

    async def active(self) -> list[tuple[UUID, UUID]]:
        """The runs that go on, with their organizations."""
        sql = "SELECT organization_id, id FROM sync_run WHERE organization_id = $1 AND status IN ('queued', 'running', 'cancelling')"
        return [(row["organization_id"], row["id"]) for row in await self._rows(sql)]

    async def _held(self) -> bool:
        """Whether some worker has a run in hand."""
        return bool(await self._rows("SELECT id FROM sync_run WHERE organization_id = $1 AND lease_expires_at > now()"))

    async def _rows(self, sql: str) -> list[Any]:
        each = [await patiently(partial(fetch, actor.scope, sql, actor.organization_id)) for actor in self.actors]
        return [row for rows in each for row in rows]

    async def _free(self) -> None:
        for actor in self.actors:
            await patiently(partial(free_leases, actor))

    async def kill(self) -> None:
        moment = self.chance.choice(["after_commit", "before_commit"])
        worker = start_worker(self.hall.settings, f"{moment}:{self.chance.randint(1, 10)}")
        await self._until(lambda: worker.poll() is not None, seconds=20)
        self.counts["killed"] += worker.poll() == -signal.SIGKILL
        await self._gone(worker)

    async def freeze(self) -> None:
        """It stands still in the middle of its work; others take over and go on; then it wakes up."""
        worker = start_worker(self.hall.settings, f"lease:{SHORT_LEASE}")
        if await self._at_work(worker):
            since = freeze(worker)
            await self._free()
            for organization_id, run_id in await self.active():
                await self.hall.hub.syncs.advance(organization_id, run_id)
            await thaw(worker, since)
            await asyncio.sleep(1)
            self.counts["frozen"] += 1
        await self._gone(worker)

    async def disaster(self, name: str) -> None:
        """It comes while a worker is at work, which survives it."""
        worker = start_worker(self.hall.settings)
        if await self._at_work(worker):
            await self._happen(name)
            await self._until(lambda: worker.poll() is not None, seconds=5)
            assert worker.poll() is None, f"A worker ended when {name}"
            self.counts[name] += 1
        await self._gone(worker)

    async def _happen(self, name: str) -> None:
        if name == "Postgres restarts":
            await self.hall.restart("Postgres")
        elif name == "Redis restarts":
            await self.hall.restart("Valkey")
        elif name == "Redis is flushed":
            await self.hall.hub.redis.flushall()
        else:  # first it says so, then it does not answer any more
            for kind in ("maintenance", "drop-request"):
                await self.sandbox.fault(kind, times=None)
                await asyncio.sleep(OUTAGE / 2)
                await self.sandbox.clear_faults()

    async def _at_work(self, worker: "subprocess.Popen[bytes]") -> bool:
        """Until it has something in hand, and a moment longer. False when there is nothing left."""
        deadline = time.monotonic() + 30
        while not await self._held():
            if time.monotonic() > deadline or not await self.active() or worker.poll() is not None:
                return False
            await asyncio.sleep(0.02)
        await asyncio.sleep(self.chance.uniform(0, 0.3))
        return True

    async def _until(self, true: Callable[[], bool], *, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while not true() and time.monotonic() < deadline and await self.active():
            await asyncio.sleep(0.05)

    async def _gone(self, worker: "subprocess.Popen[bytes]") -> None:
        kill(worker)
        await self._free()


@pytest.fixture
async def hall(settings: Settings, tmp_path: Path) -> AsyncIterator[Hall]:
    async with open_hall(settings, tmp_path) as opened:
        yield opened


@pytest.mark.timeout(300 + (KILLS + FREEZES * 5) * 40 + OUTAGE * 4)
async def test_pulls_pushes_and_plans_survive_deaths_freezes_restarts_and_an_outage(hall: Hall, metakocka: RunningSandbox):
    second = {"company_id": SECOND.company_id, "secret_key": SECOND.secret_key}
    companies = [await _company(hall, metakocka, "16"), await _company(hall, metakocka, SECOND.company_id, **second)]
    chance, disasters = random.Random(SEED), list(DISASTERS)
    harm, rounds = Harm(hall, [company.office.operator for company in companies], metakocka, chance), 0
    while disasters or harm.counts["killed"] < KILLS or harm.counts["frozen"] < FREEZES:
        rounds += 1
        assert rounds <= 20 + KILLS, harm.counts
        await metakocka.clear_ledger()
        for company in companies:
            await company.edit(rounds)
        begun = await _begin(companies, rounds)
        while await harm.active():
            if disasters and chance.random() < 0.5:
                await harm.disaster(disasters[0])
                disasters = [name for name in disasters if not harm.counts[name]]
            elif harm.counts["killed"] < KILLS and (chance.choice(HARMS) == "kill" or harm.counts["frozen"] >= FREEZES):
                await harm.kill()
            elif harm.counts["frozen"] < FREEZES:
                await harm.freeze()
            else:
                await _end(begun)
        for company, run_id in begun.items():
            run = await hall.hub.syncs.run(company.office.operator, run_id)
            if run.status is RunStatus.FAILED and (run.fix_by == "time" or run.error_code == "workers_lost"):
                # The provider was away for too long, or too many workers died before one page was through: the next run goes on.
                harm.counts["runs that gave up"] += 1
                run = await company.office.run("two_way")
            assert run.status is RunStatus.COMPLETED, run.error_message or run.message
        for company in companies:
            await company.check()

    print(f"mixed: {rounds} rounds, {dict(harm.counts)}")


async def _company(hall: Hall, sandbox: RunningSandbox, number: str, **settings: str) -> Company:
    operator = await factories.make_organization(hall.hub)
    company = Company(await Office.open(hall.hub, operator, sandbox, page_size=8, **settings), number)
    await company.fill()
    return company


async def _begin(companies: list[Company], round_: int) -> dict[Company, UUID]:
    """A run both ways of one company, and a plan of the other one's, applied."""
    runs, planned = (companies[0], companies[1]) if round_ % 2 else (companies[1], companies[0])
    office, hub = planned.office, planned.office.hub
    plan = await hub.plans.plan(office.operator, office.connection.id, streams=["partners"], mode="full", direction="two_way")
    await factories.ended(hub, office.operator, await hub.syncs.run(office.operator, plan.run_id))
    applying = await hub.plans.apply(office.operator, plan.id)
    running = await hub.syncs.start(runs.office.operator, runs.office.connection.id, streams=["partners"], mode="full", direction="two_way")
    return {planned: applying.id, runs: running.id}


async def _end(begun: dict[Company, UUID]) -> None:
    for company, run_id in begun.items():
        hub, operator = company.office.hub, company.office.operator
        await factories.ended(hub, operator, await hub.syncs.run(operator, run_id), seconds=180)
