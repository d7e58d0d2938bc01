"""How many requests a connection may still send, shared by all workers (law 12).

The counters live outside (app/budget.py keeps them in Redis); this module decides whether to wait or to give up. A short
wait is sat out here; for a longer one the job gives its slot to others and comes back.
"""

import asyncio
import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from app.connectors.base import RateLimit
from app.connectors.errors import QuotaExhausted, RateLimited

Priority = Literal["bulk", "decision"]

PATIENCE_SECONDS = 10.0
"""The longest wait within a call. A longer one would hold a worker's slot for nothing."""
LONG_WINDOW_SECONDS = 3600
"""A full window of at least this length is a used-up quota, not a short jam."""
KEPT_SECONDS = 20.0
"""How long bulk work stands back after a decision has asked for room: as long as an attempt may take."""


class Budget(Protocol):
    """Leave to send requests on one connection."""

    async def acquire(self, priority: Priority) -> float:
        """Take one request; returns the seconds waited. Raises RateLimited or QuotaExhausted with `retry_after`."""
        ...

    async def pause(self, seconds: float, *, quota: bool = False) -> None:
        """The provider refused for that long: nobody sends on this connection until then.

        A used-up `quota` holds bulk work only: nobody knows when it is renewed, so a decision may always try.
        """
        ...


class Full(Protocol):
    """No request is left in a window (or the provider asked for a pause)."""

    @property
    def window(self) -> str: ...
    @property
    def seconds(self) -> float:
        """Until a request is free again."""
        ...

    @property
    def window_seconds(self) -> float: ...


class Counters(Protocol):
    """Counts of requests that all workers share."""

    async def take(self, key: str, windows: Sequence[RateLimit], *, urgent: bool) -> Full | None:
        """Count one request in every window, or none and say which one is full. `urgent` may use what is reserved."""
        ...

    async def free(self, key: str, windows: Sequence[RateLimit], *, keep: int, seconds: float) -> Sequence[int] | None:
        """What is left for decisions in each window, None in a pause; bulk work leaves `keep` of each alone for `seconds`."""
        ...

    async def block(self, key: str, seconds: float, window_seconds: float, *, urgent_too: bool) -> None:
        """Nobody takes a request for that long, or nobody but urgent ones."""
        ...


@dataclass(frozen=True, slots=True)
class ConnectionBudget:
    """The budget of one connection. `key` names what the provider counts by: the connection, or an account's key."""

    counters: Counters
    key: str
    limits: Sequence[RateLimit]
    patience_seconds: float = PATIENCE_SECONDS

    async def acquire(self, priority: Priority) -> float:
        waited = 0.0
        while full := await self.counters.take(self.key, self.limits, urgent=priority == "decision"):
            if waited + full.seconds > self.patience_seconds:
                raise _no_more(full)
            # Not all waiters come back in the same millisecond.
            pause = full.seconds + random.uniform(0, 0.05)
            await asyncio.sleep(pause)
            waited += pause
        return waited

    async def room(self, requests: int, at_most: int) -> int:
        """How many decisions of that many requests each may be in hand now, so that none is cut short by a limit.

        Bulk work leaves as much as `at_most` of them need alone for a while, so that room comes to be. More than half of a window
        is not waited for: such a decision begins with half, is cut short and goes on where it stopped. A long window is no
        matter of room: when it is used up, the attempt says so.
        """
        short = [limit for limit in self.limits if limit.seconds < LONG_WINDOW_SECONDS]
        free = await self.counters.free(self.key, short, keep=requests * at_most, seconds=KEPT_SECONDS)
        if free is None:
            return 0
        return min([at_most, *(left // _share(limit, requests) for limit, left in zip(short, free, strict=True))])

    async def pause(self, seconds: float, *, quota: bool = False) -> None:
        await self.counters.block(self.key, seconds, LONG_WINDOW_SECONDS if quota else 0, urgent_too=not quota)


def _share(limit: RateLimit, requests: int) -> int:
    return max(1, min(requests, limit.requests // 2))


def _no_more(full: Full) -> RateLimited:
    if full.window_seconds < LONG_WINDOW_SECONDS:
        return RateLimited("As many requests as the provider allows were just sent; work goes on after a pause.", retry_after=full.seconds)
    return QuotaExhausted(retry_after=full.seconds)
