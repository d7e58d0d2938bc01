"""A read that takes the database too long is stopped, and says so."""

import asyncio

import asyncpg
import pytest

from app.actors import Actor
from app.bootstrap import Hub
from app.database import ReadTooSlow, fetch_value, reads_within, transaction
from tests.api.variants import asking, with_settings
from tests.conftest import Servers


async def test_a_read_behind_a_lock_is_stopped_with_the_limit(hub: Hub, token: str, servers: Servers):
    query = {"query": "{ viewer { name } quotes { nodes { id } } }"}
    holder = await asyncpg.connect(servers.owner_url)
    try:
        async with asking(with_settings(hub, limit_read_seconds=0.3), token) as client, holder.transaction():
            await holder.execute("LOCK TABLE quote IN ACCESS EXCLUSIVE MODE")
            async with asyncio.timeout(5):
                refused = await client.post("/graphql", json=query)
        async with asking(with_settings(hub, limit_read_seconds=0.3), token) as client:
            answered = await client.post("/graphql", json=query)
    finally:
        await holder.close()

    [error] = refused.json()["errors"]
    assert error["message"] == "This read was stopped after 0.3 seconds, the limit. Ask for less at once."
    assert error["extensions"] == {
        "code": "LIMIT_EXCEEDED", "fixBy": "CUSTOMER", "limit": "read_seconds", "allowed": 0.3, "measured": 0.3
    }  # fmt: skip
    assert "errors" not in answered.json()


async def test_the_limit_ends_the_statement_in_the_database_and_leaves_the_connection_usable(owner: Actor):
    with reads_within(0.2), pytest.raises(ReadTooSlow):
        await fetch_value(owner.scope, "SELECT pg_sleep(30)")

    running = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%pg_sleep(30)%' AND state = 'active' AND pid <> pg_backend_pid()"
    assert await fetch_value(owner.scope, running) == 0
    assert await fetch_value(owner.scope, "SELECT 7") == 7


async def test_a_change_is_not_cut_in_the_middle(owner: Actor):
    with reads_within(0.05):
        async with transaction(owner.scope):
            assert await fetch_value(owner.scope, "SELECT 7 FROM pg_sleep(0.2)") == 7
