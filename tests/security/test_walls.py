"""The two walls, each alone: the database's policies without any predicate, and the services' predicates without any policy."""

from collections.abc import AsyncIterator, Callable
from dataclasses import replace

import pytest

from app.actors import Scope
from app.database import fetch
from app.ids import new_id
from tests.security import policies
from tests.security.callers import Callers
from tests.security.fields import MUTATIONS, QUERIES
from tests.security.matrix import Matrix
from tests.security.rows import DIGESTS, IDS, WORDS, Database, Dump, Group
from tests.security.world import World

FIELDS = [*QUERIES, *MUTATIONS]
OF_CLIENTS = {"quote", "quote_line", "quote_version", "quote_decision", "delivery", "event", "audit_entry", "idempotency_key"}
"""Tables of which a client's contact sees the client's own rows."""
TABLES = sorted(
    [
        "organization", "organization_counter", "person", "client", "site", "client_contact", "session", "api_token", "sign_in_link",
        "mail", "connection", "provider_call", "record", "record_merge", "record_version", "mapping",
        "part", "sync", "sync_run", "sync_run_stream", "sync_page",
        "stream_state", "failed_record", "conflict", "stream_policy", "quarantine", "field_mapping", "reconciliation", *OF_CLIENTS,
        "plan", "plan_item", "plan_part",
    ]
)  # fmt: skip
ABROAD, EVERYTHING = {Group.ABROAD}, {Group.OWN, Group.OTHER, Group.STAFF, Group.SHARED}


def _scopes(world: World) -> list[tuple[str, Scope, Callable[[str, Group], bool]]]:
    """Each kind of scope, and which rows of which table it shows."""
    owners, abroad = world.owners, world.abroad_owner.scope
    return [
        ("an organization", world.scope(), lambda table, group: group in EVERYTHING),
        ("another organization", abroad, lambda table, group: group in ABROAD),
        ("a client", world.scope(client=owners.own_client), _client_sees(Group.OWN)),
        ("another client", world.scope(client=owners.other_client), _client_sees(Group.OTHER)),
        ("a client that is none", world.scope(client=new_id()), _client_sees(Group.SHARED)),
        ("an organization that is none", Scope(new_id()), lambda table, group: False),
        ("a client of another organization", Scope(new_id(), owners.own_client), lambda table, group: False),
    ]


def _client_sees(whose: Group) -> Callable[[str, Group], bool]:
    return lambda table, group: group is Group.SHARED or (group is whose and table in OF_CLIENTS)


async def _wrong_tables(world: World, truth: Dump) -> set[str]:
    """The tables that show any scope more or less than its own rows, to a query that asks for everything."""
    found = set()
    for table in TABLES:
        rows = {group: rows for (name, group), rows in truth.items() if name == table}
        for _, scope, sees in _scopes(world):
            wanted = set().union(*(texts for group, texts in rows.items() if sees(table, group)))
            shown = {row["whole"] for row in await fetch(scope, f'SELECT t.*, t::text AS whole FROM "{table}" AS t')}
            found |= {table} if shown != wanted else set()
    return found


@pytest.fixture
async def truth(world: World) -> Dump:
    return await world.database.dump(world.owners)


# The ground that the tests stand on.


def test_every_table_is_looked_at(database: Database):
    assert sorted(database.columns) == TABLES


async def test_every_table_has_rows_of_both_sides(truth: Dump):
    for table in TABLES:
        sides = {group for (name, group), rows in truth.items() if name == table and rows}
        assert sides & ABROAD, table
        assert sides & EVERYTHING, table
        assert table not in OF_CLIENTS or {Group.OWN, Group.OTHER} <= sides, table


async def test_every_text_of_the_other_side_carries_a_mark(database: Database, truth: Dump):
    columns = [(f"{table}.{name}", kind) for table, found in database.columns.items() for name, kind in found.items()]
    texts = {column for column, kind in columns if kind in ("text", "_text")}
    structured = {"audit_entry.data", "quote_version.content", "quote_decision.lines", "record.data"}
    payloads = await database.admin.fetch("SELECT convert_from(payload, 'UTF8') AS payload FROM failed_record")

    carried = database.marks_in("\n".join(row for (_, group), rows in truth.items() if group is Group.ABROAD for row in rows))[Group.ABROAD]

    assert texts - WORDS - IDS - DIGESTS - carried == set()
    assert structured - carried == set()
    assert all("failed_record.payload" in set().union(*database.marks_in(row["payload"]).values()) for row in payloads)


# Policies alone.


@pytest.mark.requirement("SM8-87")
async def test_a_query_without_any_predicate_shows_only_own_rows(world: World, truth: Dump):
    assert await _wrong_tables(world, truth) == set()


@pytest.mark.requirement("SM8-87")
@pytest.mark.parametrize("table", TABLES)
async def test_a_policy_that_was_taken_away_is_found(world: World, truth: Dump, table: str):
    for taken_away in (policies.opened, policies.dropped, policies.switched_off):
        async with taken_away(world.database.admin, table):
            assert await _wrong_tables(world, truth) == {table}, taken_away.__name__

    assert await _wrong_tables(world, truth) == set()


# Predicates alone.


@pytest.fixture
async def no_policies(world: World) -> AsyncIterator[None]:
    async with policies.opened(world.database.admin):
        yield


@pytest.mark.requirement("SM8-87")
@pytest.mark.usefixtures("no_policies")
@pytest.mark.parametrize("role", ["client_contact", "owner"])
async def test_the_services_keep_organizations_apart_without_any_policy(matrix: Matrix, callers: Callers, role: str):
    world, caller = matrix.world, callers.roles[role]
    # What is between clients of one organization is the next test's matter.
    whole = replace(caller, sees=caller.sees | EVERYTHING)

    problems = await matrix.examine(whole, FIELDS, world.own, world.abroad)

    assert not problems, "\n" + "\n".join(problems)


@pytest.mark.requirement("SM8-87")
@pytest.mark.usefixtures("no_policies")
async def test_the_services_keep_clients_apart_without_any_policy(matrix: Matrix, callers: Callers):
    world = matrix.world

    problems = await matrix.examine(callers.roles["client_contact"], FIELDS, world.own, world.other)

    assert not problems, "\n" + "\n".join(problems)
