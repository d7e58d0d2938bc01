"""Law 7: `pull(push(x)) == x` for the pushed fields of every field mapping that a connector has."""

import typing
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from app.connectors.base import Account, FieldMapping, FieldRow
from app.connectors.registry import find_connectors
from app.mappings import shapes
from app.mappings.round_trip import broken_by, check_round_trip, pushed_only
from app.mappings.translate import RecordInvalid, Translator
from app.records.entities import ENTITIES

ACCOUNT = Account(id="a", name="Acme", currency="EUR", time_zone="Europe/Ljubljana")
BOTH: Any = {"direction": "both"}
EVERY_INVERSE = (
    FieldRow("status", "status", (("enum", "Quote=quote", "Work Order=work_order"),), required=True, **BOTH),
    FieldRow("number", "number", (("trim",), ("text", "30"), ("without_prefix", "J-")), **BOTH),
    FieldRow("title", "head.title", (("trim",), ("text", "200")), **BOTH),
    FieldRow("contact_external_id", "contact.id", (("trim",), ("empty_to_none",)), **BOTH),
    FieldRow("site_address", "site", (("country", "sl", "en"),), **BOTH),
    FieldRow("billing_address", "billing", **BOTH),
    FieldRow("scheduled_on", "day", (("date", "%d.%m.%Y"),), **BOTH),
    FieldRow("quoted_at", "quoted", (("local_time",),), **BOTH),
    FieldRow("completed_at", "completed", (("local_time", "%d.%m.%Y %H:%M:%S"),), **BOTH),
    FieldRow("total", "sum", (("number", ","),), **BOTH),
    FieldRow("lines[].description", "lines[].text", (("trim",),), **BOTH),
    FieldRow("lines[].quantity", "lines[].amount", (("number",),), required=True, **BOTH),
    FieldRow("lines[].unit_price", "lines[].price.net", (("number",),), required=True, **BOTH),
    FieldRow("lines[].position", "lines[].place", (("integer",),), **BOTH),
    FieldRow("lines[].external_id", "lines[].id", required=True),
    FieldRow("custom.colour", "colour", (("trim",),), **BOTH),
    FieldRow("custom.since", "since", (("date",),), **BOTH),
    FieldRow("custom.tags", "tags", (("json_list",),), **BOTH),
)
TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=20).map(str.strip)
BY_TYPE: dict[Any, st.SearchStrategy[Any]] = {
    str: TEXT,
    bool: st.booleans(),
    int: st.integers(-1000, 1000),
    Decimal: st.decimals(-(10**9), 10**9, places=4),
    datetime: st.datetimes(datetime(1971, 1, 1), datetime(2099, 1, 1)).map(lambda time: time.replace(microsecond=0, tzinfo=UTC)),
}


def mappings() -> Iterator[Any]:
    yield pytest.param("job", FieldMapping(1, EVERY_INVERSE), id="every inverse")
    for provider, connector in find_connectors().items():
        for stream in connector.streams.values():
            if any(row.direction == "both" for row in stream.fields.rows):
                yield pytest.param(stream.entity, stream.fields, id=f"{provider} {stream.name}")


def records(struct: shapes.Struct, examples: dict[str, tuple[Any, ...]], place: str = "") -> st.SearchStrategy[Any]:
    """Instances of the struct, as JSON. Where a transform names what it is made for, those values."""
    fields = {name: values(shape, examples, place + name) for name, shape in shapes.fields(struct).items()}
    return st.fixed_dictionaries(fields)


def values(shape: shapes.Shape, examples: dict[str, tuple[Any, ...]], target: str) -> st.SearchStrategy[Any]:
    if examples.get(target):
        return st.sampled_from(examples[target])
    if shape.struct is not None:
        return records(shape.struct, examples, f"{target}.")
    if shape.element is not None:
        return st.lists(records(shape.element, examples, f"{target}[]."), max_size=3)
    if shape.is_free:
        return st.dictionaries(st.sampled_from(["colour", "other"]), TEXT)
    found = BY_TYPE[shape.type] if shape.type in BY_TYPE else st.from_type(shape.type)
    if typing.get_origin(shape.type) is tuple:
        found = st.lists(TEXT, max_size=3)
    return found if shape.required or shape.default is not None else st.none() | found


@pytest.mark.parametrize(("entity", "mapping"), list(mappings()))
def test_what_is_pushed_is_pulled_the_same(entity, mapping):
    pushed = pushed_only(entity, mapping)
    examples = {target: row.examples for target, row in pushed.compiled.by_target()}

    @settings(max_examples=150, deadline=None, derandomize=True)
    @given(records(ENTITIES[entity], examples))
    def law(record: dict[str, Any]) -> None:
        data = msgspec.json.decode(msgspec.json.encode(record))
        assume(can_be_pushed(pushed, data))
        assert broken_by(pushed, data, ACCOUNT) is None

    law()


def can_be_pushed(pushed: Translator, data: dict[str, Any]) -> bool:
    """Push may refuse a value, but most records must get through: hypothesis fails when they do not."""
    try:
        pushed.untranslate(data, ACCOUNT)
    except RecordInvalid:
        return False
    return True


@pytest.mark.parametrize(("entity", "mapping"), list(mappings()))
def test_the_check_at_saving_finds_nothing_either(entity, mapping):
    assert check_round_trip(entity, mapping, [], ACCOUNT) is None


@pytest.mark.parametrize(
    ("row", "words"),
    [
        (FieldRow("title", "t", (("json_list",),), **BOTH), "none of the values"),
        (FieldRow("title", "t", (("number",),), **BOTH), "refused when it comes back: Expected `str`"),
        (FieldRow("title", "t", (("flag",),), **BOTH), "none of the values that were tried can be written"),
        (FieldRow("completed_at", "t", (("date",),), **BOTH), "none of the values"),
        (FieldRow("title", "t", (("enum", "A=a"), ("prefix", "x")), **BOTH), "none of the values"),
    ],
)
def test_a_mapping_that_breaks_the_law_is_named_with_its_field_and_an_example(row, words):
    broken = check_round_trip("job", FieldMapping(1, (FieldRow("status", "s"), row)), [], ACCOUNT)

    assert broken is not None
    assert broken.field == row.target
    assert words in broken.reason


def test_a_field_within_a_list_is_named_too():
    rows = (
        FieldRow("lines[].quantity", "l[].q", (("number",),), **BOTH),
        FieldRow("lines[].description", "l[].d", (("number",),), **BOTH),
    )

    broken = check_round_trip("job", FieldMapping(1, rows), [], ACCOUNT)

    assert broken is not None
    assert broken.field == "lines[].description"


def test_what_was_read_is_tried_as_well():
    rows = (FieldRow("status", "status", **BOTH), FieldRow("title", "title", (("number",), ("text", "10")), **BOTH))
    read = [{"no": "job"}, {"status": "quote", "title": "15"}, {"status": "quote", "title": "1E+3"}]

    broken = check_round_trip("job", FieldMapping(1, rows), read, ACCOUNT)

    assert check_round_trip("job", FieldMapping(1, rows), read[:2], ACCOUNT) is None
    assert broken is not None
    assert (broken.field, broken.example) == ("title", "1E+3")
    assert broken.reason == "what is written comes back changed: '1E+3' as '1000'"
