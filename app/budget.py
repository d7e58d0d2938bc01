"""Counts requests per connection in Redis, so that all workers on all hosts share one budget.

A window slides in 60 steps: what was counted in a step is given back when the whole step has left the window, so in no
stretch of a window's length more requests are sent than allowed. A process also keeps its own counts: if Redis is away or was
flushed, requests go on for the moment, but never more from one process than the whole limit.
"""

import asyncio
import math
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from redis.asyncio import Redis
from redis.exceptions import RedisError

STEPS = 60
_KEPT_CONNECTIONS = 2000
"""How many connections' own counts a process remembers."""
_ANSWER_SECONDS = 2.0
"""A Redis that takes longer is taken for one that is away."""

# KEYS: the pause for everybody, the pause for all but urgent requests, what is kept for urgent ones, then one hash per window.
# ARGV: urgent (1/0), then requests, step in ms, reserved for each window.
# Returns {0} when counted, else {number of the full window from 1 on (-1 for a pause), wait in ms, window's length in ms}.
_TAKE = """
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
for number = 1, 2 - ARGV[1] do
    local pause = redis.call('GET', KEYS[number])
    if pause then
        local until_ms, length = string.match(pause, '^(%d+):(%d+)$')
        if tonumber(until_ms) > now then return {-1, tonumber(until_ms) - now, tonumber(length)} end
    end
end
local kept = ARGV[1] ~= '1' and tonumber(redis.call('GET', KEYS[3]) or '0') or 0
local worst, wait, worst_length = 0, 0, 0
for number = 4, #KEYS do
    local at = 2 + (number - 4) * 3
    local limit, step = tonumber(ARGV[at]), tonumber(ARGV[at + 1])
    if ARGV[1] ~= '1' then limit = limit - math.max(tonumber(ARGV[at + 2]), math.min(kept, math.floor(limit / 2))) end
    local oldest = math.floor(now / step) - $STEPS
    local counts, used, gone = {}, 0, {}
    local all = redis.call('HGETALL', KEYS[number])
    for field = 1, #all, 2 do
        local slot, count = tonumber(all[field]), tonumber(all[field + 1])
        if slot < oldest then gone[#gone + 1] = all[field] else used = used + count; counts[#counts + 1] = {slot, count} end
    end
    if #gone > 0 then redis.call('HDEL', KEYS[number], unpack(gone)) end
    if used >= limit then
        table.sort(counts, function(a, b) return a[1] < b[1] end)
        local free_at = now + step * ($STEPS + 1)
        for _, entry in ipairs(counts) do
            used = used - entry[2]
            if used < limit then free_at = (entry[1] + $STEPS + 1) * step; break end
        end
        if free_at - now > wait then worst, wait, worst_length = number - 3, free_at - now, step * $STEPS end
    end
end
if worst > 0 then return {worst, wait, worst_length} end
for number = 4, #KEYS do
    local step = tonumber(ARGV[3 + (number - 4) * 3])
    redis.call('HINCRBY', KEYS[number], math.floor(now / step), 1)
    redis.call('PEXPIRE', KEYS[number], step * ($STEPS + 2))
end
return {0}
"""

# KEYS: the pause for everybody, what is kept for urgent requests, then one hash per window.
# ARGV: how many to keep, for how many ms, then requests, step in ms for each window.
# Returns the free requests of each window, nothing in a pause.
_FREE = """
redis.call('SET', KEYS[2], ARGV[1], 'PX', ARGV[2])
if redis.call('EXISTS', KEYS[1]) == 1 then return {} end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local free = {}
for number = 3, #KEYS do
    local at = 3 + (number - 3) * 2
    local left, oldest = tonumber(ARGV[at]), math.floor(now / tonumber(ARGV[at + 1])) - $STEPS
    local all = redis.call('HGETALL', KEYS[number])
    for field = 1, #all, 2 do
        if tonumber(all[field]) >= oldest then left = left - tonumber(all[field + 1]) end
    end
    free[#free + 1] = math.max(left, 0)
end
return free
"""

# KEYS: the pause. ARGV: its length in ms, the length in ms of the window that it stands for. A shorter pause never replaces a longer one.
_BLOCK = """
local time = redis.call('TIME')
local until_ms = time[1] * 1000 + math.floor(time[2] / 1000) + tonumber(ARGV[1])
local earlier = redis.call('GET', KEYS[1])
if earlier and tonumber(string.match(earlier, '^%d+')) >= until_ms then return 0 end
redis.call('SET', KEYS[1], string.format('%.0f:%.0f', until_ms, tonumber(ARGV[2])), 'PX', ARGV[1])
return 1
"""


class Window(Protocol):
    """At most `requests` in `seconds`; the last `reserved` of them are for urgent requests."""

    @property
    def name(self) -> str: ...
    @property
    def requests(self) -> int: ...
    @property
    def seconds(self) -> float: ...
    @property
    def reserved(self) -> int: ...


@dataclass(frozen=True, slots=True)
class Full:
    """No request is left in this window for `seconds`; `window_seconds` is its length (0: the provider asked for a pause)."""

    window: str
    seconds: float
    window_seconds: float


class RedisBudget:
    """The counters of all connections. One per process, so that a process knows what it sent itself."""

    def __init__(self, redis: Redis, *, prefix: str = "crosswalk:budget", clock: Callable[[], float] = time.monotonic) -> None:
        self._take = redis.register_script(_TAKE.replace("$STEPS", str(STEPS)))
        self._free = redis.register_script(_FREE.replace("$STEPS", str(STEPS)))
        self._block = redis.register_script(_BLOCK)
        self._prefix = prefix
        self._own: OrderedDict[str, _OwnCounts] = OrderedDict()
        self._clock = clock

    async def take(self, key: str, windows: Sequence[Window], *, urgent: bool) -> Full | None:
        """Count one request in every window, or none and say which window is full and for how long."""
        own = self._own_counts(key)
        full = own.full(windows, urgent, self._clock()) or await self._take_shared(key, windows, urgent)
        if full is None:
            own.count(windows, self._clock())
        return full

    async def free(self, key: str, windows: Sequence[Window], *, keep: int, seconds: float) -> list[int] | None:
        """How many requests are left for urgent work in each window; None in a pause.

        `keep` requests of each window, at most half of it, are kept from all other work for `seconds`.
        """
        own = self._own_counts(key).free(windows, self._clock())
        shared = await self._free_shared(key, windows, keep, seconds)
        if own is None or shared is None:
            return None
        return [min(pair) for pair in zip(own, shared, strict=True)]

    async def block(self, key: str, seconds: float, window_seconds: float, *, urgent_too: bool) -> None:
        """Nobody takes a request of this key for that long, or nobody but urgent ones."""
        pause = "pause" if urgent_too else "quota"
        self._own_counts(key).block(pause, seconds, window_seconds, self._clock())
        try:
            async with asyncio.timeout(_ANSWER_SECONDS):
                await self._block(keys=[self._key(key, pause)], args=[max(1, math.ceil(seconds * 1000)), round(window_seconds * 1000)])
        except (RedisError, OSError):
            return

    async def _take_shared(self, key: str, windows: Sequence[Window], urgent: bool) -> Full | None:
        arguments = [value for window in windows for value in (window.requests, _step_ms(window), window.reserved)]
        keys = [self._key(key, name) for name in ("pause", "quota", "kept", *_hashes(windows))]
        try:
            async with asyncio.timeout(_ANSWER_SECONDS):
                answer = await self._take(keys=keys, args=[int(urgent), *arguments])
        except (RedisError, OSError):
            # A Redis that is away stops no decision and no sync: the process's own bound holds meanwhile.
            return None
        return _full(answer, windows)

    async def _free_shared(self, key: str, windows: Sequence[Window], keep: int, seconds: float) -> list[int] | None:
        arguments = [value for window in windows for value in (window.requests, _step_ms(window))]
        keys = [self._key(key, name) for name in ("pause", "kept", *_hashes(windows))]
        try:
            async with asyncio.timeout(_ANSWER_SECONDS):
                answer = await self._free(keys=keys, args=[keep, max(1, math.ceil(seconds * 1000)), *arguments])
        except (RedisError, OSError):
            return [window.requests for window in windows]
        return [int(left) for left in answer] if len(answer) == len(windows) else None

    def _key(self, key: str, name: str) -> str:
        # The braces keep a connection's keys in one slot of a cluster.
        return f"{self._prefix}:{{{key}}}:{name}"

    def _own_counts(self, key: str) -> "_OwnCounts":
        own = self._own.setdefault(key, _OwnCounts())
        self._own.move_to_end(key)
        if len(self._own) > _KEPT_CONNECTIONS:
            self._own.popitem(last=False)
        return own


@dataclass(slots=True)
class _OwnCounts:
    """What this process sent on one connection."""

    counts: dict[str, dict[int, int]] = field(default_factory=dict)
    pauses: dict[str, tuple[float, float]] = field(default_factory=dict)
    """Until when, and the length of the window that it stands for."""

    def full(self, windows: Sequence[Window], urgent: bool, now: float) -> Full | None:
        for pause in ("pause",) if urgent else ("pause", "quota"):
            until, window_seconds = self.pauses.get(pause, (0.0, 0.0))
            if until > now:
                return Full("pause", until - now, window_seconds)
        waits = [(self._wait(window, urgent, now), window) for window in windows]
        wait, window = max(waits, key=lambda pair: pair[0], default=(0.0, None))
        return Full(window.name, wait, window.seconds) if window and wait > 0 else None

    def free(self, windows: Sequence[Window], now: float) -> list[int] | None:
        """What is left of each window for urgent requests; None in a pause."""
        if self.pauses.get("pause", (0.0, 0.0))[0] > now:
            return None
        return [max(0, window.requests - sum(self._counts(window, now).values())) for window in windows]

    def count(self, windows: Sequence[Window], now: float) -> None:
        for window in windows:
            counts = self.counts.setdefault(window.name, {})
            slot = math.floor(now * 1000 / _step_ms(window))
            counts[slot] = counts.get(slot, 0) + 1

    def block(self, pause: str, seconds: float, window_seconds: float, now: float) -> None:
        self.pauses[pause] = max(self.pauses.get(pause, (0.0, 0.0)), (now + seconds, window_seconds))

    def _wait(self, window: Window, urgent: bool, now: float) -> float:
        step, counts = _step_ms(window), self._counts(window, now)
        used, limit = sum(counts.values()), window.requests - (0 if urgent else window.reserved)
        for slot in sorted(counts):
            if used < limit:
                break
            used -= counts[slot]
            if used < limit:
                return (slot + STEPS + 1) * step / 1000 - now
        return 0.0 if used < limit else window.seconds

    def _counts(self, window: Window, now: float) -> dict[int, int]:
        """What was sent in each step of the window that has not left it yet."""
        counts = self.counts.setdefault(window.name, {})
        oldest = math.floor(now * 1000 / _step_ms(window)) - STEPS
        for slot in [slot for slot in counts if slot < oldest]:
            del counts[slot]
        return counts


def _hashes(windows: Sequence[Window]) -> list[str]:
    return [f"window:{window.name}" for window in windows]


def _step_ms(window: Window) -> int:
    return max(1, math.ceil(window.seconds * 1000 / STEPS))


def _full(answer: Sequence[Any], windows: Sequence[Window]) -> Full | None:
    number = int(answer[0])
    if number == 0:
        return None
    name = windows[number - 1].name if number > 0 else "pause"
    return Full(name, int(answer[1]) / 1000, int(answer[2]) / 1000)
