"""Rows of a field mapping as a form holds them: text that people write, and what it means."""

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import msgspec

from app.connectors.base import FieldRow
from app.mappings import paths, shapes, transforms
from app.records.entities import ENTITIES
from portal.console.fields import label_of
from portal.forms import Form

MOST_ROWS = 500


@dataclass(frozen=True, slots=True)
class GivenRow:
    """A row as the form has it."""

    target: str = ""
    path: str = ""
    transforms: str = ""
    """One on each line: its name and its arguments, those with spaces in quotes."""
    default: str = ""
    required: bool = False
    writes: bool = False
    removed: bool = False


@dataclass(frozen=True, slots=True)
class Line:
    """A row as the page shows it."""

    index: int
    given: GivenRow
    mark: str
    """default, changed or added, beside the connector's own rows; removed"""
    one_way: str
    """Why it can only be read; nothing where it could be written."""
    problem: str = ""

    @property
    def label(self) -> str:
        return field_label(self.given.target)

    @property
    def steps(self) -> list[str]:
        """What is done to the value, in order."""
        return [line for line in self.given.transforms.splitlines() if line.strip()]


def field_label(target: str) -> str:
    """`lines[].unit_price` → Lines: unit price."""
    return label_of(target.replace("[]", "")) if target else "A new field"


def given_of(row: FieldRow) -> GivenRow:
    return GivenRow(
        row.target,
        row.path,
        "\n".join(shlex.join(step) for step in row.transforms),
        _default_text(row.default),
        row.required,
        row.direction == "both",
    )


def _default_text(default: Any) -> str:
    """A text as it is, where it could be nothing else; anything else, nothing itself too, as JSON."""
    if default is None:
        return ""
    if not isinstance(default, str) or default.strip() != default or default[:1] in ('"', "") or _from_json(default) is not _NO_JSON:
        return msgspec.json.encode(default).decode()
    return default


_NO_JSON: Any = object()


def _from_json(text: str) -> Any:
    try:
        return msgspec.json.decode(text)
    except msgspec.DecodeError:
        return _NO_JSON


def row_of(entity: str, given: GivenRow) -> FieldRow:
    """The row that somebody wrote. Raises ValueError with a sentence."""
    if not given.target or not given.path:
        raise ValueError("Name the field and where it stands at the provider, or leave the row out.")
    try:
        steps = tuple(tuple(shlex.split(line)) for line in given.transforms.splitlines() if line.strip())
    except ValueError:
        raise ValueError("A quotation mark is open in what is done to the value; close it.") from None
    return FieldRow(
        given.target, given.path, steps, _default(entity, given), given.required, direction="both" if given.writes else "pull"
    )  # fmt: skip


def _default(entity: str, given: GivenRow) -> Any:
    """What counts where there is no value: text for a text field, unless it is in quotes; else JSON where it is that."""
    text = given.default
    if not text or (not text.startswith('"') and _type_of(entity, given.target) is str):
        return text or None
    found = _from_json(text)
    return text if found is _NO_JSON else found


def _type_of(entity: str, target: str) -> Any:
    try:
        return shapes.find(ENTITIES[entity], target).type
    except ValueError:
        return None


def rows_in(form: Form) -> list[GivenRow]:
    """The rows that the form holds, those that were left out among them."""
    count = form.integer("count") if form.text("count") else 0
    return [_row_in(form, f"row-{index}-") for index in range(max(0, min(count, MOST_ROWS)))]


def _row_in(form: Form, name: str) -> GivenRow:
    return GivenRow(
        form.text(f"{name}target"),
        form.text(f"{name}path"),
        form.text(f"{name}transforms").replace("\r\n", "\n"),
        form.text(f"{name}default"),
        form.checked(f"{name}required"),
        form.text(f"{name}way") == "both",
        form.checked(f"{name}removed"),
    )


def lines_of(given: Sequence[GivenRow], default: Sequence[FieldRow], problems: Mapping[str, str]) -> list[Line]:
    """The rows as the page shows them. Rows of one target are told apart by their order."""
    own: dict[str, list[GivenRow]] = {}
    for row in default:
        own.setdefault(row.target, []).append(given_of(row))
    lines = []
    for index, one in enumerate(given):
        counterparts = own.get(one.target, [])
        counterpart = counterparts.pop(0) if counterparts else None
        lines.append(Line(index, one, _mark(one, counterpart), one_way(one), problems.get(f"row-{index}", "")))
    return lines


def _mark(given: GivenRow, own: GivenRow | None) -> str:
    if given.removed:
        return "removed"
    if own is None:
        return "added"
    return "default" if replace(given, removed=False) == own else "changed"


def missing(given: Sequence[GivenRow], default: Sequence[FieldRow]) -> list[GivenRow]:
    """The connector's own rows whose field no row gives any more."""
    targets = {one.target for one in given}
    return [given_of(row) for row in default if row.target not in targets]


def one_way(given: GivenRow) -> str:
    """Why the row can only be read; nothing where it could be written."""
    path = paths.split_list(given.path)[1] if "[]." in given.target else given.path
    if given.path and not paths.is_plain(path):
        return "What an expression reads has no place to write it to."
    for line in given.transforms.splitlines():
        try:
            name, *arguments = shlex.split(line)
            pair = transforms.build(name, *arguments)
        except ValueError:
            continue
        if pair.push is None:
            return f"“{name}” has no way back: {pair.lost}."
    return ""


def custom_row(entity: str, path: str) -> GivenRow:
    """A row for a name that nobody reads yet."""
    has_custom = "custom" in shapes.fields(ENTITIES[entity])
    return GivenRow(f"custom.{path.replace('.', '_')}" if has_custom else "", path, "trim")


def targets_of(entity: str) -> list[str]:
    """Every field that a row can give."""
    return list(_targets(ENTITIES[entity], ""))


def _targets(struct: shapes.Struct, place: str) -> list[str]:
    found: list[str] = []
    for name, shape in shapes.fields(struct).items():
        if shape.element is not None:
            found += _targets(shape.element, f"{place}{name}[].")
        elif shape.struct is not None:
            found += _targets(shape.struct, f"{place}{name}.")
        elif not shape.is_free:
            found.append(f"{place}{name}")
    return found
