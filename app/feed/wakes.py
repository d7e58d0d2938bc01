"""Wakes: Redis says that an organization's feed has grown, and roughly with what, so that only those concerned look.

Nothing depends on a wake. One that is lost leaves a hole in the sequences, and everybody looks.
"""

import asyncio
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from uuid import UUID

import msgspec

from app.feed.models import NewEvent

_MOST = 50
"""A wake that names more subjects than this names none; everybody looks."""


class Wake(msgspec.Struct, frozen=True):
    """The feed grew from `first` to `last`. `about` holds topics with subjects; None is anything."""

    first: int
    last: int
    about: tuple[tuple[str, UUID], ...] | None = None

    @classmethod
    def of(cls, events: Sequence[NewEvent], last: int) -> "Wake":
        about = {(event.topic, event.subject_id) for event in events}
        return cls(last - len(events) + 1, last, tuple(about) if len(about) <= _MOST else None)


@dataclass(eq=False)
class Bell:
    """One subscriber's: rung when it should look at the feed."""

    topics: frozenset[str]
    subject_id: UUID | None
    rung: asyncio.Event = field(default_factory=asyncio.Event)

    def concerns(self, wake: Wake) -> bool:
        if wake.about is None:
            return True
        return any(topic in self.topics and self.subject_id in (None, subject_id) for topic, subject_id in wake.about)


class Bells:
    """The bells of this process, by organization, and how far each organization's feed is known to reach."""

    def __init__(self) -> None:
        self._bells: defaultdict[UUID, set[Bell]] = defaultdict(set)
        self._known: dict[UUID, int] = {}

    @property
    def organizations(self) -> list[UUID]:
        return list(self._bells)

    @contextmanager
    def hang(self, organization_id: UUID, topics: Sequence[str], subject_id: UUID | None) -> Iterator[asyncio.Event]:
        """A bell for as long as somebody subscribes."""
        bell = Bell(frozenset(topics), subject_id)
        self._bells[organization_id].add(bell)
        try:
            yield bell.rung
        finally:
            self._bells[organization_id].discard(bell)
            if not self._bells[organization_id]:
                del self._bells[organization_id]
                self._known.pop(organization_id, None)

    def ring(self, organization_id: UUID, wake: Wake) -> None:
        """Ring those concerned, or all if wakes before this one were lost."""
        if organization_id not in self._bells:
            return
        known = self._known.get(organization_id)
        whole = known is not None and wake.first <= known + 1
        self._known[organization_id] = max(known or 0, wake.last)
        for bell in self._bells[organization_id]:
            if not whole or bell.concerns(wake):
                bell.rung.set()

    def reached(self, organization_id: UUID, head: int) -> None:
        """The feed was seen to reach this far; if that is news, no wake told."""
        if head > self._known.get(organization_id, -1):
            self.ring(organization_id, Wake(0, head))

    def ring_all(self) -> None:
        for bells in self._bells.values():
            for bell in bells:
                bell.rung.set()
