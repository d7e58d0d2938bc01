"""Compiles the rows of a field mapping, and says of each what is wrong with it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from app.connectors.base import FieldMapping, FieldRow
from app.mappings import expressions, paths, shapes, transforms
from app.mappings.readers import Reader, reader
from app.mappings.transforms.pairs import Pair, Step

MOST_STEPS = 50
"""Transforms of a row."""


class FieldMappingInvalid(ValueError):
    """A field mapping that cannot be used: the row's target, and why."""

    def __init__(self, target: str, reason: str) -> None:
        super().__init__(f"{target}: {reason}.")


@dataclass(frozen=True, slots=True)
class CompiledRow:
    """A row as it is applied: to a document, or to each element of a list of it."""

    target: str
    """Within the element for a row of a list."""
    parents: tuple[str, ...]
    """The names on the way to its field."""
    key: str
    read: Reader
    """With the row's default for nothing."""
    pushes: tuple[Step, ...]
    put: paths.Setter | None
    """None: the row is pull only."""
    default: Any
    required: bool
    examples: tuple[Any, ...]
    """Values of the hub that its transforms are made for; none: all of the type."""

    @property
    def keys(self) -> tuple[str, ...]:
        """The names from the entity to its field."""
        return (*self.parents, self.key)


@dataclass(frozen=True, slots=True)
class CompiledList:
    """The rows that share a list."""

    name: str
    source: str
    get: paths.Getter
    put: paths.Setter
    rows: tuple[CompiledRow, ...]


@dataclass(frozen=True, slots=True)
class CompiledRows:
    """A whole field mapping."""

    rows: tuple[CompiledRow, ...]
    lists: tuple[CompiledList, ...]
    has_expressions: bool

    def by_target(self) -> Iterator[tuple[str, CompiledRow]]:
        """Every row with its whole target (`lines[].quantity`)."""
        yield from ((row.target, row) for row in self.rows)
        yield from ((f"{group.name}[].{row.target}", row) for group in self.lists for row in group.rows)


def compile_rows(entity: shapes.Struct, mapping: FieldMapping) -> CompiledRows:
    """Raises FieldMappingInvalid."""
    for index, reason in faults(entity, mapping):
        raise FieldMappingInvalid(mapping.rows[index].target, reason)
    plain = tuple(_compile(row) for row in mapping.rows if "[]." not in row.target)
    lists = tuple(_compile_list(name, rows) for name, rows in _by_list(mapping.rows).items())
    return CompiledRows(plain, lists, not all(paths.is_plain(_path(row)) for row in mapping.rows))


def faults(entity: shapes.Struct, mapping: FieldMapping) -> Iterator[tuple[int, str]]:
    """What is wrong, by the row's place in the mapping; at most one reason for a row from each kind of check."""
    for index, row in enumerate(mapping.rows):
        try:
            _check_row(entity, row)
        except ValueError as error:
            yield index, str(error)
    yield from _faults_of_lists(mapping.rows)
    yield from _faults_of_pushed(mapping.rows)


def _check_row(entity: shapes.Struct, row: FieldRow) -> None:
    shapes.find(entity, row.target)
    if len(row.path) > expressions.LONGEST:
        raise ValueError(f"its path has {len(row.path)} characters; at most {expressions.LONGEST} are allowed")
    if len(row.transforms) > MOST_STEPS:
        raise ValueError(f"it has {len(row.transforms)} transforms; at most {MOST_STEPS} are allowed")
    for name, *arguments in row.transforms:
        transforms.build(name, *arguments)
    name, _ = paths.split_list(row.target)
    if name and not paths.is_plain(paths.split_list(row.path)[0]):
        raise ValueError(f"its path must begin with the list that it reads, like {name}[].name")
    if paths.is_plain(_path(row)):
        _check_inverses(row)
        return
    expressions.parse(_path(row))
    if row.direction == "both":
        raise ValueError("what is read by an expression cannot be written; take a plain path, or only pull")


def _check_inverses(row: FieldRow) -> None:
    for name, *arguments in row.transforms:
        pair = transforms.build(name, *arguments)
        if row.direction == "both" and pair.push is None:
            raise ValueError(f"it cannot be written, because the transform {name!r} has no way back: {pair.lost}")


def _faults_of_lists(rows: Sequence[FieldRow]) -> Iterator[tuple[int, str]]:
    sources: dict[str, str] = {}
    for index, row in enumerate(rows):
        name, _ = paths.split_list(row.target)
        source, _ = paths.split_list(row.path)
        if name and sources.setdefault(name, source) != source:
            yield index, f"the rows of {name}[] must read one list, not {sources[name]!r} and {source!r}"


def _faults_of_pushed(rows: Sequence[FieldRow]) -> Iterator[tuple[int, str]]:
    """What is written must come from one row only, and go to a place of its own."""
    pushed = [(index, row) for index, row in enumerate(rows) if row.direction == "both"]
    for index, row in pushed:
        if any(other is not row and paths.overlap(row.target, other.target) for other in rows):
            yield index, "it cannot be written, because another row gives the same field"
        if any(other is not row and paths.overlap(row.path, other.path) for _, other in pushed):
            yield index, f"it cannot be written, because another row writes to {row.path!r} as well"


def _by_list(rows: Sequence[FieldRow]) -> dict[str, list[FieldRow]]:
    lists: dict[str, list[FieldRow]] = {}
    for row in rows:
        name, _ = paths.split_list(row.target)
        if name:
            lists.setdefault(name, []).append(row)
    return lists


def _compile_list(name: str, rows: Sequence[FieldRow]) -> CompiledList:
    source, _ = paths.split_list(rows[0].path)
    return CompiledList(name, source, paths.getter(source), paths.setter(source), tuple(map(_compile, rows)))


def _compile(row: FieldRow) -> CompiledRow:
    path, target = _path(row), paths.split_list(row.target)[1]
    *parents, key = target.split(".")
    pairs = [transforms.build(name, *arguments) for name, *arguments in row.transforms]
    return CompiledRow(
        target=target,
        parents=tuple(parents),
        key=key,
        read=reader(row, path, pairs),
        pushes=_pushes(pairs) if row.direction == "both" else (),
        put=paths.setter(path) if row.direction == "both" else None,
        default=row.default,
        required=row.required,
        examples=next((pair.examples for pair in reversed(pairs) if pair.examples), ()),
    )


def _path(row: FieldRow) -> str:
    """What is read: of the document, or of each element for a row of a list."""
    return paths.split_list(row.path)[1] if paths.split_list(row.target)[0] else row.path


def _pushes(pairs: Sequence[Pair]) -> tuple[Step, ...]:
    return tuple(pair.push for pair in reversed(pairs) if pair.push is not None)
