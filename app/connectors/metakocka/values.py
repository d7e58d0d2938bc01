"""How Metakocka writes values, and back: all scalars are texts, what is empty is left out, a list of one may come bare.

Numbers normally have a point; some replies have a comma, with points between thousands. Dates are calendar dates of Ljubljana with a
constant suffix that says nothing ("2026-01-15+02:00"); time stamps are its wall clock with the same suffix.
"""

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any
from zoneinfo import ZoneInfo

Values = dict[str, Any]
LJUBLJANA = ZoneInfo("Europe/Ljubljana")
LONGEST_NUMBER = 40
_ISO_DAY = re.compile(r"(\d{4})-(\d{2})-(\d{2})")
_DOTTED_DAY = re.compile(r"(\d{2})\.(\d{2})\.(\d{4})")


def text_of(value: Any) -> str:
    """A scalar as trimmed text; nothing for lists and objects."""
    if type(value) is str:  # nearly all are
        return value.strip()
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value).strip() if isinstance(value, (str, int, float, Decimal)) else ""


def texts_of(values: Mapping[str, Any], names: Iterable[str]) -> Values:
    """Each name's scalar as trimmed text."""
    return {name: value.strip() if type(value := values.get(name)) is str else text_of(value) for name in names}


def is_true(value: Any) -> bool:
    return text_of(value).lower() in ("true", "1")


def objects_in(value: Any) -> list[Values]:
    """The objects of a list that may have come as its only element."""
    return [one for one in (value if isinstance(value, list) else [value]) if isinstance(one, dict)]


def plain_number(value: Any) -> str:
    """A number's digits with a point; a text that is none stays, so that whoever needs a number can say so."""
    text = text_of(value)
    return text.replace(".", "").replace(",", ".") if "," in text else text


def number_of(value: Any) -> Decimal | None:
    """The exact number; None for nothing and for what is none."""
    text = plain_number(value)
    try:
        number = Decimal(text) if len(text) <= LONGEST_NUMBER else None
    except InvalidOperation:
        return None
    return number if number is not None and number.is_finite() and abs(number.adjusted()) <= 20 else None


def number_text(number: Decimal) -> str:
    """A number as Metakocka takes it: no exponent, no zeros at the end."""
    return f"{number.normalize() + 0:f}"


def day_of(value: Any) -> str:
    """The calendar date as YYYY-MM-DD; a text that is none stays, so that whoever needs a date can say so."""
    text = text_of(value)
    if match := _DOTTED_DAY.fullmatch(text):
        return f"{match[3]}-{match[2]}-{match[1]}"
    return match[0] if (match := _ISO_DAY.match(text)) else text


def day_text(value: Any) -> str:
    """A date as requests have it, dd.mm.yyyy: the only other accepted form carries a wrong offset in winter."""
    text = value.isoformat() if isinstance(value, date) else text_of(value)
    match = _ISO_DAY.match(text)
    return f"{match[3]}.{match[2]}.{match[1]}" if match else text


def wall_clock(moment: datetime) -> str:
    """A moment as time stamps have it."""
    return moment.astimezone(LJUBLJANA).strftime("%Y-%m-%dT%H:%M:%S+02:00")


def stamp_of(value: Any) -> datetime | None:
    """A time stamp's wall clock, without its suffix; None for what is none."""
    try:
        return datetime.fromisoformat(text_of(value)[:19])
    except ValueError:
        return None


def version_of(stamp: datetime | None) -> str | None:
    """A time stamp that compares as text in the order of time. Those of the hour that comes twice count as equally old."""
    if stamp is None or not 1900 < stamp.year < 2200:
        return None
    first = stamp.replace(tzinfo=LJUBLJANA)
    before, after = first.utcoffset(), first.replace(fold=1).utcoffset()
    if before and after and before > after:
        first = first.replace(minute=0, second=0, microsecond=0)
    moment = first.astimezone(UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def today(now: datetime) -> str:
    """The calendar date in Ljubljana, YYYY-MM-DD."""
    return now.astimezone(LJUBLJANA).date().isoformat()


def earlier(stamp: str, by: timedelta) -> str:
    """A wall clock that long before another one."""
    found = stamp_of(stamp)
    return f"{(found - by).isoformat()}+02:00" if found else stamp
