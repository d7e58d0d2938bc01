"""Every query on failed records that fail alike."""

from collections.abc import Sequence
from dataclasses import astuple, dataclass
from typing import Any
from uuid import UUID

from app.actors import Scope
from app.database import fetch
from app.syncs.models import FailureCause


@dataclass(frozen=True, slots=True)
class FailureFilter:
    """Which failed records; None is any. A dismissed one counts only where it is named by its id."""

    connection_id: UUID | None = None
    stream: str | None = None
    stage: str | None = None
    error_code: str | None = None
    cause: str | None = None
    ids: Sequence[UUID] | None = None


@dataclass(frozen=True, slots=True)
class FailedPush:
    """A record that could not be written."""

    id: UUID
    connection_id: UUID
    stream: str
    record_id: UUID | None
    """None: the record's counterpart is not known any more."""


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
            FROM failed_record WHERE {_WANTED} GROUP BY connection_id, stream, stage, error_code, cause, fix_by
        ) AS cause JOIN failed_record AS example ON example.organization_id = $1 AND example.id = cause.example_id
        WHERE $8::bigint IS NULL OR (cause.count, cause.example_id) < ($8, $9::uuid)
        ORDER BY cause.count DESC, cause.example_id DESC LIMIT $10
        """,
        *_arguments(scope, wanted),
        count,
        example,
        first + 1,
    )
    return [FailureCause(**row) for row in rows]


async def ids_to_try(scope: Scope, wanted: FailureFilter, *, after: UUID | None, limit: int) -> list[UUID]:
    """Those that can be taken over again from their payload, in the order of their ids."""
    rows = await fetch(
        scope,
        f"""
        SELECT id FROM failed_record
        WHERE {_WANTED} AND stage NOT IN ('read', 'push') AND ($8::uuid IS NULL OR id > $8) ORDER BY id LIMIT $9
        """,
        *_arguments(scope, wanted),
        after,
        limit,
    )
    return [row["id"] for row in rows]


async def pushes_to_try(scope: Scope, wanted: FailureFilter, *, after: UUID | None, limit: int) -> list[FailedPush]:
    """Records that could not be written, in the order of the failed records' ids."""
    rows = await fetch(
        scope,
        f"""
        SELECT failed.id, failed.connection_id, failed.stream, record.id AS record_id
        FROM (
            SELECT * FROM failed_record WHERE {_WANTED} AND stage = 'push' AND ($8::uuid IS NULL OR id > $8) ORDER BY id LIMIT $9
        ) AS failed
        LEFT JOIN mapping ON mapping.organization_id = $1 AND mapping.external_id = failed.external_id
            AND mapping.connection_id = failed.connection_id AND mapping.stream = failed.stream
        LEFT JOIN record ON record.organization_id = $1 AND record.id = coalesce(mapping.record_id,
            CASE WHEN starts_with(failed.external_id, 'record:') THEN substring(failed.external_id FROM 8)::uuid END)
        ORDER BY failed.id
        """,
        *_arguments(scope, wanted),
        after,
        limit,
    )
    return [FailedPush(**row) for row in rows]


_WANTED = """
    organization_id = $1 AND resolved_at IS NULL AND ($2::uuid IS NULL OR connection_id = $2) AND ($3::text IS NULL OR stream = $3)
    AND ($4::text IS NULL OR stage = $4) AND ($5::text IS NULL OR error_code = $5) AND ($6::text IS NULL OR cause = $6)
    AND CASE WHEN $7::uuid[] IS NULL THEN dismissed_at IS NULL ELSE id = ANY($7) END
"""


def _arguments(scope: Scope, wanted: FailureFilter) -> list[Any]:
    return [scope.organization_id, *astuple(wanted)]
