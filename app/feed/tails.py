"""The end of each organization's feed, read once in this process for all who follow it.

Whoever is at the end reads from memory; whoever is further behind reads Postgres until it has come up.
"""

import asyncio
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from uuid import UUID

import asyncpg

from app.actors import Scope
from app.feed import repository
from app.feed.models import Batch, Event, Interest
from app.feed.repository import BATCH, FAR_BEHIND

WINDOW = 500
"""How many events of an organization are kept in memory."""

_AWAY = (asyncpg.PostgresError, asyncpg.InterfaceError, OSError, TimeoutError)
"""A database that is away for a moment; the next look finds what it holds."""


class Tail:
    """What an organization's feed has after `start`, up to `head`."""

    def __init__(self, organization_id: UUID, look_seconds: float) -> None:
        self.stirred = asyncio.Event()
        """Set when the feed has probably grown. Nothing depends on it: a look every few seconds finds the same."""
        self.start = self.head = 0
        self.followers: set[Reader] = set()
        self._scope = Scope(organization_id)
        self._look_seconds = look_seconds
        self._events: deque[Event] = deque()
        self._began = False

    async def run(self) -> None:
        while True:
            self.stirred.clear()
            with suppress(*_AWAY):
                if await self._read() == BATCH:
                    continue
            with suppress(TimeoutError):
                await asyncio.wait_for(self.stirred.wait(), self._look_seconds)

    async def _read(self) -> int:
        """Take over what is new. Says how many events that were."""
        if not self._began:
            self.start = self.head = await repository.head(self._scope)
            self._began = True
            self._ring(self.followers)
        events = await repository.newest(self._scope, self.head)
        if events:
            self._events.extend(events)
            self.head = events[-1].sequence
            while len(self._events) > WINDOW:
                self.start = self._events.popleft().sequence
            self._ring([reader for reader in self.followers if any(map(reader.interest.holds, events))])
        return len(events)

    def _ring(self, readers: "set[Reader] | list[Reader]") -> None:
        for reader in readers:
            reader.rung.set()

    def read(self, interest: Interest, after: int, far_behind: int) -> Batch | None:
        """The next events after that place, or None where it lies before what is held."""
        if not self._began or after < self.start:
            return None
        waiting = [event for event in self._events if event.sequence > after and interest.holds(event)]
        if len(waiting) > far_behind:
            waiting = latest(waiting)
        more = len(waiting) > BATCH
        events = waiting[:BATCH]
        return Batch(events, events[-1].sequence if more else max(after, self.head), more)


def latest(events: Sequence[Event]) -> list[Event]:
    """The last event of each subject; `missed` says that there were earlier ones."""
    found: dict[tuple[str, UUID], Event] = {}
    for event in events:
        subject = (event.topic, event.subject_id)
        earlier = found.pop(subject, None)
        found[subject] = event if earlier is None else _missing(event)
    return list(found.values())


def _missing(event: Event) -> Event:
    return Event(event.sequence, event.topic, event.subject_id, event.revision, event.data, True, event.client_id)


class Reader:
    """One subscriber's place in the feed."""

    def __init__(self, interest: Interest, tail: Tail, position: int) -> None:
        self.interest = interest
        self.position = position
        self.rung = asyncio.Event()
        self._tail = tail

    async def next(self, far_behind: int = FAR_BEHIND) -> Batch:
        """What there is after its place, at most a batch; its place moves behind that."""
        self.rung.clear()
        batch = self._tail.read(self.interest, self.position, far_behind)
        if batch is None:
            batch = await repository.read(self.interest, self.position, far_behind=far_behind)
        self.position = batch.position
        return batch

    async def wait(self) -> None:
        """Until there may be more."""
        await self.rung.wait()


class Tails:
    """The tails of this process: one for each organization that somebody follows."""

    def __init__(self) -> None:
        self._tails: dict[UUID, tuple[Tail, asyncio.Task[None]]] = {}

    @contextmanager
    def reading(self, interest: Interest, position: int, look_seconds: float) -> Iterator[Reader]:
        """A reader for as long as somebody follows."""
        organization_id = interest.scope.organization_id
        tail = self._tail(organization_id, look_seconds)
        reader = Reader(interest, tail, position)
        tail.followers.add(reader)
        try:
            yield reader
        finally:
            tail.followers.discard(reader)
            if not tail.followers and organization_id in self._tails:
                self._tails.pop(organization_id)[1].cancel()

    def _tail(self, organization_id: UUID, look_seconds: float) -> Tail:
        if organization_id not in self._tails:
            tail = Tail(organization_id, look_seconds)
            self._tails[organization_id] = tail, asyncio.create_task(tail.run())
        return self._tails[organization_id][0]

    def stir(self, organization_id: UUID) -> None:
        """An organization's feed has grown."""
        if organization_id in self._tails:
            self._tails[organization_id][0].stirred.set()

    def stir_all(self) -> None:
        for tail, _ in self._tails.values():
            tail.stirred.set()

    async def close(self) -> None:
        tasks = [task for _, task in self._tails.values()]
        self._tails.clear()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
