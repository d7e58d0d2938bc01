"""Transforms of texts."""

import json
from typing import Any

from app.connectors.base import Account
from app.mappings.transforms.pairs import Pair, shown


def trim() -> Pair:
    """Without spaces at the ends, on both ways."""

    def apply(value: Any, account: Account) -> Any:
        return value.strip() if isinstance(value, str) else value

    return Pair(apply, apply)


def upper() -> Pair:
    return Pair(lambda value, account: value.upper() if isinstance(value, str) else value, None, "it forgets which letters were small")


def lower() -> Pair:
    return Pair(lambda value, account: value.lower() if isinstance(value, str) else value, None, "it forgets which letters were capital")


def text(maximum: str = "10000") -> Pair:
    """Text of at most that many characters, on both ways; nothing is cut silently."""
    if not maximum.isdecimal() or not maximum.isascii() or len(maximum) > 9:
        raise ValueError(f"{shown(maximum)} is no number of characters")
    limit = int(maximum)

    def apply(value: Any, account: Account) -> Any:
        if value is None:
            return None
        if isinstance(value, (list, dict)):
            raise ValueError("a list or an object stands where a text belongs")
        result = value if isinstance(value, str) else str(value)
        if len(result) > limit:
            raise ValueError(f"the text has {len(result)} characters; at most {limit} are allowed")
        if "\x00" in result:
            raise ValueError("the text holds a NUL character")
        return result

    return Pair(apply, apply)


def prefix(beginning: str) -> Pair:
    """The hub's values begin with it, the provider's do not. Nothing stays nothing."""

    def pull(value: Any, account: Account) -> Any:
        return f"{beginning}{value}" if value not in (None, "") else value

    def push(value: Any, account: Account) -> Any:
        if value in (None, ""):
            return value
        if not isinstance(value, str) or not value.startswith(beginning) or value == beginning:
            raise ValueError(f"what is written to this field must begin with {beginning!r}")
        return value[len(beginning) :]

    return Pair(pull, push, examples=(f"{beginning}1", f"{beginning}Ab 2"))


def without_prefix(beginning: str) -> Pair:
    """The provider's values begin with it, the hub's do not; one that does not is taken as it is. Nothing stays nothing."""

    def pull(value: Any, account: Account) -> Any:
        return value[len(beginning) :] if isinstance(value, str) and value.startswith(beginning) else value

    def push(value: Any, account: Account) -> Any:
        return f"{beginning}{value}" if value not in (None, "") else value

    return Pair(pull, push)


def empty_to_none() -> Pair:
    """Empty at the provider is nothing in the hub, and nothing is written as an empty text."""
    return Pair(
        lambda value, account: None if value in ("", [], {}) else value,
        lambda value, account: "" if value is None else value,
    )


def default(fallback: str) -> Pair:
    """What stands for nothing. Nothing itself cannot be written: it would come back as that."""

    def push(value: Any, account: Account) -> Any:
        if value in (None, ""):
            raise ValueError(f"nothing cannot be written here: it would come back as {fallback!r}")
        return value

    return Pair(lambda value, account: fallback if value in (None, "") else value, push, examples=(fallback,))


def json_list() -> Pair:
    """A list that travels as JSON inside a text."""

    def pull(value: Any, account: Account) -> list[Any]:
        if not value:
            return []
        try:
            decoded = json.loads(value) if isinstance(value, str) else value
        except (ValueError, RecursionError):
            raise ValueError(f"{shown(value)} is not a JSON list") from None
        if not isinstance(decoded, list):
            raise ValueError(f"{shown(value)} is not a list")
        return decoded

    def push(value: Any, account: Account) -> str:
        if not isinstance(value, (list, tuple)):
            raise ValueError(f"{shown(value)} is not a list")
        return json.dumps(value, ensure_ascii=False)

    return Pair(pull, push, examples=([], ["a", "č"]))
