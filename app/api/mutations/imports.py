"""Mutations that take over single objects of a provider. All of them are the matter of a full run (`startSync`)."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Annotated

import strawberry

from app.actors import Permission
from app.api.context import Info
from app.api.ids import ConnectionId, IdempotencyKey, uuid_of
from app.api.refusals import GENERAL, answers
from app.api.streams import StreamName
from app.api.types.imports import ImportedObject
from app.idempotency import remembered
from app.syncs.importing import Imported, ImportReport

ExternalId = Annotated[str, strawberry.argument(description="The provider's id of the object.")]


@strawberry.type(description="The object was asked for and taken over, or the reason why not.")
class ImportRecordSuccess:
    result: ImportedObject = strawberry.field(description="What became of it.")


@strawberry.type(description="Each object was asked for by itself.")
class ImportRecordsSuccess:
    total: int = strawberry.field(description="How many were given.")
    imported: int = strawberry.field(description="How many are records now, new ones and those that were there.")
    failed: int = strawberry.field(description="How many failed or are missing.")
    results: list[ImportedObject] = strawberry.field(description="What became of each, in the order in which they were given.")


ImportRecordResult = Annotated[
    ImportRecordSuccess | GENERAL,
    strawberry.union("ImportRecordResult", description="What became of the object, or why it was not asked for."),
]
ImportRecordsResult = Annotated[
    ImportRecordsSuccess | GENERAL,
    strawberry.union("ImportRecordsResult", description="What became of each object, or why none was asked for."),
]


@strawberry.type
class ImportMutations:
    @strawberry.mutation(description="Read one object of a provider now, and take it over.")
    @answers
    async def import_record(
        self, info: Info, connection_id: ConnectionId, stream: StreamName, external_id: ExternalId, idempotency_key: IdempotencyKey
    ) -> ImportRecordResult:
        actor, connection = info.context.actor, uuid_of(connection_id, "Connection", field="connectionId")

        async def take() -> list[Imported]:
            return [await info.context.hub.imports.one(actor, connection, stream, external_id)]

        [result] = await _remembered(info, "import_record", idempotency_key, [connection, stream, external_id], take)
        return ImportRecordSuccess(result=ImportedObject.of(result))

    @strawberry.mutation(description="Read some objects of a provider now, and take them over. One that fails does not stop the others.")
    @answers
    async def import_records(
        self,
        info: Info,
        connection_id: ConnectionId,
        stream: StreamName,
        external_ids: Annotated[list[str], strawberry.argument(description="The provider's ids of the objects, at most 100.")],
        idempotency_key: IdempotencyKey,
    ) -> ImportRecordsResult:
        actor, connection = info.context.actor, uuid_of(connection_id, "Connection", field="connectionId")

        async def take() -> list[Imported]:
            return list((await info.context.hub.imports.many(actor, connection, stream, external_ids)).results)

        results = await _remembered(info, "import_records", idempotency_key, [connection, stream, external_ids], take)
        report = ImportReport(results)
        return ImportRecordsSuccess(
            total=report.total, imported=report.imported, failed=report.failed, results=[ImportedObject.of(one) for one in results]
        )


async def _remembered(
    info: Info, operation: str, key: str, request: Sequence[object], take: Callable[[], Awaitable[list[Imported]]]
) -> list[Imported]:
    """What became of them, at the first time that it was asked. Raises PermissionDenied."""
    for permission in (Permission.RUN_SYNCS, Permission.READ_RECORDS, Permission.READ_CONNECTIONS):
        info.context.actor.require(permission)
    return await remembered(info.context.actor, operation, key, request, take, list[Imported])
