"""Compiles a field mapping once and translates documents with it.

A row's target may be nested (`address.city`) and may stand for each element of a list (`lines[].quantity` from
`lines[].quantity`). The result is built as the entity's own struct, so a wrong type is refused here and not stored.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from app.connectors.base import Account, FieldMapping, FieldRow
from app.mappings import transforms
from app.mappings.transforms.pairs import Step
from app.records.entities import ENTITIES

Document = dict[str, Any]
_Getter = Callable[[Any], Any]


class RecordInvalid(ValueError):
    """A document that cannot become a record: which field, and why, for the person who can fix it."""

    def __init__(self, stage: str, field: str, reason: str) -> None:
        super().__init__(f"{field}: {reason}." if field else f"{reason}.")
        self.stage = stage


@dataclass(frozen=True, slots=True)
class _Row:
    target: tuple[str, ...]
    get: _Getter
    transforms: tuple[Step, ...]
    row: FieldRow


class Translator:
    """Documents of one stream → its entity. `version` changes whenever the same document may give another record."""

    def __init__(self, entity: str, mapping: FieldMapping) -> None:
        self.entity_name = entity
        self._entity = ENTITIES[entity]
        self.version = mapping.version
        self._prefixes = mapping.custom_prefixes
        self._rows = _compile([row for row in mapping.rows if "[]" not in row.target])
        self._lists = [_compile_list(name, rows) for name, rows in _by_list(mapping.rows).items()]

    def translate(self, document: Document, account: Account) -> msgspec.Struct:
        """The entity. Raises RecordInvalid with the stage (translate or validate), the field and the reason."""
        values = _apply(self._rows, document, account)
        for name, source, rows in self._lists:
            values[name] = [_apply(rows, element, account, f"{name}[{n}].") for n, element in enumerate(source(document) or ())]
        if self._prefixes:
            values["custom"] = {key: value for key, value in document.items() if key.startswith(self._prefixes)}
        try:
            return msgspec.convert(values, self._entity)
        except msgspec.ValidationError as error:
            raise RecordInvalid("validate", "", str(error)) from None


def _by_list(rows: Sequence[FieldRow]) -> dict[str, list[FieldRow]]:
    lists: dict[str, list[FieldRow]] = {}
    for row in rows:
        if "[]" in row.target:
            lists.setdefault(row.target.split("[]", 1)[0], []).append(row)
    return lists


def _compile_list(name: str, rows: Sequence[FieldRow]) -> tuple[str, _Getter, list[_Row]]:
    sources = {row.path.split("[]", 1)[0] for row in rows}
    if len(sources) != 1:
        raise ValueError(f"The rows of {name}[] must read one list, not {sorted(sources)}.")
    return name, _getter(sources.pop()), _compile(rows)


def _compile(rows: Sequence[FieldRow]) -> list[_Row]:
    return [
        _Row(
            tuple(row.target.split("[].", 1)[-1].split(".")),
            _getter(row.path.split("[].", 1)[-1]),
            tuple(transforms.build(name, *arguments).pull for name, *arguments in row.transforms),
            row,
        )
        for row in rows
    ]


def _getter(path: str) -> _Getter:
    """A closure for a plain dotted path; what is missing on the way is None."""
    first, *rest = path.split(".")
    if not rest:
        return lambda document: document.get(first)

    def get(document: Any) -> Any:
        value = document.get(first)
        for key in rest:
            value = value.get(key) if isinstance(value, dict) else None
        return value

    return get


def _apply(rows: Sequence[_Row], document: Document, account: Account, prefix: str = "") -> Document:
    values: Document = {}
    for row in rows:
        try:
            value = row.get(document)
            for transform in row.transforms:
                value = transform(value, account)
        except ValueError as error:
            raise RecordInvalid("translate", prefix + row.row.target.split("[].", 1)[-1], str(error)) from None
        if value is None:
            value = row.row.default
        if row.row.required and value in (None, ""):
            raise RecordInvalid("validate", prefix + row.row.target.split("[].", 1)[-1], "this is required and missing")
        if value is not None:
            _set(values, row.target, value)
    return values


def _set(values: Document, target: tuple[str, ...], value: Any) -> None:
    *parents, last = target
    for key in parents:
        values = values.setdefault(key, {})
    values[last] = value
