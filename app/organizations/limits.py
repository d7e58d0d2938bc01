"""How often somebody may ask for a sign-in link: per address and per network, counted in Redis."""

import asyncio
from dataclasses import dataclass
from hashlib import sha256
from uuid import UUID

from redis.asyncio import Redis
from redis.exceptions import RedisError

from app.errors import FixBy, Refusal
from app.organizations.rules import network_of


class TooManyRequests(Refusal):
    """Too many links were asked for; wait a little and ask again."""

    code = "too_many_requests"
    fix_by = FixBy.TIME

    def __init__(self, message: str | None = None, *, retry_after_seconds: int) -> None:
        super().__init__(message)
        self.retry_after_seconds = retry_after_seconds


@dataclass(frozen=True, slots=True)
class Limit:
    """`requests` in a window of `seconds` that begins with the first."""

    requests: int
    seconds: int


PER_ADDRESS = Limit(5, 15 * 60)
PER_NETWORK = Limit(30, 15 * 60)

# Counts one request and answers how many there were and how many milliseconds the window has left.
_COUNT = """
local count = redis.call('INCR', KEYS[1])
if count == 1 or redis.call('PTTL', KEYS[1]) < 0 then redis.call('PEXPIRE', KEYS[1], ARGV[1]) end
return {count, redis.call('PTTL', KEYS[1])}
"""
# An answer that takes longer counts as none: signing in must work while Redis is away.
_PATIENCE_SECONDS = 1.0


async def count_request(redis: "Redis | None", organization_id: UUID, email: str, ip: str | None) -> None:
    """Raises TooManyRequests, for unknown addresses as for known ones. Without Redis nothing is counted here."""
    if redis is None:
        return
    address = sha256(email.encode()).hexdigest()[:32]
    await _count(redis, f"crosswalk:sign-in:{organization_id}:{address}", PER_ADDRESS)
    if ip:
        await _count(redis, f"crosswalk:sign-in-from:{network_of(ip)}", PER_NETWORK)


async def _count(redis: Redis, key: str, limit: Limit) -> None:
    try:
        async with asyncio.timeout(_PATIENCE_SECONDS):
            count, left_ms = await redis.eval(_COUNT, 1, key, str(limit.seconds * 1000))  # type: ignore[misc]  # redis-py says that it may also answer at once
    except (RedisError, OSError, TimeoutError):
        return
    if count > limit.requests:
        raise TooManyRequests(retry_after_seconds=max(1, -(-left_ms // 1000)))
