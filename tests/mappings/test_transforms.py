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


@pytest.mark.parametrize(
    ("name", "arguments", "value", "written"),
    [
        ("trim", (), " a ", "a"),
        ("text", ("10",), "č š ž", "č š ž"),
        ("number", (), Decimal("1E+3"), "1000"),
        ("number", (), Decimal("20.7000"), "20.7000"),
        ("number", (",",), Decimal("-0.5"), "-0,5"),
        ("number", (), None, ""),
        ("integer", (), 7, 7),
        ("integer", (), None, ""),
        ("flag", (), True, 1),
        ("flag", ("true", "false"), False, "false"),
        ("flag", ("da", "ne"), True, "da"),
        ("local_time", (), datetime(2026, 7, 1, 10, tzinfo=UTC), "2026-07-01 12:00:00"),
        ("local_time", ("%d.%m.%Y %H:%M:%S",), datetime(2026, 12, 1, 11, tzinfo=UTC), "01.12.2026 12:00:00"),
        ("local_time", (), datetime(2026, 10, 25, 0, 30, tzinfo=UTC), "2026-10-25 02:30:00"),
        ("local_time", (), None, ""),
        ("date", (), date(2026, 3, 1), "2026-03-01"),
        ("date", ("%d.%m.%Y", "%Y-%m-%d"), date(2026, 3, 1), "01.03.2026"),
        ("date", (), None, ""),
        ("json_list", (), ["b1", "č"], '["b1", "č"]'),
        ("enum", ("Quote=quote", "Work Order=work_order"), "work_order", "Work Order"),
        ("country", ("sl", "en"), "SI", "Slovenija"),
        ("country", (), "SI", "Slovenia"),
        ("country", ("sl", "en"), "Ruritania", "Ruritania"),
        ("empty_to_none", (), None, ""),
        ("prefix", ("SI",), "SI123", "123"),
        ("without_prefix", ("Q-",), "123", "Q-123"),
    ],
)
def test_what_is_pushed_comes_back(name, arguments, value, written):
    pair = build(name, *arguments)

    assert pair.push is not None
    assert pair.push(value, ACCOUNT) == written
    assert pair.pull(written, ACCOUNT) == (value.strip() if name == "trim" else value)


@pytest.mark.parametrize(
    ("name", "arguments", "value"),
    [
        ("text", ("3",), "four"),
        ("number", (), "12,5"),
        ("flag", (), None),
        ("local_time", (), datetime(2026, 10, 25, 1, 30, tzinfo=UTC)),  # the second 02:30 of that night
        ("local_time", ("%d.%m.%Y",), datetime(2026, 7, 1, 10, tzinfo=UTC)),
        ("date", ("%d.%m.%Y",), date(99, 3, 1)),
        ("enum", ("Quote=quote",), "work_order"),
        ("country", ("sl", "en"), "Slovenia"),
        ("default", ("EUR",), ""),
        ("prefix", ("SI",), "123"),
    ],
)
def test_what_would_come_back_changed_is_not_written(name, arguments, value):
    push = build(name, *arguments).push

    assert push is not None
    with pytest.raises(ValueError, match=r"\w+ \w+"):
        push(value, ACCOUNT)


def test_fractions_of_a_second_are_not_written():
    push = build("local_time").push

    assert push is not None
    assert push(datetime(2026, 7, 1, 10, 0, 0, 999_999, tzinfo=UTC), ACCOUNT) == "2026-07-01 12:00:00"


@pytest.mark.parametrize(
    ("name", "value"),
    [("Slovenija", "SI"), ("slovenia ", "SI"), ("Bosna in Hercegovina", "BA"), ("Ruritania", "Ruritania"), ("SI", "SI"), (None, None)],
)
def test_countries_are_known_by_their_names_in_each_language(name, value):
    assert apply("country", name, "sl", "en") == value


@pytest.mark.parametrize(
    ("name", "arguments"),
    [("upper", ()), ("lower", ()), ("enum", ("Open=open", "Started=open"))],
)
def test_a_transform_without_a_way_back_says_why(name, arguments):
    pair = build(name, *arguments)

    assert pair.push is None
    assert pair.lost


@pytest.mark.parametrize(
    ("name", "arguments", "words"),
    [
        ("shout", (), "no transform 'shout'"),
        ("trim", ("1",), "wrong arguments"),
        ("text", ("many",), "no number of characters"),
        ("enum", (), "pairs"),
        ("enum", ("Quote",), "pairs"),
        ("enum", ("A=a", "A=b"), "twice"),
        ("date", ("%d.%m.",), "keeps day, month and year"),
        ("number", (";",), "decimal sign"),
        ("flag", ("yes",), "two different words"),
        ("country", ("xx-klingon",), "not a language"),
    ],
)
def test_a_transform_that_cannot_be_made_is_refused(name, arguments, words):
    with pytest.raises(ValueError, match=words):
        build(name, *arguments)
