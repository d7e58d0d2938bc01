"""The transforms that a field mapping's rows may name. Pure: a value and the account in, a value out.

A value that cannot be transformed raises ValueError with a sentence; the record becomes a failed record.
"""

import json
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from app.connectors.base import Account

Transform = Callable[[Any, Account], Any]


def build(name: str, *arguments: str) -> Transform:
    """The transform of that name with its arguments. Raises KeyError for an unknown name."""
    return _TRANSFORMS[name](*arguments)


def _trim() -> Transform:
    return lambda value, account: value.strip() if isinstance(value, str) else value


def _upper() -> Transform:
    return lambda value, account: value.upper() if isinstance(value, str) else value


def _lower() -> Transform:
    return lambda value, account: value.lower() if isinstance(value, str) else value


def _text(maximum: str = "10000") -> Transform:
    """Text of at most that many characters; nothing is cut silently."""
    limit = int(maximum)

    def apply(value: Any, account: Account) -> Any:
        if value is None:
            return None
        if isinstance(value, (list, dict)):
            raise ValueError("a list or an object stands where a text belongs")
        text = value if isinstance(value, str) else str(value)
        if len(text) > limit:
            raise ValueError(f"the text has {len(text)} characters; at most {limit} are allowed")
        if "\x00" in text:
            raise ValueError("the text holds a NUL character")
        return text

    return apply


def _number() -> Transform:
    return lambda value, account: number(value)


def number(value: Any) -> Decimal | None:
    """An exact, finite number; None for nothing. Raises ValueError for NaN, infinities and other texts."""
    if value is None or value == "":
        return None
    try:
        result = Decimal(str(value).strip())
    except InvalidOperation:
        raise ValueError(f"{str(value)[:40]!r} is not a number") from None
    if not result.is_finite():
        raise ValueError(f"{str(value)[:40]!r} is not a finite number")
    if abs(result.adjusted()) > 20:
        raise ValueError(f"{str(value)[:40]!r} is out of range")
    return result


def _integer() -> Transform:
    def apply(value: Any, account: Account) -> int | None:
        exact = number(value)
        if exact is None:
            return None
        if exact != exact.to_integral_value():
            raise ValueError(f"{str(value)[:40]!r} is not a whole number")
        return int(exact)

    return apply


def _flag() -> Transform:
    """1, "1", true are yes; 0, "0", "", false and nothing are no."""

    def apply(value: Any, account: Account) -> bool:
        text = str(value).strip().lower()
        if value is None or text in {"0", "", "false", "no"}:
            return False
        if text in {"1", "true", "yes"}:
            return True
        raise ValueError(f"{str(value)[:40]!r} is neither yes nor no")

    return apply


@lru_cache(maxsize=512)
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)


def _local_time() -> Transform:
    """A naive time of the account's zone as UTC; the first of two in a repeated hour. Empty sentinels are nothing."""

    def apply(value: Any, account: Account) -> datetime | None:
        if not value or str(value).startswith("0000-00-00"):
            return None
        try:
            local = datetime.fromisoformat(str(value))
        except ValueError:
            raise ValueError(f"{str(value)[:40]!r} is not a time") from None
        if local.tzinfo is None:
            local = local.replace(tzinfo=_zone(account.time_zone))
        try:
            return local.astimezone(UTC)
        except OverflowError:
            raise ValueError(f"{str(value)[:40]!r} is out of range") from None

    return apply


def _date() -> Transform:
    def apply(value: Any, account: Account) -> date | None:
        if not value or str(value).startswith("0000-00-00"):
            return None
        try:
            return date.fromisoformat(str(value)[:10])
        except ValueError:
            raise ValueError(f"{str(value)[:40]!r} is not a date") from None

    return apply


def _json_list() -> Transform:
    """A list that travels as JSON inside a text."""

    def apply(value: Any, account: Account) -> list[Any]:
        if not value:
            return []
        try:
            decoded = json.loads(value) if isinstance(value, str) else value
        except ValueError:
            raise ValueError(f"{str(value)[:40]!r} is not a JSON list") from None
        if not isinstance(decoded, list):
            raise ValueError(f"{str(value)[:40]!r} is not a list")
        return decoded

    return apply


def _empty_to_none() -> Transform:
    return lambda value, account: None if value in ("", [], {}) else value


def _default(fallback: str) -> Transform:
    return lambda value, account: fallback if value in (None, "") else value


def _enum(*pairs: str) -> Transform:
    """`"Work Order=work_order"`, …: the provider's word to ours. An unknown word is refused, never guessed."""
    table = dict(pair.split("=", 1) for pair in pairs)

    def apply(value: Any, account: Account) -> str:
        try:
            return table[value]
        except (KeyError, TypeError):
            raise ValueError(f"{str(value)[:40]!r} is not one of {', '.join(map(repr, table))}") from None

    return apply


_TRANSFORMS: dict[str, Callable[..., Transform]] = {
    "trim": _trim,
    "upper": _upper,
    "lower": _lower,
    "text": _text,
    "number": _number,
    "integer": _integer,
    "flag": _flag,
    "local_time": _local_time,
    "date": _date,
    "json_list": _json_list,
    "empty_to_none": _empty_to_none,
    "default": _default,
    "enum": _enum,
}
