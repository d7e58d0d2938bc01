"""Queries on field mappings."""

from typing import Annotated

import strawberry

from app.api.context import Info
from app.api.ids import ConnectionId, uuid_of
from app.api.pages import First, page_of
from app.api.queries.missing import or_null
from app.api.streams import StreamName
from app.api.types.field_mappings import (
    FieldMapping,
    FieldMappingBackTest,
    FieldRowChange,
    FieldRowInput,
    PreviewedRecord,
    UnmappedField,
)
from app.paging import encode_cursor


@strawberry.type
class FieldMappingQueries:
    @strawberry.field(description="How a stream of a connection is translated; null when the connection or the version does not exist.")
    @or_null
    async def field_mapping(
        self,
        info: Info,
        connection_id: ConnectionId,
        stream: StreamName,
        version: Annotated[
            int | None, strawberry.argument(description="Which version, 0 for the connector's own; left out: the one that counts.")
        ] = None,
    ) -> FieldMapping | None:
        mappings, actor = info.context.hub.field_mappings, info.context.actor
        connection = uuid_of(connection_id, "Connection", field="connectionId")
        if version is None:
            return FieldMapping.of(await mappings.effective(actor, connection, stream))
        return FieldMapping.of(await mappings.version(actor, connection, stream, version))

    @strawberry.field(description="The versions of a field mapping that were saved, newest first; null when the connection does not exist.")
    @or_null
    async def field_mapping_versions(
        self,
        info: Info,
        connection_id: ConnectionId,
        stream: StreamName,
        first: First = 20,
        before: Annotated[int | None, strawberry.argument(description="Only versions before this one.")] = None,
    ) -> list[FieldMapping] | None:
        connection = uuid_of(connection_id, "Connection", field="connectionId")
        after = None if before is None else encode_cursor(before)
        page = await info.context.hub.field_mappings.versions(info.context.actor, connection, stream, page_of(first, after))
        return [FieldMapping.of(version) for version in page.items]

    @strawberry.field(description="The rows in which two versions of a field mapping differ; null when one of them does not exist.")
    @or_null
    async def field_mapping_changes(
        self,
        info: Info,
        connection_id: ConnectionId,
        stream: StreamName,
        before: Annotated[int, strawberry.argument(description="The earlier version, 0 for the connector's own.")],
        after: Annotated[int, strawberry.argument(description="The later version.")],
    ) -> list[FieldRowChange] | None:
        connection = uuid_of(connection_id, "Connection", field="connectionId")
        changes = await info.context.hub.field_mappings.diff(info.context.actor, connection, stream, before, after)
        return [FieldRowChange.of(change) for change in changes]

    @strawberry.field(
        description="What other rows would make of the newest objects that were read; nothing is changed. Null when the connection does "
        "not exist."
    )
    @or_null
    async def field_mapping_preview(
        self,
        info: Info,
        connection_id: ConnectionId,
        stream: StreamName,
        rows: Annotated[list[FieldRowInput], strawberry.argument(description="The rows to try.")],
        first: Annotated[int, strawberry.argument(description="How many objects: 1 to 50.")] = 10,
    ) -> list[PreviewedRecord] | None:
        connection, tried = uuid_of(connection_id, "Connection", field="connectionId"), [row.row() for row in rows]
        found = await info.context.hub.field_mappings.preview(info.context.actor, connection, stream, tried, first=first)
        return [PreviewedRecord.of(one) for one in found]

    @strawberry.field(
        description="Other rows tried on the newest objects that were read and on the failed records, counted; nothing is changed. Null "
        "when the connection does not exist."
    )
    @or_null
    async def field_mapping_back_test(
        self,
        info: Info,
        connection_id: ConnectionId,
        stream: StreamName,
        rows: Annotated[list[FieldRowInput], strawberry.argument(description="The rows to try.")],
        last: Annotated[int, strawberry.argument(description="How many objects, and at most as many failed records: 1 to 2000.")] = 500,
    ) -> FieldMappingBackTest | None:
        connection, tried = uuid_of(connection_id, "Connection", field="connectionId"), [row.row() for row in rows]
        tested = await info.context.hub.field_mappings.back_test(info.context.actor, connection, stream, tried, last=last)
        return FieldMappingBackTest.of(tested)

    @strawberry.field(
        description="What the newest objects of a stream hold that no row of its field mapping reads, seen most first; null when the "
        "connection does not exist."
    )
    @or_null
    async def unmapped_fields(
        self,
        info: Info,
        connection_id: ConnectionId,
        stream: StreamName,
        last: Annotated[int, strawberry.argument(description="How many objects to look at: 1 to 2000.")] = 500,
    ) -> list[UnmappedField] | None:
        connection = uuid_of(connection_id, "Connection", field="connectionId")
        found = await info.context.hub.field_mappings.discovered(info.context.actor, connection, stream, last=last)
        return [UnmappedField.of(one) for one in found]
