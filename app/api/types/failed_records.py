"""What could not be taken over, as GraphQL shows it."""

from datetime import datetime
from enum import Enum
from typing import Self

import strawberry

from app.actors import Permission
from app.api.context import Info
from app.api.enums import enum
from app.api.ids import id_text
from app.api.reads import sources as reads
from app.api.reads.sources import One, Resolved, Shape
from app.api.refusals import FixBy
from app.api.types.connections import Connection
from app.api.types.syncs import SyncRun
from app.syncs import models


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


@strawberry.type(description="An object that could not be taken over, or not be written, and why. A later run that heals it closes it.")
class FailedRecord:
    model: strawberry.Private[models.FailedRecord]
    stream: str = strawberry.field(description="The stream that it was read from.")
    external_id: str = strawberry.field(
        description="The provider's id of the object; `record:` and the plain id for a record that the provider does not have."
    )
    stage: FailureStage = strawberry.field(description="At which step it failed.")
    error_code: str = strawberry.field(description="Why, for programs.")
    message: str = strawberry.field(description="Why, in one sentence.")
    fix_by: FixBy = strawberry.field(description="Who can fix it.")
    payload: str = strawberry.field(description="What the provider sent, at most its first 20,000 bytes.")
    attempts: int = strawberry.field(description="How often it was tried.")
    first_failed_at: datetime = strawberry.field(description="When it failed first.")
    last_failed_at: datetime = strawberry.field(description="When it failed last.")
    resolved_at: datetime | None = strawberry.field(description="When it was taken over after all.")

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
            stage=FailureStage(failed.stage),
            error_code=failed.error_code,
            message=failed.message,
            fix_by=FixBy(failed.fix_by),
            payload=failed.payload,
            attempts=failed.attempts,
            first_failed_at=failed.first_failed_at,
            last_failed_at=failed.last_failed_at,
            resolved_at=failed.resolved_at,
        )


reads.declare(
    "FailedRecord",
    Shape(
        {
            "id": reads.global_id("FailedRecord"),
            "payload": Resolved(),
            "connection": One("Connection", "{item}.id = {row}.connection_id"),
            "run": One("SyncRun", "{item}.id = {row}.sync_run_id"),
        },
        table="failed_record",
        permission=Permission.READ_SYNCS,
    ),
)
