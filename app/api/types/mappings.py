"""The links between records and their counterparts at providers, as GraphQL shows them."""

from datetime import datetime
from enum import Enum
from typing import Self
from uuid import UUID

import strawberry

from app.actors import Permission
from app.api.context import Info
from app.api.enums import enum
from app.api.ids import id_text
from app.api.reads import sources as reads
from app.api.reads.sources import One, Shape
from app.api.types.connections import Connection
from app.api.types.records import AnyRecord, record_of
from app.mappings import models


@enum(
    "Where the link between a record and its counterpart stands.",
    PENDING="The hub has a change that the counterpart lacks; it waits to be pushed.",
    SYNCED="The two are in step.",
    CONFLICT="Both sides changed the same field differently, and somebody has to decide.",
    FAILED="The last attempt failed.",
    DELETED="The counterpart is gone at the provider.",
)
class MappingStatus(Enum):
    PENDING = "pending"
    SYNCED = "synced"
    CONFLICT = "conflict"
    FAILED = "failed"
    DELETED = "deleted"


@strawberry.type(description="The link between a record and its counterpart at a connection.")
class Mapping:
    mapping_id: strawberry.Private[UUID]
    connection_id: strawberry.Private[UUID]
    record_id: strawberry.Private[UUID]
    stream: str = strawberry.field(description="The stream that the counterpart is in.")
    external_id: str = strawberry.field(description="The provider's id of the counterpart.")
    status: MappingStatus = strawberry.field(description="Whether the two are in step.")
    base_version: int | None = strawberry.field(
        description="The record's version that shows what the counterpart was last seen to have; the next merge starts from it."
    )
    provider_version: str | None = strawberry.field(description="The provider's own version or time of change of the counterpart.")
    last_synced_at: datetime | None = strawberry.field(description="When the two were last brought in step.")
    last_error: str | None = strawberry.field(description="Why the last attempt failed.")
    synced_by: str | None = strawberry.field(description="What brought them in step last.")
    created_at: datetime = strawberry.field(description="When the link was made.")
    updated_at: datetime = strawberry.field(description="When the link last changed.")

    @strawberry.field(description="Its id.")
    def id(self) -> strawberry.ID:
        return id_text("Mapping", self.mapping_id)

    @strawberry.field(description="The connection that holds the counterpart.")
    async def connection(self, info: Info) -> Connection | None:
        return await info.context.loaders.connection.load(self.connection_id)

    @strawberry.field(description="The record in the hub.")
    async def record(self, info: Info) -> AnyRecord | None:
        record = await info.context.loaders.record.load(self.record_id)
        return None if record is None else record_of(record)

    @classmethod
    def of(cls, mapping: models.Mapping) -> Self:
        return cls(
            mapping_id=mapping.id,
            connection_id=mapping.connection_id,
            record_id=mapping.record_id,
            stream=mapping.stream,
            external_id=mapping.external_id,
            status=MappingStatus(mapping.status),
            base_version=mapping.base_version,
            provider_version=mapping.provider_version,
            last_synced_at=mapping.last_synced_at,
            last_error=mapping.last_error,
            synced_by=mapping.synced_by,
            created_at=mapping.created_at,
            updated_at=mapping.updated_at,
        )


reads.declare(
    "Mapping",
    Shape(
        {
            "id": reads.global_id("Mapping"),
            "connection": One("Connection", "{item}.id = {row}.connection_id"),
            "record": One("Record", "{item}.id = {row}.record_id"),
        },
        table="mapping",
        permission=Permission.READ_RECORDS,
    ),
)
