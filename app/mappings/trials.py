"""Tries field mappings on stored objects. Pure: objects and mappings in, what would become of them out."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import msgspec

from app.connectors.base import Account, FieldMapping, Part, Stream
from app.mappings import expressions, paths
from app.mappings.field_models import BackTest, DiscoveredField, FieldChange, PreviewedRecord
from app.mappings.translate import RecordInvalid, Translator

SHOWN_CHARACTERS = 80
"""How much of a value is shown as an example."""
MOST_NAMES = 1_000
"""Different names that are told apart when custom fields are looked for."""
SHOWN_RECORDS = 20
"""Examples that a back test shows."""

_UNUSABLE = (ValueError, TypeError, AttributeError, LookupError, ArithmeticError, RecursionError, msgspec.MsgspecError)
"""What an object that nobody thought of may cause; the others go on."""


@dataclass(frozen=True, slots=True)
class Sample:
    """A stored object with what its document is assembled from."""

    external_id: str
    payload: bytes
    parts: Sequence[Part]


def documents(stream: Stream, samples: Iterable[Sample], account: Account) -> Iterator[dict[str, Any]]:
    """The documents of those that can be assembled."""
    for sample in samples:
        try:
            yield stream.assemble(sample.payload, sample.parts, account)
        except _UNUSABLE:
            continue


def preview(stream: Stream, now: Translator | None, then: Translator, sample: Sample, account: Account) -> PreviewedRecord:
    """One object by the mapping that counts now (None: it cannot be used any more) and by another one."""
    before, error_before = _translated(stream, now, sample, account) if now else (None, "The field mapping cannot be used any more.")
    after, error = _translated(stream, then, sample, account)
    changes = () if before is None or after is None else _changes(before, after)
    return PreviewedRecord(sample.external_id, changes, error_before, error, _title(before or after or {}))


def _title(data: Mapping[str, Any]) -> str:
    return str(next((data[name] for name in ("name", "number", "title") if data.get(name)), ""))


def _translated(stream: Stream, translator: Translator, sample: Sample, account: Account) -> tuple[dict[str, Any] | None, str | None]:
    try:
        entity = translator.translate(stream.assemble(sample.payload, sample.parts, account), account)
        return msgspec.json.decode(msgspec.json.encode(entity)), None
    except RecordInvalid as refused:
        return None, str(refused)
    except _UNUSABLE as error:
        return None, (str(error).strip() or type(error).__name__)[:500]


def _changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[FieldChange, ...]:
    names = sorted({*before, *after})
    return tuple(FieldChange(name, before.get(name), after.get(name)) for name in names if before.get(name) != after.get(name))


def back_test(previews: Sequence[PreviewedRecord]) -> BackTest:
    """The previews counted."""
    failing = [one for one in previews if one.error and not one.error_before]
    healed = [one for one in previews if one.error_before and not one.error]
    changed = [one for one in previews if one.changes]
    still_failing = sum(1 for one in previews if one.error and one.error_before)
    return BackTest(
        examined=len(previews),
        unchanged=len(previews) - len(failing) - len(healed) - len(changed) - still_failing,
        changed=len(changed),
        failing=len(failing),
        healed=len(healed),
        still_failing=still_failing,
        fields=Counter(change.field for one in changed for change in one.changes),
        examples=tuple([*failing, *changed, *healed][:SHOWN_RECORDS]),
    )


def discovered(mapping: FieldMapping, found: Iterable[Mapping[str, Any]]) -> list[DiscoveredField]:
    """The names in documents that no row reads and that hold something, those seen most first."""
    read = _names_read(mapping)
    is_read = lru_cache(maxsize=None)(lambda path: _is_read(path, read))
    seen: Counter[str] = Counter()
    examples: dict[str, str] = {}
    for document in found:
        for path, value in dict(_leaves(document)).items():
            if not is_read(path) and (path in seen or len(seen) < MOST_NAMES):
                seen[path] += 1
                examples.setdefault(path, _shown(value))
    return [DiscoveredField(path, count, examples[path], path.startswith(mapping.custom_prefixes)) for path, count in seen.most_common()]


def _leaves(document: Mapping[str, Any], place: str = "") -> Iterator[tuple[str, Any]]:
    """Every value that is something, by its path; elements of a list share one."""
    for name, value in document.items():
        path = f"{place}{name}"
        if isinstance(value, dict):
            yield from _leaves(value, f"{path}.")
        elif isinstance(value, list) and value and isinstance(value[0], dict):
            for element in value:
                yield from _leaves(element, f"{path}[].") if isinstance(element, dict) else ()
        elif value not in (None, "", []):
            yield path, value


def _names_read(mapping: FieldMapping) -> frozenset[str]:
    names: set[str] = set()
    for row in mapping.rows:
        source, path = paths.split_list(row.path) if "[]." in row.target else ("", row.path)
        if paths.is_plain(path):
            names.add(row.path)
        else:
            names |= {f"{source}[].{name}" if source else name for name in expressions.names(path)}
    return frozenset(names)


def _is_read(path: str, read: frozenset[str]) -> bool:
    """Whether a row reads it, or something that it lies within."""
    return any(path == name or path.startswith((f"{name}.", f"{name}[].")) for name in read)


def _shown(value: Any) -> str:
    text = " ".join(str(value).split())
    return text if len(text) <= SHOWN_CHARACTERS else text[: SHOWN_CHARACTERS - 1] + "…"
