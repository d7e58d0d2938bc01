"""How much one operation may ask for, and that finding out costs little."""

import time

import pytest
from graphql import build_schema, parse, specified_rules, validate

from app.api.limits import COST, LimitsRule, Measure, measures

SCHEMA = build_schema("""
type Query { a: Thing things(first: Int): ThingConnection nodes(ids: [ID!]!): [Thing] plain: [Thing!]! }
type ThingConnection { edges: [ThingEdge!]! totalCount: Int }
type ThingEdge { node: Thing! }
type Thing { id: ID! name(of: Int): String thing: Thing lines: [Thing!]! things(first: Int = 50): ThingConnection }
""")
# As in a schema that is made from code; one that is read from text keeps its defaults elsewhere.
SCHEMA.query_type.fields["things"].args["first"].default_value = 50


def measure(query: str) -> Measure:
    [found] = measures(parse(query), SCHEMA)
    return found


def problems(query: str) -> list[str]:
    return [error.message for error in validate(SCHEMA, parse(query), (LimitsRule, *specified_rules))]


def test_depth_counts_levels_through_fragments():
    assert measure("{ a { ...f } } fragment f on Thing { thing { ... on Thing { thing { id } } } }").depth == 4


def test_a_deep_operation_is_refused_with_a_sentence():
    query = "{ a " + "{ thing " * 12 + "{ id }" + " }" * 13

    assert problems(query) == ["This operation is nested 14 levels deep; 12 is the limit."]


def test_cost_is_what_could_come_back():
    assert measure("{ a { id name } }").cost == 1
    assert measure("{ things(first: 20) { edges { node { id lines { id } } } } }").cost == 1 + 20 * (1 + 1 + 10)
    assert measure("{ things { edges { node { id } } } }").cost == 1 + 50 * 2


def test_a_page_size_that_is_a_variable_counts_as_the_greatest():
    assert measure("query q($n: Int) { things(first: $n) { edges { node { id } } } }").cost == 1 + 100 * 2


def test_ids_are_counted_one_by_one():
    assert measure('{ nodes(ids: ["1", "2", "3"]) { id } }').cost == 3
    assert measure("query q($ids: [ID!]!) { nodes(ids: $ids) { id } }").cost == 100


def test_an_expensive_operation_is_refused():
    [sentence] = problems("{ things(first: 100) { edges { node { things(first: 100) { edges { node { id } } } } } } }")

    assert f"{COST} is the limit" in sentence


def test_aliases_are_counted_as_often_as_their_fragment_is_used():
    query = "{ a { ...f thing { ...f } } } fragment f on Thing { " + " ".join(f"n{i}: name" for i in range(16)) + " }"

    assert measure(query).aliases == 32
    assert problems(query) == ["This operation has 32 aliases; 30 is the limit."]


def test_one_field_named_again_and_again_is_refused_before_the_slow_rules():
    query = "{" + "a{id} " * 450 + "}"

    started = time.perf_counter()
    found = problems(query)

    assert found == ["This operation names one field 450 times in one place; 30 is the limit."]
    assert time.perf_counter() - started < 0.2


@pytest.mark.parametrize("levels", [25, 150])
def test_fragments_that_double_at_each_level_are_measured_in_no_time(levels: int):
    doubling = " ".join(f"fragment f{i} on Thing {{ thing {{ ...f{i + 1} ...f{i + 1} }} }}" for i in range(levels))
    query = "{ a { ...f0 } } " + doubling + f" fragment f{levels} on Thing {{ id }}"

    started = time.perf_counter()
    found = problems(query)

    assert "levels deep" in found[0]
    assert time.perf_counter() - started < 0.2


def test_fragments_without_fields_that_double_at_each_level_do_not_take_long_either():
    doubling = " ".join(f"fragment f{i} on Thing {{ ...f{i + 1} ...f{i + 1} }}" for i in range(40))
    query = "{ a { ...f0 } } " + doubling + " fragment f40 on Thing { id x: name }"

    started = time.perf_counter()

    assert "aliases" in problems(query)[0]
    assert time.perf_counter() - started < 0.2


def test_a_fragment_that_holds_itself_ends():
    assert measure("{ a { ...f } } fragment f on Thing { thing { ...f } }").depth >= 2


def test_unknown_fields_and_odd_page_sizes_do_not_break_the_count():
    assert measure("{ nothing { at { all } } }").depth == 3
    assert measure("{ things(first: -5) { edges { node { id } } } }").cost == 1 + 2
    assert measure("{ things(first: 999999999999999999999) { edges { node { id } } } }").cost == 201
