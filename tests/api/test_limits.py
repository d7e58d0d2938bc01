"""How much one operation may ask for, and that finding out costs little."""

import time
from dataclasses import fields
from typing import Any

import pytest
from graphql import build_schema, parse

from app.api.gate.checks import Checked, Checker
from app.api.gate.costs import worth
from app.api.gate.limits import DEFAULTS, Limits
from app.api.gate.measures import Measure, measures
from app.settings import SettingInvalid, Settings

SCHEMA = build_schema("""
type Query { a: Thing things(first: Int): ThingConnection nodes(ids: [ID!]!): [Thing] plain: [Thing!]! }
type Mutation { change: Thing }
type ThingConnection { edges: [ThingEdge!]! totalCount: Int }
type ThingEdge { node: Thing! }
type Thing { id: ID! name(of: Int): String thing: Thing lines: [Thing!]! things(first: Int = 50): ThingConnection }
""")
# As in a schema that is made from code; one that is read from text keeps its defaults elsewhere.
SCHEMA.query_type.fields["things"].args["first"].default_value = 50


def measure(query: str) -> Measure:
    [found] = measures(parse(query), SCHEMA)
    return found


def check(query: str) -> Checked:
    return Checker(DEFAULTS).check(SCHEMA, query, may_look_inside=False)


def problems(query: str) -> list[str]:
    return [error.message for error in check(query).errors]


def cost(query: str, **variables: Any) -> int:
    return worth(measure(query).cost, variables)


def test_depth_counts_levels_through_fragments():
    assert measure("{ a { ...f } } fragment f on Thing { thing { ... on Thing { thing { id } } } }").depth == 4


def test_a_deep_operation_is_refused_with_a_sentence():
    query = "{ a " + "{ thing " * 12 + "{ id }" + " }" * 13

    assert problems(query) == ["This operation is nested 14 levels deep; 12 is the limit."]


def test_cost_is_what_could_come_back():
    assert cost("{ a { id name } }") == 1
    assert cost("{ things(first: 20) { edges { node { id lines { id } } } } }") == 1 + 20 * (1 + 1 + 10)
    assert cost("{ things { edges { node { id } } } }") == 1 + 50 * 2


def test_a_page_size_that_is_a_variable_costs_what_its_value_makes_of_it():
    query = "query q($n: Int) { things(first: $n) { edges { node { id lines { id } } } } }"

    assert cost(query, n=20) == 1 + 20 * 12
    assert cost(query, n=1000) == cost(query, n="many") == 1 + 100 * 12
    assert cost(query) == cost(query, n=None) == 1 + 50 * 12


def test_pages_inside_pages_multiply_whichever_of_them_are_variables():
    inner = "fragment f on Thing { things(first: $m) { edges { node { id } } } }"
    query = "query q($n: Int, $m: Int) { things(first: $n) { edges { node { ...f } } } } " + inner

    assert cost(query, n=3, m=7) == 1 + 3 * (1 + 1 + 1 + 7 * 2)


def test_an_operations_own_default_counts_where_no_value_is_given():
    query = "query q($n: Int = 5) { things(first: $n) { edges { node { id } } } }"
    bill = check(query).bills["q"]

    assert (bill.total({}), bill.total(None), bill.total({"n": 9})) == (11, 11, 19)


def test_a_list_inside_a_fragment_is_as_long_as_the_page_around_each_of_its_uses():
    query = "{ x: things(first: 3) { ...f } y: things(first: 7) { ...f } } fragment f on ThingConnection { edges { node { id } } }"

    assert cost(query) == (1 + 3 * 2) + (1 + 7 * 2)


def test_a_change_costs_ten_more():
    assert cost("mutation { change { id } }") == 11


def test_ids_are_counted_one_by_one():
    assert cost('{ nodes(ids: ["1", "2", "3"]) { id } }') == 3
    assert cost("query q($ids: [ID!]!) { nodes(ids: $ids) { id } }", ids=["1", "2"]) == 2
    assert cost("query q($ids: [ID!]!) { nodes(ids: $ids) { id } }") == 100


def test_an_expensive_operation_is_refused():
    [sentence] = problems("{ things(first: 100) { edges { node { things(first: 100) { edges { node { id } } } } } } }")

    assert sentence == "This operation could return 20,301 objects; 5,000 is the limit. Ask for smaller pages."


def test_aliases_are_counted_as_often_as_their_fragment_is_used():
    query = "{ a { ...f thing { ...f } } } fragment f on Thing { " + " ".join(f"n{i}: name" for i in range(16)) + " }"

    assert measure(query).aliases == 32
    assert problems(query) == ["This operation has 32 aliases; 30 is the limit."]


@pytest.mark.alone
def test_one_field_named_again_and_again_is_refused_before_the_slow_rules():
    query = "{" + "a{id} " * 450 + "}"

    started = time.process_time()
    found = problems(query)

    assert found == ["This operation names one field 450 times in one place; 30 is the limit."]
    assert time.process_time() - started < 0.5


@pytest.mark.alone
@pytest.mark.parametrize("levels", [25, 150])
def test_fragments_that_double_at_each_level_are_measured_in_no_time(levels: int):
    doubling = " ".join(f"fragment f{i} on Thing {{ thing {{ ...f{i + 1} ...f{i + 1} }} }}" for i in range(levels))
    query = "{ a { ...f0 } } " + doubling + f" fragment f{levels} on Thing {{ id }}"

    started = time.process_time()
    found = problems(query)

    assert "levels deep" in " ".join(found)
    assert time.process_time() - started < 0.5


@pytest.mark.alone
def test_fragments_without_fields_that_double_at_each_level_do_not_take_long_either():
    doubling = " ".join(f"fragment f{i} on Thing {{ ...f{i + 1} ...f{i + 1} }}" for i in range(40))
    query = "{ a { ...f0 } } " + doubling + " fragment f40 on Thing { id x: name }"

    started = time.process_time()

    assert "aliases" in problems(query)[0]
    assert time.process_time() - started < 0.5


def test_a_fragment_that_holds_itself_ends():
    assert measure("{ a { ...f } } fragment f on Thing { thing { ...f } }").depth >= 2


def test_unknown_fields_and_odd_page_sizes_do_not_break_the_count():
    assert measure("{ nothing { at { all } } }").depth == 3
    assert cost("{ things(first: -5) { edges { node { id } } } }") == 1 + 2
    assert cost("{ things(first: 999999999999999999999) { edges { node { id } } } }") == 201


def test_a_field_counts_as_often_as_its_places_are_merged_into_one():
    inside = "thing { id } " * 3
    nested = f"thing {{ {inside} }} " * 4

    assert measure("{ a { " + nested + "} }").repeats == 12
    assert measure("{ a { ...f ...g } } fragment f on Thing { id name } fragment g on Thing { id }").repeats == 2
    assert measure("{ a { ... on Thing { id } ... on Thing { id } } x: a { id } }").repeats == 2


@pytest.mark.parametrize(
    ("query", "limit", "allowed", "measured"),
    [
        ("{ a { id } } #" + "x" * 50_000, "document", 50_000, 50_014),
        ("{ a { " + "id " * 2000 + "} }", "tokens", 2000, 2005),
        ("{" * 70 + "}" * 70, "nesting", 60, 70),
        ("{ a " + "@skip(if: true) " * 31 + "{ id } }", "directives", 30, 31),
        ("{ a " + "@skip(if: true) " * 5 + "{ id } }", "directives_per_place", 4, 5),
        ("{ a { ...f } } " + "fragment f on Thing { id } " * 51, "fragments", 50, 51),
        ("{ a { " + "... @skip(if: true) { id } " * 1 + "... { id } " * 51 + "} }", "fragments", 50, 52),
        ("{ a " + "{ thing " * 12 + "{ id }" + " }" * 13, "depth", 12, 14),
        ("{ " + " ".join(f"a{n}: a {{ id }}" for n in range(31)) + " }", "aliases", 30, 31),
        ("{ " + "a { id } " * 31 + "}", "repeats", 30, 31),
        ("{ things(first: 100) { edges { node { lines { lines { id } } } } } }", "cost", 5000, 11_201),
    ],
)
def test_a_refusal_names_the_limit_and_what_was_measured(query: str, limit: str, allowed: int, measured: int):
    errors = {error.extensions["limit"]: error for error in check(query).errors}

    assert errors[limit].extensions == {
        "code": "LIMIT_EXCEEDED", "fixBy": "CUSTOMER", "limit": limit, "allowed": allowed, "measured": measured
    }  # fmt: skip
    assert f"{allowed:,}" in errors[limit].message
    assert f"{measured:,}" in errors[limit].message


def test_strings_and_comments_hold_no_tokens_and_no_brackets():
    text = "{ things(first: 1 # {{{{\n) { edges { node { name(of: 1) } } } x: a { name } } #" + " a" * 3000

    assert problems(text) == []
    assert "brackets" not in str(problems('{ a(b: "' + "{" * 100 + '", c: """' + "{" * 100 + '""") { id } }'))


def test_the_same_text_is_judged_once():
    checker = Checker(DEFAULTS)

    first = checker.check(SCHEMA, "{ a { id } }", may_look_inside=False)

    assert checker.check(SCHEMA, "{ a { id } }", may_look_inside=False) is first
    assert checker.check(SCHEMA, "{ a { id } }", may_look_inside=True) is not first


def test_what_is_remembered_is_bounded_by_its_length():
    checker = Checker(DEFAULTS)
    for number in range(60):
        checker.check(SCHEMA, "{ a { id } } #" + str(number) + "x" * 20_000, may_look_inside=False)

    assert len(checker) <= 25


@pytest.mark.parametrize("value", ["0", "-1", "many", "1.5"])
def test_a_limit_that_limits_nothing_or_everything_is_refused_at_the_start(value: str):
    with pytest.raises(SettingInvalid, match="CROSSWALK_LIMIT_COST cannot be read: write a whole number greater than 0"):
        Settings.from_environment({"CROSSWALK_LIMIT_COST": value})


def test_every_limit_is_a_setting():
    settings = Settings.from_environment({f"CROSSWALK_LIMIT_{limit.name.upper()}": "7" for limit in fields(Limits)})

    assert Limits.of(settings) == Limits(**{limit.name: 7 for limit in fields(Limits)})
