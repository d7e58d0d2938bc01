"""Mappings of which one side is gone, as GraphQL shows them."""

from datetime import datetime
from enum import Enum
from typing import Self
from uuid import UUID

import strawberry

from app.api.context import Info
from app.api.enums import enum
from app.api.ids import id_text
from app.api.pages import PageInfo, place_of
from app.api.types.connections import Connection
from app.api.types.mappings import MappingStatus
from app.api.types.records import AnyRecord, record_of
from app.paging import ResultPage
from app.records import orphan_store, orphans


@enum(
    "Which side of a mapping is gone.",
    RECORD_DELETED="The hub deleted the record; the provider's object lives.",
    OBJECT_DELETED="The provider deleted its object; the record lives.",
    MERGED="The contact became part of another one.",
)
class OrphanKind(Enum):
    RECORD_DELETED = "record_deleted"
    OBJECT_DELETED = "object_deleted"
    MERGED = "merged"


@strawberry.type(description="A mapping of which one side is gone.")
class OrphanedMapping:
    record_uuid: strawberry.Private[UUID]
    connection_uuid: strawberry.Private[UUID]
    id: strawberry.ID = strawberry.field(description="The mapping's id.")
    kind: OrphanKind = strawberry.field(description="Which side is gone.")
    stream: str = strawberry.field(description="The stream of the object.")
    external_id: str = strawberry.field(description="The provider's id of the object.")
    status: MappingStatus = strawberry.field(description="Where the mapping stands.")
    last_error: str | None = strawberry.field(description="What went wrong last, in one sentence.")
    last_synced_at: datetime | None = strawberry.field(description="When both sides were last in step.")
    cleaned_at: datetime | None = strawberry.field(description="When it was cleaned up; null: it is there.")

    @strawberry.field(description="The connection that has, or had, the object.")
    async def connection(self, info: Info) -> Connection | None:
        return await info.context.loaders.connection.load(self.connection_uuid)

    @strawberry.field(description="The record, as it is or was.")
    async def record(self, info: Info) -> AnyRecord | None:
        found = await info.context.loaders.record.load(self.record_uuid)
        return None if found is None else record_of(found)

    @classmethod
    def of(cls, orphan: orphan_store.Orphan) -> Self:
        return cls(
            record_uuid=orphan.record_id,
            connection_uuid=orphan.connection_id,
            id=id_text("Mapping", orphan.mapping_id),
            kind=OrphanKind(orphan.kind.value),
            stream=orphan.stream,
            external_id=orphan.external_id,
            status=MappingStatus(orphan.status),
            last_error=orphan.last_error,
            last_synced_at=orphan.last_synced_at,
            cleaned_at=orphan.archived_at,
        )


@strawberry.type(description="A page of mappings of which one side is gone.")
class OrphanedMappings:
    nodes: list[OrphanedMapping] = strawberry.field(description="Those of this page, the latest first.")
    page_info: PageInfo = strawberry.field(description="Where this page lies in the list.")

    @classmethod
    def of(cls, page: ResultPage[orphan_store.Orphan], after: str | None) -> Self:
        return cls(nodes=[OrphanedMapping.of(orphan) for orphan in page.items], page_info=place_of(page, after))


@strawberry.type(description="How many orphaned mappings of a kind a stream of a connection has.")
class OrphanCount:
    connection_uuid: strawberry.Private[UUID]
    kind: OrphanKind = strawberry.field(description="Which side is gone.")
    stream: str = strawberry.field(description="The stream.")
    count: int = strawberry.field(description="How many there are.")

    @strawberry.field(description="The connection.")
    async def connection(self, info: Info) -> Connection | None:
        return await info.context.loaders.connection.load(self.connection_uuid)

    @classmethod
    def of(cls, found: orphans.OrphanCount) -> Self:
        return cls(connection_uuid=found.connection_id, kind=OrphanKind(found.kind.value), stream=found.stream, count=found.count)
