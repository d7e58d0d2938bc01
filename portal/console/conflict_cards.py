"""Conflicts as the inbox shows them: one card each, with what both sides have. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from types import UnionType
from typing import Any, get_args

import msgspec
from markupsafe import Markup, escape

from app.conflicts.models import DELETED, Conflict
from app.connectors.base import Connector
from app.records.entities import ENTITIES, Address
from app.records.models import Record
from portal.console.fields import label_of, marked, shown
from portal.console.record_form import PARTS

_TYPED = (str, date, datetime, Decimal)
NAMES = ("name", "title", "number")


@dataclass(frozen=True, slots=True)
class Place:
    """Where a conflict was found, in words."""

    connection_name: str
    provider: str
    """How people call it."""
    stream_title: str
    can_write: bool


@dataclass(frozen=True, slots=True)
class Card:
    """One conflict."""

    conflict: Conflict
    title: str
    """The record's name."""
    label: str
    """The field's."""
    place: Place
    base: Markup
    ours: Markup
    theirs: Markup
    keep: str
    """What the button of the hub's side says, and below the provider's."""
    take: str
    entry: str
    """How another value is given: text, flag, address, or nothing where only the sides can be chosen."""
    parts: Mapping[str, str]
    """An address as the hub has it, by its parts."""
    is_same: bool
    """Both sides show the same by now."""
    outcome: str
    """What was decided; empty while it is open."""
    can_undo: bool


def place_of(connector: Connector, connection_name: str, stream: str) -> Place:
    found = connector.streams.get(stream)
    return Place(connection_name, connector.title, found.title if found else stream, found is not None and found.writer is not None)


def card_of(conflict: Conflict, record: Record | None, place: Place) -> Card:
    """`record` is the conflict's record as it is now."""
    is_deletion = conflict.field == DELETED
    ours = conflict.ours if is_deletion or record is None or conflict.resolved_at else record.data.get(conflict.field)
    base, mine, other = shown(conflict.base), shown(ours), shown(conflict.theirs)
    return Card(
        conflict,
        title_of(record),
        label_of(conflict.field),
        place,
        base=_deletion(conflict.base, "Not known") if is_deletion else escape(base),
        ours=_deletion(ours, "Deleted here") if is_deletion else marked(mine, other),
        theirs=_deletion(conflict.theirs, f"Deleted at {place.provider}") if is_deletion else marked(other, mine),
        keep=_keep(conflict, is_deletion),
        take=_take(conflict, place, is_deletion),
        entry="" if is_deletion or record is None else entry_of(record.entity, conflict.field),
        parts={part: str((ours or {}).get(part, "")) for part in PARTS} if isinstance(ours, Mapping) or ours is None else {},
        is_same=not is_deletion and conflict.resolved_at is None and mine == other,
        outcome=_outcome(conflict, place, is_deletion),
        can_undo=conflict.resolution not in (None, "agreed"),
    )


def title_of(record: Record | None) -> str:
    """A record's name, as lists show it."""
    found = next((str(record.data[name]) for name in NAMES if record.data.get(name)), "") if record else ""
    return found or "Without a name"


def _deletion(data: Any, gone: str) -> Markup:
    """A side that deleted the record, or how it has it."""
    return escape(shown({name: value for name, value in data.items() if name != "edited_at"}) if data else gone)


def _keep(conflict: Conflict, is_deletion: bool) -> str:
    if is_deletion:
        return "Leave it deleted" if conflict.ours is None else "Keep it"
    return "Keep the hub’s"


def _take(conflict: Conflict, place: Place, is_deletion: bool) -> str:
    if is_deletion:
        return "Delete it here too" if conflict.theirs is None else "Bring it back"
    return f"Take {place.provider}’s"


def _outcome(conflict: Conflict, place: Place, is_deletion: bool) -> str:
    """What was decided, in a sentence."""
    match conflict.resolution:
        case None:
            return ""
        case "agreed":
            return "Both sides came to the same by themselves."
        case "theirs" if is_deletion:
            return "Deleted here as well." if conflict.theirs is None else f"Brought back as {place.provider} has it."
        case "ours" if is_deletion:
            return "It stays deleted." if conflict.ours is None else "It is kept."
        case "theirs":
            return f"{place.provider}’s value was taken: {_quoted(conflict.theirs)}."
        case "value":
            return f"Another value was written: {_quoted(conflict.value)}.{_carried(place)}"
        case _:
            return f"The hub’s value was kept.{_carried(place)}"


def _quoted(value: Any) -> str:
    text = ", ".join(shown(value).splitlines())
    return f"“{text[:120]}”" if text else "nothing"


def _carried(place: Place) -> str:
    return f" {place.provider} gets it with the next sync that writes." if place.can_write else f" {place.provider} is only read."


def entry_of(entity: str, field: str) -> str:
    """How a value of a field can be typed."""
    kind = next((one.type for one in msgspec.structs.fields(ENTITIES[entity]) if one.name == field), None)
    kinds = set(get_args(kind)) - {type(None)} if isinstance(kind, UnionType) else {kind}
    if kinds == {bool}:
        return "flag"
    if kinds == {Address}:
        return "address"
    return "text" if kinds and kinds <= set(_TYPED) else ""


def fields_of(names: Sequence[str], chosen: str) -> list[tuple[str, str]]:
    """The fields to filter by: those that conflicts wait in, and the one that is chosen."""
    offered = {*names, *filter(None, [chosen])}
    return [("", "All"), *sorted(((name, label_of(name)) for name in offered), key=lambda option: option[1])]
