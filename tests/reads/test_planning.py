"""What planning costs: little time, a bounded memory, and statements of a bounded size."""

import time
from collections.abc import Callable
from statistics import median
from typing import Any

import pytest
from graphql import parse

from app.actors import PERMISSIONS, Role
from app.api.reads.answers import Reads
from app.api.reads.plans import KnownDocument
from app.api.reads.statement import Viewer
from app.api.schema import schema
from tests.api.client import gid
from tests.api.operations import NAMES, text
from tests.api.variants import with_settings
from tests.reads.asking import Town
from tests.reads.documents import Drawn
from tests.reads.selecting import NOTHING

OWNER = Viewer(PERMISSIONS[Role.OWNER], False)
IDS = {"quote": "Quote", "connection": "Connection", "contact": "Contact", "sync_run": "SyncRun", "jobs_of_contact": "Contact"}
COMPILED = [*IDS, "quotes", "connections", "contacts", "clients", "deliveries", "sync_runs", "mappings", "audit_entries"]

RELATIONS = "connection { id } client { id } delivery { id } decision { id } lines { id }"


def _given(name: str) -> dict[str, str]:
    argument = "contactId" if name == "jobs_of_contact" else "id"
    return {argument: gid(IDS[name], NOTHING)} if name in IDS else {}


def _known(query: str) -> KnownDocument:
    document = parse(query)
    return KnownDocument(schema()._schema, document, document.definitions[0])  # type: ignore[arg-type]  # the first is the operation


def _seconds(work: Callable[[], Any], times: int) -> float:
    """What one of them takes of the processor, the quickest half of them counted."""
    found = []
    for _ in range(times):
        before = time.process_time_ns()
        work()
        found.append((time.process_time_ns() - before) / 1e9)
    return median(sorted(found)[: times // 2])


@pytest.mark.alone
@pytest.mark.parametrize("name", COMPILED)
def test_a_new_document_is_planned_in_a_few_milliseconds(name: str):
    def plan() -> None:
        known = _known(text(name))
        assert known.plan(known.variables(_given(name)), OWNER).planned

    assert name in NAMES
    assert _seconds(plan, 10) < 0.02


@pytest.mark.alone
@pytest.mark.parametrize("name", COMPILED)
def test_a_known_document_is_bound_in_a_fraction_of_a_millisecond(town: Town, name: str):
    reads, given, owner = Reads(schema()._schema), _given(name), town.here.owner
    document = parse(text(name))

    def bind() -> None:
        known = reads.known(document, text(name), None)
        assert known
        assert reads.bind(known, given, owner, town.hub)

    bind()
    assert _seconds(bind, 200) < 0.0005


# Bounds.


def test_documents_and_plans_are_forgotten(town: Town):
    reads = Reads(schema()._schema)
    for number in range(700):
        query = f"{{ a{number}: quotes {{ nodes {{ id }} }} }}"
        known = reads.known(parse(query), query, None)
        assert known
        assert reads.bind(known, {}, town.here.owner, town.hub)
    long = [f"{{ {letter * 49_000}: quotes {{ nodes {{ id }} }} }}" for letter in "abcdefghijklmnop"]
    assert all(reads.known(parse(query), query, None) for query in long)

    assert len(reads._documents) <= 500
    assert sum(size for _, size in reads._documents._held.values()) <= 500_000


def test_the_plans_of_one_document_are_bounded_in_number_and_in_text():
    declared = ", ".join(f"$b{n}: Boolean!" for n in range(8))
    fields = " ".join(f"a{n}: quotes {{ nodes {{ id lines {{ id }} }} }}" for n in range(8))
    for n in range(8):
        fields = fields.replace(f"a{n}: quotes {{", f"a{n}: quotes @skip(if: $b{n}) {{")
    known = _known(f"query ({declared}) {{ {fields} }}")
    for number in range(1, 256):
        known.plan(known.variables({f"b{n}": bool(number & 1 << n) for n in range(8)}), OWNER)

    assert 10 < len(known.plans) <= 50
    assert sum(size for _, size in known.plans._held.values()) <= 100_000


def test_a_statement_of_too_many_tables_or_characters_is_not_made():
    wide = " ".join(f"a{n}: quotes {{ nodes {{ {RELATIONS} }} }}" for n in range(24))
    tables = _known(f"{{ {wide} {' '.join(f'b{n}: connections {{ nodes {{ id }} }}' for n in range(20))} }}")
    inner = " ".join(f"f{n}: total {{ formatted }}" for n in range(20))
    fields = _known(f"{{ {' '.join(f'a{n}: quotes {{ nodes {{ {inner} }} }}' for n in range(5))} }}")

    many, long = tables.plan(tables.variables({}), OWNER), fields.plan(fields.variables({}), OWNER)

    assert {"more than 150 tables"} == set(many.reasons.values())
    assert many.rest
    # What still fits is in the statement.
    assert many.planned[-1].startswith("b")
    assert {"more than 100000 characters"} == set(long.reasons.values())
    assert ("a0",) <= long.planned < ("a4",)
    assert 50_000 < len(long.sql) < 120_000


async def test_what_a_statement_cannot_hold_is_answered_beside_it(town: Town):
    roomy = Town(with_settings(town.hub, limit_aliases=1000, limit_repeats=1000, limit_tokens=10**5), town.here, town.abroad)
    wide = " ".join(f"a{n}: quotes(first: 2) {{ nodes {{ {RELATIONS} }} }}" for n in range(30))
    drawn = Drawn(f"{{ {wide} connections {{ nodes {{ name }} }} }}", {})

    compiled, _ = await roomy.answer(drawn, town.here.owner, compiled=True)
    plain, _ = await roomy.answer(drawn, town.here.owner, compiled=False)

    assert compiled == plain
    assert list(compiled["data"]) == list(plain["data"])
    assert compiled["errors"] == []
