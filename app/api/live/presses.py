"""A press renders the events of a subscription once for all who follow the same with the same rights."""

import asyncio
from collections import OrderedDict
from collections.abc import AsyncIterator, Hashable
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

import msgspec
from strawberry.http import process_result
from strawberry.schema import BaseSchema
from strawberry.types.execution import PreExecutionError

from app.api.context import Context
from app.api.live.followed import Asked
from app.api.live.frames import text_frame
from app.api.masking import log_surprise, sentence_for
from app.feed.models import Event

KEPT_BYTES = 8_000_000
"""How much of what was rendered a process keeps for those who come a little later, after a broken connection for example."""
EVENTS_OF_ONE_OPERATION = 200
"""graphql-core 3.3 keeps about 3 kB of each event for as long as a subscription runs; after these it begins anew."""
_AROUND = 1_000
"""What is kept around each text, roughly."""


@dataclass(slots=True)
class Printed:
    """An answer as JSON text: `data`, and `errors` where there are some."""

    text: str
    last: bool
    _head: str = ""
    _frame: bytes = b""

    def message(self, head: str) -> str:
        """The text of a WebSocket's `next` message, whose beginning differs with the operation's id."""
        return f"{head}{self.text}}}"

    def frame(self, head: str) -> bytes:
        """The same as a frame. Those who chose the same id share it."""
        if head != self._head:
            self._head, self._frame = head, text_frame(self.message(head))
        return self._frame


class Shelf:
    """What all presses of a process rendered last, and what they are about to render."""

    def __init__(self, kept_bytes: int = KEPT_BYTES) -> None:
        self._room = kept_bytes
        self._kept: OrderedDict[tuple[Hashable, ...], asyncio.Future[Printed]] = OrderedDict()

    def find(self, key: tuple[Hashable, ...]) -> "asyncio.Future[Printed] | None":
        return self._kept.get(key)

    def expect(self, key: tuple[Hashable, ...]) -> "asyncio.Future[Printed]":
        """A place for what is about to be rendered."""
        printed = self._kept[key] = asyncio.get_running_loop().create_future()
        return printed

    def keep(self, printed: Printed) -> None:
        """It takes its room; what is oldest makes room for it."""
        self._room -= len(printed.text) + _AROUND
        while self._room < 0 and self._kept:
            self.drop(next(iter(self._kept)))

    def forget(self, press: "Press") -> None:
        """Nobody asks for what it rendered any more."""
        for key in [key for key in self._kept if key[0] is press]:
            self.drop(key)

    def drop(self, key: tuple[Hashable, ...]) -> None:
        printed = self._kept.pop(key, None)
        if printed is not None and printed.done() and not printed.cancelled():
            self._room += len(printed.result().text) + _AROUND


@dataclass(frozen=True, slots=True)
class _Sheet:
    key: tuple[Hashable, ...]
    event: Event
    printed: "asyncio.Future[Printed]"


class Press:
    """One running subscription of the library: events go in one by one, texts come out in the same order.

    Everything that surrounds an operation (validation, limits, masking) is active as for any other.
    """

    def __init__(self, schema: BaseSchema, asked: Asked, context: Context, shelf: Shelf) -> None:
        self.is_last = False
        """Set by the field of the subscription: nothing can come after the event that it has in hand."""
        self.has_failed = False
        """Set by the same: the event could not be made a payload."""
        self._schema = schema
        self._asked = asked
        self._context = context
        self._waiting: asyncio.Queue[_Sheet] = asyncio.Queue()
        self._in_hand: _Sheet | None = None
        self._shelf = shelf
        self._task = asyncio.create_task(self._run())

    def begin(self, event: Event) -> "asyncio.Future[Printed]":
        """Have it rendered in its turn; those who ask for the same event at about the same time get the same."""
        key = (self, event.sequence, event.revision, event.subject_id, event.missed)
        printed = self._shelf.find(key)
        if printed is None:
            printed = self._shelf.expect(key)
            self._waiting.put_nowait(_Sheet(key, event, printed))
        return printed

    async def print(self, event: Event) -> Printed:
        """The text of an event."""
        return await asyncio.shield(self.begin(event))

    async def events(self) -> AsyncIterator[Event]:
        """What the field of the subscription makes payloads of, until the operation has to begin again."""
        for _ in range(EVENTS_OF_ONE_OPERATION):
            if self._in_hand is None:
                self._in_hand = await self._waiting.get()
            self.is_last = self.has_failed = False
            yield self._in_hand.event

    def stop(self) -> None:
        self._task.cancel()
        self._shelf.forget(self)

    async def _run(self) -> None:
        """An operation that ends, because it has rendered enough, or could not, begins again with the next event."""
        while True:
            self._in_hand = self._in_hand or await self._waiting.get()
            try:
                await self._print_all()
            except Exception as error:
                reference = log_surprise(error)
                self._hand_over({"data": None, "errors": [{"message": sentence_for(reference)}]}, failed=True)

    async def _print_all(self) -> None:
        variables = msgspec.json.decode(self._asked.variables)
        results = await self._schema.stream(
            self._asked.query, variable_values=variables, context_value=self._context, operation_name=self._asked.operation_name
        )
        async with aclosing(results):
            async for result in results:
                refused = isinstance(result, PreExecutionError)
                self._hand_over(process_result(result), failed=self.has_failed or refused)  # type: ignore[arg-type]  # it is a result too
        if self._in_hand is not None:
            raise RuntimeError("A subscription ended without an answer to its event.")

    def _hand_over(self, answer: Any, *, failed: bool) -> None:
        sheet, self._in_hand = self._in_hand, None
        if sheet is None:
            return
        if failed:
            self._shelf.drop(sheet.key)
        printed = Printed(msgspec.json.encode(answer).decode(), self.is_last or failed)
        if not sheet.printed.done():
            sheet.printed.set_result(printed)
            if self._shelf.find(sheet.key) is sheet.printed:
                self._shelf.keep(printed)
