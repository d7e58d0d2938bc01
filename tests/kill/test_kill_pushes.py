"""Workers that die or stand still while records are read and written: nothing is lost, nothing is made or written twice.

The suite kills a few; `scripts/campaign kill` sets CROSSWALK_KILLS.
"""

import asyncio
import os
import random
import signal
import time
from collections import Counter

import pytest

from app.actors import Actor
from app.bootstrap import Hub
from app.connectors.metakocka.sandbox.testing import RunningSandbox
from app.syncs.models import RunStatus
from tests import factories
from tests.kill.workers import SHORT_LEASE, free_leases, freeze, kill, running_worker, start_worker, thaw
from tests.two_way.office import Office

KILLS = int(os.environ.get("CROSSWALK_KILLS", "8"))
SEED = int(os.environ.get("CROSSWALK_SEED", "20261121"))
PARTNERS = max(24, KILLS)
PATIENCE = 180 + PARTNERS
"""Seconds. What a frozen worker had locked, the server frees after 15."""
KRANJ = {"street": "Nova 1", "city": "Kranj", "country": "SI"}


class Work:
    """Contacts of which some changed in the hub, some at the provider, and some are new here: all of it waits for one two-way run."""

    def __init__(self, office: Office) -> None:
        self.office = office
        self.expected: dict[str, str] = {}
        """The name that each partner is to have in the end."""
        self.new: list[str] = []

    @classmethod
    async def make(cls, office: Office) -> "Work":
        work = cls(office)
        ids = [await office.add(f"Partner {number}") for number in range(PARTNERS)]
        await office.run()
        await office.policy(creates_missing=True)
        for number, mk_id in enumerate(ids):
            work.expected[mk_id] = f"Edited {number}"
            if number % 3:
                await office.edit(await office.record(mk_id), name=work.expected[mk_id])
            else:
                await office.sandbox.edit_partner(mk_id, customer=work.expected[mk_id])
        for number in range(PARTNERS // 3):
            work.new.append(f"New {number}")
            await office.create(work.new[-1], tax_number=f"{number:08d}", address=KRANJ)
        await office.sandbox.clear_ledger()
        return work

    async def check(self) -> None:
        """Both sides show the same, and every effect happened once."""
        office, names = self.office, Counter[str]()
        for mk_id, name in self.expected.items():
            assert (await office.sandbox.partner(mk_id))["customer"] == name
            assert (await office.record(mk_id)).data["name"] == name
        for one in await office.sandbox.effects(object="partner", effect="created"):
            names[(await office.sandbox.partner(one["mk_id"]))["customer"]] += 1
        assert names == Counter(self.new)
        changed = Counter(one["mk_id"] for one in await office.sandbox.effects(object="partner", effect="changed"))
        assert {mk_id: count for mk_id, count in changed.items() if count > 1} == {}
        assert await office.conflicts() == []


async def _goes_on(office: Office, run_id) -> bool:
    return (await office.hub.syncs.run(office.operator, run_id)).status.is_active


@pytest.fixture
async def office(hub: Hub, operator: Actor, metakocka: RunningSandbox) -> Office:
    return await Office.open(hub, operator, metakocka)


@pytest.mark.timeout(PATIENCE + KILLS * 15)
@pytest.mark.requirement("MKC-22")
async def test_a_two_way_run_whose_workers_are_killed_brings_everything_once(office: Office, settings):
    work = await Work.make(office)
    chance, killed = random.Random(SEED), 0
    run = await office.hub.syncs.start(office.operator, office.connection.id, streams=["partners"], mode="full", direction="two_way")
    for _ in range(KILLS * 3):
        if killed >= KILLS or not await _goes_on(office, run.id):
            break
        moment = chance.choice([f"after_commit:{chance.randint(1, 12)}", f"before_commit:{chance.randint(1, 12)}"])
        worker = start_worker(settings, moment)
        deadline = time.monotonic() + 15
        while worker.poll() is None and await _goes_on(office, run.id) and time.monotonic() < deadline:
            await asyncio.sleep(0.02)
        killed += worker.poll() == -signal.SIGKILL
        kill(worker)
        await free_leases(office.operator)

    run = await factories.ended(office.hub, office.operator, await office.hub.syncs.run(office.operator, run.id), seconds=PATIENCE)
    print(f"{killed} workers were killed")
    assert killed >= min(KILLS, 5)
    await work.check()
    pushed = next(stream.counts for stream in run.streams if stream.direction == "push")
    edited = sum(1 for number in range(PARTNERS) if number % 3)
    assert (pushed.created, pushed.updated, pushed.failed) == (len(work.new), edited, 0)


@pytest.mark.timeout(PATIENCE + 120)
async def test_a_worker_frozen_while_it_writes_records_writes_nothing_when_it_thaws(office: Office, settings):
    work = await Work.make(office)
    run = await office.hub.syncs.start(office.operator, office.connection.id, streams=["partners"], mode="full", direction="two_way")
    await office.sandbox.hold_writes()
    frozen = start_worker(settings, f"lease:{SHORT_LEASE}")
    try:
        await office.sandbox.wait_until_held(1, seconds=30)
        since = freeze(frozen)
        await office.sandbox.release_writes()
        await free_leases(office.operator)
        with running_worker(settings):
            run = await factories.ended(office.hub, office.operator, run, seconds=PATIENCE)
        await thaw(frozen, since)
        await asyncio.sleep(3)
    finally:
        kill(frozen)
        await office.sandbox.release_writes()

    assert run.status is RunStatus.COMPLETED
    await work.check()
