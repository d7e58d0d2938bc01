"""What subscribers hear of records: one event for the page, or the pages, that a sync has committed at once."""

from collections.abc import Sequence
from uuid import UUID

from app.feed.models import NewEvent
from app.records.models import RecordChange

NAMED = 100
"""How many records an event names; it counts all of them."""


def topic_of(entity: str) -> str:
    """Each kind of record is a topic of its own, so that who follows one kind reads nothing of the others."""
    return f"record:{entity}"


def page_event(connection_id: UUID, entity: str, changes: Sequence[RecordChange]) -> NewEvent:
    """The event of what was committed at once, about its connection. It has no revision of its own; its sequence tells it apart."""
    kinds: dict[str, list[UUID]] = {"created": [], "updated": [], "deleted": []}
    for change in changes[:NAMED]:
        kinds[change.kind].append(change.record_id)
    return NewEvent(topic_of(entity), connection_id, 1, {"entity": entity, "total": len(changes), **kinds})
