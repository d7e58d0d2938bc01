"""Law 7: `pull(push(x)) == x` for the pushed fields of every field mapping that a connector has."""

import typing
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from app.connectors.base import Account, FieldMapping, FieldRow
from app.connectors.registry import find_connectors
from app.mappings import shapes
from app.mappings.paths import is_plain, setter
from app.mappings.round_trip import broken_by, check_round_trip, pushed_only
from app.mappings.translate import RecordInvalid, Translator
from app.records.entities import ENTITIES
from app.syncs.pages import UNUSABLE

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


# Law 7 for what is only read: the same object again is no change, whatever is in it.


AT_A_PROVIDER = st.one_of(TEXT, st.sampled_from(["", "0", " x ", "1E+3", "Slovenija", "2026-03-01"]), st.none(), st.integers(-1000, 1000))
BY_TRANSFORM: dict[str, st.SearchStrategy[Any]] = {
    "number": st.sampled_from(["", None, "1E+3", "1.50", "-0", 7]) | st.decimals(-1000, 1000, places=2).map(str),
    "integer": st.sampled_from(["", None, "1.0", 3]) | st.integers(-1000, 1000),
    "flag": st.sampled_from(["", None, "0", "1", "true", "No", True, 0]),
    "date": st.sampled_from(["", None, "0000-00-00", "2026-03-01", "2024-02-29", "2026-03-01 10:00:00"]),
    "local_time": st.sampled_from(["", None, "0000-00-00 00:00:00", "2026-03-29 02:30:00", "2026-10-25 02:30:00", "2026-07-01 10:00:00"]),
    "json_list": st.sampled_from(["", None, "[]", '["a", "č"]']),
}
"""What providers send, by what is done to it; texts of any kind for the rest."""


def documents(mapping: FieldMapping) -> st.SearchStrategy[dict[str, Any]]:
    """Documents that hold something at every plain path of the rows."""
    plain = {row.path: at(row) for row in mapping.rows if "[]." not in row.path and is_plain(row.path)}
    names = {row.path.partition("[].")[0] for row in mapping.rows if "[]." in row.path}
    lists = {name: st.lists(st.fixed_dictionaries(_elements(mapping, name)), max_size=3) for name in names}
    return st.fixed_dictionaries(plain | lists).map(_nested)


def at(row: FieldRow) -> st.SearchStrategy[Any]:
    for name, *words in row.transforms:
        if name == "enum":
            return st.sampled_from([word.partition("=")[0] for word in words])
        if name in BY_TRANSFORM:
            return BY_TRANSFORM[name].filter(lambda value: value not in ("", None)) if row.required else BY_TRANSFORM[name]
    return AT_A_PROVIDER.filter(lambda value: str(value or "").strip()) if row.required else AT_A_PROVIDER


def _elements(mapping: FieldMapping, name: str) -> dict[str, st.SearchStrategy[Any]]:
    return {row.path.partition("[].")[2]: at(row) for row in mapping.rows if row.path.startswith(f"{name}[].")}


def _nested(values: dict[str, Any]) -> dict[str, Any]:
    made: dict[str, Any] = {}
    for path, value in values.items():
        element = [_nested(one) for one in value] if isinstance(value, list) and value and isinstance(value[0], dict) else value
        setter(path)(made, element)
    return made


def all_mappings() -> Iterator[Any]:
    for provider, connector in find_connectors().items():
        for stream in connector.streams.values():
            yield pytest.param(stream.entity, stream.fields, id=f"{provider} {stream.name}")


@pytest.mark.parametrize(("entity", "mapping"), list(all_mappings()))
def test_the_same_object_again_is_no_change_and_merging_it_changes_nothing(entity, mapping):
    translator = Translator(entity, mapping)
    taken = Counter()

    @settings(max_examples=600, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
    @given(documents(mapping))
    def law(document: dict[str, Any]) -> None:
        try:
            data = stored(translator, document)
        except (RecordInvalid, *UNUSABLE):
            taken["refused"] += 1
            return
        again = stored(translator, msgspec.json.decode(msgspec.json.encode(document)))
        taken["taken"] += 1
        assert again == data
        assert translator.changed(data, again) == frozenset()
        assert translator.merge(data, again, translator.fields) == data
        assert translator.added_since(translator).changed({}, data) == frozenset()

    law()

    assert taken["taken"] >= 20, taken


def stored(translator: Translator, document: dict[str, Any]) -> dict[str, Any]:
    return dict(msgspec.json.decode(msgspec.json.encode(translator.translate(document, ACCOUNT))))


def test_every_connector_is_held_to_the_law_with_every_field_that_it_maps():
    held = {case.id: case.values for case in mappings()}
    read = {case.id for case in all_mappings()}

    for provider, connector in find_connectors().items():
        for stream in connector.streams.values():
            assert f"{provider} {stream.name}" in read
            pushed = {row.target for row in stream.fields.rows if row.direction == "both"}
            assert bool(pushed) == (f"{provider} {stream.name}" in held)
            assert stream.writer is not None or not pushed, "what is only read must not be mapped both ways"
            if pushed:
                found = pushed_only(*held[f"{provider} {stream.name}"])
                assert {target for target, _ in found.compiled.by_target()} == pushed
