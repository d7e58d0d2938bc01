"""Rows that try to cost more than they may, or to break what reads them: each is refused with a sentence, or bounded by 50 ms."""

import time
from datetime import UTC, datetime
from typing import Any

import pytest

from app.connectors.base import Account, FieldMapping, FieldRow
from app.mappings.paths import is_plain
from app.mappings.round_trip import check_round_trip
from app.mappings.rows import FieldMappingInvalid
from app.mappings.transforms import build
from app.mappings.translate import RecordInvalid, Translator

ACCOUNT = Account(id="a", name="Acme", currency="EUR", time_zone="Europe/Ljubljana")
SECONDS = 0.05
EVERY_PART = "%d%m%y%H%M%S%j%U%w%f%W%V%u%IX"
REFUSED = {
    "a part of a date twice": ("date", "%d%d"),
    "a date sixty times": ("date", "%Y-%m-%d" * 12),
    "a part of a time twice": ("local_time", "%H:%H"),
    "a form that is too long": ("local_time", "%Y " + "x" * 100),
    "half a form": ("date", "%"),
    "a form that is none": ("date", "\x00"),
    "a number of characters without end": ("text", "9" * 5000),
    "a number in other digits": ("text", "٣"),
    "a language from a file": ("country", "../../etc/passwd"),
    "a language without end": ("country", "x" * 5000),
    "a table without words": ("enum",),
    "a table without its second half": ("enum", "a"),
    "code": ("__import__", "os"),
    "too many arguments": ("trim", "a"),
    "a decimal sign that is none": ("number", "\x00"),
    "yes that is no": ("flag", "a", "a"),
}
BOUNDED = {
    "every part of a time on digits": ("local_time", EVERY_PART),
    "parentheses of a pattern": ("date", "%d.%m.%Y" + "(" * 40),
    "repetitions of a pattern": ("date", "%d.%m.%Y(a+)+$"),
    "half of a pair of characters": ("prefix", "\ud800"),
    "a table of a thousand words": ("enum", *(f"{n}=w{n}" for n in range(1000))),
    "a list in a text": ("json_list",),
    "a long beginning": ("without_prefix", "x" * 10_000),
}
VALUES = ["1" * 10_000, "[" * 10_000, "9e999999999", "x" * 10_000, "\ud800", "0000-00-00" * 1000, [[]] * 1000, {"a": {}}, None, 1e308, True]


def quickest(call: Any) -> float:
    """CPU seconds of the quickest of three; what is refused may only be a ValueError."""

    def once() -> float:
        begun = time.thread_time()
        sentence = "It is taken."
        try:
            call()
        except ValueError as refused:
            sentence = str(refused)
        seconds = time.thread_time() - begun
        assert 0 < len(sentence) < 700
        return seconds

    return min(once() for _ in range(3))


@pytest.mark.parametrize("step", REFUSED.values(), ids=REFUSED)
def test_a_hostile_transform_is_refused_when_it_is_saved(step: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match=r"."):
        build(*step)
    with pytest.raises(FieldMappingInvalid):
        Translator("contact", FieldMapping(1, (FieldRow("name", "name", (step,)),)))
    assert quickest(lambda: build(*step)) < SECONDS


@pytest.mark.parametrize("step", BOUNDED.values(), ids=BOUNDED)
def test_a_costly_transform_is_bounded_on_every_value_both_ways(step: tuple[str, ...]) -> None:
    pair = build(*step)

    for value in VALUES:
        assert quickest(lambda value=value: pair.pull(value, ACCOUNT)) < SECONDS, value
    for value in [*VALUES[:6], datetime(2026, 1, 1, tzinfo=UTC)]:
        if pair.push is not None and isinstance(value, str if step[0] != "local_time" else datetime):
            assert quickest(lambda value=value: pair.push(value, ACCOUNT)) < SECONDS, value


@pytest.mark.parametrize(
    ("row", "words"),
    [
        (FieldRow("name", ".".join(["a"] * 10_000)), "its path has 19999 characters"),
        (FieldRow("name", "a" * 501), "its path has 501 characters"),
        (FieldRow("name", "name", (("trim",),) * 51), "it has 51 transforms"),
        (FieldRow("name.__class__", "name"), "there is no such field"),
        (FieldRow("__struct_fields__", "name"), "there is no such field"),
        (FieldRow("custom.a.b.c", "name"), "there is no such field"),
        (FieldRow("people[].people[].name", "a[].b"), "there is no such field"),
        (FieldRow("lines[][][]", "a"), "there is no such field"),
        (FieldRow("people[].name", "[@,@][].name"), "must begin with the list"),
    ],
    ids=lambda value: value.target if isinstance(value, FieldRow) else "",
)  # fmt: skip
def test_a_hostile_row_is_refused_when_it_is_saved(row: FieldRow, words: str) -> None:
    mapping = FieldMapping(1, (FieldRow("name", "name"), row))

    with pytest.raises(FieldMappingInvalid, match=words):
        Translator("contact", mapping)

    assert quickest(lambda: Translator("contact", mapping)) < SECONDS


@pytest.mark.parametrize("path", ["a" * 100_000 + "!", "a." * 50_000, "a " * 50_000 + "!", "a:" * 50_000, " " * 100_000, "@." * 50_000])
def test_telling_a_plain_path_from_an_expression_takes_no_time(path: str) -> None:
    assert quickest(lambda: is_plain(path)) < SECONDS


def test_many_rows_with_costly_expressions_share_one_budget_for_each_record() -> None:
    rows = tuple(FieldRow(f"custom.f{n}", "sum(map(&to_number(price), lines))") for n in range(499))
    translator = Translator("contact", FieldMapping(1, (FieldRow("name", "name"), *rows)))
    document = {"name": "Acme", "lines": [{"price": "1"}] * 1000}

    with pytest.raises(RecordInvalid, match="more than 20000 steps"):
        translator.translate(document, ACCOUNT)

    assert quickest(lambda: translator.translate(document, ACCOUNT)) < SECONDS


def test_the_round_trip_of_the_most_rows_that_may_be_saved_is_tried_in_a_second() -> None:
    rows = tuple(FieldRow(f"custom.f{n}", f"f{n}", (("trim",), ("text", "100")), direction="both") for n in range(499))
    mapping = FieldMapping(1, (FieldRow("name", "name", direction="both"), *rows))

    begun = time.thread_time()
    assert check_round_trip("contact", mapping, [{"name": "Acme"} | {f"f{n}": "x" for n in range(499)}] * 50, ACCOUNT) is None

    assert time.thread_time() - begun < 1.5
