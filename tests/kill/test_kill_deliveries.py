"""SIGKILL while decisions are carried to the provider: each write takes effect once, and every decision arrives.

The suite runs a short, seeded form; `scripts/campaign kill` sets CROSSWALK_KILLS=50. CROSSWALK_KILL_QUOTES is how many decisions wait.
"""

import asyncio
import os
import random
import signal
import time
from collections import Counter
from uuid import UUID

import pytest

from app.actors import Actor
from app.bootstrap import Hub
from app.connectors.servicem8.sandbox.testing import RunningSandbox
from app.database import execute, fetch_value, transaction
from app.paging import PageRequest
from tests.factories import key, make_connection, sync
from tests.kill.workers import SHORT_LEASE, freeze, kill, running_worker, start_worker, thaw

KILLS = int(os.environ.get("CROSSWALK_KILLS", "9"))
QUOTES = int(os.environ.get("CROSSWALK_KILL_QUOTES", max(6, KILLS // 2)))
LINES = 4
SEED = int(os.environ.get("CROSSWALK_SEED", "20261121"))
MINUTE = 70
"""Seconds after which the provider's limit has let requests through again."""
PATIENCE = 90 + QUOTES * 16 // 180 * MINUTE
"""Seconds in which all decisions arrive: 16 requests each at most, 180 a minute."""
KILL_PATIENCE = 20 if QUOTES * 16 < 180 else MINUTE
"""Seconds in which a worker gets to the moment at which it dies."""


async def _make_quotes(hub: Hub, actor: Actor, sandbox: RunningSandbox) -> dict[str, UUID]:
    """Quotes with four lines each, read into the hub: the job's uuid → the quote's id."""
    await sandbox.reset()
    company = await sandbox.create("company", name="Acme")
    for number in range(QUOTES):
        job = await sandbox.create("job", company_uuid=company["uuid"], status="Quote", job_description=f"Work {number}")
        for line in range(LINES):
            await sandbox.add_line(job["uuid"], name=f"Line {line}", quantity="1", price=f"{100 + line}")
    await sync(hub, actor, await make_connection(hub, actor, sandbox))
    return {quote.external_id: quote.id for quote in (await hub.quotes.quotes(actor, PageRequest(100))).items}


async def _decide(hub: Hub, actor: Actor, quotes: dict[str, UUID]) -> dict[str, int]:
    """Approve, approve in part and reject in turn: the job's uuid → how many of its lines stay (-1: rejected)."""
    kept: dict[str, int] = {}
    for number, (job, quote_id) in enumerate(quotes.items()):
        quote = await hub.quotes.quote(actor, quote_id)
        if number % 3 == 2:
            await hub.quotes.reject(actor, quote_id, version=quote.version, reason="Too dear", idempotency_key=key())
            kept[job] = -1
        else:
            lines = None if number % 3 else [line.id for line in quote.lines[:2]]
            await hub.quotes.approve(
                actor,
                quote_id,
                version=quote.version,
                lines=lines,
                signature_name="Olive Owner",
                accept_terms=True,
                note="Please ring first",
                idempotency_key=key(),
            )
            kept[job] = len(lines) if lines else LINES
    return kept


async def _free_leases(actor: Actor) -> None:
    """A killed worker's lease ends by itself after a minute; the campaign does not wait for that each time.

    What a frozen worker has locked, the server frees after a minute at most.
    """
    async with transaction(actor.scope):
        await execute(
            actor.scope,
            """
            UPDATE delivery SET lease_expires_at = least(lease_expires_at, now()), next_attempt_at = least(next_attempt_at, now())
            WHERE id IN (
                SELECT id FROM delivery WHERE organization_id = $1 AND status IN ('queued', 'sending') FOR UPDATE SKIP LOCKED
            )
            """,
            actor.organization_id,
        )


async def _waiting(actor: Actor) -> int:
    count: int = await fetch_value(
        actor.scope,
        "SELECT count(*) FROM delivery WHERE organization_id = $1 AND status IN ('queued', 'sending')",
        actor.organization_id,
    )
    return count


async def _requests(actor: Actor) -> int:
    sql = "SELECT count(*) FROM provider_call WHERE organization_id = $1 AND delivery_id IS NOT NULL"
    count: int = await fetch_value(actor.scope, sql, actor.organization_id)
    return count


async def _all_delivered(actor: Actor) -> None:
    deadline = time.monotonic() + PATIENCE
    while await _waiting(actor):
        assert time.monotonic() < deadline, "decisions are still waiting"
        await asyncio.sleep(0.1)


async def _kill_at(settings, actor: Actor, moment: str) -> bool:
    worker = start_worker(settings, moment)
    deadline = time.monotonic() + KILL_PATIENCE
    while worker.poll() is None and await _waiting(actor) and time.monotonic() < deadline:
        await asyncio.sleep(0.02)
    died = worker.poll() == -signal.SIGKILL
    kill(worker)
    await _free_leases(actor)
    return died


async def _kill_while_an_answer_is_held(settings, actor: Actor, sandbox: RunningSandbox) -> bool:
    """Between the provider's write and our commit: the work is done there, and nobody here has heard of it."""
    await sandbox.hold_writes()
    worker = start_worker(settings)
    try:
        await sandbox.wait_until_held(1, seconds=KILL_PATIENCE)
    except TimeoutError:
        return False
    finally:
        kill(worker)
        await sandbox.release_writes()
    await _free_leases(actor)
    return True


async def _assert_each_effect_happened_once(sandbox: RunningSandbox, kept: dict[str, int]) -> None:
    writes = await sandbox.ledger()
    effects = Counter((write["object"], write["uuid"], write["effect"]) for write in writes if write["effect"] != "none")
    assert [effect for effect, count in effects.items() if count != 1] == []
    assert not [effect for effect in effects if effect[2] == "restored"]
    for job, stays in kept.items():
        lines = [line for line in await sandbox.records("jobmaterial", job_uuid=job) if int(line["active"])]
        notes = [note for note in await sandbox.records("note", related_object_uuid=job)]
        status = (await sandbox.record("job", job))["status"]
        assert (status, len(lines), len(notes)) == (("Unsuccessful", LINES, 1) if stays < 0 else ("Work Order", stays, 1))


@pytest.mark.timeout(PATIENCE + KILLS * KILL_PATIENCE)
@pytest.mark.requirement("SM8-49")
async def test_decisions_whose_workers_are_killed_arrive_once(hub: Hub, settings, owner: Actor, sandbox: RunningSandbox):
    quotes = await _make_quotes(hub, owner, sandbox)
    await sandbox.clear_ledger()
    kept = await _decide(hub, owner, quotes)
    chance, began = random.Random(SEED), time.monotonic()
    killed: Counter[str] = Counter()
    for number in range(KILLS):
        if not await _waiting(owner):
            break
        if number % 3 == 0:
            killed["answer held"] += await _kill_while_an_answer_is_held(settings, owner, sandbox)
        elif number % 3 == 1:
            killed["after commit"] += await _kill_at(settings, owner, f"after_commit:{chance.randint(1, 6)}")
        else:
            killed["any time"] += await _kill_at(settings, owner, f"seconds:{chance.uniform(0.02, 0.25):.3f}")

    with running_worker(settings):
        await _all_delivered(owner)

    seconds, noted = time.monotonic() - began, await _requests(owner)
    print(f"killed: {dict(killed)}; {QUOTES} decisions arrived in {seconds:.0f} s; {noted} requests were noted")
    assert min(killed["answer held"], killed["after commit"]) >= min(2, KILLS // 3)
    await _assert_each_effect_happened_once(sandbox, kept)
    for quote_id in quotes.values():
        assert (await hub.quotes.quote(owner, quote_id)).delivery.status == "confirmed"


@pytest.mark.timeout(PATIENCE + 90)
async def test_a_worker_frozen_while_it_delivers_changes_nothing_when_it_thaws(hub: Hub, settings, owner: Actor, sandbox: RunningSandbox):
    quotes = await _make_quotes(hub, owner, sandbox)
    await sandbox.clear_ledger()
    kept = await _decide(hub, owner, quotes)
    await sandbox.hold_writes()
    frozen = start_worker(settings, f"lease:{SHORT_LEASE}")
    try:
        await sandbox.wait_until_held(1, seconds=30)
        since = freeze(frozen)
        await sandbox.release_writes()
        await _free_leases(owner)
        with running_worker(settings):
            await _all_delivered(owner)
            await thaw(frozen, since)
            await asyncio.sleep(5)
    finally:
        kill(frozen)

    await _assert_each_effect_happened_once(sandbox, kept)
    assert await _waiting(owner) == 0
