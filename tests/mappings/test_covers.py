"""Records are compared and merged on what a mapping covers, and on nothing else."""

import pytest

from app.connectors.base import FieldMapping, FieldRow
from app.mappings.translate import Translator

CONTACT = Translator(
    "contact",
    FieldMapping(
        1,
        (
            FieldRow("name", "name", direction="both"),
            FieldRow("parent_external_id", "parent"),
            FieldRow("address.city", "city", direction="both"),
            FieldRow("address.text", "text"),
            FieldRow("people[].external_id", "people[].id"),
            FieldRow("people[].name", "people[].name", direction="both"),
            FieldRow("edited_at", "edited"),
            FieldRow("custom.group", "group"),
        ),
        custom_prefixes=("x_",),
    ),
)
JOB = Translator(
    "job",
    FieldMapping(1, (FieldRow("total", "total"), FieldRow("lines[].external_id", "l[].id"), FieldRow("lines[].quantity", "l[].quantity"))),
)


@pytest.mark.parametrize(
    ("translator", "one", "other"),
    [
        (CONTACT, {"name": "A", "phone": "1"}, {"name": "A", "phone": "2"}),
        (CONTACT, {"name": "A", "address": {"city": "", "street": "x"}}, {"name": "A"}),
        (CONTACT, {"edited_at": "2026-01-01T00:00:00Z"}, {"edited_at": "2026-01-01T01:00:00+01:00"}),
        (CONTACT, {"people": [{"external_id": "1", "role": "boss"}]}, {"people": [{"external_id": "1", "name": ""}]}),
        (CONTACT, {"custom": {"y": 1}}, {"custom": {"group": None}}),
        (CONTACT, {"parent_external_id": ""}, {"parent_external_id": None}),
        (JOB, {"total": "20.70"}, {"total": "20.7000"}),
        (JOB, {"lines": [{"quantity": "1"}]}, {"lines": [{"quantity": "1.0", "description": "x"}]}),
    ],
)
def test_what_means_the_same_is_the_same(translator, one, other):
    assert translator.same(one, other)
    assert translator.same(other, one)


@pytest.mark.parametrize(
    ("translator", "one", "other", "fields"),
    [
        (CONTACT, {"name": "A"}, {"name": "a"}, {"name"}),
        (CONTACT, {"address": {"city": "Ptuj"}}, {}, {"address"}),
        (CONTACT, {"people": [{"external_id": "1"}]}, {"people": []}, {"people"}),
        (
            CONTACT,
            {"people": [{"external_id": "1"}, {"external_id": "2"}]},
            {"people": [{"external_id": "2"}, {"external_id": "1"}]},
            {"people"},
        ),
        (CONTACT, {"custom": {"x_1": 1}}, {"custom": {"group": "a"}}, {"custom"}),
        (CONTACT, {"edited_at": "2026-01-01T00:00:00Z"}, {"edited_at": "2026-01-01T00:00:01Z", "name": "B"}, {"name", "edited_at"}),
        (JOB, {"total": "20.70"}, {"total": "20.71"}, {"total"}),
        (JOB, {"total": "0"}, {}, {"total"}),
    ],
)
def test_what_differs_is_named_by_its_field(translator, one, other, fields):
    assert translator.changed(one, other) == fields
    assert not translator.same(other, one)


def test_only_what_is_pushed_makes_a_write():
    before = {"name": "A", "address": {"city": "Ptuj", "text": "x"}}

    assert CONTACT.pushed_changed(before, {"name": "A", "address": {"city": "Ptuj", "text": "y"}}) == frozenset()
    assert CONTACT.pushed_changed(before, {"name": "B", "address": {"city": "Ptuj"}}) == {"name"}


def test_a_part_is_what_is_covered_of_a_field():
    data = {"address": {"street": "Main 1"}, "people": [{"external_id": "1", "role": "boss"}], "custom": {"x_1": 1, "y": 2}}

    assert CONTACT.part(data, "address") == {"city": "", "text": ""}
    assert CONTACT.part(data, "people") == [{"external_id": "1", "name": ""}]
    assert CONTACT.part(data, "custom") == {"group": None, "x_1": 1}
    assert CONTACT.part(data, "name") is None
    assert JOB.part({"total": "1.0"}, "total") == "1.0"


def test_a_merge_takes_the_covered_leaves_of_the_chosen_fields_only():
    ours = {"name": "Ours", "phone": "1", "address": {"city": "Ptuj", "street": "Main 1"}, "custom": {"x_1": 1, "y": 2}}
    theirs = {"name": "Theirs", "phone": "2", "address": {"text": "new", "street": "Other"}, "custom": {"x_2": 2, "y": 3}}

    merged = CONTACT.merge(ours, theirs, {"address", "custom"})

    assert merged == {"name": "Ours", "phone": "1", "address": {"street": "Main 1", "text": "new"}, "custom": {"y": 2, "x_2": 2}}
    assert ours["address"] == {"city": "Ptuj", "street": "Main 1"}


def test_a_merged_list_has_their_elements_and_keeps_what_they_do_not_say():
    ours = {"people": [{"external_id": "1", "name": "Ann", "role": "boss"}, {"external_id": "2", "role": "clerk"}]}
    theirs = {"people": [{"external_id": "3", "name": "Cy"}, {"external_id": "1", "name": "Anna", "role": "other"}]}

    assert CONTACT.merge(ours, theirs, {"people"}) == {
        "people": [{"external_id": "3", "name": "Cy"}, {"role": "boss", "external_id": "1", "name": "Anna"}]
    }


def test_what_they_do_not_have_any_more_goes():
    assert CONTACT.merge({"name": "A", "edited_at": "2026-01-01T00:00:00Z"}, {"name": "A"}, {"edited_at"}) == {"name": "A"}
    assert CONTACT.merge({"people": [{"external_id": "1"}]}, {}, {"people"}) == {"people": []}


def test_after_a_merge_of_everything_that_differs_both_are_the_same():
    ours = {"name": "A", "address": {"city": "Ptuj", "street": "x"}, "people": [{"external_id": "1"}], "custom": {"x_1": 1}}
    theirs = {"name": "B", "people": [{"external_id": "2", "name": "B"}], "custom": {"group": "g"}}

    merged = CONTACT.merge(ours, theirs, CONTACT.changed(ours, theirs))

    assert CONTACT.same(merged, theirs)
    assert merged["address"]["street"] == "x"


def test_what_neither_of_them_has_is_not_made():
    assert CONTACT.merge({"name": "A"}, {"name": "A"}, CONTACT.fields) == {"name": "A"}
