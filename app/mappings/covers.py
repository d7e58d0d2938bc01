"""What a field mapping covers of records: for comparing two of them, and for taking over a part of one.

Records are their JSON. What is missing is the same as its default; numbers are compared by value, times by instant.
What a mapping does not read is never compared and never taken.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from app.mappings import shapes

_MISSING: Any = object()


class Cover(Protocol):
    """What is covered of one field's value."""

    def part(self, value: Any) -> Any:
        """The covered leaves, with defaults where they are missing."""
        ...

    def key(self, value: Any) -> Any:
        """The same in a form in which equal is equal."""
        ...

    def take(self, ours: Any, theirs: Any) -> Any:
        """Ours with their covered leaves; _MISSING where nothing is left."""
        ...


@dataclass(frozen=True, slots=True)
class _Whole:
    """All of a value."""

    default: Any
    comparable: Callable[[Any], Any]

    def part(self, value: Any) -> Any:
        return self.default if value is _MISSING or value is None else value

    def key(self, value: Any) -> Any:
        return self.comparable(self.part(value))

    def take(self, ours: Any, theirs: Any) -> Any:
        return theirs


@dataclass(frozen=True, slots=True)
class _Object:
    """Some leaves of an object, and every leaf whose name begins with one of the prefixes."""

    leaves: Mapping[str, Cover]
    prefixes: tuple[str, ...] = ()

    def part(self, value: Any) -> dict[str, Any]:
        found = _object(value)
        covered = {name: leaf.part(found.get(name, _MISSING)) for name, leaf in self.leaves.items()}
        return covered | {name: found[name] for name in self._prefixed(found)}

    def key(self, value: Any) -> dict[str, Any]:
        found = _object(value)
        covered = {name: leaf.key(found.get(name, _MISSING)) for name, leaf in self.leaves.items()}
        return covered | {name: found[name] for name in self._prefixed(found)}

    def take(self, ours: Any, theirs: Any) -> Any:
        mine, other = _object(ours), _object(theirs)
        covered = {*self.leaves, *self._prefixed(mine)}
        taken = {name: value for name, value in mine.items() if name not in covered}
        for name, leaf in self.leaves.items():
            value = leaf.take(mine.get(name, _MISSING), other.get(name, _MISSING))
            if value is not _MISSING:
                taken[name] = value
        taken |= {name: other[name] for name in self._prefixed(other)}
        return taken if taken or not (ours is theirs is _MISSING) else _MISSING

    def _prefixed(self, value: Mapping[str, Any]) -> Iterable[str]:
        return [name for name in value if name not in self.leaves and name.startswith(self.prefixes)] if self.prefixes else ()


@dataclass(frozen=True, slots=True)
class _List:
    """Some leaves of each element of a list."""

    element: _Object

    def part(self, value: Any) -> list[Any]:
        return [self.element.part(one) for one in _list(value)]

    def key(self, value: Any) -> list[Any]:
        return [self.element.key(one) for one in _list(value)]

    def take(self, ours: Any, theirs: Any) -> Any:
        """Their elements; what is not covered stays with the elements of ours that have the same external id."""
        if ours is theirs is _MISSING:
            return _MISSING
        known = {one["external_id"]: one for one in map(_object, _list(ours)) if one.get("external_id")}
        return [self.element.take(known.get(_object(one).get("external_id")), one) for one in _list(theirs)]


def _object(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _list(value: Any) -> list[Any] | tuple[Any, ...]:
    return value if isinstance(value, (list, tuple)) else ()


def covers(entity: shapes.Struct, targets: Iterable[str], prefixes: tuple[str, ...] = ()) -> dict[str, Cover]:
    """What the targets cover, by top-level field; with prefixes, `custom` too."""
    by_field: dict[str, list[str]] = {}
    for target in targets:
        head, _, rest = target.partition(".")
        by_field.setdefault(head, []).append(rest)
    declared = shapes.fields(entity)
    found = {head.removesuffix("[]"): _cover(declared[head.removesuffix("[]")], head, rests) for head, rests in by_field.items()}
    if prefixes and "custom" in declared:
        found["custom"] = _Object({name: _Whole(None, shapes.comparable(shapes.FREE)) for name in by_field.get("custom", ())}, prefixes)
    return found


def _cover(shape: shapes.Shape, head: str, rests: list[str]) -> Cover:
    if "" in rests:
        return _Whole(shape.default, shapes.comparable(shape))
    if head.endswith("[]") and shape.element is not None:
        return _List(_Object(covers(shape.element, rests)))
    if shape.struct is not None:
        return _Object(covers(shape.struct, rests))
    return _Object({name: _Whole(None, shapes.comparable(shapes.FREE)) for name in rests})


class Coverage:
    """The covered parts of an entity's records."""

    def __init__(self, entity: shapes.Struct, targets: Iterable[str], prefixes: tuple[str, ...] = ()) -> None:
        self._covers = covers(entity, targets, prefixes)
        self.fields = tuple(self._covers)

    def part(self, data: Mapping[str, Any], field: str) -> Any:
        return self._covers[field].part(data.get(field, _MISSING))

    def changed(self, before: Mapping[str, Any], after: Mapping[str, Any]) -> frozenset[str]:
        if before == after:
            return frozenset()
        return frozenset(name for name, cover in self._covers.items() if not _same(cover, before, after, name))

    def merge(self, ours: Mapping[str, Any], theirs: Mapping[str, Any], take: Iterable[str]) -> dict[str, Any]:
        merged = dict(ours)
        for name in take:
            value = self._covers[name].take(merged.pop(name, _MISSING), theirs.get(name, _MISSING))
            if value is not _MISSING:
                merged[name] = value
        return merged


def _same(cover: Cover, before: Mapping[str, Any], after: Mapping[str, Any], name: str) -> bool:
    one, other = before.get(name, _MISSING), after.get(name, _MISSING)
    return one is other or bool(one == other) or bool(cover.key(one) == cover.key(other))
