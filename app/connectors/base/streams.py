"""One kind of record that a connector reads, and perhaps writes."""

from collections.abc import AsyncIterator, Sequence
from typing import Any, Protocol

from app.connectors.base.fields import FieldMapping
from app.connectors.base.objects import Page, Part, Reading, Walk
from app.connectors.base.sessions import Account, Session
from app.connectors.base.writers import Writer


class Stream(Protocol):
    """One kind of record that a connector reads."""

    name: str
    title: str
    entity: str
    """The hub's entity that its items become (app/records/entities.py)."""
    record_stream: str
    """The stream under which items are mapped: `name`, or for a narrowed view the stream that it is a view of."""
    narrow_by: tuple[str, ...]
    after: tuple[str, ...]
    """Streams that come first when they are in the same run."""
    fields: FieldMapping

    def read(self, session: Session, walk: Walk) -> AsyncIterator[Page]:
        """The pages from `walk.resume` (or the start) to the end. Raises ConnectorError."""
        ...

    def assemble(self, payload: bytes, parts: Sequence[Part], account: Account) -> Any:
        """One document in the provider's words, from an item's payload and its parts. Pure. Raises ValueError."""
        ...

    async def read_one(self, session: Session, external_id: str) -> Reading | None:
        """One object, fresh; None when the provider does not have it (any more). Raises ConnectorError."""
        ...

    writer: Writer | None
    """None: the stream is only read."""
    complete: bool
    """Whether a full walk names every object that the provider has, so that absence means deletion."""
    has_parts: bool
    """Whether its documents are assembled from an item and others that hang on it; without, nobody looks for any."""
    kinds: tuple[str, ...]
    """Of an entity that has kinds (a sales document), those that this stream has; empty: all that there are."""


def takes(stream: Stream, entity: str, kind: str | None) -> bool:
    """Whether a record of this entity and kind has its place in the stream: an order has none among offers."""
    return stream.entity == entity and (not stream.kinds or kind in stream.kinds)
