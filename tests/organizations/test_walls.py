"""The two walls, seen from the database: between organizations, and between the clients of one."""

from contextlib import suppress

import asyncpg
import pytest

from app.actors import Scope
from app.database import execute, fetch, fetch_value, system_fetch, transaction
from app.ids import new_id
from app.paging import PageRequest
from tests.factories import make_connection, make_organization, sync

FOR_CLIENTS_TOO = {"quote", "quote_line", "quote_version", "quote_decision", "delivery", "event", "audit_entry", "idempotency_key"}
FOR_EVERYBODY = {"organization", "organization_counter"}


async def tables(servers):
    """Every table but the list of migrations, with what guards it."""
    connection = await asyncpg.connect(servers.owner_url)
    try:
        return await connection.fetch(
            """
            SELECT relname AS name, relrowsecurity AS enabled, relforcerowsecurity AS forced, pg_get_userbyid(relowner) AS owner,
                (SELECT count(*) FROM pg_policy WHERE polrelid = pg_class.oid) AS policies
            FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') AND relname <> 'migration'
            """
        )
    finally:
        await connection.close()


@pytest.fixture
async def populated(hub, owner, sandbox):
    """An organization with rows in many tables: its owner, and two clients with one quote each."""
    await sandbox.reset()
    for name in ("Kavarna", "Picerija"):
        company = await sandbox.create("company", name=name)
        job = await sandbox.create("job", status="Quote", company_uuid=company["uuid"])
        await sandbox.add_line(job["uuid"], name="Delo", quantity="1", price="100")
    await sync(hub, owner, await make_connection(hub, owner, sandbox))
    return owner


async def invite_all(hub, owner):
    records = (await hub.records.contacts(owner, PageRequest())).items
    return [
        await hub.clients.invite(owner, contact_record_id=record.id, email=f"c{number}@example.test", name="C")
        for number, record in enumerate(records)
    ]


@pytest.mark.requirement("SM8-87")
async def test_row_level_security_is_forced_on_every_table(servers):
    found = await tables(servers)

    assert len(found) > 25
    assert [row["name"] for row in found if not (row["enabled"] and row["forced"] and row["policies"])] == []


async def test_the_application_owns_nothing_and_bypasses_nothing(servers):
    connection = await asyncpg.connect(servers.owner_url)
    roles = await connection.fetch("SELECT * FROM pg_roles WHERE rolname IN ('crosswalk_app', 'crosswalk_system')")
    owned = await connection.fetchval(
        """
        SELECT count(*) FROM pg_shdepend JOIN pg_roles ON pg_roles.oid = refobjid
        WHERE deptype = 'o' AND rolname IN ('crosswalk_app', 'crosswalk_system')
        """
    )
    inherits = await connection.fetchval("SELECT pg_has_role('crosswalk_app', 'crosswalk_system', 'USAGE')")
    await connection.close()

    assert owned == 0
    assert not inherits
    assert len(roles) == 2
    for role in roles:
        powers = ("rolsuper", "rolbypassrls", "rolcreaterole", "rolcreatedb", "rolreplication")
        assert [power for power in powers if role[power]] == []


async def test_without_a_scope_no_table_shows_a_row(hub, servers, populated):
    await invite_all(hub, populated)
    connection = await asyncpg.connect(servers.app_url)
    await connection.execute("SET ROLE crosswalk_app")

    seen = {row["name"]: await connection.fetchval(f'SELECT count(*) FROM "{row["name"]}"') for row in await tables(servers)}
    await connection.close()

    assert {name: count for name, count in seen.items() if count} == {}


@pytest.mark.requirement("SM8-87")
async def test_no_table_shows_a_row_of_another_organization(hub, servers, populated):
    await invite_all(hub, populated)
    stranger = await make_organization(hub)

    for row in await tables(servers):
        column = "id" if row["name"] == "organization" else "organization_id"
        sql = f'SELECT count(*) FROM "{row["name"]}" WHERE {column} = $1'
        assert await fetch_value(stranger.scope, sql, populated.organization_id) == 0, row["name"]


@pytest.mark.requirement("SM8-87")
async def test_a_client_sees_its_own_rows_and_nothing_of_the_organizations_own(hub, servers, populated):
    contacts = await invite_all(hub, populated)
    scopes = [Scope(populated.organization_id, contact.client_id) for contact in contacts]

    assert len(scopes) == 2
    for row in await tables(servers):
        name = row["name"]
        if name in FOR_EVERYBODY:
            continue
        for scope in scopes:
            seen = await fetch(scope, f'SELECT to_jsonb("{name}") AS row FROM "{name}"')
            if name in FOR_CLIENTS_TOO:
                assert {found["row"]["client_id"] for found in seen} <= {str(scope.client_id)}, name
            else:
                assert seen == [], name
    quotes = [await fetch_value(scope, "SELECT count(*) FROM quote WHERE organization_id = $1", scope.organization_id) for scope in scopes]
    assert quotes == [1, 1]


async def test_a_client_cannot_write_a_row_for_another_client(hub, populated):
    one, other = [Scope(populated.organization_id, contact.client_id) for contact in await invite_all(hub, populated)]
    quote_id = await fetch_value(one, "SELECT id FROM quote WHERE organization_id = $1", one.organization_id)

    async with transaction(other):
        touched = await execute(
            other, "UPDATE quote SET title = 'mine' WHERE organization_id = $1 AND id = $2", other.organization_id, quote_id
        )
    assert touched == 0
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        async with transaction(other):
            await execute(
                other,
                "INSERT INTO event (organization_id, client_id, sequence, topic, subject_id, revision) VALUES ($1, $2, 9999, 'x', $3, 1)",
                other.organization_id,
                one.client_id,
                new_id(),
            )


async def test_nobody_writes_into_another_organization(hub, owner):
    stranger = await make_organization(hub)

    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        async with transaction(stranger.scope):
            await execute(
                stranger.scope, "INSERT INTO client (id, organization_id, name) VALUES ($1, $2, 'X')", new_id(), owner.organization_id
            )


async def test_a_client_cannot_be_given_to_another_organizations_site(hub, owner):
    """Foreign keys look past the walls, so each begins with the organization."""
    stranger, client_id = await make_organization(hub), new_id()
    async with transaction(owner.scope):
        await execute(owner.scope, "INSERT INTO client (id, organization_id, name) VALUES ($1, $2, 'X')", client_id, owner.organization_id)

    with pytest.raises(asyncpg.ForeignKeyViolationError):
        async with transaction(stranger.scope):
            await execute(
                stranger.scope,
                "INSERT INTO site (id, organization_id, client_id, name) VALUES ($1, $2, $3, 'X')",
                new_id(),
                stranger.organization_id,
                client_id,
            )


@pytest.mark.parametrize("table", ["person", "connection", "api_token", "record", "quote", "audit_entry", "session"])
async def test_the_system_role_reads_no_content(table):
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await system_fetch(f"SELECT * FROM {table}")


@pytest.mark.parametrize("column", ["name", "terms", "time_zone"])
async def test_the_system_role_knows_an_organization_by_its_address_only(owner, column):
    assert await system_fetch("SELECT id, slug FROM organization WHERE id = $1", owner.organization_id)
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await system_fetch(f"SELECT {column} FROM organization")


_ADD_RECORD = "INSERT INTO record (id, organization_id, entity, connection_id, data) VALUES ($1, $2, 'contact', $3, '{}')"
_ADD_MAPPING = """
    INSERT INTO mapping (id, organization_id, connection_id, stream, external_id, record_id) VALUES ($1, $2, $3, 'companies', 'x', $4)
"""


@pytest.mark.parametrize("whose", ["nobody's", "another organization's"])
async def test_records_and_mappings_are_of_the_organizations_own_connections(hub, owner, sandbox, whose):
    """No foreign key says so: the wall does (docs/decisions/0012-connections-behind-the-wall.md)."""
    stranger, record_id = await make_organization(hub), new_id()
    foreign = (await make_connection(hub, owner, sandbox)).id if whose == "another organization's" else new_id()
    async with transaction(stranger.scope):
        await execute(stranger.scope, _ADD_RECORD, record_id, stranger.organization_id, None)

    for sql, *arguments in (
        (_ADD_RECORD, new_id(), stranger.organization_id, foreign),
        ("UPDATE record SET connection_id = $3 WHERE organization_id = $2 AND id = $1", record_id, stranger.organization_id, foreign),
        (_ADD_MAPPING, new_id(), stranger.organization_id, foreign, record_id),
    ):
        with pytest.raises(asyncpg.InsufficientPrivilegeError, match="row-level security"):
            async with transaction(stranger.scope):
                await execute(stranger.scope, sql, *arguments)


async def test_a_mapping_does_not_move_to_a_connection_of_nobody(hub, owner, sandbox):
    connection, record_id, mapping_id = await make_connection(hub, owner, sandbox), new_id(), new_id()
    async with transaction(owner.scope):
        await execute(owner.scope, _ADD_RECORD, record_id, owner.organization_id, connection.id)
        await execute(owner.scope, _ADD_MAPPING, mapping_id, owner.organization_id, connection.id, record_id)

    with pytest.raises(asyncpg.InsufficientPrivilegeError, match="row-level security"):
        async with transaction(owner.scope):
            sql = "UPDATE mapping SET connection_id = $3 WHERE organization_id = $1 AND id = $2"
            await execute(owner.scope, sql, owner.organization_id, mapping_id, new_id())


@pytest.mark.parametrize("url", ["owner_url", "app_url"])
async def test_no_login_takes_a_connection_away_from_its_records(hub, servers, owner, sandbox, url):
    connection = await make_connection(hub, owner, sandbox)
    login = await asyncpg.connect(getattr(servers, url))
    await login.execute(f"SELECT set_config('crosswalk.organization_id', '{owner.organization_id}', false)")
    await login.execute("SELECT set_config('crosswalk.client_id', '*', false)")

    with suppress(asyncpg.InsufficientPrivilegeError):
        assert await login.execute(f"DELETE FROM connection WHERE id = '{connection.id}'") == "DELETE 0"
    with pytest.raises(asyncpg.PostgresError):
        await login.execute("TRUNCATE connection")
    await login.close()


async def test_what_is_written_once_cannot_be_changed(owner):
    for sql in (
        "UPDATE audit_entry SET event = 'x' WHERE organization_id = $1",
        "DELETE FROM audit_entry WHERE organization_id = $1",
        "DELETE FROM connection WHERE organization_id = $1",
        "DELETE FROM record WHERE organization_id = $1",
    ):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            async with transaction(owner.scope):
                await execute(owner.scope, sql, owner.organization_id)
