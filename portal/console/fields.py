"""Fields of records and their values as people read them. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec
from markupsafe import Markup, escape

from app.conflicts.models import DELETED

_LABELS = {
    DELETED: "Deleted on one side",
    "email": "E-mail",
    "phone": "Phone",
    "mobile": "Mobile phone",
    "is_individual": "Private person",
    "is_customer": "Customer",
    "is_supplier": "Supplier",
    "is_primary": "First to speak to",
    "parent_external_id": "Part of (id there)",
    "contact_external_id": "Contact (id there)",
    "external_id": "Id there",
    "edited_at": "Last changed there",
    "custom": "Other fields",
    "text": "in one piece",
    "postcode": "post code",
}
_NOT_SHOWN = frozenset({"edited_at"})
"""Says only that the provider changed something; what it was stands beside it."""
_ADDRESS = ("text", "street", "postcode", "city", "state", "country")
"""In the order in which they are read."""
_LONGEST = 600
"""Characters of a value; the record's page has the whole of it."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One field, before and after."""

    label: str
    before: str
    after: str


def label_of(path: str) -> str:
    """`address.city` → Address: city."""
    name, _, part = path.partition(".")
    return f"{_word(name)}: {_word(part).lower()}" if part else _word(name)


def _word(name: str) -> str:
    return _LABELS.get(name) or name.replace("_", " ").capitalize()


def shown(value: Any) -> str:
    """A value as text of one or more lines; nothing for what is empty."""
    if value is None or value == "":
        return ""
    if isinstance(value, bool):
        return "Yes" if value else "No"
    if isinstance(value, Mapping):
        return _cut("\n".join(filter(None, (_named(name, shown(value[name])) for name in _in_order(value)))))
    if isinstance(value, list | tuple):
        return _cut("\n".join(filter(None, map(_element, value))))
    return _cut(str(value))


def _in_order(value: Mapping[str, Any]) -> list[str]:
    return [*(name for name in _ADDRESS if name in value), *(name for name in value if name not in _ADDRESS)]


def _named(name: str, text: str) -> str:
    return f"{_word(name).capitalize()}: {text}" if text else ""


def _element(value: Any) -> str:
    """An element of a list in one line: a person, a line of a document."""
    if not isinstance(value, Mapping):
        return shown(value)
    parts = [shown(part) for name, part in value.items() if not name.endswith("external_id") and not isinstance(part, bool | int)]
    return ", ".join(filter(None, parts))


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


def marked(text: str, other: str) -> Markup:
    """The text with the words marked in which it differs from another one, line by line."""
    lines, others = text.split("\n"), other.split("\n")
    if len(lines) != len(others):
        return _marked(text, other)
    return Markup("\n").join(_marked(*pair) for pair in zip(lines, others, strict=True))


def _marked(text: str, other: str) -> Markup:
    if not text or not other or text == other:
        return escape(text)
    start = _shared(text, other)
    end = len(text) - min(_shared(text[::-1], other[::-1]), min(len(text), len(other)) - start)
    if start == end:
        return escape(text)
    while start and text[start - 1 : start + 1].isalnum():
        start -= 1
    while end < len(text) and text[end - 1 : end + 1].isalnum():
        end += 1
    return Markup("{}<mark>{}</mark>{}").format(text[:start], text[start:end], text[end:])


def _shared(text: str, other: str) -> int:
    """With how many same characters both begin."""
    return next((place for place, (one, two) in enumerate(zip(text, other, strict=False)) if one != two), min(len(text), len(other)))


def differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Difference]:
    """What differs between two versions of a record, field by field; parts of an address each by itself."""
    found = []
    for name in sorted({*before, *after} - _NOT_SHOWN):
        old, new = before.get(name), after.get(name)
        if isinstance(old, Mapping | None) and isinstance(new, Mapping | None) and name != "custom":
            paths = [(f"{name}.{part}", (old or {}).get(part), (new or {}).get(part)) for part in sorted({*(old or {}), *(new or {})})]
        else:
            paths = [(name, old, new)]
        found += [Difference(label_of(path), shown(was), shown(now)) for path, was, now in paths]
    return [one for one in found if one.before != one.after]


def readable(data: Any) -> str:
    """The whole of it, as JSON with a line for each field."""
    return msgspec.json.format(msgspec.json.encode(data), indent=2).decode()
