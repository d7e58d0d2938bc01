"""Where workers die and stand still: at their requests and their COMMITs."""

import asyncio
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import httpx

from app import database
from app.connectors import hold

if TYPE_CHECKING:
    from tests.two_way.simulation.world import World

trouble: ContextVar["Trouble | None"] = ContextVar("trouble", default=None)
"""What happens to the worker whose task this is; the tasks that it makes share it."""


class Crash(BaseException):
    """The process ends here: nothing catches it, and nothing after it happens."""


@dataclass(eq=False)
class Trouble:
    """Where the next crash or freeze happens: so many requests and statements from now."""

    crash_in: int | None = None
    freeze_in: int | None = None
    frozen: asyncio.Event = field(default_factory=asyncio.Event)
    thaw: asyncio.Event = field(default_factory=asyncio.Event)
    worker: "asyncio.Task[None] | None" = None
    is_dead: bool = False

    async def step(self) -> None:
        """One request or COMMIT is about to happen. A dead worker does neither any more."""
        if self.crash_in is not None and not self.is_dead:
            self.crash_in -= 1
            if self.crash_in < 0:
                self.is_dead = True
                if self.worker is not None:
                    self.worker.cancel()
        if self.is_dead:
            raise Crash
        if self.freeze_in is not None:
            self.freeze_in -= 1
            if self.freeze_in < 0:
                self.freeze_in = None
                self.frozen.set()
        await self.stand_still()

    async def stand_still(self) -> None:
        """Once one of its tasks is frozen, all of them are."""
        if self.frozen.is_set():
            await self.thaw.wait()

    def is_frozen(self) -> bool:
        return self.frozen.is_set() and not self.thaw.is_set()

    async def until_frozen(self, worker: "asyncio.Task[None]") -> bool:
        """Until the worker stands still, or has ended before it came to that."""
        stood_still = asyncio.create_task(self.frozen.wait())
        await asyncio.wait({worker, stood_still}, timeout=10, return_when=asyncio.FIRST_COMPLETED)
        stood_still.cancel()
        return self.frozen.is_set()


class TroubledTransport(httpx.AsyncBaseTransport):
    """Stands where requests leave."""

    def __init__(self, inner: httpx.AsyncBaseTransport) -> None:
        self.inner = inner

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        mine = trouble.get()
        if mine is not None:
            await mine.step()
        response = await self.inner.handle_async_request(request)
        try:
            if mine is not None:
                await mine.step()
        except BaseException:  # this process lives on, and would keep the connection
            await response.aclose()
            raise
        return response


class Troubled:
    """While it is entered, requests leave through their worker's trouble, COMMITs may be the last thing it does, and the clock of
    holds is the world's."""

    def __init__(self, world: "World") -> None:
        self.world = world

    def __enter__(self) -> "Troubled":
        world, sessions = self.world, self.world.hub.connections.sessions
        self._transport, self._execute, self._clock = sessions.transport, database._Connection.execute, hold._clock
        object.__setattr__(sessions, "transport", TroubledTransport(self._transport))
        execute_there = self._execute

        async def troubled(connection: Any, query: str, *arguments: Any, timeout: float | None = None) -> Any:
            mine = trouble.get()
            if mine is None or not query.startswith(("BEGIN", "COMMIT")):
                return await execute_there(connection, query, *arguments, timeout=timeout)
            if query != "COMMIT":
                await mine.stand_still()
            elif mine.freeze_in is None and not mine.is_frozen():  # within a transaction Postgres would end it, 15 s later
                await mine.step()
            status = await execute_there(connection, query, *arguments, timeout=timeout)
            if query == "COMMIT":
                await mine.step()
            return status

        database._Connection.execute = troubled  # type: ignore[method-assign]
        hold._clock = lambda: self._clock() + world.clock
        return self

    def __exit__(self, *args: object) -> None:
        object.__setattr__(self.world.hub.connections.sessions, "transport", self._transport)
        database._Connection.execute = self._execute  # type: ignore[method-assign]
        hold._clock = self._clock
