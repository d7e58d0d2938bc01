"""What the types declare for compiled reads is whole: no field is taken for a column that is not there, no argument is forgotten."""

from collections.abc import Iterator
from functools import cache
from typing import Any

import asyncpg
import pytest
from graphql import GraphQLField, GraphQLObjectType, GraphQLUnionType, get_named_type, is_leaf_type

from app.actors import PERMISSIONS, Role
from app.api.queries.nodes import FINDERS
from app.api.reads.planner import has_resolver, python_name
from app.api.reads.sources import ROOTS, SHAPES, AnyById, Expression, Inline, Items, Many, One, Page, Resolved, Shape, Source
from app.api.schema import schema
from tests.conftest import Servers
from tests.reads.selecting import RESOLVED_FIELDS

RESOLVED_ROOTS = {
    "connection_statistics": "summed up over days of the organization's zone",
    "schedule_preview": "reckoned from a schedule",
    "api_tokens": "few rows of the organization's own",
    "connectors": "known to the process, not to the database",
    "contact_merges": "few rows of one contact",
    "duplicates": "groups over an index, one way of being alike after another",
    "merge_preview": "two records compared by Python, with what hangs on one of them counted",
    "orphan_counts": "counted over two kinds of rows that lost a side",
    "orphaned_mappings": "two kinds of rows that lost a side, put together",
    "failed_record_causes": "groups of open records, the most frequent first",
    "failed_record_payload": "bytes, decoded by Python",
    "field_mapping": "the connector's own rows are known to the process",
    "field_mapping_back_test": "translated by Python",
    "field_mapping_changes": "two versions compared by Python",
    "field_mapping_preview": "translated by Python",
    "field_mapping_versions": "few rows of one stream",
    "live_cursor": "one value of the feed, whose service makes the cursor's text",
    "organization": "one row, with what the settings say",
    "quarantined_deletions": "what one row names, a part at a time",
    "stream_policy": "what counts where nothing was set is known to the process",
    "quote_totals": "sums by the rules of a currency, which Python has",
    "sync_status": "put together from several tables and the connector's streams",
    "syncs": "few rows of one connection",
    "unmapped_fields": "stored objects looked through by Python",
    "unsynced_objects": "an anti-join over the pages of a scan",
    "unsynced_records": "an anti-join over the records of a stream's kind",
    "viewer": "who asks, known already",
}
RESOLVED_NODES = {"Organization": "one row, with what the settings say"}
PAGING = {"first", "after"}

Columns = dict[str, set[str]]


@pytest.fixture(scope="module")
async def columns(servers: Servers) -> Columns:
    """The columns of every table of a freshly migrated database."""
    connection = await asyncpg.connect(servers.owner_url)
    rows = await connection.fetch("SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = 'public'")
    await connection.close()
    found: Columns = {}
    for row in rows:
        found.setdefault(row["table_name"], set()).add(row["column_name"])
    return found


def _type(name: str) -> Any:
    return schema()._schema.get_type(name)


def _query_fields() -> dict[str, GraphQLField]:
    return {python_name(field): field for field in _type("Query").fields.values()}


@cache
def _reachable() -> frozenset[str]:
    """Object types that a query can arrive at."""
    found: set[str] = set()
    pending: list[Any] = [_type("Query")]
    while pending:
        kind = pending.pop()
        if is_leaf_type(kind) or kind.name in found:
            continue
        found.add(kind.name)
        fields = [get_named_type(field.type) for field in getattr(kind, "fields", {}).values()]
        pending.extend([*fields, *(() if isinstance(kind, GraphQLObjectType) else schema()._schema.get_possible_types(kind))])
    return frozenset(found)


def _sources() -> Iterator[tuple[str, GraphQLField, Source | None, str]]:
    """Every field of every object that a statement can make: its name, itself, its source, and the table of its row."""
    for name in sorted(SHAPES):
        shape, kind = SHAPES[name], _type(name)
        if isinstance(kind, GraphQLObjectType):
            yield from _of(shape, kind, shape.table)


def _of(shape: Shape, kind: GraphQLObjectType, table: str) -> Iterator[tuple[str, GraphQLField, Source | None, str]]:
    for field in kind.fields.values():
        source = shape.fields.get(python_name(field))
        yield f"{kind.name}.{python_name(field)}", field, source, table
        if isinstance(source, Inline | Items):
            yield from _of(source.shape, get_named_type(field.type), table if isinstance(source, Inline) else "")


def test_every_shape_is_of_a_type_that_a_query_reaches():
    assert set(SHAPES) <= _reachable()


def test_every_field_has_a_source_or_is_a_column(columns: Columns):
    missing = [
        f"{name}: {'a resolver' if has_resolver(field) else f'no column of {table or None}'}"
        for name, field, source, table in _sources()
        if source is None and (has_resolver(field) or name.partition(".")[2] not in columns.get(table, ()))
    ]

    assert missing == []


def test_only_what_is_listed_here_is_left_to_a_resolver():
    assert {name for name, _, source, _ in _sources() if isinstance(source, Resolved)} == set(RESOLVED_FIELDS)


def test_objects_have_a_source_that_makes_objects():
    wrong = [name for name, field, source, _ in _sources() if is_leaf_type(get_named_type(field.type)) is not _is_leaf(source)]

    assert [name for name in wrong if name not in RESOLVED_FIELDS] == []


def _is_leaf(source: Source | None) -> bool:
    return source is None or isinstance(source, Expression)


def test_a_relation_leads_to_the_type_of_its_field():
    wrong = []
    for name, field, source, _ in _sources():
        if isinstance(source, One | Many | Page):
            kind = get_named_type(field.type)
            found = get_named_type(kind.fields["nodes"].type) if isinstance(source, Page) else kind
            if found.name != source.target:
                wrong.append(f"{name} is of {found.name}, not of {source.target}")

    assert wrong == []


def test_every_shape_with_rows_has_its_table_with_both_walls(columns: Columns):
    contact = PERMISSIONS[Role.CLIENT_CONTACT]
    for name, shape in SHAPES.items():
        found = columns[shape.table]
        assert "organization_id" in found, name
        assert shape.permission is not None, name
        assert "client_id" in found or not shape.by_client, name
        # What a client's contact may read must be walled by client, unless no row of it is a client's.
        assert shape.by_client or shape.permission not in contact, name


def _pages() -> Iterator[tuple[str, GraphQLField, Page]]:
    fields = _query_fields()
    yield from ((name, fields[name], source) for name, source in ROOTS.items() if isinstance(source, Page))
    yield from ((name, field, source) for name, field, source, _ in _sources() if isinstance(source, Page))


def test_pages_are_ordered_by_columns_that_tell_rows_apart(columns: Columns):
    for name, _, page in _pages():
        for keys in (page.keys, *page.orders.values()):
            names = [key.column for key in keys]
            assert set(names) <= columns[SHAPES[page.target].table], name
            # of one stream there is one reconciliation in a run
            assert names[-1] in ("id", "sequence", "sync_run_id" if name == "reconciliations" else "id"), name
            assert len({key.descending for key in keys}) == 1, name


def test_every_argument_of_a_page_is_a_filter_of_it():
    for name, field, page in _pages():
        assert set(field.args) - PAGING == set(page.filters) | ({"order"} if page.orders else set()), name
        assert set(field.args) >= PAGING, name


def test_every_root_field_is_compiled_or_listed_here():
    assert set(_query_fields()) == set(ROOTS) | set(RESOLVED_ROOTS)
    assert not set(ROOTS) & set(RESOLVED_ROOTS)


def test_every_type_that_node_can_name_is_compiled_or_listed_here():
    nodes = {kind.name for kind in schema()._schema.get_possible_types(_type("Node"))}

    assert nodes == set(FINDERS)
    assert nodes - set(SHAPES) == set(RESOLVED_NODES)
    assert [name for name, source in ROOTS.items() if isinstance(source, AnyById)] == ["node", "nodes"]


def test_a_union_has_a_shape_for_each_of_its_types():
    for name, shape in SHAPES.items():
        kind = _type(name)
        if isinstance(kind, GraphQLUnionType):
            assert {member.name for member in kind.types} == set(shape.variants.values())
            assert all(SHAPES[member].table == shape.table for member in shape.variants.values())
