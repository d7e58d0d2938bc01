"""Every query on sync runs: making them, reading them, asking them to end."""

from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any
from uuid import UUID

import asyncpg

from app.actors import Scope
from app.database import execute, fetch, fetch_value
from app.errors import LeaseLost
from app.syncs.leases import Lease, free_streams
from app.syncs.models import Counts, RunStatus, SyncRun, SyncRunStream

_COUNTS = tuple(field.name for field in fields(Counts))
_RUN = """
    id, organization_id, connection_id, sync_id, direction, mode, narrowed_to, status, requested_by, revision,
    progress::float8 AS progress, message, error_code, error_message, fix_by, attempts, errors, next_attempt_at,
    cancel_requested_at, created_at, started_at, finished_at, task, plan_id, undone_at, creates_missing
"""


async def add_run(
    scope: Scope,
    run_id: UUID,
    connection_id: UUID,
    *,
    sync_id: UUID | None,
    mode: str,
    direction: str,
    narrowed_to: Mapping[str, str] | None,
    requested_by: Mapping[str, Any],
    streams: Sequence[tuple[str, str, str]],
    task: str = "sync",
    plan_id: UUID | None = None,
    creates_missing: bool = False,
) -> None:
    """A queued run and its streams (name, the stream that it locks, pull or push), in the order of their walks.

    Raises UniqueViolationError when one is taken.
    """
    await execute(
        scope,
        """
        INSERT INTO sync_run (id, organization_id, connection_id, sync_id, mode, narrowed_to, requested_by, direction, task, plan_id,
                              creates_missing)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
        """,
        run_id,
        scope.organization_id,
        connection_id,
        sync_id,
        mode,
        narrowed_to,
        requested_by,
        direction,
        task,
        plan_id,
        creates_missing,
    )
    await execute(
        scope,
        """
        INSERT INTO sync_run_stream (organization_id, sync_run_id, connection_id, stream, lock_stream, direction, position)
        SELECT $1, $2, $3, given.stream, given.lock_stream, given.direction, given.position
        FROM unnest($4::text[], $5::text[], $6::text[]) WITH ORDINALITY AS given (stream, lock_stream, direction, position)
        ORDER BY given.lock_stream, given.direction
        """,
        scope.organization_id,
        run_id,
        connection_id,
        [name for name, _, _ in streams],
        [lock for _, lock, _ in streams],
        [direction for _, _, direction in streams],
    )


async def locks_of(scope: Scope, run_id: UUID) -> list[tuple[str, str, str]]:
    """A run's streams in their order: name, the stream that it locks, pull or push."""
    rows = await fetch(
        scope,
        "SELECT stream, lock_stream, direction FROM sync_run_stream WHERE organization_id = $1 AND sync_run_id = $2 ORDER BY position",
        scope.organization_id,
        run_id,
    )
    return [(row["stream"], row["lock_stream"], row["direction"]) for row in rows]


async def active_run(scope: Scope, connection_id: UUID, locks: Sequence[tuple[str, str]]) -> UUID | None:
    """The run that holds one of the streams in that direction."""
    found: UUID | None = await fetch_value(
        scope,
        """
        SELECT sync_run_id FROM sync_run_stream
        WHERE organization_id = $1 AND connection_id = $2 AND active
          AND (lock_stream, direction) IN (SELECT * FROM unnest($3::text[], $4::text[])) LIMIT 1
        """,
        scope.organization_id,
        connection_id,
        [stream for stream, _ in locks],
        [direction for _, direction in locks],
    )
    return found


async def get_run(scope: Scope, run_id: UUID, *, lock: bool = False) -> SyncRun | None:
    """A run with its streams; with `lock`, its row is locked until the transaction ends."""
    rows = await fetch(
        scope,
        f"SELECT {_RUN} FROM sync_run WHERE organization_id = $1 AND id = $2 {'FOR NO KEY UPDATE' if lock else ''}",
        scope.organization_id,
        run_id,
    )
    runs = await _with_streams(scope, rows)
    return runs[0] if runs else None


async def get_runs(scope: Scope, run_ids: Sequence[UUID]) -> list[SyncRun]:
    rows = await fetch(
        scope, f"SELECT {_RUN} FROM sync_run WHERE organization_id = $1 AND id = ANY($2::uuid[])", scope.organization_id, run_ids
    )
    return await _with_streams(scope, rows)


async def runs(
    scope: Scope, *, first: int, after: UUID | None, connection_id: UUID | None, status: str | None, oldest_first: bool = False
) -> list[SyncRun]:
    """Runs, newest first or oldest first; one more than `first`."""
    behind, order = (">", "id") if oldest_first else ("<", "id DESC")
    rows = await fetch(
        scope,
        f"""
        SELECT {_RUN} FROM sync_run
        WHERE organization_id = $1 AND ($2::uuid IS NULL OR id {behind} $2)
          AND ($3::uuid IS NULL OR connection_id = $3) AND ($4::text IS NULL OR status = $4)
        ORDER BY {order} LIMIT $5
        """,
        scope.organization_id,
        after,
        connection_id,
        status,
        first + 1,
    )
    return await _with_streams(scope, rows)


async def latest_runs(scope: Scope, connection_ids: Sequence[UUID], first: int) -> list[SyncRun]:
    """The newest runs of each connection, newest first."""
    rows = await fetch(
        scope,
        f"""
        SELECT latest.* FROM unnest($2::uuid[]) AS given (connection_id) CROSS JOIN LATERAL (
            SELECT {_RUN} FROM sync_run
            WHERE organization_id = $1 AND connection_id = given.connection_id ORDER BY id DESC LIMIT $3) AS latest
        """,
        scope.organization_id,
        connection_ids,
        first,
    )
    return await _with_streams(scope, rows)


async def _with_streams(scope: Scope, rows: Sequence[asyncpg.Record]) -> list[SyncRun]:
    if not rows:
        return []
    streams = await fetch(
        scope,
        f"""
        SELECT sync_run_id, stream, direction, position, status, pages, expected, started_at, finished_at, {", ".join(_COUNTS)}
        FROM sync_run_stream WHERE organization_id = $1 AND sync_run_id = ANY($2::uuid[]) ORDER BY position
        """,
        scope.organization_id,
        [row["id"] for row in rows],
    )
    return [
        SyncRun(**{**row, "status": RunStatus(row["status"])}, streams=tuple(_stream(s) for s in streams if s["sync_run_id"] == row["id"]))
        for row in rows
    ]


def _stream(row: asyncpg.Record) -> SyncRunStream:
    return SyncRunStream(
        stream=row["stream"],
        direction=row["direction"],
        position=row["position"],
        status=row["status"],
        counts=Counts(**{name: row[name] for name in _COUNTS}),
        pages=row["pages"],
        expected=row["expected"],
        started_at=row["started_at"],
        finished_at=row["finished_at"],
    )


async def run_of(lease: Lease, *, lock: bool = False) -> SyncRun:
    """The run as it is now. Raises LeaseLost where there is none."""
    run = await get_run(lease.scope, lease.run_id, lock=lock)
    if run is None:
        raise LeaseLost
    return run


async def request_cancel(scope: Scope, run_id: UUID) -> None:
    """A queued run that nobody has taken up ends at once; a running one is told."""
    ended = await execute(
        scope,
        """
        UPDATE sync_run SET status = 'cancelled', cancel_requested_at = now(), finished_at = now(), revision = revision + 1,
            message = 'Cancelled before it began'
        WHERE organization_id = $1 AND id = $2 AND status = 'queued'
        """,
        scope.organization_id,
        run_id,
    )
    if ended:
        await free_streams(scope, run_id, "cancelled")
        return
    await execute(
        scope,
        """
        UPDATE sync_run SET status = 'cancelling', cancel_requested_at = now(), revision = revision + 1, next_attempt_at = now(),
            message = 'Cancelling'
        WHERE organization_id = $1 AND id = $2 AND status = 'running'
        """,
        scope.organization_id,
        run_id,
    )
