"""Walks through numbered rows that may move while they are read.

Metakocka's lists know only offset and limit. Rows that appear or vanish before the place that was reached move all later ones. So each
page begins with the last rows of the one before, its anchors. Where none of them is shown again, the walk goes back a page. The very
last row of a page is handed on with the next one, so that rows with one id (a product's lots) are not torn apart.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass

import msgspec

from app.connectors.base import State
from app.connectors.errors import UnexpectedResponse
from app.connectors.metakocka.cutting import Row

MOST_ANCHORS = 5
"""Fewer rows than that may vanish without a step back."""
MOST_STEPS_BACK = 200


class Progress(msgspec.Struct, omit_defaults=True):
    """The state of a walk that has not ended."""

    phase: str
    """The list that is being read."""
    offset: int = 0
    anchors: list[str] = []
    """The ids of the last rows that were handed on, with which the next page begins."""
    left: str = ""
    """The id of the row after them, which is handed on with the next page."""
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
        self.phase, self.offset, self.anchors, self.left = phase, 0, [], ""

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
        if _has_moved(progress, ids):
            progress.step_back(limit)
            continue
        is_last = _is_last(progress, ids, window.total)
        there, (anchors, left) = set(progress.anchors), (0, 0) if is_last else _left_to_the_next(ids)
        rows = [row for row in window.rows[: len(ids) - left] if row.id not in there]
        progress.offset += len(ids) - anchors - left
        progress.anchors = ids[len(ids) - anchors - left : len(ids) - left]
        progress.left = ids[-1] if left else ""
        yield Stretch(rows, window.total, is_last)
        if is_last:
            return


def _has_moved(progress: Progress, ids: Sequence[str]) -> bool:
    """Whether rows before this page went away, and others with them from under it."""
    expected = progress.anchors or ([progress.left] if progress.left else [])
    return bool(expected) and progress.offset > 0 and not set(ids) & set(expected)


def _is_last(progress: Progress, ids: Sequence[str], total: int | None) -> bool:
    if not ids or (progress.offset > 0 and set(ids) <= {*progress.anchors, progress.left}):
        return True
    return total is not None and progress.offset + len(ids) >= total


def _left_to_the_next(ids: Sequence[str]) -> tuple[int, int]:
    """How many rows to begin the next page with: anchors, which are handed on now, and all rows with the last one's id, which are not."""
    left = 1
    while left < len(ids) and ids[-left - 1] == ids[-1]:
        left += 1
    if left == len(ids):
        return 0, 0
    return min(MOST_ANCHORS, (len(ids) - left) // 2), left
