"""Merged contacts, changed by several at once: nobody waits for somebody who waits for him. Two connections to one ServiceM8 sandbox."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID

import asyncpg
import pytest

from app.actors import Scope
from app.connectors.base import Page
from app.connectors.servicem8.sandbox.testing import RunningSandbox
from app.database import fetch_value, transaction
from app.paging import PageRequest
from app.records import repository
from tests.factories import make_connection

ALL = PageRequest(100)
WAIT = 10
NAMES = ("Alfa", "Beta", "Zadnja")
"""Zadnja is made last, so its record is locked last."""


class Street:
    """The same companies at two connections, each with a record of its own."""

    def __init__(self, hub, operator, sandbox: RunningSandbox, connections) -> None:
        self.hub, self.operator, self.sandbox, self.connections = hub, operator, sandbox, connections
        self.uuids: list[str] = []

    async def open(self) -> None:
        for name in NAMES:
            self.uuids.append((await self.sandbox.create("company", name=name))["uuid"])
            for connection in self.connections:
                await self.hub.imports.one(self.operator, connection.id, "companies", self.uuids[-1])

    async def record(self, number: int, name: str) -> UUID:
        found = await self.hub.records.mappings(self.operator, ALL, external_id=self.uuids[NAMES.index(name)])
        return next(one.record_id for one in found.items if one.connection_id == self.connections[number].id)

    async def merge(self, survivor: UUID, loser: UUID) -> None:
        await self.hub.merges.merge(self.operator, survivor, loser, {})

    async def edit(self, address: str) -> None:
        for uuid in self.uuids:
            await self.sandbox.edit("company", uuid, address=address)

    async def write_page(self, number: int, *names: str) -> None:
        """A page of these companies as they are now, in one transaction."""
        scope, connection = self.operator.scope, self.connections[number]
        connector = self.hub.connectors["servicem8"]
        async with self.hub.connections.open_session(scope, connection.id) as session:
            source = await self.hub.walker.source(scope, connection.id, connector, connector.streams["companies"], session, None)
            readings = [await source.stream.read_one(session, self.uuids[NAMES.index(name)]) for name in names]
        page = Page(state={}, items=[one.item for one in readings], parts=[part for one in readings for part in one.parts])
        async with transaction(scope):
            await self.hub.walker.pages.write(source, page)

    async def address(self, record_id: UUID) -> str:
        return (await self.hub.records.get(self.operator, record_id)).data["address"]["text"]


@pytest.fixture
async def street(hub, operator, sandbox: RunningSandbox) -> Street:
    await sandbox.reset()
    made = Street(hub, operator, sandbox, [await make_connection(hub, operator, sandbox) for _ in range(2)])
    await made.open()
    return made


@asynccontextmanager
async def held(scope: Scope, *record_ids: UUID) -> AsyncIterator[None]:
    """Somebody else has these records in hand."""
    taken, done = asyncio.Event(), asyncio.Event()

    async def hold() -> None:
        async with transaction(scope):
            await repository.hold_many(scope, record_ids)
            taken.set()
            await done.wait()

    holding = asyncio.create_task(hold())
    await taken.wait()
    try:
        yield
    finally:
        done.set()
        await holding


async def wait_for_locks(scope: Scope, count: int) -> None:
    """Until so many transactions wait for a row."""
    sql = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock' AND $1::uuid IS NOT NULL"
    async with asyncio.timeout(WAIT):
        while await fetch_value(scope, sql, scope.organization_id) < count:
            await asyncio.sleep(0.02)


async def test_two_pages_that_each_change_what_the_other_holds_end_both(street: Street):
    alfa, beta = [await street.record(n, "Alfa") for n in (0, 1)], [await street.record(n, "Beta") for n in (0, 1)]
    await street.merge(beta[1], alfa[0])
    await street.merge(beta[0], alfa[1])
    await street.edit("9 Low St")
    last = [await street.record(number, "Zadnja") for number in (0, 1)]

    async with held(street.operator.scope, *last):
        pages = [asyncio.create_task(street.write_page(number, *NAMES)) for number in (0, 1)]
        await wait_for_locks(street.operator.scope, 2)
    outcomes = await asyncio.gather(*pages, return_exceptions=True)

    assert outcomes == [None, None]
    assert [await street.address(record_id) for record_id in (*beta, *last)] == ["9 Low St"] * 4


async def test_a_merge_and_a_page_of_what_was_merged_before_end_both(street: Street):
    follower, loser, survivor = await street.record(0, "Alfa"), await street.record(1, "Alfa"), await street.record(1, "Beta")
    await street.merge(loser, follower)
    await street.edit("9 Low St")

    async with held(street.operator.scope, await street.record(0, "Zadnja")):
        page = asyncio.create_task(street.write_page(0, "Alfa", "Zadnja"))
        await wait_for_locks(street.operator.scope, 1)
        merge = asyncio.create_task(street.merge(survivor, loser))
        await wait_for_locks(street.operator.scope, 2)
    outcomes = await asyncio.gather(page, merge, return_exceptions=True)

    assert outcomes == [None, None]
    assert (await street.hub.records.get(street.operator, follower)).merged_into == survivor


async def test_what_is_merged_while_its_lock_is_waited_for_is_held_with_its_survivor(street: Street):
    scope = street.operator.scope
    goes, stays = await street.record(0, "Beta"), await street.record(0, "Alfa")
    waiting: asyncio.Task[object] | None = None

    async def hold() -> set[UUID]:
        async with transaction(scope):
            return set(await repository.hold_with_survivors(scope, [goes]))

    async with transaction(scope):
        await repository.hold_many(scope, [goes])
        waiting = asyncio.create_task(hold())
        await wait_for_locks(scope, 1)
        await street.merge(stays, goes)

    assert await waiting == {goes, stays}
    assert not isinstance(waiting.exception(), asyncpg.DeadlockDetectedError)
