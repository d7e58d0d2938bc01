"""Takes back the connections that cancelled requests leave behind.

httpcore forgets to release a connection when its request is cancelled at certain moments, or twice (issues 830 and 1093, open in 1.0.9, its
last release). Such connections count against the pool's limit for ever; once they fill it, no provider can be reached until the
process ends. Here it is known which requests are under way: whatever else is in the pool and in use is nobody's.
"""

from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any

import httpcore
import httpx


class ReclaimingTransport(httpx.AsyncBaseTransport):
    """Looks for what was left behind whenever a request has ended, and gives the place to whoever waits for it."""

    def __init__(self, transport: httpx.AsyncHTTPTransport) -> None:
        self._transport = transport
        self._pool: httpcore.AsyncConnectionPool = transport._pool
        self._under_way: dict[int, dict[str, Any]] = {}
        """Each request's extensions by their identity: httpx hands them on to httpcore as they are."""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        mark = request.extensions = dict(request.extensions)
        self._under_way[id(mark)] = mark
        try:
            response = await self._transport.handle_async_request(request)
        except BaseException:
            await self._ended(mark)
            raise
        response.stream = _Body(self, mark, response.stream)
        return response

    async def aclose(self) -> None:
        await self._transport.aclose()

    async def _ended(self, mark: dict[str, Any]) -> None:
        """All of it but closing happens at once, so that another cancellation cannot come between."""
        self._under_way.pop(id(mark), None)
        pool = self._pool
        lost = [one for one in pool._requests if id(one.request.extensions) not in self._under_way]
        for one in lost:
            pool._requests.remove(one)
        used = {id(one.connection) for one in pool._requests}
        orphans = [one for one in pool._connections if id(one) not in used and not one.is_idle() and not one.is_closed()]
        for orphan in orphans:
            pool._connections.remove(orphan)
        if lost or orphans:  # also one whose connection is closed has kept its place
            for connection in [*orphans, *pool._assign_requests_to_connections()]:
                with suppress(Exception):  # whoever's request ended here has its own answer
                    await pool._close_connections([connection])


class _Body(httpx.AsyncByteStream):
    """An answer's body. Whoever asked closes it."""

    def __init__(self, transport: ReclaimingTransport, mark: dict[str, Any], inner: Any) -> None:
        self._transport = transport
        self._mark = mark
        self._inner = inner

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for piece in self._inner:
            yield piece

    async def aclose(self) -> None:
        try:
            await self._inner.aclose()
        finally:
            await self._transport._ended(self._mark)
