"""What could not be taken over or written, as GraphQL shows it."""

from datetime import datetime
from enum import Enum
from typing import Self
from uuid import UUID

import strawberry

from app.actors import Permission
from app.api.context import Info
from app.api.enums import enum
from app.api.ids import id_text
from app.api.pages import PageInfo, place_of
from app.api.reads import sources as reads
from app.api.reads.sources import One, Resolved, Shape
from app.api.refusals import FixBy
from app.api.types.connections import Connection
from app.api.types.sync_runs import SyncRun
from app.paging import ResultPage
from app.syncs import models
from app.syncs.failure_rules import advice


@enum(
    "At which step a record failed.",
    READ="It could not be identified in the provider's answer.",
    ASSEMBLE="Its parts could not be put together.",
    TRANSLATE="A field could not be translated.",
    VALIDATE="A required field is missing or of the wrong type.",
    STORE="It could not be stored.",
    PROJECT="A quote could not be made of it.",
    PUSH="It could not be written to the provider.",
)
class FailureStage(Enum):
    READ = "read"
    ASSEMBLE = "assemble"
    TRANSLATE = "translate"
    VALIDATE = "validate"
    STORE = "store"
    PROJECT = "project"
    PUSH = "push"


@enum(
    "Where a failed record stands.",
    OPEN="Each run tries it again.",
    DISMISSED="It may stay as it is, for a reason; it is open again as soon as it fails in another way.",
    RESOLVED="It is well by now.",
)
class FailedRecordState(Enum):
    OPEN = "open"
    DISMISSED = "dismissed"
    RESOLVED = "resolved"


@enum("Which way a record was to go.", PULL="From the provider into the hub.", PUSH="From the hub to the provider.")
class FailedDirection(Enum):
    PULL = "pull"
    PUSH = "push"

    @classmethod
    def of(cls, stage: str) -> Self:
        return cls("push" if stage == "push" else "pull")


@strawberry.type(description="One time that a record failed.")
class FailedTry:
    failed_at: datetime = strawberry.field(description="When it was.")
    stage: FailureStage = strawberry.field(description="At which step.")
    message: str = strawberry.field(description="Why, in one sentence.")
    edited: bool = strawberry.field(description="Whether it was tried with an edited payload.")
    run_id: strawberry.ID | None = strawberry.field(description="The run that tried it; null where somebody tried it by itself.")

    @classmethod
    def of(cls, one: models.FailedTry) -> Self:
        run_id = id_text("SyncRun", one.run_id) if one.run_id else None
        return cls(failed_at=one.at, stage=FailureStage(one.stage), message=one.message, edited=one.edited, run_id=run_id)


@strawberry.type(description="An object that could not be taken over, or not be written, and why. A later run that heals it closes it.")
class FailedRecord:
    model: strawberry.Private[models.FailedRecord]
    stream: str = strawberry.field(description="The stream that it was read from.")
    external_id: str = strawberry.field(
        description="The provider's id of the object; `record:` and the plain id for a record that the provider does not have."
    )
    state: FailedRecordState = strawberry.field(description="Where it stands.")
    direction: FailedDirection = strawberry.field(description="Which way it was to go.")
    stage: FailureStage = strawberry.field(description="At which step it failed.")
    error_code: str = strawberry.field(description="Why, for programs.")
    message: str = strawberry.field(description="Why, in one sentence.")
    cause: str = strawberry.field(description="The message without ids, quoted values and numbers: the same for all that fail alike.")
    fix_by: FixBy = strawberry.field(description="Who can fix it.")
    advice: str = strawberry.field(description="What is to be done, in plain words.")
    payload: str = strawberry.field(
        description="What the provider sent, at most its first 20,000 bytes; `failedRecordPayload` has the whole."
    )
    edited_payload: str | None = strawberry.field(description="What somebody made of it, which is tried instead; as much of it.")
    edited_by: str | None = strawberry.field(description="The name of whoever edited it.")
    edited_at: datetime | None = strawberry.field(description="When it was edited.")
    attempts: int = strawberry.field(description="How often it was tried.")
    first_failed_at: datetime = strawberry.field(description="When it failed first.")
    last_failed_at: datetime = strawberry.field(description="When it failed last.")
    tries: list[FailedTry] = strawberry.field(description="The latest times that it failed, at most 20, the newest last.")
    resolved_at: datetime | None = strawberry.field(description="When it was taken over or written after all.")
    dismissed_at: datetime | None = strawberry.field(description="When somebody decided that it may stay as it is.")
    dismissed_by: str | None = strawberry.field(description="The name of whoever decided that.")
    dismissed_reason: str | None = strawberry.field(description="Why it may stay as it is.")

    @strawberry.field(description="Its id, for `retryFailedRecords`.")
    def id(self) -> strawberry.ID:
        return id_text("FailedRecord", self.model.id)

    @strawberry.field(description="The connection that it was read from.")
    async def connection(self, info: Info) -> Connection | None:
        return await info.context.loaders.connection.load(self.model.connection_id)

    @strawberry.field(description="The run in which it failed last; null where a single write did.")
    async def run(self, info: Info) -> SyncRun | None:
        return None if self.model.sync_run_id is None else await info.context.loaders.sync_run.load(self.model.sync_run_id)

    @classmethod
    def of(cls, failed: models.FailedRecord) -> Self:
        return cls(
            model=failed,
            stream=failed.stream,
            external_id=failed.external_id,
            state=FailedRecordState(failed.state),
            direction=FailedDirection.of(failed.stage),
            stage=FailureStage(failed.stage),
            error_code=failed.error_code,
            message=failed.message,
            cause=failed.cause,
            fix_by=FixBy(failed.fix_by),
            advice=advice(failed.stage, failed.fix_by),
            payload=failed.payload,
            edited_payload=failed.edited_payload,
            edited_by=failed.edited_by,
            edited_at=failed.edited_at,
            attempts=failed.attempts,
            first_failed_at=failed.first_failed_at,
            last_failed_at=failed.last_failed_at,
            tries=[FailedTry.of(one) for one in failed.tries],
            resolved_at=failed.resolved_at,
            dismissed_at=failed.dismissed_at,
            dismissed_by=failed.dismissed_by,
            dismissed_reason=failed.dismissed_reason,
        )


@strawberry.type(description="Open failed records that fail alike.")
class FailedRecordCause:
    connection_id: strawberry.Private[UUID]
    stream: str = strawberry.field(description="The stream of all of them.")
    direction: FailedDirection = strawberry.field(description="Which way they were to go.")
    stage: FailureStage = strawberry.field(description="At which step they failed.")
    error_code: str = strawberry.field(description="Why, for programs.")
    cause: str = strawberry.field(description="Their message without ids, quoted values and numbers.")
    fix_by: FixBy = strawberry.field(description="Who can fix them.")
    advice: str = strawberry.field(description="What is to be done, in plain words.")
    count: int = strawberry.field(description="How many there are.")
    first_failed_at: datetime = strawberry.field(description="When the first of them failed first.")
    last_failed_at: datetime = strawberry.field(description="When one of them failed last.")
    example_id: strawberry.ID = strawberry.field(description="The failed record that failed last.")
    example_external_id: str = strawberry.field(description="Its id at the provider.")
    example_message: str = strawberry.field(description="Its message.")

    @strawberry.field(description="The connection of all of them.")
    async def connection(self, info: Info) -> Connection | None:
        return await info.context.loaders.connection.load(self.connection_id)

    @classmethod
    def of(cls, cause: models.FailureCause) -> Self:
        return cls(
            connection_id=cause.connection_id,
            stream=cause.stream,
            direction=FailedDirection.of(cause.stage),
            stage=FailureStage(cause.stage),
            error_code=cause.error_code,
            cause=cause.cause,
            fix_by=FixBy(cause.fix_by),
            advice=advice(cause.stage, cause.fix_by),
            count=cause.count,
            first_failed_at=cause.first_failed_at,
            last_failed_at=cause.last_failed_at,
            example_id=id_text("FailedRecord", cause.example_id),
            example_external_id=cause.example_external_id,
            example_message=cause.example_message,
        )


@strawberry.type(description="A page of the causes for which records fail.")
class FailedRecordCauses:
    nodes: list[FailedRecordCause] = strawberry.field(description="The causes of this page, the most frequent first.")
    page_info: PageInfo = strawberry.field(description="Where this page lies in the list.")

    @classmethod
    def of(cls, page: ResultPage[models.FailureCause], after: str | None) -> Self:
        return cls(nodes=[FailedRecordCause.of(one) for one in page.items], page_info=place_of(page, after))


reads.declare(
    "FailedRecord",
    Shape(
        {
            "id": reads.global_id("FailedRecord"),
            **dict.fromkeys(("state", "direction", "advice", "payload", "edited_payload", "tries"), Resolved()),
            "connection": One("Connection", "{item}.id = {row}.connection_id"),
            "run": One("SyncRun", "{item}.id = {row}.sync_run_id"),
        },
        table="failed_record",
        permission=Permission.READ_SYNCS,
    ),
)
