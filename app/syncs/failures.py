"""Every query on failed records."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

import asyncpg

from app.actors import Scope
from app.connectors.base import Item
from app.database import execute, fetch, fetch_row, new_id
from app.errors import FixBy
from app.syncs.models import FailedRecord

SHOWN_PAYLOAD = 20_000
"""Bytes of a payload that are shown; it is kept whole."""


@dataclass(frozen=True, slots=True)
class Failure:
    """Why one object could not be taken over."""

    external_id: str
    payload: bytes
    stage: str
    message: str
    code: str = "record_invalid"
    fix_by: FixBy = FixBy.CUSTOMER


async def put_failures(scope: Scope, connection_id: UUID, stream: str, run_id: UUID | None, failures: Sequence[Failure]) -> None:
    """One open failed record for each external id; a repeated failure counts up, and without a run stays with its own."""
    await execute(
        scope,
        """
        INSERT INTO failed_record (id, organization_id, connection_id, stream, sync_run_id,
                                   external_id, payload, stage, message, error_code, fix_by)
        SELECT given.id, $1, $2, $3, coalesce($4, (SELECT earlier.sync_run_id FROM failed_record AS earlier
                WHERE earlier.organization_id = $1 AND earlier.connection_id = $2 AND earlier.stream = $3
                  AND earlier.external_id = given.external_id AND earlier.resolved_at IS NULL)),
            given.external_id, given.payload, given.stage, given.message, given.code, given.fix_by
        FROM unnest($5::uuid[], $6::text[], $7::bytea[], $8::text[], $9::text[], $10::text[], $11::text[])
             AS given (id, external_id, payload, stage, message, code, fix_by)
        ON CONFLICT (organization_id, connection_id, stream, external_id) WHERE resolved_at IS NULL DO UPDATE SET
            payload = excluded.payload, stage = excluded.stage, message = excluded.message, error_code = excluded.error_code,
            fix_by = excluded.fix_by, sync_run_id = excluded.sync_run_id, last_failed_at = now(), attempts = failed_record.attempts + 1
        """,
        scope.organization_id,
        connection_id,
        stream,
        run_id,
        [new_id() for _ in failures],
        [failure.external_id for failure in failures],
        [failure.payload for failure in failures],
        [failure.stage for failure in failures],
        [failure.message for failure in failures],
        [failure.code for failure in failures],
        [failure.fix_by for failure in failures],
    )


async def heal(scope: Scope, connection_id: UUID, stream: str, external_ids: Sequence[str]) -> int:
    """Close the open failed records of objects that have now been taken over; those of pushes are another matter."""
    return await execute(scope, _HEAL.format("<>"), scope.organization_id, connection_id, stream, external_ids)


async def heal_pushed(scope: Scope, connection_id: UUID, stream: str, keys: Sequence[str]) -> int:
    """Close the open failed records of objects that the provider has taken now."""
    return await execute(scope, _HEAL.format("="), scope.organization_id, connection_id, stream, keys)


_HEAL = """
    UPDATE failed_record SET resolved_at = now()
    WHERE organization_id = $1 AND connection_id = $2 AND stream = $3 AND resolved_at IS NULL
      AND external_id = ANY($4::text[]) AND stage {} 'push'
"""


@dataclass(frozen=True, slots=True)
class OpenFailure:
    """An open failed record, ready to be tried again."""

    id: UUID
    stream: str
    sync_run_id: UUID
    item: Item


async def open_failures(
    scope: Scope,
    connection_id: UUID,
    *,
    stream: str | None = None,
    record_ids: Sequence[UUID] | None = None,
    after: UUID | None = None,
    limit: int = 200,
) -> list[OpenFailure]:
    """Open failed records that have an identity, in the order of their ids."""
    rows = await fetch(
        scope,
        """
        SELECT id, stream, sync_run_id, external_id, payload FROM failed_record
        WHERE organization_id = $1 AND connection_id = $2 AND resolved_at IS NULL AND stage NOT IN ('read', 'push')
          AND ($3::text IS NULL OR stream = $3) AND ($4::uuid[] IS NULL OR id = ANY($4)) AND ($5::uuid IS NULL OR id > $5)
        ORDER BY id LIMIT $6
        """,
        scope.organization_id,
        connection_id,
        stream,
        record_ids,
        after,
        limit,
    )
    return [OpenFailure(row["id"], row["stream"], row["sync_run_id"], Item(row["external_id"], row["payload"])) for row in rows]


_FAILED = f"""
    id, connection_id, stream, external_id, sync_run_id, stage, error_code, message, fix_by,
    substring(payload FOR {SHOWN_PAYLOAD}) AS payload, attempts, first_failed_at, last_failed_at, resolved_at
"""


async def get(scope: Scope, failed_record_id: UUID) -> FailedRecord | None:
    row = await fetch_row(
        scope, f"SELECT {_FAILED} FROM failed_record WHERE organization_id = $1 AND id = $2", scope.organization_id, failed_record_id
    )
    return _failed_record(row) if row else None


async def open_payloads(scope: Scope, connection_id: UUID, stream: str, external_ids: Sequence[str]) -> dict[str, bytes]:
    """What the open failed records among these hold."""
    rows = await fetch(
        scope,
        """
        SELECT found.* FROM unnest($4::text[]) AS given (external_id) CROSS JOIN LATERAL (
            SELECT external_id, payload FROM failed_record
            WHERE organization_id = $1 AND connection_id = $2 AND stream = $3 AND external_id = given.external_id
              AND resolved_at IS NULL AND stage NOT IN ('read', 'push')
            LIMIT 1) AS found
        """,
        scope.organization_id,
        connection_id,
        stream,
        external_ids,
    )
    return {row["external_id"]: row["payload"] for row in rows}


async def page(
    scope: Scope, *, first: int, after: UUID | None, connection_id: UUID | None, run_id: UUID | None, open_only: bool
) -> list[FailedRecord]:
    """Failed records, newest first; one more than `first`."""
    rows = await fetch(
        scope,
        f"""
        SELECT {_FAILED}
        FROM failed_record
        WHERE organization_id = $1 AND ($2::uuid IS NULL OR id < $2) AND ($3::uuid IS NULL OR connection_id = $3)
          AND ($4::uuid IS NULL OR sync_run_id = $4) AND (NOT $5 OR resolved_at IS NULL)
        ORDER BY id DESC LIMIT $6
        """,
        scope.organization_id,
        after,
        connection_id,
        run_id,
        open_only,
        first + 1,
    )
    return [_failed_record(row) for row in rows]


def _failed_record(row: asyncpg.Record) -> FailedRecord:
    return FailedRecord(**{**row, "payload": row["payload"].decode(errors="replace")})
