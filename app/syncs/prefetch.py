"""Fetches and decodes the next pages while the last one is written and commits."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import TypeVar

T = TypeVar("T")


@asynccontextmanager
async def prefetched(pages: AsyncIterator[T], most: int = 1) -> AsyncIterator[AsyncIterator[list[T]]]:
    """The same pages, read ahead: each time those that wait, one or more. What reading raises is raised behind the pages before it.

    At most that many wait while as many are written, and one is in the reader's hand: memory stays flat.
    """
    queue: asyncio.Queue[T | Exception | None] = asyncio.Queue(most)
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


async def _from(queue: "asyncio.Queue[T | Exception | None]") -> AsyncIterator[list[T]]:
    while True:
        pages: list[T] = []
        waiting = [await queue.get(), *(queue.get_nowait() for _ in range(queue.qsize()))]
        for one in waiting:
            if one is None or isinstance(one, Exception):
                if pages:
                    yield pages
                if one is not None:
                    raise one
                return
            pages.append(one)
        yield pages
