"""Runs of one thing alone: one object of a provider is read, or one record is written. They are planned, undone and watched as any run."""

from collections.abc import AsyncIterator, Mapping
from uuid import UUID

from app.connectors.base import Page, Session, Walk
from app.connectors.errors import RequestRejected
from app.syncs.models import ONE_OBJECT, ONE_RECORD
from app.syncs.sources import Source

_READ = {"read": True}


async def pages(source: Source, session: Session, walk: Walk) -> AsyncIterator[Page]:
    """The stream's pages; of a walk that is narrowed to one object, that one. Raises ConnectorError."""
    external_id = walk.narrowed_to.get(ONE_OBJECT)
    if external_id is None:
        async for page in source.stream.read(session, walk):
            yield page
    elif walk.resume is None:
        yield await _page_of(source, session, external_id)


async def _page_of(source: Source, session: Session, external_id: str) -> Page:
    """Nothing is deleted here that cannot be found: the id may have been mistyped."""
    reading = await source.stream.read_one(session, external_id)
    if reading is None or reading.item.deleted:
        raise RequestRejected(f"{source.stream.title}: the provider has no {external_id}.")
    return Page(state=_READ, items=[reading.item], parts=list(reading.parts), expected=1)


def record_of(narrowed_to: Mapping[str, str] | None) -> UUID | None:
    """The only record that such a run writes; None: all that waits."""
    record_id = (narrowed_to or {}).get(ONE_RECORD)
    return UUID(record_id) if record_id else None
