"""Mutations on field mappings: versions are saved, then published; an older one is published again."""

from typing import Annotated

import strawberry

from app.actors import Permission
from app.api.context import Info
from app.api.ids import ConnectionId, IdempotencyKey, uuid_of
from app.api.refusals import GENERAL, Refusal, answers
from app.api.streams import StreamName
from app.api.types.field_mappings import FieldMapping, FieldRowInput
from app.mappings.field_mappings import FieldMappingRetired

_RECORDS = (
    "How many records it is about. `startSync` with the mode `REMAP` translates them again from what was read before; without it, they "
    "are as soon as they are read again."
)


@strawberry.type(name="FieldMappingRetired", description="Another version took this one's place; roll back to it instead.")
class FieldMappingRetiredRefusal(Refusal):
    refuses = (FieldMappingRetired,)


@strawberry.type(description="The version is saved, and does not count yet.")
class SaveFieldMappingSuccess:
    field_mapping: FieldMapping = strawberry.field(description="The new version.")


@strawberry.type(description="The version counts from now on.")
class PublishFieldMappingSuccess:
    field_mapping: FieldMapping = strawberry.field(description="The version that counts.")
    records: int = strawberry.field(description=_RECORDS)


@strawberry.type(description="The older rows count again.")
class RollBackFieldMappingSuccess:
    field_mapping: FieldMapping = strawberry.field(
        description="The version that counts: a new one with the older rows, or the connector's own."
    )
    records: int = strawberry.field(description=_RECORDS)


SaveFieldMappingResult = Annotated[
    SaveFieldMappingSuccess | GENERAL,
    strawberry.union("SaveFieldMappingResult", description="The new version, or what is wrong with its rows."),
]
PublishFieldMappingResult = Annotated[
    PublishFieldMappingSuccess | FieldMappingRetiredRefusal | GENERAL,
    strawberry.union("PublishFieldMappingResult", description="The version, or why it does not count."),
]
RollBackFieldMappingResult = Annotated[
    RollBackFieldMappingSuccess | GENERAL,
    strawberry.union("RollBackFieldMappingResult", description="What counts again, or why not."),
]


@strawberry.type
class FieldMappingMutations:
    @strawberry.mutation(
        description="Save rows as a new version of a stream's field mapping. They are tried on what was read; they do not count yet."
    )
    @answers
    async def save_field_mapping(
        self,
        info: Info,
        connection_id: ConnectionId,
        stream: StreamName,
        rows: Annotated[list[FieldRowInput], strawberry.argument(description="All rows of the version.")],
        idempotency_key: IdempotencyKey,
        note: Annotated[str, strawberry.argument(description="What to note about it.")] = "",
    ) -> SaveFieldMappingResult:
        _require(info)
        connection = uuid_of(connection_id, "Connection", field="connectionId")
        saved = await info.context.hub.field_mappings.save(
            info.context.actor, connection, stream, [row.row() for row in rows], note=note, idempotency_key=idempotency_key
        )
        return SaveFieldMappingSuccess(field_mapping=FieldMapping.of(saved))

    @strawberry.mutation(description="Let a saved version count from now on.")
    @answers
    async def publish_field_mapping(
        self,
        info: Info,
        connection_id: ConnectionId,
        stream: StreamName,
        version: Annotated[int, strawberry.argument(description="The version.")],
        idempotency_key: IdempotencyKey,
    ) -> PublishFieldMappingResult:
        _require(info)
        connection = uuid_of(connection_id, "Connection", field="connectionId")
        done = await info.context.hub.field_mappings.publish(
            info.context.actor, connection, stream, version, idempotency_key=idempotency_key
        )
        return PublishFieldMappingSuccess(field_mapping=FieldMapping.of(done.version), records=done.records)

    @strawberry.mutation(description="Let the rows of an older version count again.")
    @answers
    async def roll_back_field_mapping(
        self,
        info: Info,
        connection_id: ConnectionId,
        stream: StreamName,
        version: Annotated[int, strawberry.argument(description="The older version; 0 for the connector's own rows.")],
        idempotency_key: IdempotencyKey,
    ) -> RollBackFieldMappingResult:
        _require(info)
        connection = uuid_of(connection_id, "Connection", field="connectionId")
        done = await info.context.hub.field_mappings.roll_back(
            info.context.actor, connection, stream, version, idempotency_key=idempotency_key
        )
        return RollBackFieldMappingSuccess(field_mapping=FieldMapping.of(done.version), records=done.records)


def _require(info: Info) -> None:
    """The answer shows the mapping, so it is not changed for whoever may not see it. Raises PermissionDenied."""
    info.context.actor.require(Permission.MANAGE_CONNECTIONS)
    info.context.actor.require(Permission.READ_CONNECTIONS)
