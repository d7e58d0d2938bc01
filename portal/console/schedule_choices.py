"""Schedules as people choose them, and as cron says them. Pure."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from zoneinfo import available_timezones

PLAIN: Mapping[str, tuple[str, str]] = {
    "demand": ("Only when somebody starts it", ""),
    "quarter": ("Every 15 minutes", "*/15 * * * *"),
    "hour": ("Every hour", "0 * * * *"),
    "six": ("Every 6 hours", "0 */6 * * *"),
}
"""What needs nothing further: its words, and its cron."""
WEEKDAYS = ("Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday")
"""As cron counts them, from 0."""
DELAYS = {
    0: "At the exact time",
    60: "Up to a minute later",
    300: "Up to 5 minutes later",
    900: "Up to 15 minutes later",
    3600: "Up to an hour later",
}
"""By seconds."""
_AT = re.compile(r"(\d{1,2}) (\d{1,2}) \* \* (\*|[0-7])")
_TIME = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)")


@dataclass(frozen=True, slots=True)
class Choice:
    """What stands in the form about when a sync is due."""

    every: str
    """One of PLAIN, or day, week, cron."""
    day_at: str = "03:00"
    week_at: str = "03:00"
    weekday: str = "0"
    cron: str = ""
    problems: Mapping[str, str] = field(default_factory=dict)

    @property
    def schedule(self) -> str:
        """Cron; empty: on demand."""
        match self.every:
            case "day":
                return f"{_of_clock(self.day_at)} * * *"
            case "week":
                return f"{_of_clock(self.week_at)} * * {self.weekday}"
            case "cron":
                return self.cron
            case _:
                return PLAIN.get(self.every, ("", ""))[1]


def choice_of(schedule: str) -> Choice:
    """The plainest choice that is this schedule."""
    for every, (_, cron) in PLAIN.items():
        if cron == schedule:
            return Choice(every)
    if (found := _AT.fullmatch(schedule)) and int(found[1]) < 60 and int(found[2]) < 24:
        clock = f"{int(found[2]):02}:{int(found[1]):02}"
        return Choice("day", day_at=clock) if found[3] == "*" else Choice("week", week_at=clock, weekday=str(int(found[3]) % 7))
    return Choice("cron", cron=schedule)


def choice_in(given: Mapping[str, str]) -> Choice:
    """What was chosen in the form, with what is wrong with it."""
    choice = Choice(
        given.get("every", "demand"),
        given.get("day_at", ""),
        given.get("week_at", ""),
        weekday if (weekday := given.get("weekday", "0")) in map(str, range(7)) else "0",
        given.get("cron", ""),
    )
    return Choice(choice.every, choice.day_at, choice.week_at, choice.weekday, choice.cron, dict(_problems(choice)))


def _problems(choice: Choice) -> Sequence[tuple[str, str]]:
    if choice.every in ("day", "week") and not _TIME.fullmatch(getattr(choice, f"{choice.every}_at")):
        return [(f"{choice.every}_at", "Write a time of day, such as 03:00.")]
    if choice.every == "cron" and not choice.cron:
        return [("cron", "Write five cron fields, such as 0 3 * * 1-5.")]
    return []


def _of_clock(text: str) -> str:
    hour, _, minute = text.partition(":")
    return f"{int(minute)} {int(hour)}" if _TIME.fullmatch(text) else "* *"


def words_of(schedule: str | None) -> str:
    """A schedule as people say it; cron itself where there are no plainer words."""
    choice = choice_of(schedule or "")
    match choice.every:
        case "day":
            return f"Every day at {choice.day_at}"
        case "week":
            return f"Every {WEEKDAYS[int(choice.weekday)]} at {choice.week_at}"
        case "cron":
            return choice.cron
        case plain:
            return PLAIN[plain][0]


def delays(seconds: int) -> list[tuple[int, str]]:
    """How much later a sync may begin; what is chosen is among them."""
    return sorted(({seconds: f"Up to {seconds} seconds later"} | DELAYS).items())


@cache
def zones() -> tuple[str, ...]:
    """The time zones that are offered: places, and UTC. Any other IANA name is understood too."""
    old = ("Etc/", "SystemV/", "US/", "Brazil/", "Canada/", "Chile/", "Mexico/")
    return ("UTC", *sorted(name for name in available_timezones() if "/" in name and not name.startswith(old)))
