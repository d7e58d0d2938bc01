"""The `$filter` grammar: `field op value`, joined by `and`, nothing else.

Operators are `eq ne gt lt`; text stands in single quotes, numbers bare. A quote inside a value cannot be written, since how
to escape one is not documented. See https://developer.servicem8.com/docs/filtering
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from operator import eq, gt, lt, ne
from typing import Any

from .answers import invalid_filter
from .schema import ObjectType
from .table import Record, Table

MOST_CONDITIONS = 10
MOST_VALUE_CHARACTERS = 255
# Live, a client could not filter jobs by the badges on them.
NOT_FILTERABLE = frozenset({"badges"})

_CONDITION = re.compile(r"\s*(?P<field>\S+)\s+(?P<operator>\S+)\s+(?:'(?P<text>[^']*)'|(?P<number>-?\d+(?:\.\d+)?))(?=\s|$)")
_AND = re.compile(r"\s+and(?=\s)")

Test = Callable[[Record], bool]
Comparison = Callable[[Any, Any], bool]
COMPARISONS: dict[str, Comparison] = {"eq": eq, "ne": ne, "gt": gt, "lt": lt}


@dataclass(frozen=True, slots=True)
class Condition:
    """One comparison; `bare` says that the value was written as a number."""

    field: str
    operator: str
    value: str
    bare: bool


def parse(text: str, type: ObjectType) -> list[Condition]:
    """The conditions of a filter; a 400 for whatever the provider's grammar does not have."""
    conditions, place = [], 0
    while True:
        match = _CONDITION.match(text, place)
        if match is None:
            raise invalid_filter(f"Invalid filter near: {text[place:].strip()[:80] or 'the end'}")
        conditions.append(_condition(match, type))
        place = match.end()
        if not text[place:].strip():
            break
        joint = _AND.match(text, place)
        if joint is None:
            raise invalid_filter(f"Conditions can only be joined by 'and', near: {text[place:].strip()[:80]}")
        place = joint.end()
    if len(conditions) > MOST_CONDITIONS:
        raise invalid_filter(f"A filter can have at most {MOST_CONDITIONS} conditions")
    return conditions


def _condition(match: re.Match[str], type: ObjectType) -> Condition:
    name, operator = match["field"], match["operator"]
    if operator not in COMPARISONS:
        raise invalid_filter(f"Unsupported filter operator: {operator}")
    if name in NOT_FILTERABLE or not (name in type.by_name or name.startswith("customfield_")):
        raise invalid_filter(f"{name} is not a valid filter field")
    bare = match["number"] is not None
    value = match["number"] if bare else match["text"]
    if len(value) > MOST_VALUE_CHARACTERS:
        raise invalid_filter(f"A filter value can have at most {MOST_VALUE_CHARACTERS} characters")
    return Condition(name, operator, value, bare)


def matching(table: Table, conditions: list[Condition], cursor: str, *, ne_excludes: bool) -> Iterator[Record]:
    """The records after the cursor that meet all conditions, found through an index where one fits."""
    rows: Iterator[Record] = table.after(cursor, _looked_up(table, conditions))
    for condition in conditions:
        if condition.operator == "ne" and not ne_excludes:
            continue
        rows = filter(_test(condition), rows)
    return rows


def _looked_up(table: Table, conditions: list[Condition]) -> list[Record] | None:
    """The records among which the matches are, in list order; None if every record may match."""
    for condition in conditions:
        match condition:
            case Condition(bare=True):
                continue
            case Condition("uuid", "eq", uuid):
                record = table.get(uuid)
                return [record] if record else []
            case Condition(field, "eq", value) if field in table.type.indexed:
                return table.referring(field, value)
            case Condition("edit_date", "gt", moment):
                return table.edited_after(moment)
    return None


def _test(condition: Condition) -> Test:
    compare, field = COMPARISONS[condition.operator], condition.field
    if condition.bare:
        return _number_test(compare, field, Decimal(condition.value), otherwise=condition.operator == "ne")
    return lambda record: compare(str(record.values.get(field, "")), condition.value)


def _number_test(compare: Comparison, field: str, value: Decimal, *, otherwise: bool) -> Test:
    """A bare number is compared as one; `otherwise` is the verdict on stored text that is no number."""

    def test(record: Record) -> bool:
        try:
            return compare(Decimal(str(record.values.get(field, ""))), value)
        except InvalidOperation:
            return otherwise

    return test
