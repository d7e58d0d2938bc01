"""Keyset paging: a page is found by the last key of the one before, so it costs the same at any depth."""

import base64
import binascii
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import msgspec

from app.errors import InvalidInput

T = TypeVar("T")

MAXIMUM = 100
_BIGINT = 2**63


@dataclass(frozen=True, slots=True)
class PageRequest:
    """`first` items after the cursor `after` (None: from the start); `count` asks for the total as well."""

    first: int = 50
    after: str | None = None
    count: bool = False

    def __post_init__(self) -> None:
        if not 1 <= self.first <= MAXIMUM:
            raise InvalidInput(fields={"first": f"Ask for 1 to {MAXIMUM} at a time."})

    def key(self, kind: type[T]) -> T | None:
        """The key inside `after`. Raises InvalidInput for a cursor that this hub did not make."""
        return None if self.after is None else decode_cursor(self.after, kind)


@dataclass(frozen=True, slots=True)
class ResultPage(Generic[T]):
    """Some items in order, each with its cursor; `total` only where it was asked for."""

    items: Sequence[T]
    cursors: Sequence[str]
    has_next: bool
    total: int | None = None

    @classmethod
    def cut(cls, items: Sequence[T], first: int, key: Callable[[T], Any], total: int | None = None) -> "ResultPage[T]":
        """From a query that asked for `first + 1` rows."""
        kept = items[:first]
        return cls(kept, [encode_cursor(key(item)) for item in kept], len(items) > first, total)


def encode_cursor(key: Any) -> str:
    return base64.urlsafe_b64encode(msgspec.json.encode(key)).rstrip(b"=").decode()


def decode_cursor(cursor: str, kind: type[T]) -> T:
    """Raises InvalidInput for anything that `encode_cursor` did not make."""
    try:
        key = msgspec.json.decode(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)), type=kind)
        _require_storable(key)
    except (binascii.Error, msgspec.MsgspecError, ValueError):
        raise InvalidInput(fields={"after": "This cursor is not one of ours; start again without it."}) from None
    return key


def _require_storable(key: Any) -> None:
    """Raises ValueError for what Postgres could not compare with: no bigint, or text that holds U+0000."""
    for part in key if isinstance(key, tuple) else (key,):
        if (isinstance(part, int) and not -_BIGINT <= part < _BIGINT) or (isinstance(part, str) and "\0" in part):
            raise ValueError(part)
