"""A compiled read that is cut off: the caller goes, or the database ends the connection. The next one is answered."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
import httpx
import pytest

from app.actors import Actor
from app.bootstrap import Hub
from tests.api.conftest import make_token
from tests.api.variants import asking
from tests.conftest import Servers

ASK = {"query": "{ clients { totalCount nodes { sites { name } } } }"}
_WAITING = "FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%FROM site AS%' AND pid <> pg_backend_pid()"


@pytest.fixture
async def client(hub: Hub, owner: Actor) -> AsyncIterator[httpx.AsyncClient]:
    """A caller whose reads go the short way."""
    async with asking(hub, await make_token(hub, owner, "owner")) as client:
        for _ in range(2):
            assert (await client.post("/graphql", json=ASK)).json() == {"data": {"clients": {"totalCount": 0, "nodes": []}}}
        yield client


@asynccontextmanager
async def _locked(servers: Servers) -> AsyncIterator[asyncpg.Connection]:
    """While nobody can read the table of sites; a second login that sees who waits for it."""
    holder, looker = await asyncpg.connect(servers.owner_url), await asyncpg.connect(servers.app_url)
    try:
        async with holder.transaction():
            await holder.execute("LOCK TABLE site IN ACCESS EXCLUSIVE MODE")
            yield looker
    finally:
        await holder.close()
        await looker.close()


async def _until_waiting(looker: asyncpg.Connection, count: int) -> None:
    async with asyncio.timeout(10):
        while await looker.fetchval(f"SELECT count(*) {_WAITING}") != count:
            await asyncio.sleep(0.02)


async def test_a_caller_who_goes_leaves_no_statement_behind(client: httpx.AsyncClient, servers: Servers):
    async with _locked(servers) as looker:
        asked = [asyncio.create_task(client.post("/graphql", json=ASK)) for _ in range(3)]
        await _until_waiting(looker, 3)
        for task in asked:
            task.cancel()
        ended = await asyncio.gather(*asked, return_exceptions=True)
        await _until_waiting(looker, 0)

    assert all(isinstance(one, asyncio.CancelledError) for one in ended)
    answers = await asyncio.gather(*(client.post("/graphql", json=ASK) for _ in range(20)))
    assert all("errors" not in answer.json() for answer in answers)


async def test_a_connection_that_the_database_ends_is_a_masked_surprise_and_then_replaced(client: httpx.AsyncClient, servers: Servers):
    async with _locked(servers) as looker:
        asked = asyncio.create_task(client.post("/graphql", json=ASK))
        await _until_waiting(looker, 1)
        await looker.fetch(f"SELECT pg_terminate_backend(pid) {_WAITING}")
        async with asyncio.timeout(10):
            answer = await asked

    [error] = answer.json()["errors"]
    assert error["extensions"].keys() == {"code", "reference"}
    assert error["extensions"]["code"] == "INTERNAL_SERVER_ERROR"
    assert answer.json()["data"] is None
    answers = await asyncio.gather(*(client.post("/graphql", json=ASK) for _ in range(20)))
    assert all("errors" not in answer.json() for answer in answers)
