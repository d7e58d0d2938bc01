"""The feed: what changed in an organization, in one gapless sequence that anybody may resume from any place.

Postgres holds the events; Redis only wakes those who wait, and a look every two seconds catches what it lost.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import suppress
from typing import Any
from uuid import UUID

import asyncpg
import msgspec
from redis.asyncio import Redis
from redis.exceptions import RedisError

from app.actors import Scope
from app.database import after_commit, before_commit
from app.feed import repository
from app.feed.models import Event, NewEvent
from app.feed.wakes import Bells, Wake

_CHANNEL = "crosswalk:feed:"
_LOOK_SECONDS = 2.0


class FeedService:
    """Publishes inside the caller's transaction, and follows what was committed. `close` ends its listening."""

    def __init__(self, redis: Redis, *, look_seconds: float = _LOOK_SECONDS) -> None:
        self.redis = redis
        self.look_seconds = look_seconds
        self._bells = Bells()
        self._tasks: list[asyncio.Task[None]] = []

    async def publish(
        self,
        scope: Scope,
        *,
        topic: str,
        subject_id: UUID,
        revision: int,
        data: Mapping[str, Any] | None = None,
        client_id: UUID | None = None,
    ) -> None:
        """Tell of one change when the caller's transaction commits; a client's contacts see those with their client."""
        await self.publish_many(scope, [NewEvent(topic, subject_id, revision, data or {}, client_id)])

    async def publish_many(self, scope: Scope, events: Sequence[NewEvent]) -> None:
        """Tell of several changes when the caller's transaction commits."""
        if not events:
            return

        async def write() -> None:
            last = await repository.add(scope, events)
            after_commit(lambda: self._wake(scope.organization_id, Wake.of(events, last)))

        before_commit(write)

    async def head(self, scope: Scope) -> int:
        """The sequence of the last event; following from here shows only what comes."""
        return await repository.head(scope)

    async def changes(
        self, scope: Scope, *, topics: Sequence[str], subject_id: UUID | None = None, after: int | None = None
    ) -> AsyncIterator[Event]:
        """Each event after that sequence (None: from now on) once and in order, for as long as the caller iterates.

        Holds at most one batch in memory. A subscriber that is far behind gets the latest event of each subject, and
        `missed` on it says that earlier ones were left out.
        """
        self._start()
        with self._bells.hang(scope.organization_id, topics, subject_id) as rung:
            head = await repository.head(scope)
            position = head if after is None else min(max(after, 0), head)
            while True:
                rung.clear()
                batch = await repository.read(scope, topics=topics, subject_id=subject_id, after=position)
                for event in batch.events:
                    yield event
                position = batch.position
                if not batch.more:
                    await rung.wait()

    async def close(self) -> None:
        """Stop listening. Those who still iterate wait until they are cancelled."""
        tasks, self._tasks = self._tasks, []
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _start(self) -> None:
        """One reader of Redis and one look at Postgres per process, for all subscribers."""
        if not self._tasks:
            self._tasks = [asyncio.create_task(self._listen()), asyncio.create_task(self._look())]

    async def _wake(self, organization_id: UUID, wake: Wake) -> None:
        with suppress(RedisError, OSError):
            await self.redis.publish(f"{_CHANNEL}{organization_id}", msgspec.json.encode(wake))

    async def _listen(self) -> None:
        while True:
            with suppress(RedisError, OSError):
                await self._follow_wakes()
            await asyncio.sleep(1)

    async def _follow_wakes(self) -> None:
        async with self.redis.pubsub(ignore_subscribe_messages=True) as pubsub:
            await pubsub.psubscribe(f"{_CHANNEL}*")
            self._bells.ring_all()
            async for message in pubsub.listen():
                with suppress(ValueError):
                    organization_id = UUID(message["channel"].decode().removeprefix(_CHANNEL))
                    self._bells.ring(organization_id, msgspec.json.decode(message["data"], type=Wake))

    async def _look(self) -> None:
        while True:
            await asyncio.sleep(self.look_seconds)
            for organization_id in self._bells.organizations:
                with suppress(asyncpg.PostgresError, asyncpg.InterfaceError, OSError, TimeoutError):
                    self._bells.reached(organization_id, await repository.head(Scope(organization_id)))
