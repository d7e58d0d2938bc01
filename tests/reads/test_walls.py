"""Nobody reads what belongs to others, compiled or not; and each statement says so on every table that it reads."""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from graphql import GraphQLInputObjectType, parse

from app.actors import PERMISSIONS, Actor, Permission, Role
from app.api.reads.planner import python_name
from app.api.reads.plans import KnownDocument
from app.api.reads.sources import ROOTS, SHAPES, ById, Page
from app.api.reads.statement import Viewer
from app.api.schema import schema
from app.api.types.records import TYPE_NAMES
from tests.api.client import gid
from tests.api.operations import NAMES, text
from tests.reads.asking import Town
from tests.reads.documents import Drawn
from tests.reads.selecting import NOTHING, everything
from tests.reads.test_sources import Columns, columns
from tests.reads.town import Place

__all__ = ["columns"]

SOMETHING = gid("Quote", NOTHING)
VIEWERS = [Viewer(PERMISSIONS[role], role is Role.CLIENT_CONTACT) for role in Role]
_TABLE = re.compile(r"(?:\bFROM|\bJOIN|,) (?:ONLY )?\"?([a-z_]+)\"?(?: AS (\w+))?", re.IGNORECASE)
_ORGANIZATION, _CLIENT = r"(?:\(SELECT )?(\$\d+)::uuid\)?", r" AND {alias}\.client_id = (\$\d+)::uuid"
READS: dict[str, tuple[str, str]] = {
    "Connection": ("connections(first: 100)", "connection"),
    "Contact": ("contacts(first: 100)", "contact"),
    "Quote": ("quotes(first: 100)", "quote"),
    "SyncRun": ("syncRuns(first: 100)", "syncRun"),
    "Job": ("jobs(first: 100)", ""),
    "Client": ("clients(first: 100)", ""),
    "Delivery": ("deliveries(first: 100)", ""),
    "Conflict": ("conflicts(first: 100, openOnly: false)", "conflict"),
    "SalesDocument": ("salesDocuments(first: 100)", "salesDocument"),
    "Product": ("products(first: 100)", ""),
    "InventoryLevel": ("inventoryLevels(first: 100)", ""),
}
"""Type → the list that shows its things, and the field that finds one, where there is one beside `node`."""
NAMED = {"subjectId": "Connection", "recordId": "Contact", "undoesRunId": "SyncRun"}
"""Filter → the type of what it names, where it is called otherwise."""


# What the statements say.


@dataclass(frozen=True)
class Statement:
    sql: str
    viewer: Viewer


def _documents() -> Iterator[str]:
    """Every query that is named, and everything two levels deep from every root field, and three."""
    yield from (text(name) for name in NAMES)
    for name, field in schema()._schema.query_type.fields.items():
        if python_name(field) in ROOTS:
            yield from (everything(name, levels) for levels in (2, 3, 4))


def _statements() -> Iterator[Statement]:
    for query in _documents():
        document = parse(query)
        [operation] = [node for node in document.definitions if hasattr(node, "operation")]
        if operation.operation.value != "query":
            continue
        given = {node.variable.name.value: _given(node) for node in operation.variable_definitions or ()}
        for viewer in VIEWERS:
            known = KnownDocument(schema()._schema, document, operation)
            if sql := known.plan(known.variables(given), viewer).sql:
                yield Statement(sql, viewer)


def _given(node: Any) -> Any:
    """A value for a variable, so that every filter becomes part of the statement."""
    kind = schema()._schema.get_type(_name_of(node.type))
    if isinstance(kind, GraphQLInputObjectType):
        return []
    values = getattr(kind, "values", None)
    known: dict[str, Any] = {"Int": 3, "Boolean": True, "DateTime": "2026-11-21T09:30:00Z"}
    one = next(iter(values)) if values else known.get(_name_of(node.type), SOMETHING)
    return [one] if "ids" in node.variable.name.value.lower() else one


def _name_of(node: Any) -> str:
    return node.name.value if hasattr(node, "name") else _name_of(node.type)


def _open(statement: Statement, columns: Columns) -> list[str]:
    """The tables of a statement without a wall, or with another wall than its other tables have."""
    tables = Counter((table, alias) for table, alias in _TABLE.findall(statement.sql) if table in columns)
    walls = {place: _walls(statement, place[1]) for place in tables}
    found = [f"{table} AS {alias} has no wall" for (table, alias), times in tables.items() if len(walls[table, alias]) < times]
    return found if len({wall for each in walls.values() for wall in each if wall}) <= 1 else [*found, f"several walls: {walls}"]


def _walls(statement: Statement, alias: str) -> list[tuple[str, ...]]:
    """The parameters that a table's rows are held to, each time that it is read."""
    client = _CLIENT.format(alias=alias) if statement.viewer.is_client else "()"
    return re.findall(rf"WHERE {alias}\.organization_id = {_ORGANIZATION}{client}", statement.sql) if alias else []


def test_every_table_of_every_statement_stands_behind_the_same_walls(columns: Columns):
    statements = list(_statements())

    assert [(wrong, statement.sql) for statement in statements if (wrong := _open(statement, columns))] == []
    read = {table for statement in statements for table, _ in _TABLE.findall(statement.sql)} & set(columns)
    assert read >= {shape.table for shape in SHAPES.values()} | {"mapping"}
    assert sum(statement.viewer.is_client for statement in statements) > 10


def test_the_look_at_statements_finds_a_table_without_a_wall(columns: Columns):
    wall = "t1.organization_id = $1::uuid"
    owner, client = VIEWERS[0], Viewer(frozenset(), True)

    assert _open(Statement(f"SELECT FROM quote AS t1 WHERE {wall}", owner), columns) == []
    assert _open(Statement("SELECT FROM quote AS t1 WHERE true", owner), columns)
    assert _open(Statement(f"SELECT FROM quote AS t1 CROSS JOIN mapping AS m WHERE {wall}", owner), columns)
    assert _open(Statement(f"SELECT FROM quote AS t1, (SELECT FROM mapping) AS t2 WHERE {wall}", owner), columns)
    assert _open(Statement(f"SELECT FROM quote AS t1, mapping AS m WHERE {wall}", owner), columns)
    assert _open(
        Statement(f"SELECT FROM quote AS t1 WHERE {wall} AND EXISTS (SELECT FROM client AS t2 WHERE t2.organization_id = $2::uuid)", owner),
        columns,
    )
    assert _open(Statement(f"SELECT FROM quote AS t1 WHERE {wall}", client), columns)


# What is answered.


def _ids(place: Place, kind: str) -> set[str]:
    if kind in TYPE_NAMES.values():
        return {gid(kind, row["id"]) for row in place.rows["record"] if TYPE_NAMES[row["entity"]] == kind}
    return {gid(kind, id) for id in place.ids("sync_run" if kind == "SyncRun" else kind.lower())}


async def _data(town: Town, query: str, actor: Actor, compiled: bool, **variables: Any) -> Any:
    answer, _ = await town.answer(Drawn(query, variables), actor, compiled=compiled)
    assert answer["errors"] == []
    return answer["data"]


@pytest.mark.parametrize("compiled", [True, False], ids=["compiled", "resolved"])
@pytest.mark.parametrize("kind", READS)
async def test_another_organization_finds_nothing(town: Town, kind: str, compiled: bool):
    listed, one = READS[kind]
    theirs = sorted(_ids(town.here, kind))[:100]
    many = f"query ($ids: [ID!]!) {{ nodes(ids: $ids) {{ id }} list: {listed} {{ totalCount nodes {{ id }} }} }}"
    found = await _data(town, many, town.abroad.owner, compiled, ids=theirs)

    assert found["nodes"] == [None] * len(theirs)
    assert len(theirs) > 0
    shown = {node["id"] for node in found["list"]["nodes"]}
    assert shown
    assert shown <= _ids(town.abroad, kind)
    assert found["list"]["totalCount"] <= len(_ids(town.abroad, kind))
    for field in filter(None, ("node", one)):
        single = f"query ($id: ID!) {{ found: {field}(id: $id) {{ id }} }}"
        assert (await _data(town, single, town.abroad.owner, compiled, id=theirs[0]))["found"] is None
        assert (await _data(town, single, town.here.owner, compiled, id=sorted(shown)[0]))["found"] is None


@pytest.mark.parametrize("compiled", [True, False], ids=["compiled", "resolved"])
async def test_what_hangs_on_something_of_another_organization_is_not_listed(town: Town, compiled: bool):
    """Every filter that takes an id, with ids of the other organization."""
    ids = {kind: sorted(_ids(town.here, kind)) for kind in READS}
    fields = schema()._schema.query_type.fields
    for name, source in ROOTS.items():
        field = next(each for each, found in fields.items() if found.extensions["strawberry-definition"].python_name == name)
        named = [
            each for each in (source.filters if isinstance(source, Page) else ()) if each.endswith("Id") and not each.endswith("xternalId")
        ]
        for filter_name in named:
            kind = {"subjectId": "Connection", "recordId": "Contact", "undoesRunId": "SyncRun"}.get(
                filter_name, filter_name[0].upper() + filter_name[1:-2]
            )
            others = "" if filter_name == "connectionId" or name != "provider_calls" else f', connectionId: "{ids["Connection"][0]}"'
            others += ', stream: "companies"' if name == "reconciliations" else ""
            for id in ids.get(kind, [gid(kind, NOTHING)])[:4]:  # whose is foreign and is not in the town: tests/security
                query = f'{{ {field}({filter_name}: "{id}"{others}) {{ totalCount nodes {{ __typename }} }} }}'
                found = await _data(town, query, town.abroad.owner, compiled)
                assert found == {field: {"totalCount": 0, "nodes": []}}, query


@pytest.mark.parametrize("compiled", [True, False], ids=["compiled", "resolved"])
async def test_a_contact_reads_what_is_its_clients(town: Town, compiled: bool):
    rows = town.here.rows["quote"]
    one, other = (town.here.contact_of(client) for client in town.here.ids("client"))
    own, others = ([gid("Quote", row["id"]) for row in rows if row["client_id"] == who.scope.client_id] for who in (one, other))
    inside = (
        "id client { id } connection { id } lines { id } decision { id } versions { version } delivery { quote { id } connection { id } }"
    )
    query = f"query ($ids: [ID!]!) {{ nodes(ids: $ids) {{ id }} quotes(first: 100) {{ totalCount nodes {{ {inside} }} }} }}"

    found = await _data(town, query, one, compiled, ids=[*own, *others])

    assert own
    assert others
    assert [node and node["id"] for node in found["nodes"]] == [*own, *[None] * len(others)]
    assert {node["id"] for node in found["quotes"]["nodes"]} == set(own)
    assert found["quotes"]["totalCount"] == len(own)
    assert all(node["client"] is None and node["connection"] is None for node in found["quotes"]["nodes"])
    assert all((node["delivery"] or {}).get("connection") is None for node in found["quotes"]["nodes"])
    for id in (others[0], gid("Quote", town.abroad.ids("quote")[0])):
        assert await _data(town, "query ($id: ID!) { quote(id: $id) { id } }", one, compiled, id=id) == {"quote": None}


@pytest.mark.parametrize("compiled", [True, False], ids=["compiled", "resolved"])
async def test_a_row_of_another_client_below_ones_own_is_not_shown(town: Town, compiled: bool):
    """Even where rows that belong together name different clients, which no service writes, each row's own client counts."""
    one = town.here.contact_of(town.here.ids("client")[0])
    query = (
        "{ quotes(first: 100) { nodes { lines { id } versions { version } supersededDecisions { id } decision { id } delivery { id } } } }"
    )

    found = await _data(town, query, one, compiled)

    lines = {gid("QuoteLine", row["id"]) for row in town.here.rows["quote_line"] if row["client_id"] == one.scope.client_id}
    assert {line["id"] for quote in found["quotes"]["nodes"] for line in quote["lines"]} == lines


@pytest.mark.parametrize("compiled", [True, False], ids=["compiled", "resolved"])
@pytest.mark.parametrize("missing", sorted(each for each in Permission if each.endswith(":read")))
async def test_a_token_reads_nothing_that_it_may_not(town: Town, missing: Permission, compiled: bool):
    [token] = [each for each in town.tokens() if each.scopes == PERMISSIONS[Role.OWNER] - {missing}]
    fields = schema()._schema.query_type.fields.items()
    roots = {name: ROOTS.get(python_name(field)) for name, field in fields}
    for name, source in roots.items():
        if not isinstance(source, ById | Page) or SHAPES[source.target].permission is not missing:
            continue
        answer, _ = await town.answer(Drawn(everything(name, 2), {}), token, compiled=compiled)
        assert [error["extensions"]["code"] for error in answer["errors"]] == ["FORBIDDEN"], name
        assert answer["data"] in (None, {name: None})
    for kind in (kind for kind in READS if SHAPES[kind].permission is missing):
        ids = sorted(_ids(town.here, kind))[:3]
        found = await _data(town, "query ($ids: [ID!]!) { nodes(ids: $ids) { id } }", token, compiled, ids=ids)
        assert found["nodes"] == [None] * len(ids)
        assert ids
