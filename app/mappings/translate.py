"""Compiles a field mapping once and translates documents with it, to the hub and back.

A row's target may be nested (`address.city`) and may stand for each element of a list (`lines[].quantity` from
`lines[].quantity`). The result is built as the entity's own struct, so a wrong type is refused here and not stored.
"""

from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from hashlib import blake2b
from typing import Any

import msgspec

from app.connectors.base import Account, FieldMapping
from app.mappings.covers import Coverage
from app.mappings.expressions import Evaluation
from app.mappings.paths import Document
from app.mappings.rows import CompiledList, CompiledRow, compile_rows
from app.records.entities import ENTITIES

Data = Mapping[str, Any]
"""A record's data: its entity as JSON."""


class RecordInvalid(ValueError):
    """What cannot become a record, or a provider's document: which field, and why, for the person who can fix it."""

    def __init__(self, stage: str, field: str, reason: str) -> None:
        super().__init__(f"{field}: {reason}." if field else f"{reason}.")
        self.stage = stage
        self.field = field
        self.reason = reason


class Translator:
    """Documents of one stream ↔ its entity. Raises FieldMappingInvalid when it is made of rows that cannot be used."""

    def __init__(self, entity: str, mapping: FieldMapping) -> None:
        self.entity_name = entity
        self._entity = ENTITIES[entity]
        self._mapping = mapping
        self.compiled = compile_rows(self._entity, mapping)
        self._has_expressions = self.compiled.has_expressions
        self._pushed_rows = tuple(row for row in self.compiled.rows if row.put is not None)
        self._pushed_lists = tuple(group for group in self.compiled.lists if any(row.put is not None for row in group.rows))
        self.version = _version(entity, mapping)
        """63 bits that change whenever the same document may give another record."""

    def translate(self, document: Document, account: Account) -> msgspec.Struct:
        """The entity. Raises RecordInvalid with the stage (translate or validate), the field and the reason."""
        values = self.values(document, account)
        try:
            return msgspec.convert(values, self._entity)
        except msgspec.ValidationError as error:
            raise RecordInvalid("validate", "", str(error)) from None

    def values(self, document: Document, account: Account) -> dict[str, Any]:
        """What the rows give, before it is made an entity. Raises RecordInvalid."""
        evaluation = Evaluation() if self._has_expressions else None
        values = _pull(self.compiled.rows, document, account, evaluation)
        for group in self.compiled.lists:
            values[group.name] = _pull_list(group, document, account, evaluation)
        if prefixes := self._mapping.custom_prefixes:
            values.setdefault("custom", {}).update((key, value) for key, value in document.items() if key.startswith(prefixes))
        return values

    def untranslate(self, data: Data, account: Account) -> Document:
        """The provider's document with everything that is pushed, whole. Raises RecordInvalid with the stage push."""
        try:
            entity = msgspec.convert(data, self._entity)
        except msgspec.ValidationError as error:
            raise RecordInvalid("push", "", str(error)) from None
        document: Document = {}
        _push(self._pushed_rows, entity, account, document)
        for group in self._pushed_lists:
            group.put(document, _push_list(group, getattr(entity, group.name), account))
        return document

    @property
    def fields(self) -> tuple[str, ...]:
        """The top-level fields of the entity that it maps."""
        return self._coverage.fields

    @cached_property
    def pushed_fields(self) -> tuple[str, ...]:
        """The top-level fields of which something is pushed."""
        return self._pushed_coverage.fields

    def document_names(self, fields: Iterable[str]) -> frozenset[str]:
        """The top-level names of the pushed document that hold something of these fields."""
        wanted = set(fields)
        rows = [row for row in self._mapping.rows if row.direction == "both" and _field(row.target) in wanted]
        return frozenset(_field(row.path) for row in rows)

    def part(self, data: Data, field: str) -> Any:
        """What this mapping covers of a top-level field (`address.city` of `address`), with defaults where it is missing."""
        return self._coverage.part(data, field)

    def changed(self, before: Data, after: Data) -> frozenset[str]:
        """The fields that differ in what this mapping covers: numbers by value, missing as its default."""
        return self._coverage.changed(before, after)

    def pushed_changed(self, before: Data, after: Data) -> frozenset[str]:
        """The fields that differ in what is pushed: whether there is anything to write."""
        return self._pushed_coverage.changed(before, after)

    def same(self, one: Data, other: Data) -> bool:
        """Whether nothing differs in what this mapping covers."""
        return not self._coverage.changed(one, other)

    def added_since(self, earlier: "Translator") -> Coverage:
        """What this mapping covers of records and the earlier one did not."""
        known = {row.target for row in earlier._mapping.rows}
        return Coverage(self._entity, (row.target for row in self._mapping.rows if row.target not in known))

    def merge(self, ours: Data, theirs: Data, take: Iterable[str]) -> dict[str, Any]:
        """Ours, with what this mapping covers of the fields in `take` from theirs.

        In a list their elements count; what is not covered stays with the elements of the same external id.
        """
        return self._coverage.merge(ours, theirs, take)

    @cached_property
    def _coverage(self) -> Coverage:
        return Coverage(self._entity, (row.target for row in self._mapping.rows), self._mapping.custom_prefixes)

    @cached_property
    def _pushed_coverage(self) -> Coverage:
        return Coverage(self._entity, (row.target for row in self._mapping.rows if row.direction == "both"))


def _version(entity: str, mapping: FieldMapping) -> int:
    content = msgspec.json.encode([entity, mapping.version, mapping.rows, mapping.custom_prefixes], order="deterministic")
    return int.from_bytes(blake2b(content, digest_size=8).digest()) >> 1


def _field(target: str) -> str:
    return target.partition(".")[0].removesuffix("[]")


def _pull(
    rows: Sequence[CompiledRow], document: Document, account: Account, evaluation: Evaluation | None, place: str = ""
) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for row in rows:
        try:
            value = row.read(document, evaluation, account)
        except ValueError as error:
            raise RecordInvalid("translate", place + row.target, str(error)) from None
        if row.required and (value is None or value == ""):
            raise RecordInvalid("validate", place + row.target, "this is required and missing")
        if value is not None:
            within = values
            for key in row.parents:
                within = within.setdefault(key, {})
            within[row.key] = value
    return values


def _pull_list(group: CompiledList, document: Document, account: Account, evaluation: Evaluation | None) -> list[dict[str, Any]]:
    elements = group.get(document) or ()
    if not isinstance(elements, (list, tuple)):
        raise RecordInvalid("translate", group.name, "this is not a list")
    values = []
    for place, element in enumerate(elements):
        if not isinstance(element, dict):
            raise RecordInvalid("translate", f"{group.name}[{place}]", "this is not an object")
        values.append(_pull(group.rows, element, account, evaluation, f"{group.name}[{place}]."))
    return values


def _push(rows: Sequence[CompiledRow], entity: Any, account: Account, document: Document, place: str = "") -> None:
    for row in rows:
        value = _read(entity, row.keys)
        if value is not _ABSENT and row.put is not None:
            try:
                row.put(document, push_value(row, value, account))
            except ValueError as error:
                raise RecordInvalid("push", place + row.target, str(error)) from None


def push_value(row: CompiledRow, value: Any, account: Account) -> Any:
    """A value of the hub as the row writes it. Raises ValueError with a sentence."""
    if value is None and row.default is not None:
        raise ValueError(f"nothing cannot be written here: it would come back as {row.default!r}")
    for step in row.pushes:
        value = step(value, account)
    if row.required and value in (None, ""):
        raise ValueError("this is required and missing")
    written = msgspec.to_builtins(value)
    return list(written) if isinstance(written, tuple) else written


def _push_list(group: CompiledList, elements: Sequence[Any], account: Account) -> list[Document]:
    written = []
    for place, element in enumerate(elements):
        document: Document = {}
        _push([row for row in group.rows if row.put is not None], element, account, document, f"{group.name}[{place}].")
        written.append(document)
    return written


_ABSENT: Any = object()


def _read(entity: Any, keys: tuple[str, ...]) -> Any:
    """A field's value; a name under `custom` that the record does not have is absent, and left alone at the provider."""
    for key in keys:
        entity = entity.get(key, _ABSENT) if isinstance(entity, dict) else getattr(entity, key)
    return entity
