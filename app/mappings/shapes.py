"""What an entity's struct says of a field mapping's targets: which there are, their types, their defaults."""

import types
import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from functools import cache
from typing import Any

import msgspec
from msgspec import structs

Struct = type[msgspec.Struct]


@dataclass(frozen=True, slots=True)
class Shape:
    """One field of a struct."""

    type: Any
    default: Any
    """As JSON has it; None for a required field."""
    required: bool = False

    @property
    def struct(self) -> Struct | None:
        """The struct that it is."""
        return self.type if _is_struct(self.type) else None

    @property
    def element(self) -> Struct | None:
        """The struct that each of its elements is."""
        arguments = typing.get_args(self.type)
        return arguments[0] if arguments and typing.get_origin(self.type) is tuple and _is_struct(arguments[0]) else None

    @property
    def is_free(self) -> bool:
        """Whether it holds values under names that no struct declares (`custom`)."""
        return typing.get_origin(self.type) is dict


FREE = Shape(Any, None)
"""A value under a name that no struct declares."""


@cache
def fields(struct: Struct) -> Mapping[str, Shape]:
    """The struct's fields by name."""
    return {field.name: Shape(_without_none(field.type), _default(field), field.required) for field in structs.fields(struct)}


def find(struct: Struct, target: str) -> Shape:
    """The field that a target names: `name`, `address.city`, `lines[].quantity`, `custom.anything`. Raises ValueError."""
    shape = _find(struct, target)
    if shape is None:
        raise ValueError("there is no such field")
    return shape


def _find(struct: Struct, target: str) -> Shape | None:
    head, _, rest = target.partition(".")
    shape = fields(struct).get(head.removesuffix("[]"))
    if shape is None:
        return None
    inner = shape.element if head.endswith("[]") else shape.struct
    if inner is not None and rest:
        return _find(inner, rest)
    if shape.is_free and rest and "." not in rest:
        return FREE
    return None if rest or head.endswith("[]") else shape


def comparable(shape: Shape) -> Callable[[Any], Any]:
    """How its values are compared: numbers by value, times by instant, an empty text as nothing where nothing is allowed."""
    if shape.type is str and shape.default is None:
        return lambda value: value or None
    return {Decimal: _number, datetime: _instant}.get(shape.type, _as_it_is)


def _as_it_is(value: Any) -> Any:
    return value


def _number(value: Any) -> Any:
    try:
        return value if value is None else Decimal(str(value))
    except InvalidOperation:
        return value


def _instant(value: Any) -> Any:
    try:
        return datetime.fromisoformat(value).astimezone(UTC) if isinstance(value, str) else value
    except ValueError:
        return value


def _default(field: structs.FieldInfo) -> Any:
    if field.default_factory is not msgspec.NODEFAULT:
        return _json(field.default_factory())
    return None if field.default is msgspec.NODEFAULT else _json(field.default)


def _json(value: Any) -> Any:
    return msgspec.json.decode(msgspec.json.encode(value))


def _without_none(type_: Any) -> Any:
    if isinstance(type_, types.UnionType) or typing.get_origin(type_) is typing.Union:
        others = [one for one in typing.get_args(type_) if one is not types.NoneType]
        return others[0] if len(others) == 1 else type_
    return type_


def _is_struct(type_: Any) -> bool:
    return isinstance(type_, type) and issubclass(type_, msgspec.Struct)
