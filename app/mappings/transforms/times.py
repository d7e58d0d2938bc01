"""Transforms of times and dates. Forms are those of Python's strftime."""

import re
from collections.abc import Callable
from datetime import UTC, date, datetime
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from app.connectors.base import Account
from app.mappings.transforms.pairs import Pair, shown

_PLAIN_TIME = "%Y-%m-%d %H:%M:%S"
_LONGEST = 100
"""Characters of a time, and of its form."""
_NOTHING = "0000-00-00"
"""How some providers begin an empty time or date."""


@lru_cache(maxsize=512)
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)


def local_time(form: str = "") -> Pair:
    """A naive time of the account's zone as UTC; the first of two in a repeated hour. Empty sentinels are nothing.

    Written to the second, in that form (ISO with a space without one). The second of two cannot be written: it would
    come back as the first. Nothing is written as an empty text.
    """
    read = _reader(form) if form else datetime.fromisoformat

    def pull(value: Any, account: Account) -> datetime | None:
        if not value or str(value).startswith(_NOTHING):
            return None
        try:
            local = read(str(value))
        except ValueError:
            raise ValueError(f"{shown(value)} is not a time") from None
        if local.tzinfo is None:
            local = local.replace(tzinfo=_zone(account.time_zone))
        try:
            return local.astimezone(UTC)
        except OverflowError:
            raise ValueError(f"{shown(value)} is out of range") from None

    def push(value: datetime | str | None, account: Account) -> str:
        if value is None:
            return ""
        moment = datetime.fromisoformat(value) if isinstance(value, str) else value
        whole = moment.replace(microsecond=0)
        try:
            written = whole.astimezone(_zone(account.time_zone)).strftime(form or _PLAIN_TIME)
            if pull(written, account) == whole:
                return written
        except (ValueError, OverflowError):
            pass
        raise ValueError(f"{whole.isoformat()} cannot be written as a local time that means the same")

    return Pair(pull, push)


def day(*forms: str) -> Pair:
    """A calendar date, read in any of the forms and written in the first; without forms ISO, and what follows it is left away.

    Nothing is written as an empty text.
    """
    readers = [_reader(form) for form in forms]
    for form, read in zip(forms, readers, strict=True):
        if not _keeps_dates(form, read):
            raise ValueError(f"{form!r} is not a form that keeps day, month and year")

    def pull(value: Any, account: Account) -> date | None:
        if not value or str(value).startswith(_NOTHING):
            return None
        if not readers:
            return _first_read(str(value)[:10], [datetime.fromisoformat])
        return _first_read(str(value), readers)

    def push(value: date | str | None, account: Account) -> str:
        if value is None:
            return ""
        wanted = _date(value) if isinstance(value, str) else value
        written = wanted.strftime(forms[0]) if forms else wanted.isoformat()
        if pull(written, account) != wanted:
            raise ValueError(f"{wanted.isoformat()} cannot be written in this form")
        return written

    return Pair(pull, push)


def _reader(form: str) -> Callable[[str], datetime]:
    """Raises ValueError for a form that names a part twice, or is none."""
    if len(form) > _LONGEST:
        raise ValueError(f"a form of times has at most {_LONGEST} characters")
    try:
        datetime.strptime("", form)
    except re.error:
        raise ValueError(f"{form!r} names a part of the time twice") from None
    except ValueError:
        pass  # nothing is no time in any form

    def read(written: str) -> datetime:
        if len(written) > _LONGEST:
            raise ValueError("this is too long for a time")
        return datetime.strptime(written, form)

    return read


def _date(written: str) -> date:
    try:
        return date.fromisoformat(written)
    except ValueError:
        raise ValueError(f"{shown(written)} is not a date") from None


def _first_read(written: str, readers: list[Callable[[str], datetime]]) -> date:
    for read in readers:
        try:
            return read(written).date()
        except ValueError:
            continue
    raise ValueError(f"{shown(written)} is not a date")


def _keeps_dates(form: str, read: Callable[[str], datetime]) -> bool:
    tried = datetime(2013, 2, 26)
    try:
        return read(tried.strftime(form)).date() == tried.date()
    except ValueError:
        return False
