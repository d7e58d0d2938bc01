"""Many decisions waiting on one connection: a few in hand at once, the oldest first, and none begun that a limit cuts short."""

import asyncio
import copy
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from uuid import UUID

import msgspec
import pytest

from app.actors import Actor
from app.bootstrap import Hub
from app.connectors.base import QuoteDecision, RateLimit
from app.connectors.budget import PATIENCE_SECONDS
from app.connectors.servicem8.sandbox.testing import RunningSandbox
from app.database import execute, fetch, fetch_value, transaction
from app.deliveries.models import Delivery, DeliveryStatus
from app.deliveries.rules import AT_ONCE
from app.paging import PageRequest
from app.queue import DECISIONS_QUEUE
from jobs.schedule import sweep
from jobs.worker import work
from tests import factories

REQUESTS, SECONDS = 60, 6
"""The provider's 180 a minute, in small: the sandbox's clock runs as much faster as its minute is shorter, and patience is as short."""
COUNT, SENT_FOR_ONE = 15, 12
"""How many are decided, and what carrying out one approval takes."""


@dataclass(frozen=True)
class Many:
    """An organization with approved quotes on one connection; the deliveries in the order in which they were decided."""

    hub: Hub
    owner: Actor
    connection_id: UUID
    deliveries: list[UUID]

    async def delivery(self, number: int) -> Delivery:
        return await self.hub.deliveries.delivery(self.owner, self.deliveries[number])

    async def count(self, condition: str) -> int:
        sql = f"SELECT count(*) FROM delivery WHERE organization_id = $1 AND connection_id = $2 AND {condition}"
        return int(await fetch_value(self.owner.scope, sql, self.owner.organization_id, self.connection_id))

    def attempt(self, number: int) -> Awaitable[None]:
        """What the worker does when it is rung."""
        return self.hub.deliveries.deliver(self.owner.organization_id, self.deliveries[number])

    async def all_are(self, status: DeliveryStatus, seconds: float = 60) -> None:
        async with asyncio.timeout(seconds):
            while await self.count(f"status <> '{status}'"):
                await asyncio.sleep(0.02)


MakeMany = Callable[..., Awaitable[Many]]


@pytest.fixture
async def make_many(hub: Hub, sandbox: RunningSandbox) -> AsyncIterator[MakeMany]:
    """Makes so many decisions of a new organization; the uuids of their jobs begin with `letter`."""
    await sandbox.reset()

    async def make(count: int, letter: str = "a") -> Many:
        owner = await factories.make_organization(hub)
        company = await sandbox.create("company", name=f"Acme {letter}")
        for number in range(count):
            uuid = f"{letter * 8}-0000-4000-8000-{number:012d}"
            await sandbox.create("job", uuid=uuid, company_uuid=company["uuid"], status="Quote")
            await sandbox.add_line(uuid, name="Labour", quantity="1", price="100")
        connection = await factories.make_connection(hub, owner, sandbox, api_key=sandbox.config.accounts[0].api_keys[1])
        await factories.ended(hub, owner, await hub.syncs.start(owner, connection.id))
        quotes = (await hub.quotes.quotes(owner, PageRequest(100))).items
        mine = [quote for quote in quotes if quote.external_id.startswith(letter)]
        await sandbox.clear_ledger()
        return Many(hub, owner, connection.id, [await _approve(hub, owner, quote) for quote in mine])

    yield make
    await sandbox.clear_faults()
    await sandbox.release_writes()


async def _approve(hub: Hub, owner: Actor, quote) -> UUID:
    values = {"version": quote.version, "lines": None, "signature_name": "Olive", "accept_terms": True, "idempotency_key": factories.key()}
    await hub.quotes.approve(owner, quote.id, **values)
    return (await hub.quotes.quote(owner, quote.id)).delivery.id


@asynccontextmanager
async def working(hub: Hub) -> AsyncIterator[None]:
    """A worker in this process."""
    stop = asyncio.Event()
    task = asyncio.create_task(work(hub, stop))
    try:
        yield
    finally:
        stop.set()
        await task


@pytest.fixture
async def narrow(hub: Hub, sandbox: RunningSandbox) -> AsyncIterator[Hub]:
    """The hub with a provider that allows few requests in a few seconds, and says so; the sandbox refuses more than that."""
    connector = replace(hub.connectors["servicem8"], rate_limits=(RateLimit("narrow", REQUESTS, SECONDS, 1),))
    connectors = {"servicem8": connector}
    connections, deliveries, narrowed = copy.copy(hub.connections), copy.copy(hub.deliveries), copy.copy(hub)
    connections.sessions = replace(hub.connections.sessions, connectors=connectors, patience_seconds=PATIENCE_SECONDS * SECONDS / 60)
    deliveries.connectors, deliveries.open_session, deliveries.room = connectors, connections.open_session, connections.sessions.room
    narrowed.connectors, narrowed.connections, narrowed.deliveries = connectors, connections, deliveries
    yield narrowed
    await sandbox.settings(limits_factor=None)
    await sandbox.set_clock()


async def _requests(many: Many) -> int:
    sql = "SELECT count(*) FROM provider_call WHERE organization_id = $1 AND delivery_id IS NOT NULL"
    return int(await fetch_value(many.owner.scope, sql, many.owner.organization_id))


async def _largest_number_in_hand(many: Many) -> int:
    largest = 0
    while True:
        largest = max(largest, await many.count("lease_expires_at > now()"))
        if not await many.count("status <> 'confirmed'"):
            return largest
        await asyncio.sleep(0.01)


@pytest.mark.timeout(120)
@pytest.mark.requirement("SM8-04", "SM8-24")
async def test_many_decisions_on_one_connection_use_the_limit_for_what_arrives(make_many: MakeMany, narrow: Hub, sandbox: RunningSandbox):
    many = await make_many(COUNT)
    await sandbox.set_clock(scale=60 / SECONDS)
    await sandbox.settings(limits_factor=REQUESTS / 180)

    async with working(narrow):
        looking = asyncio.create_task(_largest_number_in_hand(many))
        await many.all_are(DeliveryStatus.CONFIRMED, seconds=80)

    # Three windows' worth of requests: fewer than one in ten was for nothing, and hardly an attempt was cut short.
    needed, sent = COUNT * SENT_FOR_ONE, await _requests(many)
    assert needed <= sent < needed / 0.9
    assert await many.count("attempts > 1") < COUNT / 10
    assert 1 < await looking <= AT_ONCE
    assert [call for call in await sandbox.requests() if call["status"] == 429] == []
    effects = [(write["object"], write["uuid"]) for write in await sandbox.ledger() if write["effect"] != "none"]
    assert len(effects) == len(set(effects)) == COUNT * 2


async def test_what_is_in_hand_is_bounded_and_what_waits_is_left_as_it_was(make_many: MakeMany, sandbox: RunningSandbox):
    many = await make_many(AT_ONCE + 2)
    await sandbox.hold_writes(before_work=True)
    before = await many.delivery(AT_ONCE)

    attempts = [asyncio.create_task(many.attempt(number)) for number in range(AT_ONCE)]
    await sandbox.wait_until_held(AT_ONCE)
    sent = len(await sandbox.requests())
    await asyncio.gather(many.attempt(AT_ONCE), many.attempt(AT_ONCE + 1))

    assert await many.count("lease_expires_at > now()") == AT_ONCE
    assert len(await sandbox.requests()) == sent
    assert await many.delivery(AT_ONCE) == before
    assert (before.status, before.attempts) == (DeliveryStatus.QUEUED, 0)
    await sandbox.release_writes()
    await asyncio.gather(*attempts)
    await many.attempt(AT_ONCE)
    assert (await many.delivery(AT_ONCE)).status is DeliveryStatus.CONFIRMED


async def test_the_oldest_come_first(make_many: MakeMany):
    many = await make_many(AT_ONCE + 1)

    await many.attempt(AT_ONCE)
    too_early = await many.delivery(AT_ONCE)
    await many.attempt(1)
    await many.attempt(AT_ONCE)

    assert (too_early.status, too_early.attempts) == (DeliveryStatus.QUEUED, 0)
    assert (await many.delivery(AT_ONCE)).status is DeliveryStatus.CONFIRMED


async def _rung(hub: Hub) -> set[bytes]:
    return {name for name in await hub.redis.zrange(DECISIONS_QUEUE, 0, -1) if name.startswith(b"deliver:")}


async def _forget_rings(hub: Hub) -> None:
    for name in await _rung(hub):
        await hub.redis.zrem(DECISIONS_QUEUE, name)
        await hub.redis.delete(b"arq:job:" + name)


def _ids(rings: set[bytes], many: Many) -> set[UUID]:
    return {UUID(ring.split(b":")[1].decode()) for ring in rings} & set(many.deliveries)


async def test_whoever_ends_a_delivery_rings_for_the_next(make_many: MakeMany):
    many = await make_many(AT_ONCE + 3)
    await _forget_rings(many.hub)

    await many.attempt(0)

    assert _ids(await _rung(many.hub), many) == set(many.deliveries[1 : AT_ONCE + 1])


async def test_the_sweeper_rings_only_for_those_whose_turn_it_is(make_many: MakeMany):
    many, other = await make_many(AT_ONCE + 3), await make_many(1, "b")
    await _forget_rings(many.hub)

    await sweep(many.hub)

    assert _ids(await _rung(many.hub), many) == set(many.deliveries[:AT_ONCE])
    assert _ids(await _rung(many.hub), other) == set(other.deliveries)


async def test_a_delivery_that_is_put_off_lets_the_next_one_pass(make_many: MakeMany):
    many = await make_many(AT_ONCE + 1)
    async with transaction(many.owner.scope):
        sql = "UPDATE delivery SET next_attempt_at = now() + interval '1 hour' WHERE organization_id = $1 AND id = $2"
        await execute(many.owner.scope, sql, many.owner.organization_id, many.deliveries[0])

    await many.attempt(AT_ONCE)

    assert (await many.delivery(AT_ONCE)).status is DeliveryStatus.CONFIRMED


async def test_without_room_for_a_whole_delivery_none_is_begun(make_many: MakeMany, narrow: Hub, sandbox: RunningSandbox):
    many = replace(await make_many(1), hub=narrow)
    sessions = narrow.connections.sessions
    limits = narrow.connectors["servicem8"].rate_limits
    for _ in range(REQUESTS - SENT_FOR_ONE + 1):
        await sessions.counters.take(str(many.connection_id), limits, urgent=True)
    sent = len(await sandbox.requests())

    await many.attempt(0)
    put_off = await many.delivery(0)
    await asyncio.sleep(SECONDS * 1.1)
    await many.attempt(0)

    assert (put_off.status, put_off.attempts, put_off.error_code) == (DeliveryStatus.QUEUED, 0, None)
    assert len(await sandbox.requests()) == sent + SENT_FOR_ONE
    assert (await many.delivery(0)).status is DeliveryStatus.CONFIRMED


async def test_a_slow_connection_does_not_hold_up_the_decisions_of_another(make_many: MakeMany, sandbox: RunningSandbox):
    slow = await make_many(12)
    await sandbox.hold_writes(before_work=True, path="*/job/aaaaaaaa-*")
    async with working(slow.hub):
        await sandbox.wait_until_held(AT_ONCE)
        other = await make_many(3, "b")
        await other.all_are(DeliveryStatus.CONFIRMED, seconds=15)
        held = await slow.count("lease_expires_at > now()"), await slow.count("status = 'confirmed'")
        await sandbox.release_writes()
        await slow.all_are(DeliveryStatus.CONFIRMED)

    assert held == (AT_ONCE, 0)


@pytest.mark.parametrize("kept", [1, 3])
async def test_an_action_knows_about_how_many_requests_it_sends(hub: Hub, owner: Actor, sandbox: RunningSandbox, kept: int):
    await sandbox.reset()
    company = await sandbox.create("company", name="Acme")
    job = await sandbox.create("job", company_uuid=company["uuid"], status="Quote")
    for number in range(3):
        await sandbox.add_line(job["uuid"], name=f"Line {number}", quantity="1", price="100")
    await factories.sync(hub, owner, await factories.make_connection(hub, owner, sandbox))
    (quote,) = (await hub.quotes.quotes(owner, PageRequest())).items
    lines = [line.id for line in (await hub.quotes.quote(owner, quote.id)).lines[:kept]] if kept < 3 else None
    values = {"version": 1, "signature_name": "Olive", "accept_terms": True, "idempotency_key": factories.key()}
    await hub.quotes.approve(owner, quote.id, lines=lines, **values)
    (row,) = await fetch(owner.scope, "SELECT id, action, payload FROM delivery WHERE organization_id = $1", owner.organization_id)

    await hub.deliveries.deliver(owner.organization_id, row["id"])

    sql = "SELECT count(*) FROM provider_call WHERE organization_id = $1 AND delivery_id = $2"
    sent = await fetch_value(owner.scope, sql, owner.organization_id, row["id"])
    action = hub.connectors["servicem8"].actions[row["action"]]
    assert action.requests(msgspec.convert(row["payload"], QuoteDecision)) == sent
