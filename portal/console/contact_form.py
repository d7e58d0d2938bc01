"""The form of a contact: its fields, what stands in them, and what somebody changed. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from app.errors import InvalidInput
from app.plain_text import is_storable, is_visible
from portal.console.fields import label_of, shown
from portal.forms import Form

TEXTS = ("name", "email", "phone", "mobile", "website", "tax_number", "registration_number")
FLAGS = ("is_individual", "is_customer", "is_supplier")
_DEFAULTS = {"is_customer": True}
"""Where it is not False."""
PARTS = ("street", "postcode", "city", "state", "country")
ADDRESSES = ("address", "billing_address")
IN_ONE_PIECE = "text"

Values = dict[str, Any]
"""By the field's path (`address.city`): text, or whether a box is ticked."""


@dataclass(frozen=True, slots=True)
class Clash:
    """A field that changed while somebody was writing."""

    label: str
    seen: str
    now: str
    given: str


def paths(data: Mapping[str, Any]) -> list[str]:
    """The fields of the form. An address in one piece is only offered where the provider writes it so."""
    one_piece = [f"{name}.{IN_ONE_PIECE}" for name in ADDRESSES if (data.get(name) or {}).get(IN_ONE_PIECE)]
    return [*TEXTS, "notes", *FLAGS, *(f"{name}.{part}" for name in ADDRESSES for part in PARTS), *one_piece]


def values_of(data: Mapping[str, Any]) -> Values:
    """What stands in the form for a contact."""
    return {path: _at(data, path) for path in paths(data)}


def _at(data: Mapping[str, Any], path: str) -> Any:
    name, _, part = path.partition(".")
    if name in FLAGS:
        return bool(data.get(name, _DEFAULTS.get(name, False)))
    return str(((data.get(name) or {}).get(part, "") if part else data.get(name)) or "")


def given_in(form: Form, data: Mapping[str, Any]) -> Values:
    """What was written. Raises InvalidInput where a field cannot be stored."""
    given: Values = {path: form.checked(path) if path in FLAGS else form.text(path).replace("\r\n", "\n") for path in paths(data)}
    wrong = {path: "This holds a character that cannot be stored." for path, text in given.items() if not is_storable(str(text))}
    if not is_visible(given["name"]):
        wrong["name"] = "Write the contact's name."
    if wrong:
        raise InvalidInput(fields=wrong)
    return given


def changes_in(given: Values, data: Mapping[str, Any]) -> dict[str, Any]:
    """What of it differs from the contact that was seen, as top-level fields; an address whole."""
    changed = [path for path, before in values_of(data).items() if given.get(path, before) != before]
    changes: dict[str, Any] = {}
    for path in changed:
        name, _, part = path.partition(".")
        if not part:
            changes[name] = given[path]
        else:
            changes[name] = {**changes.get(name, data.get(name) or {}), part: given[path]}
    return changes


def clashes_of(seen: Mapping[str, Any], now: Mapping[str, Any], given: Values) -> list[Clash]:
    """What somebody else changed meanwhile, beside what was written here."""
    before, after = values_of(seen), values_of(now)
    return [
        Clash(label_of(path), shown(before.get(path)), shown(after[path]), shown(given.get(path)))
        for path in after
        if before.get(path, "") != after[path]
    ]


def carried_over(seen: Mapping[str, Any], now: Mapping[str, Any], given: Values) -> Values:
    """The contact as it is now, with what was changed here."""
    before = values_of(seen)
    return values_of(now) | {path: value for path, value in given.items() if before.get(path, "") != value}
