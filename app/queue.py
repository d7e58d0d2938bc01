"""The doorbell: names of jobs and ids go to arq, nothing else. Postgres is the truth.

Losing every ring loses nothing: the sweeper in jobs/schedule.py rings again for whatever is due.
"""

import asyncio
from typing import Any, Protocol
from uuid import UUID

import msgspec
from arq.connections import ArqRedis, RedisSettings
from redis.asyncio.retry import Retry
from redis.backoff import ConstantBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError
from redis.exceptions import TimeoutError as RedisTimeoutError

DECISIONS_QUEUE = "crosswalk:decisions"
BULK_QUEUE = "crosswalk:bulk"

PATIENCE_SECONDS = 1.0
"""Nobody waits longer for the doorbell; whoever asked has his answer from Postgres already."""

_QUEUES = {
    "advance_run": BULK_QUEUE,
    "deliver": DECISIONS_QUEUE,
    "push_record": BULK_QUEUE,
    "release_deletions": BULK_QUEUE,
    "send_mail": DECISIONS_QUEUE,
}


class JobQueue(Protocol):
    """Rings for a piece of work. Rings for the same attempt and with the same knock are one."""

    async def ring(
        self, job: str, organization_id: UUID, subject_id: UUID, *, attempt: int = 0, knock: int = 0, delay: float = 0
    ) -> None: ...


class ArqQueue:
    """Rings through Redis. A Redis that is away is no error: the sweeper rings again."""

    def __init__(self, redis: ArqRedis) -> None:
        self.redis = redis

    async def ring(self, job: str, organization_id: UUID, subject_id: UUID, *, attempt: int = 0, knock: int = 0, delay: float = 0) -> None:
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                await self.redis.enqueue_job(
                    job,
                    str(organization_id),
                    str(subject_id),
                    _job_id=f"{job}:{subject_id}:{attempt}:{knock}",
                    _queue_name=_QUEUES[job],
                    _defer_by=delay or None,
                )
        except (RedisError, OSError, TimeoutError):
            return


def serialize(value: dict[str, Any]) -> bytes:
    """Jobs travel as MessagePack; a pickle would run code of whoever can write to Redis."""
    return msgspec.msgpack.encode(value, enc_hook=str)


def deserialize(data: bytes) -> dict[str, Any]:
    value: dict[str, Any] = msgspec.msgpack.decode(data)
    return value


def redis_settings(url: str) -> RedisSettings:
    """arq's settings for a URL, with retries that outlive a restart of Redis."""
    settings = RedisSettings.from_dsn(url)
    settings.retry_on_timeout = True
    settings.retry_on_error = [RedisConnectionError, RedisTimeoutError, OSError]
    settings.retry = Retry(ConstantBackoff(0.2), 25)
    return settings
