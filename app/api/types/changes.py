"""What live streams tell: which thing has changed, and where in the feed that lies."""

from enum import Enum
from typing import Self
from uuid import UUID

import strawberry

from app.api.context import Info
from app.api.enums import enum
from app.api.ids import id_text
from app.api.live.followed import cursor
from app.api.types.connections import Connection
from app.api.types.quotes import Quote
from app.api.types.records import TYPE_NAMES
from app.api.types.sync_runs import SyncRun
from app.feed.models import Event

_CURSOR = "Where this event lies in the feed; give it as `after` to go on from here."
_MISSED = "Whether earlier events about the same were left out because the reader was far behind."


@enum(
    "A kind of record.",
    CONTACT="A company or private person.",
    JOB="A piece of work.",
    SALES_DOCUMENT="An offer, order or invoice.",
    PRODUCT="Something that is sold or bought.",
    INVENTORY_LEVEL="How much of a product lies in a place.",
)
class RecordEntity(Enum):
    CONTACT = "contact"
    JOB = "job"
    SALES_DOCUMENT = "sales_document"
    PRODUCT = "product"
    INVENTORY_LEVEL = "inventory_level"


@strawberry.type(description="A sync run has moved.")
class SyncRunProgress:
    loaded: strawberry.Private[SyncRun]
    cursor: str = strawberry.field(description=_CURSOR)
    revision: int = strawberry.field(description="The revision of the run that this event tells of.")
    missed: bool = strawberry.field(default=False, description=_MISSED)

    @strawberry.field(description="The run as it is now, which may be later than this event.")
    def run(self) -> SyncRun:
        return self.loaded


@strawberry.type(description="A quote, its decision or its delivery has changed.")
class QuoteChange:
    quote_id: strawberry.Private[UUID]
    cursor: str = strawberry.field(description=_CURSOR)
    revision: int = strawberry.field(description="The revision of the quote that this event tells of.")
    missed: bool = strawberry.field(default=False, description=_MISSED)

    @strawberry.field(description="The quote as it is now, which may be later than this event.")
    async def quote(self, info: Info) -> Quote | None:
        return await info.context.loaders.quote.load(self.quote_id)


@strawberry.type(description="A connection was made, changed, tested, paused, deleted or restored, or needs attention.")
class ConnectionChange:
    connection_id: strawberry.Private[UUID]
    cursor: str = strawberry.field(description=_CURSOR)
    revision: int = strawberry.field(description="The revision of the connection that this event tells of.")
    missed: bool = strawberry.field(default=False, description=_MISSED)

    @strawberry.field(description="The connection as it is now, which may be later than this event.")
    async def connection(self, info: Info) -> Connection | None:
        return await info.context.loaders.connection.load(self.connection_id)


@strawberry.type(description="Records have changed: one page that a sync has taken over, or what somebody changed here.")
class RecordChange:
    connection_id: strawberry.Private[UUID]
    cursor: str = strawberry.field(description=_CURSOR)
    missed: bool = strawberry.field(default=False, description=f"{_MISSED} Load again what is shown.")
    entity: RecordEntity = strawberry.field(description="What kind of records.")
    created: list[strawberry.ID] = strawberry.field(description="Records that are new in the hub; `nodes` loads them.")
    updated: list[strawberry.ID] = strawberry.field(description="Records that changed.")
    deleted: list[strawberry.ID] = strawberry.field(description="Records that are gone at the provider.")
    total: int = strawberry.field(description="How many records the page changed. The lists name the first 100 of them.")

    @strawberry.field(description="The connection that they come from.")
    async def connection(self, info: Info) -> Connection | None:
        return await info.context.loaders.connection.load(self.connection_id)

    @classmethod
    def of(cls, event: Event) -> Self:
        entity = RecordEntity(event.data["entity"])
        kinds = ("created", "updated", "deleted")
        ids = {kind: [id_text(TYPE_NAMES[entity.value], UUID(found)) for found in event.data[kind]] for kind in kinds}
        return cls(
            connection_id=event.subject_id,
            cursor=cursor(event),
            missed=event.missed,
            entity=entity,
            created=ids["created"],
            updated=ids["updated"],
            deleted=ids["deleted"],
            total=event.data["total"],
        )
