"""Queries on what could not be taken over or written."""

from typing import Annotated

import strawberry

from app.api.context import Info
from app.api.ids import OfConnection, optional_uuid, same_id, uuid_of
from app.api.pages import NEWEST_FIRST, After, First, Listing, listing, page_of
from app.api.queries.missing import or_null
from app.api.reads import sources as reads
from app.api.reads.sources import ById, Filter, Page
from app.api.types.failed_records import FailedDirection, FailedRecord, FailedRecordCauses, FailedRecordState, FailureStage
from app.syncs import failure_causes

OfStream = Annotated[str | None, strawberry.argument(description="Only those of this stream.")]
AtStage = Annotated[FailureStage | None, strawberry.argument(description="Only those that failed at this step.")]
OfCode = Annotated[str | None, strawberry.argument(description="Only those with this error code.")]
OfCause = Annotated[str | None, strawberry.argument(description="Only those that fail alike, as `cause` says it.")]
ThatWay = Annotated[FailedDirection | None, strawberry.argument(description="Only those that were to go this way.")]
FailedRecordId = Annotated[strawberry.ID, strawberry.argument(description="The failed record's id.")]


@strawberry.type
class FailedRecordQueries:
    @strawberry.field(description="Records that could not be taken over or written, newest first, with their cause and payload.")
    async def failed_records(
        self,
        info: Info,
        connection_id: OfConnection = None,
        sync_run_id: Annotated[strawberry.ID | None, strawberry.argument(description="Only those of this run.")] = None,
        stream: OfStream = None,
        stage: AtStage = None,
        error_code: OfCode = None,
        cause: OfCause = None,
        direction: ThatWay = None,
        state: Annotated[
            FailedRecordState | None, strawberry.argument(description="Only those that stand here; null: all of them.")
        ] = FailedRecordState.OPEN,
        first: First = 50,
        after: After = None,
    ) -> Listing[FailedRecord]:
        page = await info.context.hub.failed_records.failed_records(
            info.context.actor,
            page_of(first, after),
            connection_id=optional_uuid(connection_id, "Connection"),
            run_id=optional_uuid(sync_run_id, "SyncRun"),
            stream=stream,
            stage=stage.value if stage else None,
            error_code=error_code,
            cause=cause,
            direction=direction.value if direction else None,
            state=state.value if state else None,
        )
        return listing(info, page, after, FailedRecord.of)

    @strawberry.field(description="One failed record; null when it does not exist.")
    @or_null
    async def failed_record(self, info: Info, id: FailedRecordId) -> FailedRecord | None:
        return FailedRecord.of(await info.context.hub.failed_records.get(info.context.actor, uuid_of(id, "FailedRecord")))

    @strawberry.field(
        description="The whole payload with which a failed record is tried next, the edited one or the provider's; null when there is no "
        "such failed record."
    )
    @or_null
    async def failed_record_payload(self, info: Info, id: FailedRecordId) -> str | None:
        payload = await info.context.hub.failed_records.payload(info.context.actor, uuid_of(id, "FailedRecord"))
        return payload.decode(errors="replace")

    @strawberry.field(description="The causes for which open records fail, the most frequent first.")
    async def failed_record_causes(
        self,
        info: Info,
        connection_id: OfConnection = None,
        stream: OfStream = None,
        stage: AtStage = None,
        direction: ThatWay = None,
        first: First = 50,
        after: After = None,
    ) -> FailedRecordCauses:
        page = await info.context.hub.failed_records.causes(
            info.context.actor,
            page_of(first, after),
            connection_id=optional_uuid(connection_id, "Connection"),
            stream=stream,
            stage=stage.value if stage else None,
            direction=direction.value if direction else None,
        )
        return FailedRecordCauses.of(page, after)


reads.declare_root("failed_record", ById("FailedRecord"))
reads.declare_root(
    "failed_records",
    Page(
        "FailedRecord",
        NEWEST_FIRST,
        filters={
            "connectionId": same_id("Connection", "connection_id"),
            "syncRunId": same_id("SyncRun", "sync_run_id"),
            "stream": Filter("{item}.stream = {value}"),
            "stage": Filter(lambda stage: f"{{item}}.stage = '{stage.value}'"),
            "errorCode": Filter("{item}.error_code = {value}"),
            "cause": Filter("{item}.cause = {value}"),
            "direction": Filter(lambda direction: failure_causes.DIRECTIONS[direction.value]),
            "state": Filter(lambda state: failure_causes.STATES[state.value]),
        },
    ),
)
