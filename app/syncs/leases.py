"""The lease on a sync run: who holds its fence may write its pages, and every commit proves it.

A worker that was frozen and thawed finds a higher fence on its run; whatever it tries to commit touches no row.
"""

from dataclasses import dataclass
from uuid import UUID

from app.actors import Scope
from app.database import execute, fetch_row, fetch_value, transaction
from app.syncs.models import RunStatus

LEASE_SECONDS = 30
"""A worker that has not been heard of for so long has lost its run."""


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to write a run's pages, as long as `fence` is the run's."""

    scope: Scope
    run_id: UUID
    connection_id: UUID
    fence: int
    attempts: int


async def take_lease(scope: Scope, run_id: UUID) -> Lease | None:
    """Take up a due run that nobody holds. The fence goes up, so that whoever held it before can write no more."""
    row = await fetch_row(
        scope,
        """
        UPDATE sync_run SET fence = fence + 1, lease_expires_at = now() + make_interval(secs => $3), attempts = attempts + 1,
            status = CASE status WHEN 'queued' THEN 'running' ELSE status END,
            started_at = coalesce(started_at, now()), revision = revision + 1
        WHERE organization_id = $1 AND id = $2 AND status IN ('queued', 'running', 'cancelling')
          AND (lease_expires_at IS NULL OR lease_expires_at < now()) AND next_attempt_at <= now()
        RETURNING connection_id, fence, attempts
        """,
        scope.organization_id,
        run_id,
        float(LEASE_SECONDS),
    )
    return Lease(scope, run_id, **row) if row else None


async def beat(lease: Lease) -> bool | None:
    """Prolong the lease. True when the run is to be cancelled, False when not, None when the lease is lost."""
    status = await fetch_value(
        lease.scope,
        """
        UPDATE sync_run SET lease_expires_at = now() + make_interval(secs => $4)
        WHERE organization_id = $1 AND id = $2 AND fence = $3 AND status IN ('running', 'cancelling') RETURNING status
        """,
        lease.scope.organization_id,
        lease.run_id,
        lease.fence,
        float(LEASE_SECONDS),
    )
    return None if status is None else status == RunStatus.CANCELLING


async def beat_outside(lease: Lease) -> bool | None:
    """`beat` in a transaction of its own, beside the one that writes a page."""
    async with transaction(lease.scope):
        return await beat(lease)


async def checkpoint(lease: Lease, *, progress: float, message: str, forgive: bool) -> int | None:
    """The last statement of a page: proves the lease and counts the revision up. None when the lease is lost.

    With `forgive`, earlier attempts and errors count no more: something was won.
    """
    revision: int | None = await fetch_value(
        lease.scope,
        """
        UPDATE sync_run SET lease_expires_at = now() + make_interval(secs => $6), revision = revision + 1,
            progress = greatest(progress, $4), message = $5,
            attempts = CASE WHEN $7 THEN 0 ELSE attempts END, errors = CASE WHEN $7 THEN 0 ELSE errors END
        WHERE organization_id = $1 AND id = $2 AND fence = $3 AND status IN ('running', 'cancelling') RETURNING revision
        """,
        lease.scope.organization_id,
        lease.run_id,
        lease.fence,
        progress,
        message,
        float(LEASE_SECONDS),
        forgive,
    )
    return revision


async def release(lease: Lease, *, delay: float = 0, message: str | None = None, is_error: bool = False) -> bool:
    """Hand the run over, due after `delay` seconds; what was no error takes the attempt back. False when the lease was lost."""
    return bool(
        await execute(
            lease.scope,
            """
            UPDATE sync_run SET lease_expires_at = NULL, next_attempt_at = now() + make_interval(secs => $4),
                message = coalesce($5, message), revision = revision + 1,
                attempts = CASE WHEN $6 THEN attempts ELSE greatest(attempts - 1, 0) END, errors = errors + $6::boolean::integer
            WHERE organization_id = $1 AND id = $2 AND fence = $3 AND status IN ('running', 'cancelling')
            """,
            lease.scope.organization_id,
            lease.run_id,
            lease.fence,
            delay,
            message,
            is_error,
        )
    )


async def finish_run(
    lease: Lease,
    status: RunStatus,
    *,
    message: str,
    error_code: str | None = None,
    error_message: str | None = None,
    fix_by: str | None = None,
) -> bool:
    """End the run and free its streams. False when the lease was lost."""
    scope, run_id = lease.scope, lease.run_id
    ended = await execute(
        scope,
        """
        UPDATE sync_run SET status = $4, message = $5, error_code = $6, error_message = $7, fix_by = $8, finished_at = now(),
            lease_expires_at = NULL, revision = revision + 1,
            progress = CASE WHEN $4 IN ('completed', 'partially_completed') THEN 100 ELSE progress END
        WHERE organization_id = $1 AND id = $2 AND fence = $3 AND status IN ('running', 'cancelling')
        """,
        scope.organization_id,
        run_id,
        lease.fence,
        status,
        message,
        error_code,
        error_message,
        fix_by,
    )
    if ended:
        await free_streams(scope, run_id, "cancelled" if status is RunStatus.CANCELLED else "failed")
    return bool(ended)


async def free_streams(scope: Scope, run_id: UUID, unfinished: str) -> None:
    await execute(
        scope,
        """
        UPDATE sync_run_stream SET active = false, finished_at = coalesce(finished_at, now()),
            status = CASE WHEN status IN ('queued', 'running') THEN $3 ELSE status END
        WHERE organization_id = $1 AND sync_run_id = $2
        """,
        scope.organization_id,
        run_id,
        unfinished,
    )
