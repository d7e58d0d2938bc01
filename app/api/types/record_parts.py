"""What every record shows, whatever it is of."""

from datetime import datetime
from typing import Annotated, Any, Self
from uuid import UUID

import msgspec
import strawberry
from strawberry import relay
from strawberry.scalars import JSON

from app.actors import Permission
from app.api.context import Info
from app.api.pages import NEWEST_FIRST, First, page_of
from app.api.reads import sources as reads
from app.api.reads.sources import Expression, Many, One, Page, Ranges, Resolved, Shape, Source
from app.api.types.connections import Connection
from app.records import models
from app.records.lists import KIND, OF_CONTACT, SAYS_CONTACT
from app.records.models import Record

Moment = Annotated[datetime, strawberry.argument(description="The moment, like `2026-11-21T09:30:00Z`.")]


@strawberry.type(description="What a record was at one version.")
class RecordVersion:
    version: int = strawberry.field(description="Which version.")
    data: JSON = strawberry.field(description="All of it in the hub's own shape; a field that is left out is empty.")
    deleted_at: datetime | None = strawberry.field(description="Since when it was gone then; null: it was there.")
    replaced_at: datetime | None = strawberry.field(description="When the next version took its place; null: it is so still.")
    replaced_by: str | None = strawberry.field(description="Who or what replaced it.")

    @classmethod
    def of(cls, version: models.RecordVersion | models.RecordAsOf) -> Self:
        return cls(
            version=version.version,
            data=JSON(version.data),
            deleted_at=version.deleted_at,
            replaced_at=version.replaced_at,
            replaced_by=version.replaced_by,
        )


@strawberry.type
class Recorded(relay.Node):
    """The base of every record's type; not a type of the schema itself."""

    uuid: relay.NodeID[UUID]
    connection_id: strawberry.Private[UUID | None]
    external_id: str | None = strawberry.field(description="The provider's id; null while only the hub has it.")
    custom: JSON = strawberry.field(description="The provider's own fields that the hub does not know.")
    version: int = strawberry.field(description="Counts up with every change.")
    created_at: datetime = strawberry.field(description="When the hub first saw it.")
    updated_at: datetime = strawberry.field(description="When the hub last saw it change.")
    deleted_at: datetime | None = strawberry.field(description="When it was deleted, at the provider or here.")

    @strawberry.field(description="The connection that it was read from; null for one that was made in the hub.")
    async def connection(self, info: Info) -> Connection | None:
        return None if self.connection_id is None else await info.context.loaders.connection.load(self.connection_id)

    @strawberry.field(description="Its counterparts at all connections that have it, with the sync status of each.")
    async def mappings(self, info: Info) -> list[Annotated["Mapping", strawberry.lazy("app.api.types.mappings")]]:  # type: ignore[name-defined]  # noqa: F821
        return await info.context.loaders.mappings_of.load(self.uuid) or []

    @strawberry.field(description="What it was before, latest version first.")
    async def versions(self, info: Info, first: First = 20) -> list[RecordVersion]:
        size = page_of(first, None).first
        return await info.context.loaders.record_versions.load((self.uuid, size)) or []

    @strawberry.field(description="What it was at a moment; null before there was one.")
    async def as_of(self, info: Info, time: Moment) -> RecordVersion | None:
        found = await info.context.hub.records.as_of(info.context.actor, self.uuid, time)
        return None if found is None else RecordVersion.of(found)


def common(record: Record) -> dict[str, Any]:
    """What is not in its data."""
    return {
        "uuid": record.id,
        "connection_id": record.connection_id,
        "external_id": record.external_id,
        "version": record.version,
        "created_at": record.created_at,
        "updated_at": record.updated_at,
        "deleted_at": record.deleted_at,
        "custom": JSON(record.data.get("custom", {})),
    }


def same(struct: msgspec.Struct, *left_out: str) -> dict[str, Any]:
    """Its fields by their names, but for those that are shown otherwise or not at all."""
    return {name: getattr(struct, name) for name in struct.__struct_fields__ if name not in ("custom", *left_out)}


_EXTERNAL_ID = Expression(
    "(SELECT m.external_id FROM mapping AS m WHERE m.organization_id = {organization} AND m.record_id = {row}.id"
    " AND m.connection_id = {row}.connection_id ORDER BY m.id LIMIT 1)"
)


def record_shape(type_name: str, entity: str, struct: type[msgspec.Struct], **more: Source) -> Shape:
    """How a record's type is read."""
    fields = reads.struct_fields(struct) | {
        "id": reads.global_id(type_name),
        "external_id": _EXTERNAL_ID,
        "connection": One("Connection", "{item}.id = {row}.connection_id"),
        "mappings": Many("Mapping", "{item}.record_id = {row}.id", "{item}.id"),
        "versions": Many("RecordVersion", "{item}.record_id = {row}.id", "{item}.version DESC"),
        "as_of": Resolved(),
    }
    return Shape(fields | more, table="record", permission=Permission.READ_RECORDS, where=f"{{item}}.entity = '{entity}'")


THERE = "{item}.deleted_at IS NULL"
JOBS, DOCUMENTS = (f"{THERE} AND {KIND[entity]}" for entity in ("job", "sales_document"))
"""Jobs and sales documents that are there, as their indexes know them."""


def of_contact(type_name: str, where: str) -> Page:
    """What a contact has, at whatever connections."""
    return Page(type_name, NEWEST_FIRST, where=where, ranges=Ranges(OF_CONTACT.replace("{contact}", "{row}.id"), SAYS_CONTACT))


BY_CONTACT = Ranges(OF_CONTACT.replace("{contact}", "{value}"), SAYS_CONTACT)
"""The same, of the contact that an argument names."""

reads.declare("RecordVersion", Shape(table="record_version", permission=Permission.READ_RECORDS))
