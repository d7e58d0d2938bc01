"""Schedules as people choose them and as cron says them; numbers by day as drawings."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.syncs.models import Counts
from app.syncs.statistics import Statistics
from portal.console.charts import HEIGHT, Series, bars, line
from portal.console.numbers import charts_of, rate, sum_of
from portal.console.schedule_choices import Choice, choice_in, choice_of, delays, words_of, zones


@pytest.mark.parametrize(
    ("schedule", "words"),
    [
        (None, "Only when somebody starts it"),
        ("*/15 * * * *", "Every 15 minutes"),
        ("5 3 * * *", "Every day at 03:05"),
        ("0 3 * * 0", "Every Sunday at 03:00"),
        ("0 3 * * 7", "Every Sunday at 03:00"),
        ("30 23 * * 6", "Every Saturday at 23:30"),
        ("0 3 * * 1-5", "0 3 * * 1-5"),
        ("99 3 * * *", "99 3 * * *"),
    ],
)
def test_a_schedule_is_said_in_the_plainest_words(schedule, words):
    assert words_of(schedule) == words


@given(st.integers(0, 59), st.integers(0, 23), st.sampled_from(["*", *map(str, range(7))]))
def test_what_is_chosen_by_clock_and_day_is_shown_as_such_again(minute, hour, weekday):
    schedule = f"{minute} {hour} * * {weekday}"

    choice = choice_of(schedule)

    assert choice.every == ("day" if weekday == "*" else "week")
    assert choice.schedule == schedule


def test_a_form_with_a_wrong_time_says_so_at_its_field():
    assert choice_in({"every": "day", "day_at": "25:00"}).problems == {"day_at": "Write a time of day, such as 03:00."}
    assert choice_in({"every": "week", "week_at": "7:30", "weekday": "12"}).schedule == "30 7 * * 0"
    assert list(choice_in({"every": "cron"}).problems) == ["cron"]
    assert choice_in({"every": "demand", "day_at": "nonsense"}) == Choice("demand", "nonsense", "", "0", "", {})


def test_a_delay_that_is_not_offered_stays_one_of_the_choices():
    assert [seconds for seconds, _ in delays(90)] == [0, 60, 90, 300, 900, 3600]
    assert dict(delays(60))[60] == "Up to a minute later"


def test_the_zones_are_places_and_utc():
    assert zones()[0] == "UTC"
    assert {"Europe/Ljubljana", "Australia/Perth"} <= set(zones())
    assert not any(zone.startswith(("Etc/", "US/")) for zone in zones())


@given(st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 50)), max_size=40))
def test_bars_stay_within_their_drawing_and_show_whatever_there_was(values):
    drawing = bars(
        [str(n) for n in range(len(values))], [Series("Good", "good", [a for a, _ in values]), Series("Bad", "bad", [b for _, b in values])]
    )

    for bar, (good, bad) in zip(drawing.bars, values, strict=True):
        assert [piece.look for piece in bar.pieces] == [look for look, count in (("good", good), ("bad", bad)) if count]
        assert all(-1.6 <= piece.y <= HEIGHT and piece.height > 0 for piece in bar.pieces)


def test_a_line_has_a_gap_where_there_is_no_value():
    assert line([1.0, None, 0.5, 1.0], 1.0).path == "M5 0M25 50L35 0"
    assert line([], 0).path == ""


def test_a_share_is_a_hundred_percent_only_where_nothing_is_missing():
    assert [rate(value) for value in (None, 0.0, 0.5, 0.99999, 1.0)] == ["—", "0 %", "50 %", "99.9 %", "100 %"]


def _day(number: int, **values) -> Statistics:
    nothing = dict.fromkeys((name for name in Statistics.__dataclass_fields__ if name not in ("day", "records")), 0)
    unknown = {"average_run_seconds": None, "last_ended_at": None, "average_seconds_to_confirm": None}
    return Statistics(**{**nothing, **unknown, "day": date(2026, 11, number), "records": Counts(), **values})


def test_findings_say_what_the_drawings_show():
    days = [
        _day(1),
        _day(2, runs=3, completed=2, failed=1, run_seconds=90.0, average_run_seconds=30.0, records=Counts(read=9, created=2, failed=1)),
        _day(
            3,
            runs=1,
            completed=1,
            run_seconds=30.0,
            average_run_seconds=30.0,
            provider_calls=7,
            failed_provider_calls=1,
            deliveries_confirmed=2,
        ),
    ]

    found = [chart.finding for chart in charts_of(days, sum_of(days), "Metakocka")]

    assert found == [
        "2 records changed, 1 failed",
        "1 of 4 runs had failures",
        "75 % of runs took everything over",
        "A run took 30 seconds on average",
        "7 requests to Metakocka, 1 failed",
        "2 writes to Metakocka",
    ]
    nothing = [chart.finding for chart in charts_of(days[:1], sum_of(days[:1]), "Metakocka")]
    assert nothing == ["No record changed", "No run ended", "No run to judge by", "No run ended"]
