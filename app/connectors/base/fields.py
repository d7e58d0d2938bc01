"""How a stream's documents become records: rows that the hub stores as versions."""

from dataclasses import dataclass
from typing import Any, Literal


@dataclass(frozen=True, slots=True)
class FieldRow:
    """One row of a field mapping: where a target field comes from, and how.

    `path` is a plain dotted path into the assembled document. Transforms are names of app/mappings/transforms.py with
    arguments, applied in order. A required field that is missing or empty makes the record a failed record.
    """

    target: str
    path: str
    transforms: tuple[tuple[str, ...], ...] = ()
    default: Any = None
    required: bool = False
    direction: Literal["pull", "both"] = "pull"
    """`both`: the field is pushed as well; its path is plain and each of its transforms has an inverse."""


@dataclass(frozen=True, slots=True)
class FieldMapping:
    """The versioned rows that translate a stream's documents; `custom` names the prefixes of fields kept as they are."""

    version: int
    rows: tuple[FieldRow, ...]
    custom_prefixes: tuple[str, ...] = ()
