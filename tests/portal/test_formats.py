"""How values read."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from portal import formats

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("amount", "currency", "text"),
    [
        ("1240", "EUR", "€1,240.00"),
        ("-3.5", "GBP", "-£3.50"),
        ("1240", "AUD", "A$1,240.00"),
        ("1240", "JPY", "¥1,240"),
        ("1.5", "KWD", "KWD\N{NO-BREAK SPACE}1.500"),
        ("1240", "XXX", "1,240.00"),
    ],
)
def test_money_always_carries_its_currency(amount: str, currency: str, text: str) -> None:
    assert formats.money(Decimal(amount), currency) == text


@pytest.mark.parametrize(
    ("amount", "text"), [("3.1415", "€3.1415"), ("3", "€3.00"), ("3.10", "€3.10"), ("1200.00", "€1,200.00"), ("1E+3", "€1,000.00")]
)
def test_a_unit_price_keeps_the_providers_digits(amount: str, text: str) -> None:
    assert formats.unit_price(Decimal(amount), "EUR") == text


def test_a_unit_price_keeps_its_digits_where_the_currency_has_none() -> None:
    assert formats.unit_price(Decimal("12.5"), "JPY") == "¥12.5"
    assert formats.unit_price(Decimal("0.0425"), "XXX") == "0.0425"


@pytest.mark.parametrize(
    ("ago", "text"),
    [
        (timedelta(seconds=20), "just now"),
        (timedelta(minutes=3), "3 minutes ago"),
        (timedelta(hours=2), "2 hours ago"),
        (timedelta(days=1), "yesterday at 13:00"),
        (timedelta(days=10), "11 Nov"),
        (timedelta(days=400), "17 Oct 2025"),
        (timedelta(minutes=-90), "in 2 hours"),
        (timedelta(days=-1), "tomorrow at 13:00"),
    ],
)
def test_times_are_told_as_a_person_tells_them(ago: timedelta, text: str) -> None:
    assert formats.relative(NOW - ago, NOW, "Europe/Ljubljana") == text


def test_an_exact_time_names_its_time_zone() -> None:
    assert formats.exact(NOW, "Australia/Perth") == "21 November 2026 at 20:00 (Australia/Perth)"


def test_a_time_zone_that_nobody_knows_is_shown_as_utc() -> None:
    assert formats.local(NOW, "Nowhere/Land").hour == 12


@pytest.mark.parametrize(
    ("name", "letters"), [("Kranj Electrics", "KE"), ("žagar", "Ž"), ("3M", "3"), ("— ", "·"), ("Anton & Sons Ltd", "AS")]
)
def test_a_monogram_has_at_most_two_letters(name: str, letters: str) -> None:
    assert formats.initials(name) == letters


def test_a_providers_call_is_readable_and_not_longer_than_a_line() -> None:
    assert formats.call_path("https://api.test/job.json?$filter=status%20eq%20'Quote'") == "/job.json?$filter=status eq 'Quote'"
    assert len(formats.call_path("https://api.test/" + "x" * 500)) == 90
