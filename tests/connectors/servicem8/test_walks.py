"""Watermarks: nothing may fall between two walks."""

import pytest

from app.connectors.answers import Response
from app.connectors.base import Mode, Walk
from app.connectors.servicem8.clock import AccountClock
from app.connectors.servicem8.cutting import cut
from app.connectors.servicem8.walks import Mark, Progress, has_ended, saved_watermark

CLOCK = AccountClock("UTC")


def mark(*pages: tuple[str, str]) -> Mark:
    """A mark after pages, each with the time of its answer and the greatest stamp on it."""
    found = Mark()
    for date, stamp in pages:
        headers = {"date": f"Sat, 21 Nov 2026 {date} GMT"} if date else {}
        found.note(Response(200, headers, b""), cut(f'[{{"uuid":"a","edit_date":"{stamp}"}}]'.encode()), CLOCK)
    return found


def test_the_watermark_is_the_greatest_stamp_received():
    assert mark(("07:00:00", "2026-11-20 10:00:00"), ("07:00:09", "2026-11-19 10:00:00")).watermark() == "2026-11-20 10:00:00"


def test_after_edits_during_the_walk_it_is_the_time_when_the_walk_began():
    """Something on page 1 may have been edited at 07:01; it would never be read if the watermark were page 2's 07:02."""
    assert mark(("07:00:00", "2026-11-20 10:00:00"), ("07:03:00", "2026-11-21 07:02:00")).watermark() == "2026-11-21 06:59:55"


def test_one_page_is_one_moment():
    assert mark(("07:00:00", "2026-11-21 07:00:00")).watermark() == "2026-11-21 07:00:00"


@pytest.mark.parametrize("pages", [1, 2])
def test_a_stamp_in_the_future_hides_nothing_that_is_edited_until_then(pages: int):
    found = mark(*[("07:00:00", "2026-11-20 10:00:00"), ("07:00:00", "2027-01-01 00:00:00")][-pages:])

    assert found.watermark() == "2026-11-21 06:59:55"
    assert (found.has_been("2027-01-01 00:00:00"), found.has_been("2026-11-21 07:01:00")) == (False, True)


def test_without_a_date_stamps_are_taken_as_they_are():
    assert mark(("", "2026-11-20 10:00:00"), ("", "2026-11-21 10:00:00")).watermark() == "2026-11-21 10:00:00"


@pytest.mark.parametrize(
    "stamp",
    [
        "0000-00-00 00:00:00",
        "zzzz",
        "2026-11-21",
        "2026-11-21T07:00:00Z",
        "99999-01-01 00:00:00",
        "2026-02-31 12:00:00",
        "2026-11-21 25:00:00",
        "9999-12-31 23:59:59",
    ],
)
def test_what_is_no_stamp_moves_no_watermark(stamp: str):
    assert mark(("07:00:00", stamp)).watermark() == ""


def test_a_walk_without_changes_leaves_the_watermark_where_it_was():
    walk = Walk(Mode.INCREMENTAL, saved={"job": {"edit_date": "2026-11-20 10:00:00"}})
    progress = Progress(phase="")
    progress.mark("job").note(Response(200, {}, b""), cut(b"[]"), CLOCK)

    assert progress.ended(walk) == {"job": {"edit_date": "2026-11-20 10:00:00"}}


def test_a_state_in_progress_survives_json_and_is_not_taken_for_an_end():
    progress = Progress(phase="job", cursor="c", marks={"job": Mark(highest="2026-11-20 10:00:00", pages=2)}, tax_rates={"": "10"})

    assert Progress.of(progress.state()) == progress
    assert not has_ended(progress.state())
    assert has_ended(progress.ended(Walk(Mode.FULL)))


@pytest.mark.parametrize("saved", [None, {}, {"job": {}}, {"job": {"edit_date": "soon"}}, {"job": "2026"}])
def test_a_state_that_says_nothing_means_read_everything(saved: dict[str, object] | None):
    assert saved_watermark(Walk(Mode.INCREMENTAL, saved=saved), "job") == ""
