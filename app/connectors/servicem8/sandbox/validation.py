"""What the server accepts in a write, and the wire form it gives to each value.

Read-only fields and names it does not know are dropped without a word; `customfield_…` is kept as text. Whether references
must exist is not known: they are taken as they come. The texts of refusals that were not published are ours.
"""

import json
import re
from datetime import datetime
from decimal import Decimal, InvalidOperation

from .amounts import agrees, four_places, number_in, price_without_tax
from .answers import already_exists, invalid
from .schema import NO_DATE, NO_TIME, STATUSES, Field, Kind
from .store import Account, is_uuid
from .table import Record, Table, Values

WRONG_AMOUNT = "Provided displayed_amount is incorrect."
_AMOUNT_FIELDS = frozenset(("price", "displayed_amount", "displayed_amount_is_tax_inclusive", "tax_rate_uuid", "cost", "displayed_cost"))
_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_TIME = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", re.ASCII)


def new_values(account: Account, table: Table, given: Values) -> Values:
    """The values of a record to be created; a 400 or 409 says what is wrong with them."""
    values = _wire_values(table, given)
    if values.get("uuid"):
        values["uuid"] = _free_uuid(table, values["uuid"])
    else:
        values.pop("uuid", None)
    _require(table, {one.name: "" for one in table.type.fields} | values)
    _require_unique(table, values, owner="")
    if table.type.name == "jobmaterial":
        values |= _checked_amounts(account, {**table.type.blank(), **values}, values)
        if "displayed_amount" not in values:
            raise invalid(WRONG_AMOUNT)
    return values


def changed_values(account: Account, table: Table, record: Record, given: Values) -> Values:
    """The values to merge into a record. Required fields may be left out, as clients do, but not emptied."""
    values = _wire_values(table, given)
    values.pop("uuid", None)
    _require(table, values)
    _require_unique(table, values, owner=record.uuid)
    if table.type.name == "jobmaterial":
        values |= _checked_amounts(account, {**record.values, **values}, values)
    return values


def _wire_values(table: Table, given: Values) -> Values:
    values: Values = {}
    for name, value in given.items():
        field = table.type.by_name.get(name)
        if field is None and name.startswith("customfield_"):
            field = Field(name)
        if field is not None and not field.read_only:
            values[name] = _wire_value(field, value)
    return values


def _wire_value(field: Field, value: object) -> object:
    if value is not None and not isinstance(value, str | int | float):
        raise invalid(f"{field.name} must be a single value")
    text = "" if value is None else str(int(value)) if isinstance(value, bool) else str(value)
    if field.length is not None and len(text) > field.length:
        raise invalid(f"{field.name} cannot be longer than {field.length} characters")
    return _WIRE_FORMS[field.kind](field, text)


def _as_text(field: Field, text: str) -> str:
    return text


def _as_flag(field: Field, text: str) -> int:
    if text not in ("0", "1", ""):
        raise invalid(f"{field.name} must be 0 or 1")
    return int(text or 0)


def _as_text_flag(field: Field, text: str) -> str:
    return str(_as_flag(field, text))


def _as_decimal(field: Field, text: str) -> str:
    try:
        amount = Decimal(text or 0)
        if amount.is_finite():
            return four_places(amount)
    except InvalidOperation:  # No number, or one with more digits than an amount has.
        pass
    raise invalid(f"{field.name} must be a number")


def _as_date(field: Field, text: str) -> str:
    if text in ("", NO_DATE):
        return NO_DATE
    if not (_DATE.fullmatch(text) and _is_moment(text, "%Y-%m-%d")):
        raise invalid(f"{field.name} must be a date (YYYY-MM-DD)")
    return text


def _as_time(field: Field, text: str) -> str:
    if text in ("", NO_TIME):
        return NO_TIME
    if not (_TIME.fullmatch(text) and _is_moment(text, "%Y-%m-%d %H:%M:%S")):
        raise invalid(f"{field.name} must be a timestamp (YYYY-MM-DD HH:MM:SS)")
    return text


def _is_moment(text: str, form: str) -> bool:
    try:
        datetime.strptime(text, form)  # Only the form is asked: the text has no zone and gets none.
    except ValueError:
        return False
    return True


def _as_json_array(field: Field, text: str) -> str:
    try:
        is_array = isinstance(json.loads(text or "[]"), list)
    except ValueError:
        is_array = False
    if not is_array:
        raise invalid(f"{field.name} must be a JSON array encoded string")
    return text or "[]"


def _as_status(field: Field, text: str) -> str:
    if text and text not in STATUSES:
        raise invalid(f"{field.name} must be one of: {', '.join(STATUSES)}")
    return text


_WIRE_FORMS = {
    Kind.TEXT: _as_text,
    Kind.NUMBER: _as_text,
    Kind.FLAG: _as_flag,
    Kind.TEXT_FLAG: _as_text_flag,
    Kind.DECIMAL: _as_decimal,
    Kind.DATE: _as_date,
    Kind.TIME: _as_time,
    Kind.JSON_ARRAY: _as_json_array,
    Kind.STATUS: _as_status,
}


def _free_uuid(table: Table, uuid: str) -> str:
    if not is_uuid(uuid):
        raise invalid("uuid must be a valid UUID")
    if table.get(uuid.lower()):
        raise already_exists(uuid.lower())
    return uuid.lower()


def _require(table: Table, values: Values) -> None:
    for field in table.type.fields:
        if field.required and not str(values.get(field.name, "given")).strip():
            raise invalid(f"{field.name} is required")


def _require_unique(table: Table, values: Values, *, owner: str) -> None:
    for name in table.type.unique:
        if name in values and table.owner_of(name, values[name]) not in (None, owner):
            raise invalid(f"{name.replace('_', ' ').capitalize()} must be unique")


def _checked_amounts(account: Account, line: Values, given: Values) -> Values:
    """The amounts as the server keeps them; `displayed_amount` and `price` are given together or refused."""
    if not given.keys() & _AMOUNT_FIELDS:
        return {}
    if not agrees(account, line, "displayed_amount", "price"):
        raise invalid(WRONG_AMOUNT)
    if number_in(line, "displayed_cost") and not agrees(account, line, "displayed_cost", "cost"):
        raise invalid("Provided displayed_cost is incorrect.")
    return {"price": price_without_tax(account, line)}
