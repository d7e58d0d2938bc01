"""Sync runs and where streams stand, as GraphQL shows them."""

from dataclasses import fields
from datetime import UTC, datetime
from enum import Enum
from typing import TYPE_CHECKING, Annotated, Self
from uuid import UUID

import strawberry
from strawberry import relay
from strawberry.scalars import JSON

from app.actors import Permission
from app.api.context import Info
from app.api.enums import enum
from app.api.reads import sources as reads
from app.api.reads.sources import Expression, Inline, Many, One, Shape
from app.api.refusals import FixBy
from app.api.types.reconciliations import Reconciliation
from app.api.types.syncs import Sync, SyncDirection, SyncMode
from app.syncs import models

if TYPE_CHECKING:
    from app.api.types.connections import Connection
    from app.api.types.plans import Plan


@enum(
    "Where a sync run stands.",
    QUEUED="It waits for a worker.",
    RUNNING="It is being worked on.",
    CANCELLING="It was asked to end and does so at its next checkpoint.",
    COMPLETED="Everything was taken over.",
    PARTIALLY_COMPLETED="It ended; some records failed.",
    FAILED="It could not go on.",
    CANCELLED="It was ended on request; what it had committed stays.",
)
class SyncRunStatus(Enum):
    QUEUED = "queued"
    RUNNING = "running"
    CANCELLING = "cancelling"
    COMPLETED = "completed"
    PARTIALLY_COMPLETED = "partially_completed"
    FAILED = "failed"
    CANCELLED = "cancelled"


@enum(
    "Where one stream of a run stands.",
    QUEUED="Its turn has not come.",
    RUNNING="It is being read.",
    COMPLETED="It was read to its end.",
    FAILED="It could not be read to its end.",
    CANCELLED="The run was cancelled before its end.",
)
class StreamRunStatus(Enum):
    QUEUED = "queued"
    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"


@enum(
    "What a sync run does.",
    SYNC="It syncs.",
    PLAN="It makes a plan; nothing is synced.",
    APPLY="It applies a plan.",
)
class SyncTask(Enum):
    SYNC = "sync"
    PLAN = "plan"
    APPLY = "apply"


@strawberry.type(description="How many records had which outcome.")
class SyncCounts:
    read: int = strawberry.field(description="Records that were looked at: read from the provider, or to be pushed.")
    created: int = strawberry.field(description="Records that are new in the hub, or at the provider where they are pushed.")
    updated: int = strawberry.field(description="Records that changed.")
    unchanged: int = strawberry.field(description="Records that were as they should be.")
    deleted: int = strawberry.field(description="Records that are gone at the provider, or were deleted there by a push.")
    failed: int = strawberry.field(description="Records that could not be taken over or written.")

    @classmethod
    def of(cls, counts: models.Counts) -> Self:
        return cls(
            read=counts.read,
            created=counts.created,
            updated=counts.updated,
            unchanged=counts.unchanged,
            deleted=counts.deleted,
            failed=counts.failed,
        )


@strawberry.type(description="How far one stream of a run has come.")
class SyncRunStream:
    stream: str = strawberry.field(description="The stream's name, like `companies`.")
    direction: SyncDirection = strawberry.field(description="Which way it is walked; a two-way run walks a stream twice.")
    status: StreamRunStatus = strawberry.field(description="Where it stands.")
    counts: SyncCounts = strawberry.field(description="How many records had which outcome so far.")
    pages: int = strawberry.field(description="How many pages were committed.")
    expected: int | None = strawberry.field(description="How many records it is expected to have, where that is known.")
    started_at: datetime | None = strawberry.field(description="When its first page was asked for.")
    finished_at: datetime | None = strawberry.field(description="When it ended.")

    @classmethod
    def of(cls, stream: models.SyncRunStream) -> Self:
        return cls(
            stream=stream.stream,
            direction=SyncDirection(stream.direction),
            status=StreamRunStatus(stream.status),
            counts=SyncCounts.of(stream.counts),
            pages=stream.pages,
            expected=stream.expected,
            started_at=stream.started_at,
            finished_at=stream.finished_at,
        )


@strawberry.type(description="One attempt to bring a connection's streams up to date.")
class SyncRun(relay.Node):
    uuid: relay.NodeID[UUID]
    connection_id: strawberry.Private[UUID]
    sync_id: strawberry.Private[UUID | None]
    plan_id: strawberry.Private[UUID | None]
    seconds: strawberry.Private[float | None]
    task: SyncTask = strawberry.field(description="What it does.")
    status: SyncRunStatus = strawberry.field(description="Where it stands.")
    direction: SyncDirection = strawberry.field(description="Which way it goes.")
    mode: SyncMode = strawberry.field(description="How much it reads.")
    narrowed_to: JSON | None = strawberry.field(description='What it is limited to, like `{"contact_external_id": "…"}`; null: nothing.')
    requested_by: str = strawberry.field(description="The name of whoever started it.")
    progress: float = strawberry.field(description="0 to 100; it never falls.")
    message: str = strawberry.field(description="What it is doing, in words for people.")
    error_code: str | None = strawberry.field(description="Why it failed, for programs.")
    error_message: str | None = strawberry.field(description="Why it failed, in one sentence.")
    fix_by: FixBy | None = strawberry.field(description="Who can fix what made it fail.")
    revision: int = strawberry.field(description="Counts up with every change of this run.")
    counts: SyncCounts = strawberry.field(description="How many records had which outcome so far.")
    streams: list[SyncRunStream] = strawberry.field(description="Its streams, in the order in which they are read.")
    created_at: datetime = strawberry.field(description="When it was asked for.")
    started_at: datetime | None = strawberry.field(description="When a worker took it up.")
    finished_at: datetime | None = strawberry.field(description="When it ended.")
    undone_at: datetime | None = strawberry.field(description="When it was taken back; see `undoSyncRun`.")

    @strawberry.field(description="An estimate of how many seconds it still takes; null before there is a pace.")
    def seconds_left(self) -> int | None:
        return None if self.seconds is None else min(round(self.seconds), 2**31 - 1)

    @strawberry.field(description="What its complete scans came to, by stream; nothing for streams that it did not scan to the end.")
    async def reconciliations(self, info: Info) -> list[Reconciliation]:
        return await info.context.loaders.reconciliations_of.load(self.uuid) or []

    @strawberry.field(description="The connection that it reads from.")
    async def connection(self, info: Info) -> Annotated["Connection", strawberry.lazy("app.api.types.connections")] | None:
        return await info.context.loaders.connection.load(self.connection_id)

    @strawberry.field(description="The standing sync that it belongs to; null for a run that somebody started by itself.")
    async def sync(self, info: Info) -> Sync | None:
        return None if self.sync_id is None else await info.context.loaders.sync.load(self.sync_id)

    @strawberry.field(description="The plan that it makes or applies.")
    async def plan(self, info: Info) -> Annotated["Plan", strawberry.lazy("app.api.types.plans")] | None:
        return None if self.plan_id is None else await info.context.loaders.plan.load(self.plan_id)

    @classmethod
    def of(cls, run: models.SyncRun) -> Self:
        return cls(
            uuid=run.id,
            connection_id=run.connection_id,
            sync_id=run.sync_id,
            plan_id=run.plan_id,
            task=SyncTask(run.task),
            seconds=run.seconds_left(datetime.now(UTC)),
            status=SyncRunStatus(run.status.value),
            direction=SyncDirection(run.direction),
            mode=SyncMode(run.mode),
            narrowed_to=None if run.narrowed_to is None else JSON(run.narrowed_to),
            requested_by=str(run.requested_by.get("name", "")),
            progress=float(run.progress),
            message=run.message,
            error_code=run.error_code,
            error_message=run.error_message,
            fix_by=FixBy(run.fix_by) if run.fix_by else None,
            revision=run.revision,
            counts=SyncCounts.of(run.counts),
            streams=[SyncRunStream.of(stream) for stream in run.streams],
            created_at=run.created_at,
            started_at=run.started_at,
            finished_at=run.finished_at,
            undone_at=run.undone_at,
        )


@strawberry.type(description="Where one stream of a connection stands.")
class StreamStatus:
    connection_id: strawberry.Private[UUID]
    last_run_id: strawberry.Private[UUID | None]
    stream: str = strawberry.field(description="The stream's name.")
    title: str = strawberry.field(description="What people call it.")
    records: int = strawberry.field(description="How many records the hub has from it.")
    failed_records: int = strawberry.field(description="How many of its objects could not be taken over so far.")
    last_run_status: SyncRunStatus | None = strawberry.field(description="Where its last run stands; null before the first.")
    last_completed_at: datetime | None = strawberry.field(description="When it was last read to its end.")

    @strawberry.field(description="Its last run.")
    async def last_run(self, info: Info) -> SyncRun | None:
        return None if self.last_run_id is None else await info.context.loaders.sync_run.load(self.last_run_id)

    @strawberry.field(description="What its last complete scan came to; null before the first.")
    async def reconciliation(self, info: Info) -> Reconciliation | None:
        return await info.context.loaders.latest_reconciliation.load((self.connection_id, self.stream))

    @classmethod
    def of(cls, status: models.StreamStatus, connection_id: UUID) -> Self:
        return cls(
            connection_id=connection_id,
            last_run_id=status.last_run_id,
            stream=status.stream,
            title=status.title,
            records=status.records,
            failed_records=status.failed_records,
            last_run_status=SyncRunStatus(status.last_run_status.value) if status.last_run_status else None,
            last_completed_at=status.last_completed_at,
        )


_COUNTS = [field.name for field in fields(models.Counts)]
_OF_RUN = "{item}.sync_run_id = {row}.id"
_SECONDS_LEFT = """CASE WHEN {row}.status = 'running' AND {row}.started_at IS NOT NULL AND {row}.progress >= 5 THEN least(
    round(extract(epoch FROM {now} - {row}.started_at)::float8 * (100 - {row}.progress)::float8 / {row}.progress::float8),
    2147483647)::int END"""
"""models.SyncRun.seconds_left, rounded."""


reads.declare(
    "SyncCounts",
    Shape(
        {name: Expression(f"coalesce(sum({{row}}.{name}), 0)") for name in _COUNTS},
        table="sync_run_stream",
        permission=Permission.READ_SYNCS,
    ),
)
reads.declare(
    "SyncRunStream",
    Shape(
        {"counts": Inline(Shape({name: reads.column(name) for name in _COUNTS}))},
        table="sync_run_stream",
        permission=Permission.READ_SYNCS,
    ),
)
reads.declare(
    "SyncRun",
    Shape(
        {
            "id": reads.global_id("SyncRun"),
            "requested_by": reads.json_text("name", column="requested_by", default=""),
            "counts": One("SyncCounts", _OF_RUN, summed=True),
            "streams": Many("SyncRunStream", _OF_RUN, "{item}.position"),
            "reconciliations": Many("Reconciliation", _OF_RUN, "{item}.stream"),
            "seconds_left": Expression(_SECONDS_LEFT),
            "connection": One("Connection", "{item}.id = {row}.connection_id"),
            "sync": One("Sync", "{item}.id = {row}.sync_id"),
            "plan": One("Plan", "{item}.id = {row}.plan_id"),
        },
        table="sync_run",
        permission=Permission.READ_SYNCS,
    ),
)
