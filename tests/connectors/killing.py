"""Kills an attempt at a chosen point: before a request leaves, or after its answer came. Nothing of the attempt goes on."""

import httpx


class Killed(BaseException):
    """The process ended here. No code of the product catches it, as none runs after a real kill."""


class KillSwitch(httpx.AsyncBaseTransport):
    """Lets requests through until the chosen one."""

    def __init__(self, transport: httpx.AsyncBaseTransport, request: int, *, after_answer: bool) -> None:
        self._transport = transport
        self._left = request
        self._after_answer = after_answer

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self._left -= 1
        if self._left == 0 and not self._after_answer:
            raise Killed
        response = await self._transport.handle_async_request(request)
        if self._left == 0:
            await response.aread()
            await response.aclose()
            raise Killed
        return response
