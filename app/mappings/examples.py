"""Records to try a field mapping on: values that providers and people are known to trip over, for every field.

Texts have no spaces at their ends and times are whole seconds: what is pushed is brought to that form.
"""

import itertools
import typing
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import msgspec

from app.mappings import shapes

_TEXTS = (
    "a", "", "0", "1", "null", "false", "čšž ŠČŽ", "漢字 🏗 שלום", "two  spaces", "a=b, 'c' \"d\" <e>&f", "first\nsecond",
    "+386 1 234 56 78", "SI12345678", "Slovenija", "2026-03-01", "1.5", "1,5", "x" * 60,
)  # fmt: skip
_NUMBERS = ("1", "0", "-1", "0.0001", "20.7000", "1E+3", "12345678.9012", "-0.5")
_DATES = (date(2026, 3, 1), date(2024, 2, 29), date(1970, 1, 1), date(2026, 12, 31))
# Around both clock changes of Europe: 00:30 and 01:30 UTC are the same local time there in October.
_TIMES = (
    datetime(2026, 7, 1, 10, tzinfo=UTC),
    datetime(2026, 3, 29, 0, 59, 59, tzinfo=UTC),
    datetime(2026, 3, 29, 1, tzinfo=UTC),
    datetime(2026, 10, 25, 0, 30, tzinfo=UTC),
    datetime(2026, 10, 25, 1, 30, tzinfo=UTC),
    datetime(1999, 12, 31, 23, 59, 59, tzinfo=UTC),
)
_VALUES: Mapping[Any, tuple[Any, ...]] = {
    str: _TEXTS,
    bool: (True, False),
    int: (1, 0, -1, 42),
    Decimal: _NUMBERS,
    date: tuple(msgspec.to_builtins(_DATES)),
    datetime: tuple(msgspec.to_builtins(_TIMES)),
    Any: _TEXTS,
}

Chosen = Mapping[str, Sequence[Any]]
"""By target: the values to use instead of all that the type has."""


def values(shape: shapes.Shape) -> tuple[Any, ...]:
    """Values of a field as JSON, its default among them; none for a type that nothing is known of."""
    return (*_of_type(shape.type), *([] if shape.default is None else [shape.default]))


def _of_type(type_: Any) -> tuple[Any, ...]:
    if typing.get_origin(type_) is typing.Literal:
        return typing.get_args(type_)
    if typing.get_origin(type_) is tuple:
        found = _of_type(typing.get_args(type_)[0])
        return [], list(found[:1]), list(found[:5])
    return _VALUES.get(type_, ())


def records(entity: shapes.Struct, chosen: Chosen, count: int) -> list[dict[str, Any]]:
    """So many records as JSON: each takes the next value of every field that is chosen, and the first of those that must be there."""
    return [_record(entity, chosen, number, "") for number in range(count)]


def _record(struct: shapes.Struct, chosen: Chosen, number: int, place: str) -> dict[str, Any]:
    made: dict[str, Any] = {}
    for name, shape in shapes.fields(struct).items():
        target = place + name
        if target in chosen:
            made[name] = chosen[target][number % len(chosen[target])]
        elif shape.element is not None and _within(chosen, f"{target}[]."):
            made[name] = [_record(shape.element, chosen, number + step, f"{target}[].") for step in range(number % 4)]
        elif shape.struct is not None and _within(chosen, f"{target}."):
            made[name] = _record(shape.struct, chosen, number, f"{target}.")
        elif shape.is_free:
            made[name] = {
                other.removeprefix(f"{target}."): chosen[other][number % len(chosen[other])] for other in _within(chosen, f"{target}.")
            }
        elif shape.required:
            made[name] = next(itertools.chain(values(shape), [None]))
    return {name: value for name, value in made.items() if value is not None}


def _within(chosen: Chosen, place: str) -> list[str]:
    return [target for target in chosen if target.startswith(place)]
