"""Rules of field mappings as data: what may be saved, and how versions differ. No I/O."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields as parts_of
from typing import Any

import msgspec

from app.connectors.base import FieldMapping, FieldRow
from app.errors import InvalidInput
from app.mappings import paths, rows, shapes
from app.mappings.field_models import RowChange
from app.records.entities import ENTITIES

MOST_ROWS = 500
LONGEST_NOTE = 1_000
_PARTS = tuple(part.name for part in parts_of(FieldRow))


def read_rows(given: Sequence[Mapping[str, Any]]) -> tuple[FieldRow, ...]:
    """Rows from JSON. Raises InvalidInput with each row that is none."""
    found, wrong = [], {}
    for index, row in enumerate(given):
        unknown = sorted(set(row) - set(_PARTS))
        try:
            found.append(msgspec.convert(row, FieldRow))
        except msgspec.ValidationError as error:
            wrong[f"rows.{index}"] = f"This is no row of a field mapping: {error}."
        if unknown:
            wrong[f"rows.{index}"] = f"A row has no {', '.join(unknown)}; it has {', '.join(_PARTS)}."
    if wrong:
        raise InvalidInput(fields=wrong)
    return tuple(found)


def check(entity: str, mapping: FieldMapping, note: str = "") -> None:
    """Raises InvalidInput with everything that is wrong, row by row."""
    wrong = {f"rows.{index}": f"{mapping.rows[index].target}: {reason}." for index, reason in _faults(entity, mapping)}
    if missing := ", ".join(_missing(entity, mapping.rows)):
        wrong["rows"] = f"A {entity.replace('_', ' ')} cannot be without {missing}; map it."
    if not mapping.rows or len(mapping.rows) > MOST_ROWS:
        wrong["rows"] = f"A field mapping has 1 to {MOST_ROWS} rows."
    elif not _storable(mapping.rows):
        wrong["rows"] = "A row holds a character that cannot be stored."
    if len(note) > LONGEST_NOTE or not _storable(note):
        wrong["note"] = f"A note has at most {LONGEST_NOTE} characters."
    if wrong:
        raise InvalidInput(fields=wrong)


def _storable(value: Any) -> bool:
    """Whether Postgres takes it as JSON: no NUL, no half of a surrogate pair."""
    try:
        return b"\\u0000" not in msgspec.json.encode(value)
    except UnicodeEncodeError:
        return False


def _faults(entity: str, mapping: FieldMapping) -> Iterator[tuple[int, str]]:
    yield from rows.faults(ENTITIES[entity], mapping)
    for index, row in enumerate(mapping.rows):
        if row.default is not None and not _fits(ENTITIES[entity], row):
            yield index, f"the default {row.default!r:.40} is not of the field's type"


def _fits(entity: shapes.Struct, row: FieldRow) -> bool:
    try:
        msgspec.convert(row.default, shapes.find(entity, row.target).type)
    except (ValueError, msgspec.ValidationError):
        return False
    return True


def _missing(entity: str, given: Sequence[FieldRow]) -> list[str]:
    """Fields that the entity, and each element of a mapped list, must have and no row gives."""
    targets = {row.target for row in given}
    lists = sorted({name for row in given if (name := paths.split_list(row.target)[0])})
    declared = shapes.fields(ENTITIES[entity])
    wanted = [name for name, shape in declared.items() if shape.required]
    for name in lists:
        if name in declared and (element := declared[name].element):
            wanted += [f"{name}[].{inner}" for inner, shape in shapes.fields(element).items() if shape.required]
    return [target for target in wanted if target not in targets]


def difference(before: Sequence[FieldRow], after: Sequence[FieldRow]) -> list[RowChange]:
    """What was removed, changed and added, in the order of the rows. Rows of one target are told apart by their order."""
    old, new = _by_target(before), _by_target(after)
    keys = [*old, *(key for key in new if key not in old)]
    return [_row_change(key[0], old.get(key), new.get(key)) for key in keys if old.get(key) != new.get(key)]


def _by_target(given: Sequence[FieldRow]) -> dict[tuple[str, int], FieldRow]:
    found: dict[tuple[str, int], FieldRow] = {}
    for row in given:
        place = sum(1 for target, _ in found if target == row.target)
        found[row.target, place] = row
    return found


def _row_change(target: str, before: FieldRow | None, after: FieldRow | None) -> RowChange:
    if before is None or after is None:
        return RowChange(target, before, after, ())
    return RowChange(target, before, after, tuple(part for part in _PARTS if getattr(before, part) != getattr(after, part)))
