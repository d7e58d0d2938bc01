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
from app.api.followed import Asked
from app.api.masking import log_surprise, sentence_for
from app.feed.models import Event

KEPT = 64
"""How many rendered events are kept for those who come a little later."""


@dataclass(frozen=True, slots=True)
class Printed:
    """An answer as JSON text: `data`, and `errors` where there are some."""

    text: str
    last: bool


@dataclass(frozen=True, slots=True)
class _Sheet:
    key: Hashable
    event: Event
    printed: "asyncio.Future[Printed]"


class Press:
    """One running subscription of the library: events go in one by one, texts come out in the same order.

    Everything that surrounds an operation (validation, limits, masking) is active as for any other.
    """

    def __init__(self, schema: BaseSchema, asked: Asked, context: Context) -> None:
        self.is_last = False
        """Set by the field of the subscription: nothing can come after the event that it has in hand."""
        self.has_failed = False
        """Set by the same: the event could not be made a payload."""
        self._schema = schema
        self._asked = asked
        self._context = context
        self._waiting: asyncio.Queue[_Sheet] = asyncio.Queue()
        self._in_hand: _Sheet | None = None
        self._kept: OrderedDict[Hashable, asyncio.Future[Printed]] = OrderedDict()
        self._task = asyncio.create_task(self._run())

    async def print(self, event: Event) -> Printed:
        """The text of an event; those who ask for the same one at about the same time get the same."""
        key = (event.sequence, event.revision, event.subject_id, event.missed)
        printed = self._kept.get(key)
        if printed is None:
            printed = self._kept[key] = asyncio.get_running_loop().create_future()
            self._waiting.put_nowait(_Sheet(key, event, printed))
            while len(self._kept) > KEPT:
                self._kept.popitem(last=False)
        return await asyncio.shield(printed)

    async def events(self) -> AsyncIterator[Event]:
        """What the field of the subscription makes payloads of."""
        while True:
            if self._in_hand is None:
                self._in_hand = await self._waiting.get()
            self.is_last = self.has_failed = False
            yield self._in_hand.event

    def stop(self) -> None:
        self._task.cancel()

    async def _run(self) -> None:
        """An operation that ends, because an event could not be rendered or it was refused, begins again with the next."""
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
            self._kept.pop(sheet.key, None)
        if not sheet.printed.done():
            sheet.printed.set_result(Printed(msgspec.json.encode(answer).decode(), self.is_last or failed))
