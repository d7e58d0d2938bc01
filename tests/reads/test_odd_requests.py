"""What nobody sends by mistake: each is answered the same, compiled or not, and never by a surprise."""

import asyncio
import base64
import json
import random
from collections.abc import Sequence
from typing import Any

import msgspec
import pytest

from app.actors import Actor, ActorKind, Role
from app.api.reads.planner import python_name
from app.api.reads.sources import ROOTS, Page
from app.api.schema import schema
from app.paging import encode_cursor
from tests.api.client import gid
from tests.api.variants import with_settings
from tests.reads.asking import Town
from tests.reads.documents import Drawn
from tests.reads.selecting import NOTHING, everything
from tests.reads.town import TEXTS

HUGE = (2**31, 2**63 - 1, 2**63, -(2**63) - 1, 2**64, 10**30)
ID = "018f0000-0000-7000-8000-000000000001"


def _bytes(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode()


CURSORS = (
    "", " ", "x", "MQ", "💥", "====", "a" * 100_000, _bytes(b"\xff\xfe"), _bytes(b'["\\ud800","' + ID.encode() + b'"]'),
    _bytes(b"1e400"), _bytes(b"[" * 2000), _bytes(b"NaN"),
    *map(encode_cursor, (
        None, True, 1.5, "", "a\0b", ID, ID.upper(), [], [ID], ["a"], ["a", ID], ["a\0", ID], ["a", ID, ID], ["a", 1], [[1]], {"a": 1},
        *HUGE,
    )),
)  # fmt: skip
IDS = (
    "", "x", "💥", "a" * 100_000, _bytes(b"Quote"), _bytes(b"Quote:"), _bytes(b":"),
    _bytes(b"Quote:1"), _bytes(b"\xff:1"),
    _bytes(b"Quote\0:" + ID.encode()), _bytes(b"Quote:" + ID.encode() + b"\0"), _bytes(b"Quote:" + ID.encode() + b":1"),
    _bytes(b"quote:" + ID.encode()), _bytes(b"Record:" + ID.encode()), _bytes(b"SyncCounts:" + ID.encode()),
    _bytes(b"__Type:" + ID.encode()),
    _bytes(b"Quote:{" + ID.encode() + b"}"), _bytes(b"Quote:urn:uuid:" + ID.encode()), _bytes(b"' OR 1=1 --:" + ID.encode()),
)  # fmt: skip


async def _both(town: Town, query: str, actor: Actor | None = None, **variables: Any) -> tuple[Any, bool]:
    """The answer, which is the same both ways and no surprise; and whether a statement made it."""
    actor = actor or town.here.owner
    plain, _ = await town.answer(Drawn(query, variables), actor, compiled=False)
    compiled, result = await town.answer(Drawn(query, variables), actor, compiled=True)
    assert compiled == plain, query[:1000]
    assert "INTERNAL_SERVER_ERROR" not in json.dumps(plain), (query[:1000], plain)
    return plain, bool(result.data) and all(isinstance(value, msgspec.Raw) for value in (result.data or {}).values())


def _pages() -> list[str]:
    fields = schema()._schema.query_type.fields
    return sorted(name for name, field in fields.items() if isinstance(ROOTS.get(python_name(field)), Page))


def _listed(town: Town, field: str, arguments: str, declared: str = "") -> str:
    needed = (
        f'connectionId: "{gid("Connection", town.here.ids("connection")[0])}", ' if field in ("providerCalls", "reconciliations") else ""
    )
    needed += 'stream: "companies", ' if field == "reconciliations" else ""
    needed += f'planId: "{gid("Plan", NOTHING)}", ' if field == "planItems" else ""
    return f"query {declared} {{ {field}({needed}{arguments}) {{ totalCount nodes {{ __typename }} pageInfo {{ endCursor }} }} }}"


# Arguments.


@pytest.mark.parametrize("field", _pages())
async def test_cursors_that_are_wrong_in_every_way(town: Town, field: str):
    query = _listed(town, field, "after: $after", "($after: String)")
    for cursor in CURSORS:
        answer, _ = await _both(town, query, after=cursor)
        for error in answer["errors"]:
            assert error["extensions"]["code"] == "BAD_USER_INPUT", (cursor[:100], error)


async def test_a_cursor_beyond_what_the_database_can_count_is_refused(town: Town):
    for number in HUGE:
        answer, _ = await _both(town, "query ($a: String) { auditEntries(after: $a) { nodes { event } } }", a=encode_cursor(number))
        assert bool(answer["errors"]) is (number not in range(-(2**63), 2**63))


@pytest.mark.parametrize("declared", ["($n: Int!)", "($n: Int)", "($n: Int = 2)", "($n: Int! = 2)"])
async def test_sizes_of_every_kind(town: Town, declared: str):
    for given in ({}, *({"n": n} for n in (None, 0, 1, 100, 101, -1, 2**31 - 1, 2**31, 2.0, 1.5, "1", True, [1]))):
        await _both(town, f"query {declared} {{ quotes(first: $n) {{ nodes {{ id }} }} }}", **given)
        await _both(town, f"query {declared} {{ connections {{ nodes {{ latestRuns(first: $n) {{ id }} }} }} }}", **given)


@pytest.mark.parametrize("field", ["quote", "connection", "contact", "syncRun", "node", "nodes"])
async def test_ids_that_are_wrong_in_every_way(town: Town, field: str):
    rows = {
        "Quote": "quote",
        "Connection": "connection",
        "SyncRun": "sync_run",
        "Delivery": "delivery",
        "Site": "site",
        "Mapping": "mapping",
    }
    real = [gid(kind, town.here.ids(table)[0]) for kind, table in rows.items()]
    organization = gid("Organization", town.here.owner.organization_id)
    for id in (*IDS, *real, organization):
        given = {"ids": [id, real[0], id]} if field == "nodes" else {"id": id}
        declared = "($ids: [ID!]!)" if field == "nodes" else "($id: ID!)"
        name = next(iter(given))
        answer, _ = await _both(town, f"query {declared} {{ {field}({name}: ${name}) {{ __typename id }} }}", **given)
        assert {error["extensions"]["code"] for error in answer["errors"]} <= {"BAD_USER_INPUT"}, id[:100]


async def test_a_plan_is_not_spoiled_by_what_it_was_first_asked_with(town: Town):
    """An id that only Python can find says nothing about the next one."""
    query = "query Spoiled($id: ID!) { node(id: $id) { id } }"
    _, organization = await _both(town, query, id=gid("Organization", town.here.owner.organization_id))
    _, wrong = await _both(town, query, id="x")
    answer, quote = await _both(town, query, id=gid("Quote", town.here.ids("quote")[0]))

    assert (organization, wrong, quote) == (False, True, True)
    assert answer["data"]["node"]


async def test_one_document_with_variables_of_every_kind_in_any_order(town: Town):
    """What decides the text of a statement is told apart from what is only a value in it."""
    query = """query Q($n: Int! = 3, $after: String, $status: QuoteStatus, $order: ListOrder! = NEWEST_FIRST, $client: ID,
            $deleted: Boolean!, $no: Boolean!, $search: String) {
        quotes(first: $n, after: $after, status: $status, order: $order, clientId: $client) {
            totalCount nodes { id number @skip(if: $no) } pageInfo { hasPreviousPage endCursor } }
        connections(deleted: $deleted) { nodes { id deletedAt @include(if: $no) latestRuns(first: $n) { id } } }
        contacts(search: $search, first: $n) { nodes { name } } }"""
    chance = random.Random(7)
    cursors = [encode_cursor(str(id)) for id in town.here.ids("quote")]
    kinds: dict[str, Sequence[Any]] = {
        "n": (1, 2, 5), "after": (None, *cursors), "status": (None, "OPEN", "EXPIRED", "APPROVED"),
        "order": ("NEWEST_FIRST", "OLDEST_FIRST"),
        "client": (None, *(gid("Client", id) for id in town.here.ids("client"))), "search": (None, "", "a", "Ž"),
    }  # fmt: skip
    seen = set()
    for _ in range(60):
        given = {name: chance.choice(values) for name, values in kinds.items() if chance.random() < 0.7}
        given |= {name: chance.random() < 0.5 for name in ("deleted", "no")}
        answer, compiled = await _both(town, query, **given)
        assert compiled
        seen.add(json.dumps(answer))
    assert len(seen) > 30


async def test_text_that_looks_like_a_place_of_a_statement_is_only_text(town: Town):
    texts = (
        *TEXTS,
        "{item}",
        "{value}",
        "{now}",
        "{parent}",
        "{titles}",
        "{0}",
        "$1::uuid",
        "%s",
        "'; --",
        "\\",
        "\\'",
        "E'\\x00'",
        "\x01\x7f",
    )
    for text in texts:
        query = "query ($t: String) { contacts(search: $t) { totalCount nodes { name } } quotes(contactExternalId: $t) { totalCount } }"
        answer, compiled = await _both(town, query, t=text)
        assert compiled
        assert all(node["name"].lower().startswith(text.lower()) for node in answer["data"]["contacts"]["nodes"])
        written = json.dumps(text, ensure_ascii=False) if text.isprintable() else json.dumps(text)
        await _both(town, f"{{ contacts(search: {written}) {{ totalCount }} }}")


# Selections.


async def test_very_long_names(town: Town):
    name = "a" * 9_000
    answer, compiled = await _both(town, f"{{ {name}: quotes(first: 1) {{ {name}b: nodes {{ {name}: id {name}c: number }} }} }}")

    assert compiled
    assert answer["data"][name][f"{name}b"][0].keys() == {name, f"{name}c"}


async def test_more_fields_in_one_object_than_a_function_of_postgres_takes(town: Town):
    roomy = Town(with_settings(town.hub, limit_aliases=1000, limit_repeats=1000), town.here, town.abroad)
    for count in (39, 40, 41, 80, 81, 130):
        fields = " ".join(f"f{number}: {('number', 'title', 'id', 'version')[number % 4]}" for number in range(count))
        answer, compiled = await _both(roomy, f"{{ quotes(first: 3) {{ nodes {{ {fields} }} }} }}")
        assert compiled
        assert list(answer["data"]["quotes"]["nodes"][0]) == [f"f{number}" for number in range(count)]


async def test_one_relation_under_several_names_with_different_arguments(town: Town):
    last = encode_cursor(str(max(town.here.ids("sync_run"))))
    query = """query ($n: Int!, $last: String) { connections { nodes {
        one: latestRuns(first: 1) { id } several: latestRuns(first: $n) { id status }
        page: syncRuns(first: 1) { totalCount nodes { id } pageInfo { endCursor } }
        rest: syncRuns(first: $n, after: $last) { totalCount edges { cursor } }
    } } }"""
    answer, compiled = await _both(town, query, n=5, last=last)

    assert compiled
    assert any(len(node["several"]) > len(node["one"]) == 1 for node in answer["data"]["connections"]["nodes"])


NOTHING_LEFT = [
    "{ quotes @skip(if: true) { nodes { id } } }",
    "{ quotes { nodes @skip(if: true) { id } } }",
    "{ quotes { nodes { id @include(if: false) } } }",
    "{ quotes { edges { cursor @skip(if: true) } pageInfo { endCursor @skip(if: true) } } }",
    "{ syncRuns { nodes { counts { read @skip(if: true) } streams { stream @skip(if: true) } } } }",
    "{ syncRuns { nodes { counts { __typename } connection { __typename } } } }",
    "{ quotes { nodes { total { amount @skip(if: true) } decision { __typename lines { __typename } } } } }",
    "{ connections { nodes { account { __typename } credentialHints { name @skip(if: true) } } } }",
    "{ mappings { nodes { record { ... on Contact { name @skip(if: true) } ... on Job { title } } } } }",
    "{ __typename }",
    "{ __typename quotes { __typename } ...Q } fragment Q on Query { again: __typename }",
]


@pytest.mark.parametrize("query", NOTHING_LEFT)
async def test_selections_of_which_nothing_is_left(town: Town, query: str):
    for actor in (town.here.owner, town.here.contact_of(town.here.ids("client")[0])):
        await _both(town, query, actor)


async def test_fields_that_are_asked_for_twice_are_answered_once(town: Town):
    query = """{ quotes(first: 2) { nodes { id lines { id } } } quotes(first: 2) { nodes { lines { description } ...Q } } ...R }
        fragment Q on Quote { lines { ... on QuoteLine { total { amount } } } connection { id } connection { ... on Node { name: id } } }
        fragment R on Query { quotes(first: 2) { pageInfo { endCursor } } }"""
    answer, compiled = await _both(town, query)

    assert compiled
    lines = [line for quote in answer["data"]["quotes"]["nodes"] for line in quote["lines"]]
    assert all(line.keys() == {"id", "description", "total"} for line in lines)


async def test_an_operation_as_deep_as_allowed(town: Town):
    query = "{ quotes(first: 2) { nodes " + "{ delivery { quote " * 4 + "{ client { name } }" + "} }" * 4 + " } }"
    answer, compiled = await _both(town, query)

    assert compiled
    assert answer["errors"] == []


@pytest.mark.parametrize("levels", [2, 3])
@pytest.mark.parametrize("kind", ["Quote", "Connection", "SyncRun", "Contact", "Job", "Client", "Delivery", "Sync"])
async def test_everything_of_a_thing_by_its_id(town: Town, kind: str, levels: int):
    tables = {"SyncRun": "sync_run", "Contact": "record", "Job": "record"}
    roomy = Town(with_settings(town.hub, limit_cost=10**6, limit_tokens=10**5, limit_document=10**6), town.here, town.abroad)
    query = everything("node", levels)
    start = query.index('"')
    for id in town.here.ids(tables.get(kind, kind.lower()))[:4]:
        await _both(roomy, f'{query[:start]}"{gid(kind, id)}"{query[query.index(chr(34), start + 1) + 1 :]}')


# Many at once, and in the middle.


async def test_two_hundred_different_documents_at_once(town: Town):
    queries = [
        f"query N{n} {{ quotes(first: {1 + n % 7}) {{ nodes {{ a{n}: number lines {{ b{n}: description }} }} }} }}" for n in range(200)
    ]
    one_by_one = [(await town.answer(Drawn(query, {}), town.here.owner, compiled=False))[0] for query in queries]

    answers = await asyncio.gather(*(town.answer(Drawn(query, {}), town.here.owner, compiled=True) for query in queries))

    assert [answer for answer, _ in answers] == one_by_one


async def test_viewers_of_one_document_at_once_see_what_is_theirs(town: Town):
    query = Drawn("{ quotes(first: 100) { totalCount nodes { id client { name } } } connections { nodes { name } } }", {})
    viewers = [*town.viewers(), town.abroad.owner] * 4
    one_by_one = [(await town.answer(query, viewer, compiled=False))[0] for viewer in viewers]

    answers = await asyncio.gather(*(town.answer(query, viewer, compiled=True) for viewer in viewers))

    assert [answer for answer, _ in answers] == one_by_one
    assert len({json.dumps(answer) for answer in one_by_one}) > 4


def test_the_viewers_here_are_of_every_kind(town: Town):
    viewers = town.viewers()

    assert {viewer.role for viewer in viewers} == set(Role) - {Role.SYSTEM}
    assert ActorKind.API_TOKEN in {viewer.kind for viewer in viewers}
