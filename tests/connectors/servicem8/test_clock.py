"""The account's naive clock, around changes of the clocks above all."""

import pytest

from app.connectors.servicem8.clock import AccountClock


def test_a_second_is_read_again():
    assert AccountClock("Australia/Perth").since("2026-03-01 12:00:00") == "2026-03-01 11:59:59"
    assert AccountClock("UTC").since("2026-01-01 00:00:00") == "2025-12-31 23:59:59"


@pytest.mark.parametrize(
    ("zone", "watermark", "since"),
    [
        ("Europe/Ljubljana", "2026-10-25 02:30:00", "2026-10-25 00:30:00"),
        ("Europe/Ljubljana", "2026-10-25 01:00:00", "2026-10-24 23:00:00"),
        ("Europe/Ljubljana", "2026-10-25 04:00:00", "2026-10-25 02:00:00"),
        ("Europe/Ljubljana", "2026-10-25 12:00:00", "2026-10-25 11:59:59"),
        ("Australia/Sydney", "2026-04-05 02:59:59", "2026-04-05 00:59:59"),
        ("Europe/Ljubljana", "2026-03-29 03:10:00", "2026-03-29 01:10:00"),
    ],
)
def test_near_a_change_two_hours_are_read_again(zone: str, watermark: str, since: str):
    assert AccountClock(zone).since(watermark) == since


@pytest.mark.parametrize(
    ("zone", "stamps"),
    [
        ("Europe/Ljubljana", ["2026-10-25 01:59:59", "2026-10-25 02:50:00", "2026-10-25 02:10:00", "2026-10-25 03:00:00"]),
        ("Australia/Lord_Howe", ["2026-04-05 01:29:59", "2026-04-05 01:59:00", "2026-04-05 01:31:00", "2026-04-05 02:00:00"]),
    ],
)
def test_versions_never_fall_when_an_hour_comes_twice(zone: str, stamps: list[str]):
    clock = AccountClock(zone)
    versions = [clock.version(stamp) for stamp in stamps]

    assert versions == sorted(versions)
    assert versions[1] == versions[2]


@pytest.mark.parametrize("stamp", ["2026-03-29 02:30:00", "2026-03-29 03:10:00", "2026-07-01 12:00:00", "9998-12-31 23:59:59"])
def test_other_stamps_are_their_own_version(stamp: str):
    assert AccountClock("Europe/Ljubljana").version(stamp) == stamp


def test_the_providers_clock_is_told_in_the_accounts_zone():
    clock = AccountClock("Australia/Perth")

    assert clock.local("Sat, 21 Nov 2026 07:00:00 GMT") == "2026-11-21 15:00:00"
    assert clock.local("") == clock.local("soon") == ""
