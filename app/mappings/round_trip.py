"""The law of two-way mappings: `pull(push(x)) == x` for every pushed field. A mapping that breaks it would sync forever."""

import itertools
import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import msgspec

from app.connectors.base import Account, FieldMapping
from app.mappings import examples, shapes
from app.mappings.covers import Coverage
from app.mappings.paths import Document
from app.mappings.rows import CompiledRow
from app.mappings.translate import Data, RecordInvalid, Translator, push_value
from app.records.entities import ENTITIES

RECORDS = 40
"""How many records are made to try a mapping on."""


@dataclass(frozen=True, slots=True)
class Broken:
    """The target whose value does not come back, and a value of the hub that shows it."""

    field: str
    example: Any
    reason: str
    """A sentence without its full stop."""

    @property
    def sentence(self) -> str:
        """The reason with its example, where that does not stand in it."""
        example = f"{msgspec.to_builtins(self.example)!r:.80}"
        return f"{self.reason}." if self.example is None or example in self.reason else f"{self.reason} (for example {example})."


def check_round_trip(entity: str, mapping: FieldMapping, samples: Iterable[Document], account: Account) -> Broken | None:
    """Try the law on made records and on what the documents become. None: it holds. Raises FieldMappingInvalid."""
    pushed = pushed_only(entity, mapping)
    if not pushed.fields:
        return None
    chosen: dict[str, list[Any]] = {}
    for target, row in pushed.compiled.by_target():
        shape = shapes.find(ENTITIES[entity], target)
        chosen[target] = [value for value in _candidates(row, shape) if _can_be_pushed(row, shape, value, account)]
        if all(value is None or value == "" for value in chosen[target]):
            return Broken(target, None, "none of the values that were tried can be written")
    made = examples.records(ENTITIES[entity], chosen, RECORDS)
    records = itertools.chain(made, _records_of(Translator(entity, mapping), samples, account))
    return next((broken for record in records if (broken := broken_by(pushed, record, account))), None)


def pushed_only(entity: str, mapping: FieldMapping) -> Translator:
    """The mapping with nothing but the rows that are pushed."""
    return Translator(entity, replace(mapping, rows=tuple(row for row in mapping.rows if row.direction == "both"), custom_prefixes=()))


def broken_by(pushed: Translator, record: Data, account: Account) -> Broken | None:
    """What of a record does not come back from a mapping of pushed rows. What push refuses breaks nothing."""
    try:
        document = pushed.untranslate(record, account)
    except RecordInvalid:
        return None
    try:
        values = pushed.values(document, account)
    except RecordInvalid as refused:
        return Broken(_target(refused.field), document, f"what is written is refused when it comes back: {refused.reason}")
    return _wrong_type(pushed, values) or _difference(pushed, record, msgspec.to_builtins(values))


def _wrong_type(pushed: Translator, values: dict[str, Any]) -> Broken | None:
    for target, _ in pushed.compiled.by_target():
        type_ = shapes.find(ENTITIES[pushed.entity_name], target).type
        for leaf in _leaves(values, target):
            try:
                msgspec.convert(leaf, type_)
            except msgspec.ValidationError as error:
                return Broken(target, leaf, f"what is written is refused when it comes back: {error}")
    return None


def _leaves(values: Any, target: str) -> list[Any]:
    """What stands at a target: one value, one for each element of a list, or none."""
    for place, key in enumerate(target.split(".")):
        if key.endswith("[]"):
            rest = ".".join(target.split(".")[place + 1 :])
            return [leaf for element in values.get(key[:-2], ()) for leaf in _leaves(element, rest)]
        if key not in values:
            return []
        values = values[key]
    return [values]


def _target(place: str) -> str:
    """`lines[2].price` as the target of its row."""
    return re.sub(r"\[[^]]*\]", "[]", place)


def _difference(pushed: Translator, record: Data, back: Data) -> Broken | None:
    if pushed.same(record, back):
        return None
    entity = ENTITIES[pushed.entity_name]
    for target, _ in pushed.compiled.by_target():
        coverage = _coverage(entity, target)
        for field in coverage.changed(record, back):
            ours, theirs = coverage.part(record, field), coverage.part(back, field)
            if shapes.find(entity, target) is shapes.FREE and None in ours.values():
                continue  # what the record does not have was not written
            return Broken(target, ours, f"what is written comes back changed: {ours!r:.80} as {theirs!r:.80}")
    return None


@lru_cache(maxsize=2_000)
def _coverage(entity: shapes.Struct, target: str) -> Coverage:
    return Coverage(entity, [target])


def _candidates(row: CompiledRow, shape: shapes.Shape) -> list[Any]:
    nothing = [] if row.required or shape.required else [shape.default]
    return [*row.examples, *examples.values(shape), *nothing]


def _can_be_pushed(row: CompiledRow, shape: shapes.Shape, value: Any, account: Account) -> bool:
    try:
        typed = None if value is None else msgspec.convert(value, shape.type)
        return push_value(row, typed, account) is not None or value is None
    except (ValueError, msgspec.ValidationError):
        return False


def _records_of(translator: Translator, documents: Iterable[Document], account: Account) -> Iterator[dict[str, Any]]:
    for document in documents:
        with suppress(RecordInvalid):  # what cannot be read is no example of what can be written
            yield msgspec.to_builtins(translator.translate(document, account))
