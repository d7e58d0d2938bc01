"""The last look before a request leaves: does this process still hold the work that it is for?

The database refuses what a frozen and thawed worker writes; a provider does not. So no request goes out after the time
at which somebody else may have taken the work over, by a clock that goes on while the process or the machine stands still.
"""

import time
from typing import Any

import httpx

from app.errors import LeaseLost


def now() -> float:
    """Seconds of a clock that also counts the time in which this process or its machine was stopped."""
    return _clock()


def _clock() -> float:
    return time.clock_gettime(time.CLOCK_BOOTTIME) if hasattr(time, "CLOCK_BOOTTIME") else time.monotonic()


SURE = 2 / 3
"""The share of a lease in which requests are let out; the rest is for those that are on their way."""


class Hold:
    """For how long a lease is surely ours, also when the answer comes."""

    def __init__(self, began: float, seconds: float) -> None:
        self.extend(began, seconds)

    def extend(self, began: float, seconds: float) -> None:
        """The lease was taken or extended for so long; `began` is the time before it was asked for."""
        self._until = began + seconds * SURE

    def check(self) -> None:
        """Raises LeaseLost once somebody else may hold the work when the answer comes."""
        if now() >= self._until:
            raise LeaseLost


class HeldTransport(httpx.AsyncBaseTransport):
    """Lets requests out while the hold lasts; asked again when a connection has been found and the first byte is to be written."""

    def __init__(self, transport: httpx.AsyncBaseTransport, hold: Hold) -> None:
        self._transport = transport
        self._hold = hold

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self._hold.check()
        request.extensions = {**request.extensions, "trace": self._trace}
        return await self._transport.handle_async_request(request)

    async def _trace(self, event: str, info: dict[str, Any]) -> None:
        if event.endswith("send_request_headers.started"):
            self._hold.check()
