"""What the feed carries."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from app.actors import Scope


@dataclass(frozen=True, slots=True)
class NewEvent:
    """Something that changed, to be told to whoever watches. With `client_id` that client's contacts see it too."""

    topic: str
    """quote, delivery, sync_run, connection, or record: with an entity (its subject is the connection)"""
    subject_id: UUID
    revision: int
    """The subject's revision, taken under its row's lock."""
    data: Mapping[str, Any] = field(default_factory=dict)
    client_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Event:
    """Something that changed, in its place in the organization's feed."""

    sequence: int
    """Counts up by one within the organization; a subscriber resumes after the last one that it saw."""
    topic: str
    subject_id: UUID
    revision: int
    data: Mapping[str, Any]
    missed: bool = False
    """Earlier events about this subject were left out because the subscriber was too far behind; this is the latest."""
    client_id: UUID | None = None
    """Whose contacts see it too."""


@dataclass(frozen=True, slots=True)
class Interest:
    """What a subscriber follows."""

    scope: Scope
    topics: frozenset[str]
    subject_id: UUID | None = None

    def holds(self, event: Event) -> bool:
        """Whether the event is for this subscriber: the second wall, as the statements in repository.py have it."""
        return (
            event.topic in self.topics and self.subject_id in (None, event.subject_id) and self.scope.client_id in (None, event.client_id)
        )


@dataclass(frozen=True, slots=True)
class Batch:
    """Some events and the place up to which everything is known."""

    events: list[Event]
    position: int
    more: bool
