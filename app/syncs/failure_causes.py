"""Failed records by what they have in common: lists, causes, and those to try again."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from app.actors import Scope
from app.database import fetch, fetch_value
from app.syncs import failures
from app.syncs.models import FailedRecord, FailureCause

OPEN, DISMISSED, RESOLVED = "open", "dismissed", "resolved"
"""The states of failed records."""
UNRESOLVED = "unresolved"
"""Open or dismissed."""


@dataclass(frozen=True, slots=True)
class FailureFilter:
    """Which failed records; None is any."""

    connection_id: UUID | None = None
    stream: str | None = None
    stage: str | None = None
    error_code: str | None = None
    cause: str | None = None
    direction: str | None = None
    """pull: it could not be taken over; push: it could not be written"""
    run_id: UUID | None = None
    state: str | None = OPEN
    ids: Sequence[UUID] | None = None


@dataclass(frozen=True, slots=True)
class ToTry:
    """An open failed record that can be tried again by itself."""

    id: UUID
    stream: str
    stage: str
    record_id: UUID | None
    """Of a push: the record; None where its counterpart is not known any more."""


async def page(scope: Scope, wanted: FailureFilter, *, first: int, after: UUID | None) -> list[FailedRecord]:
    """Failed records, newest first; one more than `first`."""
    rows = await fetch(
        scope,
        f"""
        SELECT {failures.COLUMNS} FROM failed_record
        WHERE {_wanted(wanted)} AND ($9::uuid IS NULL OR id < $9) ORDER BY id DESC LIMIT $10
        """,
        *_arguments(scope, wanted),
        after,
        first + 1,
    )
    return [failures.failed_record(row) for row in rows]


async def open_count(scope: Scope, most: int) -> int:
    """How many are open, counted up to so many."""
    sql = f"SELECT count(*) FROM (SELECT FROM failed_record WHERE organization_id = $1 AND {failures.IS_OPEN} LIMIT $2) AS counted"
    return int(await fetch_value(scope, sql, scope.organization_id, most))


async def causes(scope: Scope, wanted: FailureFilter, *, first: int, after: tuple[int, UUID] | None) -> list[FailureCause]:
    """Open failed records by cause, the most frequent first; one more than `first`."""
    count, example = after or (None, None)
    rows = await fetch(
        scope,
        f"""
        SELECT cause.*, example.external_id AS example_external_id, example.message AS example_message
        FROM (
            SELECT connection_id, stream, stage, error_code, cause, fix_by, count(*) AS count, min(first_failed_at) AS first_failed_at,
                max(last_failed_at) AS last_failed_at, (array_agg(id ORDER BY last_failed_at DESC, id DESC))[1] AS example_id
            FROM failed_record WHERE {_wanted(wanted)} GROUP BY connection_id, stream, stage, error_code, cause, fix_by
        ) AS cause JOIN failed_record AS example ON example.organization_id = $1 AND example.id = cause.example_id
        WHERE $9::bigint IS NULL OR (cause.count, cause.example_id) < ($9, $10::uuid)
        ORDER BY cause.count DESC, cause.example_id DESC LIMIT $11
        """,
        *_arguments(scope, wanted),
        count,
        example,
        first + 1,
    )
    return [FailureCause(**row) for row in rows]


async def to_try(scope: Scope, wanted: FailureFilter, *, after: UUID | None, limit: int) -> list[ToTry]:
    """Those that can be tried again, in the order of their ids: from their payload, or by another push."""
    rows = await fetch(
        scope,
        f"""
        SELECT failed.id, failed.stream, failed.stage, record.id AS record_id
        FROM (
            SELECT * FROM failed_record WHERE {_wanted(wanted)} AND stage <> 'read' AND ($9::uuid IS NULL OR id > $9)
            ORDER BY id LIMIT $10
        ) AS failed
        LEFT JOIN mapping ON failed.stage = 'push' AND mapping.organization_id = $1 AND mapping.external_id = failed.external_id
            AND mapping.connection_id = failed.connection_id AND mapping.stream = failed.stream
        LEFT JOIN record ON failed.stage = 'push' AND record.organization_id = $1 AND record.id = coalesce(mapping.record_id,
            CASE WHEN starts_with(failed.external_id, 'record:') THEN substring(failed.external_id FROM 8)::uuid END)
        ORDER BY failed.id
        """,
        *_arguments(scope, wanted),
        after,
        limit,
    )
    return [ToTry(**row) for row in rows]


STATES = {
    OPEN: failures.IS_OPEN,
    DISMISSED: "resolved_at IS NULL AND dismissed_at IS NOT NULL",
    RESOLVED: "resolved_at IS NOT NULL",
    UNRESOLVED: "resolved_at IS NULL",
    None: "true",
}


def _wanted(wanted: FailureFilter) -> str:
    """The condition; its state stands in the statement, so that Postgres knows the index of the open ones."""
    return f"""organization_id = $1 AND ($2::uuid IS NULL OR connection_id = $2) AND ($3::text IS NULL OR stream = $3)
        AND ($4::text IS NULL OR stage = $4) AND ($5::text IS NULL OR error_code = $5) AND ($6::text IS NULL OR cause = $6)
        AND ($7::uuid IS NULL OR sync_run_id = $7) AND ($8::uuid[] IS NULL OR id = ANY($8))
        AND {STATES[wanted.state]} AND {DIRECTIONS[wanted.direction]}"""


DIRECTIONS = {"pull": "stage <> 'push'", "push": "stage = 'push'", None: "true"}


def _arguments(scope: Scope, wanted: FailureFilter) -> list[Any]:
    values = (wanted.connection_id, wanted.stream, wanted.stage, wanted.error_code, wanted.cause, wanted.run_id, wanted.ids)
    return [scope.organization_id, *values]
