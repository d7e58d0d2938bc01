"""Plain dotted paths into documents: read and written by closures that are made once."""

import re
from collections.abc import Callable
from typing import Any

Document = dict[str, Any]
Getter = Callable[[Any], Any]
Setter = Callable[[Document, Any], None]

# A key holds none of the signs that an expression is made of; "@" alone is an expression, "@currency" is a key.
_KEY = r"(?!@(?:\.|$))[\w@$#/-](?:[\w@$#:/ -]*[\w@$#:/-])?"
_PLAIN = re.compile(rf"{_KEY}(?:\.{_KEY})*")


def is_plain(path: str) -> bool:
    """Whether this is a dotted path of keys and no expression."""
    return _PLAIN.fullmatch(path) is not None


def split_list(path: str) -> tuple[str, str]:
    """`lines[].price` as (`lines`, `price`): the list, and what is read of each element. The list is "" for other paths."""
    before, found, behind = path.partition("[].")
    return (before, behind) if found else ("", path)


def getter(path: str) -> Getter:
    """Reads a plain path; what is missing on the way is None."""
    first, *rest = path.split(".")
    if not rest:
        return lambda document: document.get(first)

    def get(document: Any) -> Any:
        value = document.get(first)
        for key in rest:
            value = value.get(key) if isinstance(value, dict) else None
        return value

    return get


def setter(path: str) -> Setter:
    """Writes at a plain path; makes the objects on the way."""
    *parents, last = path.split(".")

    def put(document: Document, value: Any) -> None:
        for key in parents:
            document = document.setdefault(key, {})
        document[last] = value

    return put


def overlap(one: str, other: str) -> bool:
    """Whether two paths or targets are the same place, or one lies within the other."""
    shorter, longer = sorted((one.replace("[]", ""), other.replace("[]", "")), key=len)
    return longer == shorter or longer.startswith(shorter + ".")
