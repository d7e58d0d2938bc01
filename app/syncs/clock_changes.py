"""What people should know of a schedule's times around the days on which clocks are changed. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from cronsim import CronSim

_SECOND = timedelta(seconds=1)
_WORTH_TELLING = timedelta(days=8)
"""A change that is longer ago says nothing to whoever reads of a time."""


@dataclass(frozen=True, slots=True)
class Occurrence:
    """One time of a schedule."""

    at: datetime
    """In the schedule's zone."""
    note: str
    """One or more sentences where a clock change plays a part, else empty."""


def occurrences(schedule: str, times: Sequence[datetime], after: datetime) -> list[Occurrence]:
    """The times of a schedule after a moment, all but the last, which only tells what comes next."""
    befores = [after, *times]
    return [
        Occurrence(time, " ".join(_sentences(schedule, before, time, then)))
        for before, time, then in zip(befores, times, times[1:], strict=False)
    ]


def _sentences(schedule: str, before: datetime, time: datetime, then: datetime) -> Iterator[str]:
    if before.astimezone(time.tzinfo).utcoffset() != time.utcoffset():
        change = _change_between(before, time)
        if time - change < _WORTH_TELLING:
            yield from _of_change(schedule, change, time)
    if _comes_twice(time) and _wall(then) != _wall(time):
        yield f"{time:%H:%M} comes twice on this day; the sync starts once, the first time."


def _of_change(schedule: str, change: datetime, time: datetime) -> Iterator[str]:
    old = (change - _SECOND).astimezone(time.tzinfo).utcoffset() or timedelta()
    new = change.astimezone(time.tzinfo)
    way = "forward" if (new.utcoffset() or timedelta()) > old else "back"
    was = change.replace(tzinfo=None) + old
    yield f"On {new.day} {new:%B} the clocks go {way} from {was:%H:%M} to {new:%H:%M}."
    if time == change and way == "forward" and not _is_due(schedule, _wall(time)):
        yield f"The hour that it names is left out on this day, so it starts at {time:%H:%M}."


def _change_between(before: datetime, time: datetime) -> datetime:
    """The moment, in UTC and to the second, from which the clocks show what they show at `time`."""
    early, late = before.astimezone(UTC).replace(microsecond=0), time.astimezone(UTC)
    while late - early > _SECOND:
        middle = (early + (late - early) / 2).replace(microsecond=0)
        same = middle.astimezone(time.tzinfo).utcoffset() == time.utcoffset()
        early, late = (early, middle) if same else (middle, late)
    return late


def _comes_twice(time: datetime) -> bool:
    """Whether clocks show this once more later on the day."""
    return time.fold == 0 and time.utcoffset() != time.replace(fold=1).utcoffset()


def _wall(time: datetime) -> datetime:
    """What clocks show."""
    return time.replace(tzinfo=None, fold=0)


def _is_due(schedule: str, wall: datetime) -> bool:
    """Whether a schedule names what clocks show, were there no clock changes."""
    return next(CronSim(schedule, wall - timedelta(minutes=1))) == wall
