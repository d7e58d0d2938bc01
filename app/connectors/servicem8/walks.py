"""How far a walk has come, and what it leaves for the next one.

While it runs, a walk's state names the object that is being read, the cursor, and what is known so far of each object's watermark. When
it has ended, its state is `{"<object>": {"edit_date": "<watermark>"}}`; for lines also the tax rates that they were read with.
"""

from datetime import datetime, timedelta
from typing import Any

import msgspec

from app.connectors.answers import Response
from app.connectors.base import Mode, State, Walk
from app.connectors.errors import UnexpectedResponse
from app.connectors.servicem8.clock import AccountClock
from app.connectors.servicem8.cutting import CutPage
from app.connectors.servicem8.payloads import is_time

FIRST_CURSOR = "-1"
BEFORE_ITS_ANSWER = timedelta(seconds=5)
"""How much earlier than the Date of its answer a page may have been read from the provider's database."""
CLOCKS_AGREE = timedelta(minutes=2)
"""A stamp that is further ahead of the provider's Date header than this says nothing about order: it has not been yet."""


class Mark(msgspec.Struct, omit_defaults=True):
    """What is known of one object's watermark. All are times of the account's clock."""

    highest: str = ""
    """The greatest edit_date received."""
    began: str = ""
    """When the first page was read, by the provider's clock."""
    latest: str = ""
    """When the latest page was read."""
    pages: int = 0

    def note(self, response: Response, page: CutPage, clock: AccountClock) -> None:
        """Take in one more page."""
        stamps = [one.head.edit_date for one in page.objects if is_time(one.head.edit_date)]
        self.highest = max([self.highest, *stamps])
        date = response.headers.get("date", "")
        self.began = self.began or clock.local(date, earlier=BEFORE_ITS_ANSWER)
        self.latest = clock.local(date) or self.latest
        self.pages += 1

    def watermark(self) -> str:
        """Up to where everything was read.

        That is the greatest edit_date received, with two exceptions, for which it is the time when the walk began. Pages were edited
        behind the walk's back: an object on a page that was already read, edited before the greatest one was, would be lost. Or a
        stamp lies in the future: everything that is edited until then would be.
        """
        if not self.began or self.highest <= self.began:
            return self.highest
        return self.began if self.pages > 1 or not self.has_been(self.highest) else self.highest

    def has_been(self, stamp: str) -> bool:
        """Whether a stamp is not in the future, by the clock of the page that it came with."""
        return not self.latest or stamp <= _later(self.latest, CLOCKS_AGREE)


class Progress(msgspec.Struct, omit_defaults=True):
    """The state of a walk that has not ended."""

    phase: str
    cursor: str = FIRST_CURSOR
    marks: dict[str, Mark] = {}
    tax_rates: dict[str, str] | None = None
    """Percent by the tax rate's uuid; "" is the account's default rate."""
    followed: int = 0
    """How many cursors of this object were followed, and one of them, to notice a walk in circles however it is cut into pieces (Brent)."""
    landmark: str = ""
    reread: bool = False
    """Whether all parts are read, because the tax rates changed."""

    @classmethod
    def of(cls, state: State) -> "Progress":
        return msgspec.convert(state, cls)

    def state(self) -> State:
        result: State = msgspec.to_builtins(self)
        return result

    def mark(self, name: str) -> Mark:
        return self.marks.setdefault(name, Mark())

    def follow(self, cursor: str) -> None:
        """Go on at this cursor. Raises UnexpectedResponse when the walk has been there."""
        if cursor == self.landmark:
            raise UnexpectedResponse(f"The provider's pages lead back to {cursor[:80]!r}; the walk would never end.")
        self.cursor, self.followed = cursor, self.followed + 1
        if self.followed & (self.followed - 1) == 0:
            self.landmark = cursor

    def turn_to(self, phase: str) -> None:
        """Go on with another object, or end the walk (an empty phase)."""
        self.phase, self.cursor, self.followed, self.landmark = phase, FIRST_CURSOR, 0, ""

    def ended(self, walk: Walk, *, keep: str = "") -> State:
        """The state that the walk leaves. The watermark of `keep` stays where the last walk left it, if it left one."""
        state: State = {name: {"edit_date": self._settled(name, walk, keep)} for name in self.marks}
        if self.tax_rates is not None:
            state["taxrate"] = self.tax_rates
        return state

    def _settled(self, name: str, walk: Walk, keep: str) -> str:
        before, now = saved_watermark(walk, name), self.marks[name].watermark()
        if name == keep and before:
            return before
        return now if walk.mode is Mode.FULL else max(before, now)


def has_ended(state: State) -> bool:
    """Whether this is what a walk left at its end."""
    return "phase" not in state


def saved_watermark(walk: Walk, name: str) -> str:
    """Where the last walk ended for this object; empty before the first."""
    saved: Any = (walk.saved or {}).get(name, {})
    watermark = saved.get("edit_date", "") if isinstance(saved, dict) else ""
    return watermark if is_time(watermark) else ""


def _later(stamp: str, by: timedelta) -> str:
    return str(datetime.fromisoformat(stamp) + by) if stamp else ""
