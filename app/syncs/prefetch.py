"""Fetches and decodes the next page while the last one is written and commits."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import TypeVar

T = TypeVar("T")
AHEAD = 1
"""Pages in hand beside the one that is being written; memory stays flat."""


@asynccontextmanager
async def prefetched(pages: AsyncIterator[T]) -> AsyncIterator[AsyncIterator[T]]:
    """The same pages, one of them ahead; what reading raises is raised where it is taken."""
    queue: asyncio.Queue[T | Exception | None] = asyncio.Queue(AHEAD)
    reader = asyncio.create_task(_read_into(queue, pages))
    try:
        yield _from(queue)
    finally:
        reader.cancel()
        with suppress(asyncio.CancelledError):
            await reader


async def _read_into(queue: "asyncio.Queue[T | Exception | None]", pages: AsyncIterator[T]) -> None:
    try:
        async for page in pages:
            await queue.put(page)
        await queue.put(None)
    except Exception as error:
        await queue.put(error)


async def _from(queue: "asyncio.Queue[T | Exception | None]") -> AsyncIterator[T]:
    while (page := await queue.get()) is not None:
        if isinstance(page, Exception):
            raise page
        yield page
