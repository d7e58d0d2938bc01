"""A process that stands still in the middle of a statement does not keep its locks."""

import asyncio
from collections.abc import AsyncIterator

import asyncpg
import pytest

from app.database import end_half_statements
from jobs import schedule

LOCK = 7_240_999


@pytest.fixture
async def frozen(hub, servers) -> AsyncIterator[asyncpg.Connection]:
    """A session of the hub's in a transaction that has locked something."""
    connection = await asyncpg.connect(servers.app_url, server_settings={"application_name": "crosswalk"})
    await connection.execute("BEGIN")
    await connection.execute(f"SELECT pg_advisory_xact_lock({LOCK})")
    yield connection
    connection.terminate()


async def _is_locked(servers) -> bool:
    other = await asyncpg.connect(servers.app_url, server_settings={"application_name": "somebody else"})
    try:
        return not await other.fetchval(f"SELECT pg_try_advisory_xact_lock({LOCK})")
    finally:
        await other.close()


async def test_half_a_statement_is_ended_after_a_while_and_not_before(frozen: asyncpg.Connection, servers):
    await frozen.prepare("SELECT 1")  # Parse and Describe, and no Sync: the server waits for the rest, and counts it as at work
    await asyncio.sleep(0.5)
    assert frozen.get_server_pid() not in await end_half_statements(30)
    assert await _is_locked(servers)

    assert frozen.get_server_pid() in await end_half_statements(0.3)

    await asyncio.sleep(0.2)
    assert not await _is_locked(servers)


async def test_who_is_at_work_or_between_two_statements_is_left_alone(frozen: asyncpg.Connection, servers):
    assert frozen.get_server_pid() not in await end_half_statements(0.0)  # idle in its transaction: the server's own setting ends that
    working = asyncio.create_task(frozen.fetchval("SELECT 'well' FROM pg_sleep(1)"))
    await asyncio.sleep(0.5)

    assert frozen.get_server_pid() not in await end_half_statements(0.0)

    assert await working == "well"


async def test_the_sweeper_looks_for_them(hub, frozen: asyncpg.Connection, servers, monkeypatch):
    await frozen.prepare("SELECT 1")
    monkeypatch.setattr(schedule, "end_half_statements", lambda: end_half_statements(0.1))
    await asyncio.sleep(0.3)

    await schedule.sweep(hub)

    await asyncio.sleep(0.2)
    assert not await _is_locked(servers)
