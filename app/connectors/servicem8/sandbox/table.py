"""The records of one object type in one account: kept by id, in list order, and by the references they are looked up by.

A record's JSON is made once and kept until it changes, so that a page of a thousand records is one join of bytes.
"""

from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from .schema import ObjectType

Values = dict[str, Any]

LAST_UUID = "ffffffff-ffff-ffff-ffff-ffffffffffff"
# Up to one in this many records, sorting them for each page costs less than looking at every record.
FEW = 8


class Record:
    """One object. `values` are exactly what a client reads; change them through the table."""

    __slots__ = ("_encoded", "uuid", "values")

    def __init__(self, values: Values) -> None:
        self.values = values
        self.uuid: str = values["uuid"]
        self._encoded: bytes | None = None

    @property
    def edit_key(self) -> tuple[str, str]:
        return str(self.values["edit_date"]), self.uuid

    @property
    def active(self) -> bool:
        return str(self.values["active"]) == "1"

    @property
    def encoded(self) -> bytes:
        """The record as JSON, by the encoder that keeps no spare room behind its bytes (50,000 records stay small)."""
        if self._encoded is None:
            self._encoded = msgspec.json.encode(self.values)
        return self._encoded

    def change(self, changes: Values) -> None:
        self.values.update(changes)
        self._encoded = None


def _by_uuid(record: Record) -> str:
    return record.uuid


class Table:
    """All records of one type, in the order of their ids: a cursor is the id that a page ended with."""

    def __init__(self, type: ObjectType) -> None:
        self.type = type
        self._rows: dict[str, Record] = {}
        self._ordered: list[Record] = []
        self._edits: list[tuple[str, str]] = []
        self._references: dict[str, dict[str, list[Record]]] = {name: {} for name in type.indexed}
        self._taken: dict[str, dict[str, str]] = {name: {} for name in type.unique}

    def __len__(self) -> int:
        return len(self._rows)

    def __iter__(self) -> Iterator[Record]:
        return iter(self._ordered)

    def get(self, uuid: str) -> Record | None:
        return self._rows.get(uuid)

    def add(self, values: Values) -> Record:
        record = Record(values)
        insort(self._ordered, record, key=_by_uuid)
        self._keep(record)
        return record

    def add_many(self, many: Iterable[Values]) -> None:
        """Add records that are known to be new, as a seed does: sorting once is quicker than inserting each."""
        records = [Record(values) for values in many]
        self._ordered = sorted(self._ordered + records, key=_by_uuid)
        self._edits = sorted(self._edits + [record.edit_key for record in records])
        for record in records:
            self._claim(record)
            for rows in self._rows_referring_like(record):
                rows.append(record)
        for by_value in self._references.values():
            for rows in by_value.values():
                rows.sort(key=_by_uuid)

    def change(self, record: Record, changes: Values) -> None:
        self._forget(record)
        record.change(changes)
        self._keep(record)

    def referring(self, field: str, value: str) -> list[Record]:
        """The records whose indexed `field` is `value`, in list order."""
        return self._references[field].get(value, [])

    def edited_after(self, moment: str) -> list[Record] | None:
        """The few records edited later, in list order; None when they are so many that going through all is quicker."""
        place = bisect_right(self._edits, (moment, LAST_UUID))
        if (len(self._edits) - place) * FEW > len(self._edits):
            return None
        return sorted((self._rows[uuid] for _, uuid in self._edits[place:]), key=_by_uuid)

    def owner_of(self, field: str, value: str) -> str | None:
        """The id of the record that holds this unique value, archived ones included."""
        return self._taken[field].get(unique_key(value))

    def after(self, cursor: str, rows: list[Record] | None = None) -> Iterator[Record]:
        """The records (or those of `rows`, which are in list order) that come after `cursor`; all for an empty one."""
        rows = self._ordered if rows is None else rows
        start = bisect_right(rows, cursor, key=_by_uuid) if cursor else 0
        return (rows[place] for place in range(start, len(rows)))

    def _keep(self, record: Record) -> None:
        self._claim(record)
        insort(self._edits, record.edit_key)
        for rows in self._rows_referring_like(record):
            insort(rows, record, key=_by_uuid)

    def _claim(self, record: Record) -> None:
        self._rows[record.uuid] = record
        for field, owners in self._taken.items():
            if key := unique_key(record.values[field]):
                owners.setdefault(key, record.uuid)

    def _forget(self, record: Record) -> None:
        del self._edits[bisect_left(self._edits, record.edit_key)]
        for rows in self._rows_referring_like(record):
            del rows[bisect_left(rows, record.uuid, key=_by_uuid)]
        for field, owners in self._taken.items():
            key = unique_key(record.values[field])
            if owners.get(key) == record.uuid:
                del owners[key]

    def _rows_referring_like(self, record: Record) -> list[list[Record]]:
        """For each indexed field, the records that have the same value there."""
        return [by_value.setdefault(str(record.values[field]), []) for field, by_value in self._references.items()]


def unique_key(value: object) -> str:
    """What makes two unique values the same. That letter case does not matter is assumed."""
    return str(value).strip().casefold()
