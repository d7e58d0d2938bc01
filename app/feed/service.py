"""The feed: what changed in an organization, in one gapless sequence that anybody may resume from any place.

Postgres holds the events; Redis only says that there are new ones, and a look every two seconds catches what it lost.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Any
from uuid import UUID

from redis.asyncio import Redis
from redis.exceptions import RedisError

from app.actors import Scope
from app.database import after_commit, before_commit
from app.feed import repository
from app.feed.models import Event, Interest, NewEvent
from app.feed.tails import Reader, Tails

_CHANNEL = "crosswalk:feed:"
_LOOK_SECONDS = 2.0
_PATIENCE_SECONDS = 1.0
"""Nobody who has committed waits longer for Redis; the look finds the events."""


class FeedService:
    """Publishes inside the caller's transaction, and follows what was committed. `close` ends its listening."""

    def __init__(self, redis: Redis, *, look_seconds: float = _LOOK_SECONDS) -> None:
        self.redis = redis
        self.look_seconds = look_seconds
        self._tails = Tails()
        self._listener: asyncio.Task[None] | None = None

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
        before_commit(scope, self._write, events)

    async def head(self, scope: Scope) -> int:
        """The sequence of the last event; following from here shows only what comes."""
        return await repository.head(scope)

    async def changes(
        self, scope: Scope, *, topics: Sequence[str], subject_id: UUID | None = None, after: int | None = None
    ) -> AsyncIterator[Event]:
        """Each event after that sequence (None: from now on) once and in order, for as long as the caller iterates.

        Holds at most one batch. A subscriber that is far behind gets the latest event of each subject, and `missed` on
        it says that earlier ones were left out.
        """
        head = await repository.head(scope)
        position = head if after is None else min(max(after, 0), head)
        with self.reading(Interest(scope, frozenset(topics), subject_id), position) as reader:
            while True:
                batch = await reader.next()
                for event in batch.events:
                    yield event
                if not batch.more:
                    await reader.wait()

    @contextmanager
    def reading(self, interest: Interest, position: int) -> Iterator[Reader]:
        """A place in the feed, for as long as the block lasts. All readers of an organization share one look at Postgres."""
        if self._listener is None:
            self._listener = asyncio.create_task(self._listen())
        with self._tails.reading(interest, position, self.look_seconds) as reader:
            yield reader

    async def close(self) -> None:
        """Stop listening. Those who still iterate wait until they are cancelled."""
        listener, self._listener = self._listener, None
        if listener is not None:
            listener.cancel()
            await asyncio.gather(listener, return_exceptions=True)
        await self._tails.close()

    async def _write(self, scope: Scope, events: Sequence[NewEvent]) -> None:
        await repository.add(scope, events)
        after_commit(lambda: self._wake(scope.organization_id))

    async def _wake(self, organization_id: UUID) -> None:
        with suppress(RedisError, OSError, TimeoutError):
            async with asyncio.timeout(_PATIENCE_SECONDS):
                await self.redis.publish(f"{_CHANNEL}{organization_id}", b"")

    async def _listen(self) -> None:
        while True:
            with suppress(RedisError, OSError):
                await self._follow_wakes()
            await asyncio.sleep(1)

    async def _follow_wakes(self) -> None:
        """What Redis lost while it was away is looked for as soon as it is back."""
        async with self.redis.pubsub(ignore_subscribe_messages=True) as pubsub:
            await pubsub.psubscribe(f"{_CHANNEL}*")
            self._tails.stir_all()
            async for message in pubsub.listen():
                with suppress(ValueError):
                    self._tails.stir(UUID(message["channel"].decode().removeprefix(_CHANNEL)))
