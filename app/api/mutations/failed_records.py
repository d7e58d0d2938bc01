"""Mutations on what could not be taken over or written."""

from typing import Annotated

import strawberry

from app.api.context import Info
from app.api.ids import ConnectionId, IdempotencyKey, id_text, uuid_of
from app.api.mutations.syncs import ConnectionNotUsableRefusal
from app.api.queries.failed_records import AtStage, FailedRecordId, OfCause, OfCode, OfStream, ThatWay
from app.api.refusals import GENERAL, Refusal, answers
from app.api.types.failed_records import FailedRecord
from app.errors import InvalidInput
from app.idempotency import remembered
from app.syncs import models
from app.syncs.failed_records import MOST_AT_ONCE
from app.syncs.failure_rules import FailedRecordSettled

LARGEST_PART = 10_000


@strawberry.type(name="FailedRecordSettled", description="The failed record is well by now.")
class FailedRecordSettledRefusal(Refusal):
    refuses = (FailedRecordSettled,)


@strawberry.type(description="Failed records were tried again.")
class RetryFailedRecordsSuccess:
    retried: int = strawberry.field(description="How many were tried.")
    healed: int = strawberry.field(description="How many are taken over now.")
    still_failed: int = strawberry.field(description="How many failed again.")
    queued: int = strawberry.field(description="How many are to be written, which a worker tries now; they close when they have arrived.")
    last_id: strawberry.ID | None = strawberry.field(description="Where `limit` was reached: give it as `after` for those that are left.")


@strawberry.type(description="It was tried with the edited payload.")
class EditFailedRecordSuccess:
    failed_record: FailedRecord = strawberry.field(description="What became of it: well by now, or the reason why not.")


@strawberry.type(description="They may stay as they are.")
class DismissFailedRecordsSuccess:
    dismissed: int = strawberry.field(description="How many of them were open.")


@strawberry.type(description="Runs try it again.")
class ReopenFailedRecordSuccess:
    failed_record: FailedRecord = strawberry.field(description="The failed record as it is now.")


RetryFailedRecordsResult = Annotated[
    RetryFailedRecordsSuccess | ConnectionNotUsableRefusal | GENERAL,
    strawberry.union("RetryFailedRecordsResult", description="What became of the records, or why they were not tried."),
]
EditFailedRecordResult = Annotated[
    EditFailedRecordSuccess | FailedRecordSettledRefusal | ConnectionNotUsableRefusal | GENERAL,
    strawberry.union("EditFailedRecordResult", description="What became of the record, or why it was not tried."),
]
DismissFailedRecordsResult = Annotated[
    DismissFailedRecordsSuccess | GENERAL,
    strawberry.union("DismissFailedRecordsResult", description="How many were dismissed, or why none was."),
]
ReopenFailedRecordResult = Annotated[
    ReopenFailedRecordSuccess | GENERAL,
    strawberry.union("ReopenFailedRecordResult", description="The failed record, or why it was not opened again."),
]


@strawberry.type
class FailedRecordMutations:
    @strawberry.mutation(
        description="Try open failed records again: what was read from its stored payload, what was to be written by another push. "
        "Dismissed ones are left out unless `ids` names them."
    )
    @answers
    async def retry_failed_records(
        self,
        info: Info,
        connection_id: ConnectionId,
        idempotency_key: IdempotencyKey,
        stream: OfStream = None,
        stage: AtStage = None,
        error_code: OfCode = None,
        cause: OfCause = None,
        direction: ThatWay = None,
        ids: Annotated[
            list[strawberry.ID] | None, strawberry.argument(description="Only these, at most 1000; left out: all of them.")
        ] = None,
        limit: Annotated[
            int | None, strawberry.argument(description="At most so many, 1 to 10,000, so that each answer comes soon; left out: all.")
        ] = None,
        after: Annotated[strawberry.ID | None, strawberry.argument(description="Go on after this one, a `lastId`.")] = None,
    ) -> RetryFailedRecordsResult:
        actor, connection = info.context.actor, uuid_of(connection_id, "Connection", field="connectionId")
        if ids is not None and len(ids) > MOST_AT_ONCE:
            raise InvalidInput(fields={"ids": f"Name at most {MOST_AT_ONCE} records."})
        if limit is not None and not 1 <= limit <= LARGEST_PART:
            raise InvalidInput(fields={"limit": f"Give a number from 1 to {LARGEST_PART:,}."})
        record_ids = None if ids is None else [uuid_of(id, "FailedRecord", field="ids") for id in ids]
        last = None if after is None else uuid_of(after, "FailedRecord", field="after")
        step, way = stage.value if stage else None, direction.value if direction else None

        async def retry() -> models.RetryResult:
            return await info.context.hub.failed_records.retry(
                actor,
                connection,
                stream=stream,
                stage=step,
                error_code=error_code,
                cause=cause,
                direction=way,
                record_ids=record_ids,
                after=last,
                limit=limit,
            )

        request = [connection, stream, step, error_code, cause, way, record_ids, last, limit]
        counts = await remembered(actor, "retry_failed_records", idempotency_key, request, retry, models.RetryResult)
        return RetryFailedRecordsSuccess(
            retried=counts.retried,
            healed=counts.healed,
            still_failed=counts.still_failed,
            queued=counts.queued,
            last_id=id_text("FailedRecord", counts.last) if counts.last else None,
        )

    @strawberry.mutation(
        description="Try a failed record with another payload, now and in later runs, until the provider sends a new one. Where the "
        "provider sends JSON, the payload has to be JSON as well."
    )
    @answers
    async def edit_failed_record(
        self,
        info: Info,
        id: FailedRecordId,
        payload: Annotated[str, strawberry.argument(description="The whole object as the provider would send it.")],
        idempotency_key: IdempotencyKey,
    ) -> EditFailedRecordResult:
        edited = await info.context.hub.failed_records.edit(
            info.context.actor, uuid_of(id, "FailedRecord"), payload, idempotency_key=idempotency_key
        )
        return EditFailedRecordSuccess(failed_record=FailedRecord.of(edited))

    @strawberry.mutation(
        description="Let failed records stay as they are, for a reason. No run tries them again; one that fails otherwise is open again."
    )
    @answers
    async def dismiss_failed_records(
        self,
        info: Info,
        ids: Annotated[list[strawberry.ID], strawberry.argument(description=f"The failed records, at most {MOST_AT_ONCE}.")],
        reason: Annotated[str, strawberry.argument(description="Why they may stay as they are, at most 500 characters.")],
        idempotency_key: IdempotencyKey,
    ) -> DismissFailedRecordsResult:
        wanted = [uuid_of(id, "FailedRecord", field="ids") for id in ids]
        service, actor = info.context.hub.failed_records, info.context.actor
        return DismissFailedRecordsSuccess(dismissed=await service.dismiss(actor, wanted, reason=reason, idempotency_key=idempotency_key))

    @strawberry.mutation(description="Open a failed record again that was dismissed; runs try it again.")
    @answers
    async def reopen_failed_record(self, info: Info, id: FailedRecordId, idempotency_key: IdempotencyKey) -> ReopenFailedRecordResult:
        service, actor = info.context.hub.failed_records, info.context.actor
        reopened = await service.reopen(actor, uuid_of(id, "FailedRecord"), idempotency_key=idempotency_key)
        return ReopenFailedRecordSuccess(failed_record=FailedRecord.of(reopened))
