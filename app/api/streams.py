"""Streams that stay open: how many a caller may have, and how long they remain allowed."""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Hashable
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, TypeVar

from app.actors import Permission
from app.errors import NotSignedIn, PermissionDenied, Refusal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from app.api.context import Context

T = TypeVar("T")

# A token that is revoked ends its streams within this time.
CHECK_SECONDS = 3.0


class TooManyStreams(Refusal):
    """Too many streams are open for this caller; close some first."""

    code = "too_many_streams"


class OpenStreams:
    """Counts what each caller has open in this process."""

    def __init__(self, most: int) -> None:
        self.most = most
        self._open: Counter[Hashable] = Counter()

    def room_for(self, caller: Hashable) -> None:
        """Raises TooManyStreams."""
        if self._open[caller] >= self.most:
            raise TooManyStreams

    @contextmanager
    def counted(self, caller: Hashable) -> "Iterator[None]":
        self._open[caller] += 1
        try:
            yield
        finally:
            self._open[caller] -= 1
            if not self._open[caller]:
                del self._open[caller]

    def counting(self, caller: Hashable, stream: Callable[[], AsyncIterator[str]]) -> Callable[[], AsyncIterator[str]]:
        """The same stream, counted while somebody reads it."""

        async def read() -> AsyncGenerator[str, None]:
            with self.counted(caller):
                async for chunk in stream():
                    yield chunk

        return read


async def while_allowed(context: "Context", permission: Permission, source: AsyncGenerator[T, None]) -> AsyncGenerator[T, None]:
    """What `source` gives, for as long as the caller is signed in and may have it; then the stream just ends.

    A WebSocket is watched as a whole (app/api/websocket.py), so here only its present actor is asked.
    """
    upcoming: asyncio.Task[T] | None = None
    checked = time.monotonic()
    try:
        while True:
            upcoming = upcoming or asyncio.ensure_future(anext(source))
            done, _ = await asyncio.wait({upcoming}, timeout=CHECK_SECONDS)
            if time.monotonic() - checked >= CHECK_SECONDS:
                if not await _still_allowed(context, permission):
                    return
                checked = time.monotonic()
            if done:
                try:
                    value = upcoming.result()
                except StopAsyncIteration:
                    return
                upcoming = None
                yield value
    finally:
        if upcoming is not None:
            upcoming.cancel()
            with suppress(asyncio.CancelledError, StopAsyncIteration):
                await upcoming
        await source.aclose()


async def _still_allowed(context: "Context", permission: Permission) -> bool:
    try:
        if not context.is_watched:
            await context.check_again()
        context.actor.require(permission)
    except (NotSignedIn, PermissionDenied):
        return False
    return True
