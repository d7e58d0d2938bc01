from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from app.connectors.base import Account
from app.mappings.transforms import build

ACCOUNT = Account(id="a", name="Acme", currency="EUR", time_zone="Europe/Ljubljana")


def apply(name: str, value: object, *arguments: str) -> object:
    return build(name, *arguments).pull(value, ACCOUNT)


@pytest.mark.parametrize(
    ("value", "expected"),
    [("20.7000", Decimal("20.7000")), (3, Decimal(3)), ("", None), (None, None), (" 1 ", Decimal(1)), ("-0.5", Decimal("-0.5"))],
)
def test_a_number_keeps_its_digits(value, expected):
    assert str(apply("number", value)) == str(expected)


@pytest.mark.parametrize("value", ["NaN", "Infinity", "-inf", "12,50", "abc", "1e400", [], float("nan")])
def test_what_is_no_finite_number_is_refused(value):
    with pytest.raises(ValueError, match="number|range"):
        apply("number", value)


@pytest.mark.parametrize(("value", "expected"), [("1", True), (1, True), (0, False), ("0", False), ("", False), (None, False)])
def test_flags_are_loose_on_the_wire(value, expected):
    assert apply("flag", value) is expected


def test_a_local_time_is_read_in_the_accounts_zone():
    assert apply("local_time", "2026-07-01 12:00:00") == datetime(2026, 7, 1, 10, tzinfo=UTC)
    assert apply("local_time", "2026-12-01 12:00:00") == datetime(2026, 12, 1, 11, tzinfo=UTC)
    assert apply("local_time", "0000-00-00 00:00:00") is None


def test_of_a_repeated_hour_the_first_is_taken():
    assert apply("local_time", "2026-10-25 02:30:00") == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)


def test_dates_enums_lists_and_texts():
    assert apply("date", "2026-03-01") == date(2026, 3, 1)
    assert apply("date", "0000-00-00") is None
    assert apply("enum", "Work Order", "Quote=quote", "Work Order=work_order") == "work_order"
    assert apply("json_list", '["b1"]') == ["b1"]
    assert apply("text", "č š ž 🏗 שלום") == "č š ž 🏗 שלום"


@pytest.mark.parametrize(
    ("name", "value", "arguments"),
    [
        ("date", "yesterday", ()),
        ("local_time", "soon", ()),
        ("enum", "Pending", ("Quote=quote",)),
        ("json_list", "{", ()),
        ("json_list", '{"a": 1}', ()),
        ("text", "x" * 11, ("10",)),
        ("text", "a\x00b", ()),
        ("flag", "maybe", ()),
        ("integer", "1.5", ()),
    ],
)
def test_what_does_not_fit_is_refused_with_a_sentence(name, value, arguments):
    with pytest.raises(ValueError, match=r"\w+ \w+"):
        apply(name, value, *arguments)
