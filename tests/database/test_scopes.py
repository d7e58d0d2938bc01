"""The walls in the database: what a scope shows, and what it never does."""

import asyncio

import asyncpg
import pytest

from app import database, statements
from app.actors import Scope
from app.bootstrap import Hub
from app.connectors.servicem8.sandbox.testing import RunningSandbox
from app.database import after_commit, execute, fetch, fetch_value, system_fetch, transaction
from app.ids import new_id
from app.mappings import repository as mappings
from app.mappings.repository import NewRecord
from app.records import repository as records
from app.records.repository import RecordWrite
from tests.factories import make_connection, make_organization


async def _add_clients(scope: Scope, count: int) -> None:
    async with transaction(scope):
        for number in range(count):
            await execute(
                scope,
                "INSERT INTO client (id, organization_id, name) VALUES ($1, $2, $3)",
                new_id(),
                scope.organization_id,
                f"Client {number}",
            )


async def _clients(scope: Scope) -> int:
    count: int = await fetch_value(scope, "SELECT count(*) FROM client")
    return count


async def test_a_read_sees_its_own_organization_even_without_a_predicate(hub: Hub):
    first, second = (await make_organization(hub)).scope, (await make_organization(hub)).scope
    await _add_clients(first, 3)

    assert await _clients(first) == 3
    assert await _clients(second) == 0


@pytest.mark.parametrize("table", ["client", "record"])
async def test_ten_thousand_alternating_reads_on_one_connection_never_meet(hub: Hub, settings, table: str):
    scopes = [(await make_organization(hub)).scope for _ in range(3)]
    for number, scope in enumerate(scopes):
        await _add_clients(scope, number + 1)
        async with transaction(scope):
            await records.add_many(scope, "contact", [RecordWrite(new_id(), b"{}") for _ in range(number + 1)])
    sql = statements.scoped(f"SELECT organization_id FROM {table}", 0)
    connection = await asyncpg.connect(settings.database_url)
    await connection.execute(f"SET ROLE {database.APP_ROLE}")

    wrong = 0
    for turn in range(10_000):
        scope = scopes[turn % 3]
        rows = await connection.fetch(sql, str(scope.organization_id), "*")
        wrong += len(rows) != turn % 3 + 1 or any(row[0] != scope.organization_id for row in rows)
    leftover = await connection.fetch(f"SELECT * FROM {table}")
    await connection.close()

    assert wrong == 0
    assert leftover == []


async def test_a_write_into_another_organization_is_refused(hub: Hub):
    first, second = (await make_organization(hub)).scope, (await make_organization(hub)).scope

    with pytest.raises(asyncpg.InsufficientPrivilegeError, match="row-level security"):
        async with transaction(first):
            await execute(
                first,
                "INSERT INTO client (id, organization_id, name) VALUES ($1, $2, 'x')",
                new_id(),
                second.organization_id,
            )


async def test_every_table_is_forced_behind_the_wall_and_owned_by_nobody_who_reads_it(servers):
    connection = await asyncpg.connect(servers.owner_url)
    tables = await connection.fetch(
        """
        SELECT relname, relrowsecurity, relforcerowsecurity, pg_get_userbyid(relowner) AS owner,
               EXISTS (SELECT FROM pg_policy WHERE polrelid = pg_class.oid) AS has_policy
        FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' AND relname <> 'migration'
        """
    )
    role = await connection.fetchrow("SELECT rolsuper, rolbypassrls, rolinherit FROM pg_roles WHERE rolname = 'crosswalk_app'")
    await connection.close()

    assert len(tables) > 25
    assert [row["relname"] for row in tables if not (row["relrowsecurity"] and row["relforcerowsecurity"] and row["has_policy"])] == []
    assert [row["relname"] for row in tables if row["owner"] in ("crosswalk_app", "crosswalk_system")] == []
    assert tuple(role) == (False, False, False)


async def test_every_foreign_key_between_tables_of_an_organization_starts_with_it(servers):
    connection = await asyncpg.connect(servers.owner_url)
    keys = await connection.fetch(
        """
        SELECT conrelid::regclass::text AS source, confrelid::regclass::text AS target,
               (SELECT attname FROM pg_attribute WHERE attrelid = conrelid AND attnum = conkey[1]) AS first_column
        FROM pg_constraint WHERE contype = 'f'
        """
    )
    await connection.close()

    # Of a record without a connection: the same organization's id, in a column of its own.
    by_itself = ("record", "organization", "own_organization_id")
    assert [tuple(key) for key in keys if key["first_column"] != "organization_id"] == [by_itself]


async def test_the_system_role_lists_what_is_due_and_nothing_else(hub: Hub):
    await make_organization(hub)

    assert await system_fetch("SELECT organization_id, id FROM sync_run LIMIT 1") is not None
    for forbidden in ("SELECT name FROM organization", "SELECT * FROM sync_run", "SELECT id FROM record", "SELECT payload FROM delivery"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await system_fetch(forbidden)


async def test_an_inner_transaction_is_a_savepoint(hub: Hub):
    scope = (await make_organization(hub)).scope

    async with transaction(scope):
        await _add_clients(scope, 1)
        with pytest.raises(ZeroDivisionError):
            async with transaction(scope):
                await _add_clients(scope, 5)
                raise ZeroDivisionError
        await _add_clients(scope, 1)

    assert await _clients(scope) == 2


async def test_a_failed_commit_gives_its_connection_back(hub: Hub):
    scope = (await make_organization(hub)).scope

    for _ in range(30):
        with pytest.raises(ZeroDivisionError):
            async with transaction(scope):
                after_commit(_never)
                raise ZeroDivisionError

    assert await _clients(scope) == 0


async def _never() -> None:
    raise AssertionError("a hook of a rolled back transaction ran")


async def test_a_cancelled_transaction_leaves_nothing_behind(hub: Hub):
    scope = (await make_organization(hub)).scope

    async def write_slowly() -> None:
        async with transaction(scope):
            await _add_clients(scope, 1)
            await fetch(scope, "SELECT pg_sleep(30)")

    for _ in range(15):
        task = asyncio.create_task(write_slowly())
        await asyncio.sleep(0.02)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    assert await _clients(scope) == 0


async def test_a_task_made_inside_a_transaction_works_outside_of_it(hub: Hub):
    scope = (await make_organization(hub)).scope

    async with transaction(scope):
        await _add_clients(scope, 1)
        seen = await asyncio.gather(_clients(scope), _clients(scope))

    assert seen == [0, 0]


async def test_a_write_needs_a_transaction_and_a_transaction_stays_in_its_scope(hub: Hub):
    first, second = (await make_organization(hub)).scope, (await make_organization(hub)).scope

    with pytest.raises(RuntimeError, match="needs a transaction"):
        await execute(first, "DELETE FROM client")
    async with transaction(first):
        with pytest.raises(RuntimeError, match="another"):
            await fetch(second, "SELECT 1 AS one")


async def test_a_record_belongs_to_an_organization_that_exists_by_its_connection_or_by_itself(hub: Hub, sandbox: RunningSandbox):
    owner, other = await make_organization(hub), await make_organization(hub)
    theirs = (await make_connection(hub, other, sandbox)).id
    nowhere = Scope(new_id())

    new = NewRecord(new_id(), b'{"name": "Acme"}', new_id(), "x-1", None, b"fingerprint", b"{}")

    for scope, connection_id in ((nowhere, theirs), (owner.scope, theirs), (owner.scope, new_id())):
        with pytest.raises(asyncpg.InsufficientPrivilegeError, match="row-level security"):
            async with transaction(scope):
                await mappings.add_records(scope, connection_id, "companies", "contact", [new], "a test", None)
    with pytest.raises(asyncpg.ForeignKeyViolationError):
        async with transaction(nowhere):
            await records.add_many(nowhere, "contact", [RecordWrite(new_id(), b'{"name": "Acme"}')])
    async with transaction(owner.scope):
        await records.add_many(owner.scope, "contact", [RecordWrite(new_id(), b'{"name": "Acme"}')])

    assert await fetch_value(owner.scope, "SELECT count(*) FROM record WHERE own_organization_id = $1", owner.organization_id) == 1
