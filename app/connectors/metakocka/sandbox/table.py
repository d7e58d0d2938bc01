"""Records of one kind in the order of their ids: the first are made from their number when somebody looks, others are kept.

A million records cost nothing until they are read. Records are never changed in place: a change puts another one there,
so what was there before can be shown again.
"""

from bisect import insort
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, fields, is_dataclass
from functools import lru_cache
from typing import Any, Generic, TypeVar

R = TypeVar("R")

MADE_AND_KEPT = 20_000


@dataclass(slots=True)
class Change:
    """One record before and after; None where there was or is none."""

    table: "Table[Any]"
    mk_id: int
    before: Any
    after: Any

    @property
    def effect(self) -> str:
        if self.before is None:
            return "created"
        return "deleted" if self.after is None else "changed"

    def changed_fields(self) -> list[str]:
        """The names of what differs, at the record's top level."""
        before, after = _parts(self.before), _parts(self.after)
        return sorted(name for name in before.keys() | after.keys() if before.get(name) != after.get(name))


@dataclass
class Journal:
    """The changes of the request at work, and those of the last request that changed something."""

    changes: list[Change] = field(default_factory=list)
    last: list[Change] = field(default_factory=list)

    def begin(self) -> None:
        self.changes = []

    def end(self) -> list[Change]:
        """What the request changed; a later stale read shows the records as they were before."""
        done, self.changes = self.changes, []
        self.last = done or self.last
        return done

    def roll_back(self) -> None:
        """Take back what a refused request has already changed."""
        _show(self.changes, before=True)
        self.changes = []

    def as_before(self, read: Callable[[], Any]) -> Any:
        """What `read` finds in the state before the last write."""
        _show(self.last, before=True)
        try:
            return read()
        finally:
            _show(self.last, before=False)


def _show(changes: list[Change], *, before: bool) -> None:
    for change in reversed(changes) if before else changes:
        change.table.place(change.mk_id, change.before if before else change.after)


class Table(Generic[R]):
    """`count` records from the id `first` on, `step` apart, made by `make`; and whatever was put since."""

    def __init__(self, name: str, journal: Journal, *, first: int, step: int, count: int, make: Callable[[int], R]) -> None:
        self.name = name
        self.count = count
        self._journal = journal
        self._all_made = range(first, first + step * count, step)
        self._make = lru_cache(maxsize=MADE_AND_KEPT)(make)
        self.kept: dict[int, R] = {}
        self._added: list[int] = []
        self._hidden: set[int] = set()
        """Of the added ones."""
        self._gone: set[int] = set()
        self._percent = 100.0
        self._made: Sequence[int] = self._all_made

    def __len__(self) -> int:
        return len(self._made) + len(self._added) - len(self._hidden)

    def __iter__(self) -> Iterator[R]:
        return (self[mk_id] for ids in (self._made, self._seen_added()) for mk_id in ids)

    def __getitem__(self, mk_id: int) -> R:
        """A record that is known to be there."""
        kept = self.kept.get(mk_id)
        return self._make(self._all_made.index(mk_id)) if kept is None else kept

    def get(self, mk_id: object) -> R | None:
        """The record with this id, as text or number, if it can be seen; None for anything that is no id."""
        number = id_of(mk_id)
        if number is None or number in self._gone or not self._is_visible(number):
            return None
        return self[number] if number in self.kept or number in self._all_made else None

    def made_at(self, index: int) -> R | None:
        """The record that was made from this number, as it is now."""
        return self.get(self._all_made[index]) if 0 <= index < self.count else None

    def is_made(self, mk_id: int) -> bool:
        """Whether the record is still as it was made."""
        return mk_id not in self.kept

    def index_of(self, mk_id: int) -> int:
        return self._all_made.index(mk_id)

    def put(self, mk_id: int, record: R | None) -> None:
        """Set a record, or delete it with None, and note it in the journal."""
        self._journal.changes.append(Change(self, mk_id, self.get(mk_id), record))
        self.place(mk_id, record)

    def place(self, mk_id: int, record: R | None) -> None:
        """The same without a note."""
        if record is None:
            self._remove(mk_id)
            return
        if mk_id not in self._all_made and mk_id not in self.kept:
            insort(self._added, mk_id)
        self.kept[mk_id] = record
        if mk_id in self._gone:
            self._gone.discard(mk_id)
            self._list_made()

    def page(self, offset: int, limit: int, *, descending: bool = False) -> list[int]:
        """The ids of a page, in their order."""
        if descending:
            end = len(self) - offset
            return self.page(max(end - limit, 0), min(limit, max(end, 0)))[::-1]
        split = len(self._made)
        return [*self._made[offset : offset + limit], *self._seen_added()[max(offset - split, 0) : max(offset + limit - split, 0)]]

    def show_percent(self, percent: float) -> None:
        """Let only so many of the records that are there be seen, evenly spread; 100 shows all again."""
        self._percent = percent
        self._hidden = {mk_id for place, mk_id in enumerate(self._added) if place * percent % 100 >= percent}
        self._list_made()

    def _remove(self, mk_id: int) -> None:
        self.kept.pop(mk_id, None)
        if mk_id in self._all_made:
            self._gone.add(mk_id)
            self._list_made()
        elif mk_id in self._added:
            self._added.remove(mk_id)
            self._hidden.discard(mk_id)

    def _list_made(self) -> None:
        if not self._gone and self._percent == 100:
            self._made = self._all_made
        else:
            self._made = [mk_id for mk_id in self._all_made if mk_id not in self._gone and self._is_visible(mk_id)]

    def _seen_added(self) -> list[int]:
        return [mk_id for mk_id in self._added if mk_id not in self._hidden] if self._hidden else self._added

    def _is_visible(self, mk_id: int) -> bool:
        if self._percent == 100 or mk_id not in self._all_made:
            return mk_id not in self._hidden
        return self._all_made.index(mk_id) * self._percent % 100 < self._percent


def id_of(value: object) -> int | None:
    """The number of an id; None if the value is none."""
    text = str(value)
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None


def _parts(record: Any) -> dict[str, Any]:
    if is_dataclass(record):
        return {one.name: getattr(record, one.name) for one in fields(record)}
    return record or {}
