"""Documents that clients registered by their hash, kept in Redis for each organization and for a while in the process.

Losing them loses nothing: a client whose hash is unknown sends the text again.
"""

import asyncio
import time
from collections.abc import Callable
from uuid import UUID

from redis.asyncio import Redis
from redis.exceptions import RedisError

from app.api.bounded import BoundedCache

TTL_SECONDS = 30 * 24 * 3600
"""A document that nobody asked for so long is forgotten."""
_FRESH_SECONDS = 3600.0
"""How long a process answers from what it has before it asks Redis again, which also counts as a use."""
_PATIENCE_SECONDS = 0.5
_ENTRIES, _CHARACTERS = 2000, 2_000_000

# KEYS: the document, the organization's documents by their last use. ARGV: hash, lifetime in s, now.
_FIND = """
local text = redis.call('GET', KEYS[1])
if text then
    redis.call('EXPIRE', KEYS[1], ARGV[2])
    redis.call('ZADD', KEYS[2], ARGV[3], ARGV[1])
    redis.call('EXPIRE', KEYS[2], ARGV[2])
end
return text
"""

# KEYS as above. ARGV: hash, lifetime in s, now, text, how many are kept, the documents' key without the hash.
_KEEP = """
redis.call('SET', KEYS[1], ARGV[4], 'EX', ARGV[2])
redis.call('ZADD', KEYS[2], ARGV[3], ARGV[1])
redis.call('EXPIRE', KEYS[2], ARGV[2])
local over = redis.call('ZCARD', KEYS[2]) - tonumber(ARGV[5])
if over > 0 then
    local gone = redis.call('ZPOPMIN', KEYS[2], over)
    for number = 1, #gone, 2 do redis.call('DEL', ARGV[6] .. gone[number]) end
end
return 1
"""


class PersistedDocuments:
    """`entries` are kept for each organization; the one that was not used for the longest goes first."""

    def __init__(self, redis: Redis, entries: int, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._entries = entries
        self._find = redis.register_script(_FIND)
        self._keep = redis.register_script(_KEEP)
        self._clock = clock
        self._near: BoundedCache[tuple[UUID, str], tuple[str, float]] = BoundedCache(_ENTRIES, _CHARACTERS)

    async def find(self, organization_id: UUID, digest: str) -> str | None:
        """The text, or None: unknown, forgotten, or Redis is away."""
        near = self._near.get((organization_id, digest))
        if near is not None and near[1] > self._clock():
            return near[0]
        found = await self._ask(self._find, organization_id, digest)
        if found is None:
            return None
        text = found.decode() if isinstance(found, bytes) else str(found)
        self._remember(organization_id, digest, text)
        return text

    async def keep(self, organization_id: UUID, digest: str, text: str) -> None:
        near = self._near.get((organization_id, digest))
        if near is None or near[1] <= self._clock():
            self._remember(organization_id, digest, text)
            await self._ask(self._keep, organization_id, digest, text, self._entries, _key(organization_id, ""))

    def _remember(self, organization_id: UUID, digest: str, text: str) -> None:
        self._near.put((organization_id, digest), (text, self._clock() + _FRESH_SECONDS), size=len(text))

    async def _ask(self, script: "Callable[..., object]", organization_id: UUID, digest: str, *more: object) -> object:
        keys = [_key(organization_id, digest), f"crosswalk:documents:{{{organization_id}}}"]
        try:
            async with asyncio.timeout(_PATIENCE_SECONDS):
                return await script(keys=keys, args=[digest, TTL_SECONDS, time.time(), *more])  # type: ignore[misc]  # registered on an asynchronous client
        except (RedisError, OSError):
            return None


def _key(organization_id: UUID, digest: str) -> str:
    return f"crosswalk:documents:{{{organization_id}}}:{digest}"
