"""The forms of records: their fields, what stands in them, and what somebody changed. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

from app.errors import InvalidInput
from app.plain_text import is_storable, is_visible
from portal.console.fields import label_of, shown
from portal.forms import Form

PARTS = ("street", "postcode", "city", "state", "country")
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


@dataclass(frozen=True, kw_only=True, slots=True)
class RecordForm:
    """Which fields of an entity people write by hand, and how: top-level names."""

    template: str
    """Where its fields are drawn."""
    texts: tuple[str, ...]
    flags: tuple[str, ...] = ()
    ticked: frozenset[str] = frozenset()
    """Flags that are set where nothing is said."""
    days: tuple[str, ...] = ()
    numbers: tuple[str, ...] = ()
    references: frozenset[str] = frozenset()
    """Texts that are nothing at all where they are empty."""
    addresses: tuple[str, ...] = ()
    required: Mapping[str, str] = field(default_factory=dict)
    """What is said where a field is empty that must not be."""

    def paths(self, data: Mapping[str, Any]) -> list[str]:
        """The fields of the form. An address in one piece is only offered where the provider writes it so."""
        one_piece = [f"{name}.{IN_ONE_PIECE}" for name in self.addresses if (data.get(name) or {}).get(IN_ONE_PIECE)]
        parts = [f"{name}.{part}" for name in self.addresses for part in PARTS]
        return [*self.texts, "notes", *self.days, *self.numbers, *self.flags, *parts, *one_piece]

    def values_of(self, data: Mapping[str, Any]) -> Values:
        """What stands in the form for a record."""
        return {path: self._at(data, path) for path in self.paths(data)}

    def _at(self, data: Mapping[str, Any], path: str) -> Any:
        name, _, part = path.partition(".")
        if name in self.flags:
            return bool(data.get(name, name in self.ticked))
        return str(((data.get(name) or {}).get(part, "") if part else data.get(name)) or "")

    def raw_in(self, form: Form, data: Mapping[str, Any]) -> Values:
        """What was written, whether or not it can be stored."""
        return {path: form.checked(path) if path in self.flags else form.text(path).replace("\r\n", "\n") for path in self.paths(data)}

    def given_in(self, form: Form, data: Mapping[str, Any]) -> Values:
        """What was written. Raises InvalidInput where a field cannot be stored."""
        given = self.raw_in(form, data)
        wrong = {path: problem for path, value in given.items() if (problem := self._problem(path, value))}
        if wrong:
            raise InvalidInput(fields=wrong)
        return given

    def _problem(self, path: str, value: Any) -> str:
        if not is_storable(str(value)):
            return "This holds a character that cannot be stored."
        if path in self.required and not is_visible(value):
            return self.required[path]
        if path in self.days and value and not _is_day(value):
            return "Write a day, such as 2026-12-31."
        if path in self.numbers and value and not _is_number(value):
            return "Write a number, such as 12.5."
        return ""

    def changes_in(self, given: Values, data: Mapping[str, Any]) -> dict[str, Any]:
        """What of it differs from the record that was seen, as top-level fields; an address whole."""
        changed = [path for path, before in self.values_of(data).items() if given.get(path, before) != before]
        changes: dict[str, Any] = {}
        for path in changed:
            name, _, part = path.partition(".")
            if part:
                changes[name] = {**changes.get(name, data.get(name) or {}), part: given[path]}
            else:
                changes[name] = self._stored(name, given[path])
        return changes

    def _stored(self, name: str, value: Any) -> Any:
        if name in self.numbers:
            return value or "0"
        return value or None if name in self.days or name in self.references else value

    def clashes_of(self, seen: Mapping[str, Any], now: Mapping[str, Any], given: Values) -> list[Clash]:
        """What somebody else changed meanwhile, beside what was written here."""
        before, after = self.values_of(seen), self.values_of(now)
        return [
            Clash(label_of(path), shown(before.get(path)), shown(after[path]), shown(given.get(path)))
            for path in after
            if before.get(path, "") != after[path]
        ]

    def carried_over(self, seen: Mapping[str, Any], now: Mapping[str, Any], given: Values) -> Values:
        """The record as it is now, with what was changed here."""
        before = self.values_of(seen)
        return self.values_of(now) | {path: value for path, value in given.items() if before.get(path, "") != value}

    def parts_of(self, given: Values) -> list[tuple[str, list[str]]]:
        """Each address with its fields."""
        return [(name, [path for path in given if path.startswith(f"{name}.")]) for name in self.addresses]


def _is_day(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


def _is_number(text: str) -> bool:
    try:
        return Decimal(text).is_finite()
    except InvalidOperation:
        return False


CONTACT = RecordForm(
    template="console/_contact_fields.html",
    texts=("name", "email", "phone", "mobile", "website", "tax_number", "registration_number"),
    flags=("is_individual", "is_customer", "is_supplier"),
    ticked=frozenset({"is_customer"}),
    addresses=("address", "billing_address"),
    required={"name": "Write the contact's name."},
)
_OFFER = RecordForm(
    template="console/_document_fields.html",
    texts=("title", "contact_external_id"),
    references=frozenset({"contact_external_id"}),
    days=("issued_on", "valid_until"),
    numbers=("discount",),
)
_ORDER = RecordForm(
    template=_OFFER.template,
    texts=("title", "reference", "contact_external_id"),
    references=_OFFER.references,
    days=("issued_on", "due_on"),
    numbers=("discount",),
)
_BILL = RecordForm(
    template=_OFFER.template,
    texts=_ORDER.texts,
    references=_OFFER.references,
    days=("issued_on", "due_on", "service_from", "service_until"),
    numbers=("discount",),
)


def form_of(entity: str, data: Mapping[str, Any]) -> RecordForm | None:
    """The form of a record; None where it is not changed by hand. A document's head depends on its kind."""
    if entity == "contact":
        return CONTACT
    if entity != "sales_document":
        return None
    return {"offer": _OFFER, "order": _ORDER}.get(data.get("kind", ""), _BILL)
