"""Walks through numbered rows that may move while they are read.

Metakocka's lists know only offset and limit. Rows that appear or vanish before the place that was reached move all later ones. So the
last rows of a page are left to the next one, which must show one of them again; where it does not, the walk goes back a page.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass

import msgspec

from app.connectors.base import State
from app.connectors.errors import UnexpectedResponse
from app.connectors.metakocka.cutting import Row

HELD_BACK = 5
"""Rows of a page that the next one must show again: so many may vanish without a step back."""
MOST_STEPS_BACK = 200


class Progress(msgspec.Struct, omit_defaults=True):
    """The state of a walk that has not ended."""

    phase: str
    """The list that is being read."""
    offset: int = 0
    held: list[str] = []
    """The ids of the rows that the page before left to this one."""
    steps_back: int = 0
    began: str = ""
    """When the walk's first page was asked for, as a wall clock of Metakocka's."""

    @classmethod
    def of(cls, state: State) -> "Progress":
        return msgspec.convert(state, cls)

    def state(self) -> State:
        result: State = msgspec.to_builtins(self)
        return result

    def turn_to(self, phase: str) -> None:
        self.phase, self.offset, self.held = phase, 0, []

    def step_back(self, rows: int) -> None:
        """Rows before this place are gone. Raises UnexpectedResponse when that never ends."""
        self.steps_back += 1
        if self.steps_back > MOST_STEPS_BACK:
            raise UnexpectedResponse("Metakocka's rows move while they are read, again and again; the walk would never end.")
        self.offset = max(0, self.offset - rows)


@dataclass(frozen=True, slots=True)
class Window:
    """Rows from an offset on."""

    rows: Sequence[Row]
    total: int | None = None
    """How many rows the whole list has, where the provider says so."""
    date: str = ""
    """The wall clock of the answer, where it had one."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """Rows that are safe to hand on, and whether they are the list's last."""

    rows: Sequence[Row]
    total: int | None
    is_last: bool


Fetch = Callable[[int, int], Awaitable[Window]]
"""Of offset and limit."""


def has_ended(state: State) -> bool:
    """Whether this is what a walk left at its end."""
    return "phase" not in state


async def stretches(fetch: Fetch, limit: int, progress: Progress) -> AsyncIterator[Stretch]:
    """A list from `progress` on, which moves along."""
    while True:
        window = await fetch(progress.offset, limit)
        progress.began = progress.began or window.date
        ids = [row.id for row in window.rows]
        if progress.held and progress.offset and not set(ids) & set(progress.held):
            progress.step_back(limit)
            continue
        is_last = _is_last(progress, ids, window.total)
        kept = 0 if is_last else _held_back(ids)
        progress.offset, progress.held = progress.offset + len(ids) - kept, ids[len(ids) - kept :]
        yield Stretch(window.rows[: len(ids) - kept], window.total, is_last)
        if is_last:
            return


def _is_last(progress: Progress, ids: Sequence[str], total: int | None) -> bool:
    if not ids or (progress.offset and set(ids) <= set(progress.held)):
        return True
    return total is not None and progress.offset + len(ids) >= total


def _held_back(ids: Sequence[str]) -> int:
    """How many of the last rows to leave to the next page: rows with one id (a product's lots) are not torn apart."""
    kept = min(HELD_BACK, len(ids) // 2)
    while 0 < kept < len(ids) - 1 and ids[-kept - 1] == ids[-kept]:
        kept += 1
    return kept
