"""The audit log: whole, chained, and found out when somebody touches it."""

import asyncio
from collections.abc import Awaitable, Callable

import asyncpg
import pytest

from app.database import execute, transaction
from app.errors import PermissionDenied
from app.paging import PageRequest
from tests.conftest import Servers

Tamper = Callable[[str], Awaitable[None]]


@pytest.fixture
async def tamper(servers: Servers, scope) -> Tamper:
    """Does as the database's owner what the application's role cannot."""

    async def run(sql: str) -> None:
        connection = await asyncpg.connect(servers.owner_url)
        await connection.execute(f"SET crosswalk.organization_id = '{scope.organization_id}'; SET crosswalk.client_id = '*'")
        await connection.execute("ALTER TABLE audit_entry NO FORCE ROW LEVEL SECURITY")
        try:
            await connection.execute(sql.format(organization=f"'{scope.organization_id}'"))
        finally:
            await connection.execute("ALTER TABLE audit_entry FORCE ROW LEVEL SECURITY")
            await connection.close()

    return run


async def _write(hub, actor, count: int) -> None:
    for number in range(count):
        async with transaction(actor.scope):
            await hub.audit.add(actor, "thing.changed", None, {"number": number, "share": 12.5, "text": "č 🐝 שלום", "big": 1e300})


@pytest.mark.requirement("SM8-78")
async def test_an_entry_says_who_did_what_from_where(hub, operator):
    await _write(hub, operator, 1)

    (entry, *_) = (await hub.audit.entries(operator, PageRequest())).items

    assert (entry.event, entry.data["number"], entry.data["text"]) == ("thing.changed", 0, "č 🐝 שלום")
    assert (entry.actor["role"], entry.ip, entry.user_agent) == ("operator", "192.0.2.8", "pytest")
    assert (await hub.audit.verify(operator.organization_id)).ok


async def test_entries_come_newest_first_and_page_by_page(hub, operator):
    await _write(hub, operator, 5)

    first = await hub.audit.entries(operator, PageRequest(first=3))
    second = await hub.audit.entries(operator, PageRequest(first=3, after=first.cursors[-1]))

    assert [entry.data["number"] for entry in [*first.items, *second.items][:5]] == [4, 3, 2, 1, 0]


async def test_a_viewer_may_not_read_it(hub, viewer):
    with pytest.raises(PermissionDenied):
        await hub.audit.entries(viewer, PageRequest())


async def test_what_is_rolled_back_leaves_no_entry_and_no_hole(hub, operator):
    await _write(hub, operator, 1)
    with pytest.raises(RuntimeError):
        async with transaction(operator.scope):
            await hub.audit.add(operator, "thing.changed", None)
            raise RuntimeError
    await _write(hub, operator, 1)

    verdict = await hub.audit.verify(operator.organization_id)

    sequences = [entry.sequence for entry in (await hub.audit.entries(operator, PageRequest())).items]
    assert (verdict.ok, sequences) == (True, list(range(verdict.entries, 0, -1)))


async def test_writers_at_the_same_time_make_one_chain(hub, operator):
    await asyncio.gather(*(_write(hub, operator, 3) for _ in range(10)))

    verdict = await hub.audit.verify(operator.organization_id)

    assert (verdict.ok, verdict.entries >= 30) == (True, True)


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE audit_entry SET data = '{{}}' WHERE organization_id = {organization} AND sequence = 3",
        "UPDATE audit_entry SET ip = NULL WHERE organization_id = {organization} AND sequence = 3",
        "DELETE FROM audit_entry WHERE organization_id = {organization} AND sequence = 3",
        "UPDATE audit_entry SET sequence = 99 WHERE organization_id = {organization} AND sequence = 3;"
        " UPDATE audit_entry SET sequence = 3 WHERE organization_id = {organization} AND sequence = 4;"
        " UPDATE audit_entry SET sequence = 4 WHERE organization_id = {organization} AND sequence = 99",
    ],
    ids=["changed", "without its address", "removed", "exchanged"],
)
@pytest.mark.requirement("SM8-78")
async def test_an_entry_that_was_touched_is_found(hub, operator, tamper, sql):
    await _write(hub, operator, 5)

    await tamper(sql)

    verdict = await hub.audit.verify(operator.organization_id)
    assert (verdict.ok, verdict.broken_at) == (False, 3)
    assert "3" in verdict.message


async def test_missing_last_entries_are_found(hub, operator, tamper):
    await _write(hub, operator, 5)
    entries = (await hub.audit.verify(operator.organization_id)).entries

    await tamper(f"DELETE FROM audit_entry WHERE organization_id = {{organization}} AND sequence > {entries - 2}")

    assert (await hub.audit.verify(operator.organization_id)).broken_at == entries - 1


async def test_the_application_itself_cannot_change_an_entry(hub, operator):
    await _write(hub, operator, 1)

    for sql in ("UPDATE audit_entry SET data = '{}' WHERE organization_id = $1", "DELETE FROM audit_entry WHERE organization_id = $1"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            async with transaction(operator.scope):
                await execute(operator.scope, sql, operator.organization_id)
