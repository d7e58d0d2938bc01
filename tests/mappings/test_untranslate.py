"""The way back: what a record becomes at the provider, and what cannot be written."""

from dataclasses import replace
from decimal import Decimal

import msgspec
import pytest

from app.connectors.base import Account, FieldMapping, FieldRow
from app.mappings.rows import FieldMappingInvalid
from app.mappings.translate import RecordInvalid, Translator

ACCOUNT = Account(id="a", name="Acme", currency="EUR", time_zone="Europe/Ljubljana")
ROWS = (
    FieldRow("name", "customer", (("trim",), ("text", "20")), required=True, direction="both"),
    FieldRow("email", "contact.email", (("trim",),), direction="both"),
    FieldRow("is_individual", "is_person", (("flag", "true", "false"),), direction="both"),
    FieldRow("parent_external_id", "parent", (("text", "10"), ("empty_to_none",)), direction="both"),
    FieldRow("address.country", "address.land", (("country", "sl", "en"),), direction="both"),
    FieldRow("address.text", "address.text"),
    FieldRow("people[].external_id", "people.list[].id", required=True),
    FieldRow("people[].name", "people.list[].name", direction="both"),
    FieldRow("custom.vat_group", "vat_group", direction="both"),
    FieldRow("edited_at", "edited", (("local_time",),)),
)
CONTACT = Translator("contact", FieldMapping(1, ROWS))


def test_everything_that_is_pushed_is_written_whole_with_what_is_missing_as_nothing():
    document = CONTACT.untranslate(
        {"name": " Acme ", "address": {"country": "SI", "text": "x"}, "edited_at": "2026-01-01T00:00:00Z"}, ACCOUNT
    )

    assert document == {
        "customer": "Acme",
        "contact": {"email": ""},
        "is_person": "false",
        "parent": "",
        "address": {"land": "Slovenija"},
        "people": {"list": []},
    }


def test_lists_are_written_with_their_pushed_leaves_only():
    data = {
        "name": "Acme",
        "people": [{"external_id": "p1", "name": "Ann"}, {"external_id": "p2"}],
        "custom": {"vat_group": "B", "other": 1},
    }

    document = CONTACT.untranslate(data, ACCOUNT)

    assert document["people"] == {"list": [{"name": "Ann"}, {"name": ""}]}
    assert document["vat_group"] == "B"


def test_a_name_under_custom_that_the_record_does_not_have_is_left_alone():
    assert "vat_group" not in CONTACT.untranslate({"name": "Acme"}, ACCOUNT)


def test_a_value_without_a_transform_is_written_as_json_has_it():
    rows = tuple(
        replace(row, direction="both") for row in (FieldRow("number", "number"), FieldRow("total", "sum"), FieldRow("scheduled_on", "day"))
    )
    job = Translator("job", FieldMapping(1, rows))

    assert job.untranslate({"status": "quote", "total": "1.50", "scheduled_on": "2026-03-01"}, ACCOUNT) == {
        "number": "", "sum": "1.50", "day": "2026-03-01"
    }  # fmt: skip


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ({"name": ""}, "name: this is required and missing"),
        ({"name": "x" * 21}, "name: the text has 21 characters"),
        ({"name": "A", "address": {"country": "Slovenia"}}, r"address\.country: write the country 'Slovenia' as its code, SI"),
        ({"name": "A", "is_individual": "perhaps"}, "bool"),
        ({"email": "a"}, "name"),
    ],
)
def test_what_cannot_be_written_says_which_field_and_why(data, words):
    with pytest.raises(RecordInvalid, match=words) as refused:
        CONTACT.untranslate(data, ACCOUNT)

    assert refused.value.stage == "push"


def test_a_fault_in_a_list_names_the_element():
    rows = (FieldRow("people[].external_id", "p[].id"), FieldRow("people[].name", "p[].name", (("text", "3"),), direction="both"))
    translator = Translator("contact", FieldMapping(1, rows))

    with pytest.raises(RecordInvalid, match=r"people\[1\]\.name"):
        translator.untranslate({"name": "A", "people": [{"external_id": "1"}, {"external_id": "2", "name": "long"}]}, ACCOUNT)


def test_nothing_is_not_written_where_it_would_come_back_as_the_default():
    translator = Translator("contact", FieldMapping(1, (FieldRow("parent_external_id", "parent", default="root", direction="both"),)))

    with pytest.raises(RecordInvalid, match="'root'"):
        translator.untranslate({"name": "A"}, ACCOUNT)


def test_a_translator_says_what_it_maps_and_where_it_writes():
    assert CONTACT.fields == ("name", "email", "is_individual", "parent_external_id", "address", "people", "custom", "edited_at")
    assert CONTACT.pushed_fields == ("name", "email", "is_individual", "parent_external_id", "address", "people", "custom")
    assert CONTACT.document_names({"name", "people", "edited_at"}) == {"customer", "people"}


def test_what_is_written_is_read_back_the_same():
    data = {"name": "Acme", "email": "a@b.test", "is_individual": True, "address": {"country": "HR"}}
    written = CONTACT.untranslate(data, ACCOUNT)

    back = msgspec.to_builtins(CONTACT.translate(written, ACCOUNT))

    assert CONTACT.same(data, back)


BOTH = {"direction": "both"}


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ([FieldRow("colour", "colour")], "colour: there is no such field"),
        ([FieldRow("address.planet", "planet")], r"address\.planet: there is no such field"),
        ([FieldRow("people[].shoe", "p[].shoe")], r"people\[\]\.shoe: there is no such field"),
        ([FieldRow("name.first", "first")], r"name\.first: there is no such field"),
        ([FieldRow("people[]", "people[]")], r"people\[\]: there is no such field"),
        ([FieldRow("name", "name", (("shout",),))], "name: there is no transform 'shout'"),
        ([FieldRow("name", "name", (("upper",),), **BOTH)], "name: it cannot be written, because the transform 'upper' has no way back"),
        ([FieldRow("name", "s", (("enum", "a=x", "b=x"),), **BOTH)], "name: .* not one to one"),
        ([FieldRow("name", "first || last", **BOTH)], "name: what is read by an expression cannot be written"),
        ([FieldRow("name", "a", **BOTH), FieldRow("email", "a", **BOTH)], "name: .*another row writes to 'a' as well"),
        ([FieldRow("name", "a", **BOTH), FieldRow("email", "a.b", **BOTH)], "name: .*another row writes to 'a' as well"),
        ([FieldRow("name", "a", **BOTH), FieldRow("name", "b")], "name: .*another row gives the same field"),
        ([FieldRow("address", "a", **BOTH), FieldRow("address.city", "b")], "address: .*another row gives the same field"),
        ([FieldRow("people[].name", "name")], r"people\[\]\.name: its path must begin with the list"),
        ([FieldRow("people[].name", "p[?a].b[].name")], r"people\[\]\.name: its path must begin with the list"),
        ([FieldRow("name", "a..b")], "name: the expression cannot be read"),
        ([FieldRow("name", "")], "name: the expression cannot be read"),
    ],
)
def test_rows_that_cannot_be_used_are_refused_with_their_target(rows, words):
    with pytest.raises(FieldMappingInvalid, match=words):
        Translator("contact", FieldMapping(1, tuple(rows)))


def test_the_version_is_of_the_content_and_fits_a_fingerprint():
    same = Translator("contact", FieldMapping(1, ROWS))
    others = [
        Translator("contact", FieldMapping(2, ROWS)),
        Translator("contact", FieldMapping(1, ROWS[:-1])),
        Translator("contact", FieldMapping(1, (replace(ROWS[0], default=Decimal(1)), *ROWS[1:]))),
        Translator("contact", FieldMapping(1, ROWS, custom_prefixes=("x_",))),
    ]

    assert CONTACT.version == same.version
    assert len({CONTACT.version, *(other.version for other in others)}) == 5
    assert 0 <= CONTACT.version < 2**63
