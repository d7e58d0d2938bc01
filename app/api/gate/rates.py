"""How much one caller may ask for in a minute, counted in Redis for all processes.

Each caller of an organization has a bucket that holds a minute's worth of cost and drains evenly; an operation is let in
while its cost still fits. Every process keeps its own view of the buckets that it uses. While a bucket is well below its
brim, an operation is let in from that view at once, and what was let in is added in Redis moments later, for all callers
in one script. Near the brim each operation waits for Redis (one round trip), which then decides alone. For a moment the
limit may so be passed by what other processes let in within the last 20 ms; it is counted, and has to drain as all the rest.

A Redis that is away, slow or was flushed stops no operation: the process's own view is then the bound.
"""

import asyncio
import math
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from uuid import UUID

from redis.asyncio import Redis
from redis.exceptions import RedisError

from app.actors import Actor, ActorKind
from app.errors import FixBy, Refusal

_WINDOW_SECONDS = 60.0
_NEAR = 0.8
"""From this part of a bucket on, Redis decides on each operation."""
_SETTLE_SECONDS = 0.02
_PATIENCE_SECONDS = 0.25
_PAUSE_SECONDS = 1.0
"""How long a Redis that did not answer in time is not waited for."""
_CALLERS = 10_000
"""How many callers' buckets a process remembers."""

# KEYS: one bucket for each entry. ARGV: the brim, drained per ms, then for each entry its cost and 1 if it must fit.
# A bucket is the time in ms at which it will be empty. Answers for each entry: 1 if it did not fit, and what is in the bucket.
_POUR = """
local time = redis.call('TIME')
local now = time[1] * 1000 + time[2] / 1000
local brim, drained = tonumber(ARGV[1]), tonumber(ARGV[2])
local answers = {}
for number, key in ipairs(KEYS) do
    local cost, must_fit = tonumber(ARGV[number * 2 + 1]), ARGV[number * 2 + 2] == '1'
    local empty_at = math.max(tonumber(redis.call('GET', key) or 0), now)
    local level = (empty_at - now) * drained
    if must_fit and level + cost > brim then
        answers[number * 2 - 1] = 1
    else
        level = level + cost
        redis.call('SET', key, string.format('%.3f', now + level / drained), 'PX', math.ceil(level / drained) + 1000)
        answers[number * 2 - 1] = 0
    end
    answers[number * 2] = math.ceil(level)
end
return answers
"""


class RateLimited(Refusal):
    """This caller has asked for too much within a minute."""

    code = "rate_limited"
    fix_by = FixBy.TIME

    def __init__(self, *, allowed: int, used: int, cost: int, seconds: float) -> None:
        self.retry_after_seconds = max(1, math.ceil(seconds))
        super().__init__(
            f"This caller has asked for {used:,} of {allowed:,} objects within a minute, and this operation costs {cost:,};"
            f" it fits in {self.retry_after_seconds} seconds."
        )
        self.details = {"limit": "rate", "allowed": allowed, "measured": used + cost, "retryAfter": self.retry_after_seconds}


@dataclass(slots=True)
class _Bucket:
    level: float
    at: float

    def drain(self, now: float, per_second: float) -> float:
        """What is in it now."""
        self.level, self.at = max(0.0, self.level - (now - self.at) * per_second), now
        return self.level


class Rates:
    """The buckets of all callers. `per_minute` 0 lets everything in."""

    def __init__(self, redis: Redis, per_minute: int, *, prefix: str = "crosswalk", clock: Callable[[], float] = time.monotonic) -> None:
        self.allowed = per_minute
        self._per_second = per_minute / _WINDOW_SECONDS
        self._pour = redis.register_script(_POUR)
        self._prefix = prefix
        self._clock = clock
        self._buckets: OrderedDict[str, _Bucket] = OrderedDict()
        self._unsettled: dict[str, int] = {}
        self._settling: asyncio.Task[None] | None = None
        self._ask_again_at = 0.0

    def used(self, actor: Actor) -> int:
        """What this process knows to be in the caller's bucket."""
        return math.ceil(self._bucket(_caller(actor)).drain(self._clock(), self._per_second))

    def require_room(self, actor: Actor) -> None:
        """Raises RateLimited where nothing fits any more, before anything is worked out."""
        if self.allowed and self.used(actor) >= self.allowed:
            raise self._refusal(self.used(actor), 1)

    def add(self, actor: Actor, cost: int) -> None:
        """Count what was done already, whether it fits or not."""
        if self.allowed:
            caller = _caller(actor)
            self._bucket(caller).level += cost
            self._settle_soon(caller, cost)

    async def take(self, actor: Actor, cost: int) -> None:
        """Count an operation, or raise RateLimited. Waits only near the brim."""
        if not self.allowed:
            return
        caller, cost = _caller(actor), min(cost, self.allowed)
        bucket = self._bucket(caller)
        used = bucket.drain(self._clock(), self._per_second)
        if used + cost > self.allowed:
            raise self._refusal(math.ceil(used), cost)
        if used + cost > self.allowed * _NEAR and self._clock() >= self._ask_again_at:
            await self._take_shared(caller, cost)
        else:
            bucket.level += cost
            self._settle_soon(caller, cost)

    def give_back(self, actor: Actor, cost: int) -> None:
        """Uncount what was taken for an operation that another path now answers, and counts."""
        self.add(actor, -min(cost, self.allowed))

    async def settled(self) -> None:
        """Returns when all that was let in until now is counted in Redis, or Redis did not answer."""
        if self._settling is not None:
            await asyncio.wait([self._settling])

    async def _take_shared(self, caller: str, cost: int) -> None:
        before = self._unsettled.pop(caller, 0)
        answer = await self._send([(caller, before, False), (caller, cost, True)])
        if answer is None:
            self._bucket(caller).level += cost
            self._unsettled[caller] = self._unsettled.get(caller, 0) + before + cost
            return
        (_, _), (refused, used) = answer
        if not refused:
            self._bucket(caller).level += cost
        self._learn(caller, used)
        if refused:
            raise self._refusal(used, cost)

    def _settle_soon(self, caller: str, cost: int) -> None:
        self._unsettled[caller] = self._unsettled.get(caller, 0) + cost
        if self._settling is None or self._settling.done():
            self._settling = asyncio.create_task(self._settle())

    async def _settle(self) -> None:
        while self._unsettled:
            await asyncio.sleep(_SETTLE_SECONDS)
            costs, self._unsettled = self._unsettled, {}
            answers = await self._send([(caller, cost, False) for caller, cost in costs.items()])
            for caller, (_, used) in zip(costs, answers or (), strict=False):
                self._learn(caller, used + self._unsettled.get(caller, 0))

    async def _send(self, entries: Sequence[tuple[str, int, bool]]) -> list[tuple[bool, int]] | None:
        """Pour each in; None when Redis does not answer."""
        keys = [f"{self._prefix}:{{api-rate}}:{caller}" for caller, _, _ in entries]
        arguments = [value for _, cost, must_fit in entries for value in (cost, int(must_fit))]
        try:
            async with asyncio.timeout(_PATIENCE_SECONDS):
                answer = await self._pour(keys=keys, args=[self.allowed, self._per_second / 1000, *arguments])
        except (RedisError, OSError):
            self._ask_again_at = self._clock() + _PAUSE_SECONDS
            return None
        return [(bool(answer[at]), int(answer[at + 1])) for at in range(0, len(answer), 2)]

    def _learn(self, caller: str, used: int) -> None:
        """What Redis says, unless this process knows of more: then Redis has forgotten."""
        bucket = self._bucket(caller)
        bucket.level = max(bucket.drain(self._clock(), self._per_second), float(used))

    def _bucket(self, caller: str) -> _Bucket:
        bucket = self._buckets.get(caller)
        if bucket is None:
            bucket = self._buckets[caller] = _Bucket(0.0, self._clock())
            if len(self._buckets) > _CALLERS:
                self._buckets.popitem(last=False)
        else:
            self._buckets.move_to_end(caller)
        return bucket

    def _refusal(self, used: int, cost: int) -> RateLimited:
        return RateLimited(allowed=self.allowed, used=used, cost=cost, seconds=(used + cost - self.allowed) / self._per_second)


def _caller(actor: Actor) -> str:
    return _named(actor.organization_id, actor.kind, actor.id)


@lru_cache(_CALLERS)
def _named(organization_id: UUID, kind: ActorKind, id: UUID | None) -> str:
    return f"{organization_id}:{kind}:{id}"


def retry_after(extensions: Mapping[str, object]) -> str | None:
    """The value of the header, from a refusal's extensions."""
    seconds = extensions.get("retryAfter")
    return None if seconds is None else str(seconds)
