"""What the sync services return: frozen values, safe to hand to any door."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, TypedDict
from uuid import UUID


class RunStatus(StrEnum):
    QUEUED = "queued"
    RUNNING = "running"
    CANCELLING = "cancelling"
    COMPLETED = "completed"
    PARTIALLY_COMPLETED = "partially_completed"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def is_active(self) -> bool:
        return self in ACTIVE_STATUSES


class RunMode(StrEnum):
    """What a run takes in."""

    INCREMENTAL = "incremental"
    FULL = "full"
    REMAP = "remap"
    """What is stored, by the field mapping that counts now; the provider is not asked."""


ONE_OBJECT, ONE_RECORD = "external_id", "record_id"
"""What a run can be narrowed to on every stream: one object of the provider that is read, or one record that is written."""
ACTIVE_STATUSES = (RunStatus.QUEUED, RunStatus.RUNNING, RunStatus.CANCELLING)


class RunOptions(TypedDict, total=False):
    """What a run is to do, as whoever starts or plans it says; what is not said is as in SyncService.start."""

    streams: Sequence[str] | None
    mode: str
    direction: str
    narrowed_to: Mapping[str, str] | None
    creates_missing: bool
    """What it pushes includes what the provider does not have yet, whatever the streams' policies say."""


@dataclass(frozen=True, slots=True)
class Counts:
    """Records by outcome."""

    read: int = 0
    created: int = 0
    updated: int = 0
    unchanged: int = 0
    deleted: int = 0
    failed: int = 0

    def __add__(self, other: "Counts") -> "Counts":
        return Counts(
            self.read + other.read,
            self.created + other.created,
            self.updated + other.updated,
            self.unchanged + other.unchanged,
            self.deleted + other.deleted,
            self.failed + other.failed,
        )


@dataclass(frozen=True, slots=True)
class SyncRunStream:
    """How far one stream of a run has come."""

    stream: str
    direction: str
    """pull or push"""
    position: int
    status: str
    counts: Counts
    pages: int
    expected: int | None
    """How many records the walk is expected to have, where that is known."""
    started_at: datetime | None
    finished_at: datetime | None


@dataclass(frozen=True, slots=True)
class SyncRun:
    """One attempt to bring a connection's streams up to date."""

    id: UUID
    organization_id: UUID
    connection_id: UUID
    sync_id: UUID | None
    direction: str
    mode: str
    narrowed_to: Mapping[str, str] | None
    status: RunStatus
    requested_by: Mapping[str, Any]
    revision: int
    progress: float
    """0 to 100, never falling."""
    message: str
    error_code: str | None
    error_message: str | None
    fix_by: str | None
    attempts: int
    """How often it was taken up since its last checkpoint."""
    errors: int
    """How many of those ended with an error that counts."""
    next_attempt_at: datetime
    cancel_requested_at: datetime | None
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    streams: Sequence[SyncRunStream]
    task: str = "sync"
    """sync, plan (it makes one) or apply"""
    plan_id: UUID | None = None
    """The plan that it makes or applies."""
    undone_at: datetime | None = None
    """When a compensating plan was applied."""
    creates_missing: bool = False
    """Its pushes make what the provider does not have yet, whatever the streams' policies say."""

    @property
    def counts(self) -> Counts:
        return sum((stream.counts for stream in self.streams), Counts())

    def seconds_left(self, now: datetime) -> float | None:
        """An estimate from the pace so far; None before there is a pace."""
        if self.status is not RunStatus.RUNNING or self.started_at is None or self.progress < 5:
            return None
        elapsed = (now - self.started_at).total_seconds()
        return elapsed * (100 - self.progress) / self.progress


@dataclass(frozen=True, slots=True)
class Sync:
    """A standing wish: which streams of a connection, how, and when."""

    id: UUID
    organization_id: UUID
    connection_id: UUID
    name: str
    streams: Sequence[str]
    direction: str
    mode: str
    schedule: str | None
    """Five-field cron in `time_zone`; None is on demand."""
    time_zone: str
    jitter_seconds: int
    """It begins up to so many seconds after its time, always the same for one sync."""
    next_due_at: datetime | None
    last_skipped_at: datetime | None
    """When it was due and could not be started."""
    last_skipped_reason: str | None
    enabled: bool
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class FailedTry:
    """One time that a record failed."""

    at: datetime
    run_id: UUID | None
    stage: str
    message: str
    edited: bool
    """Whether it was tried with an edited payload."""


@dataclass(frozen=True, slots=True)
class FailedRecord:
    """A provider object that could not be taken over, or a record that could not be written, and why."""

    id: UUID
    connection_id: UUID
    stream: str
    external_id: str
    """The provider's id; `record:` and the record's id where a push found none."""
    sync_run_id: UUID | None
    """None: it was read or written by itself, outside of a run."""
    stage: str
    error_code: str
    message: str
    cause: str
    """The message with ids, quoted values and numbers taken out: the same for all that fail alike."""
    fix_by: str
    payload: str
    attempts: int
    first_failed_at: datetime
    last_failed_at: datetime
    resolved_at: datetime | None
    edited_payload: str | None
    """What somebody made of the payload; it is tried instead until the provider sends another one."""
    edited_by: str | None
    edited_at: datetime | None
    dismissed_at: datetime | None
    dismissed_by: str | None
    dismissed_reason: str | None
    tries: Sequence[FailedTry]
    """The latest times that it failed, the newest last."""

    @property
    def state(self) -> str:
        """open, dismissed or resolved"""
        if self.resolved_at is not None:
            return "resolved"
        return "open" if self.dismissed_at is None else "dismissed"


@dataclass(frozen=True, slots=True)
class FailureCause:
    """Open failed records that fail alike."""

    connection_id: UUID
    stream: str
    stage: str
    error_code: str
    cause: str
    fix_by: str
    count: int
    first_failed_at: datetime
    last_failed_at: datetime
    example_id: UUID
    """The one that failed last."""
    example_external_id: str
    example_message: str


@dataclass(frozen=True, slots=True)
class RetryResult:
    """What became of failed records that were tried again."""

    retried: int
    healed: int
    still_failed: int
    queued: int = 0
    """Of those retried: pushes, which a worker tries now."""
    last: UUID | None = None
    """The last one that was tried, where more may be left."""


@dataclass(frozen=True, slots=True)
class StreamStatus:
    """Where one stream of a connection stands."""

    stream: str
    title: str
    records: int
    failed_records: int
    last_run_id: UUID | None
    last_run_status: RunStatus | None
    last_completed_at: datetime | None
