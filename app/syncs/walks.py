"""Every query on how far a stream has been walked: its pages in a run, its state between runs."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from uuid import UUID

from app.actors import Scope
from app.connectors.base import State
from app.database import execute, fetch, fetch_value
from app.syncs.leases import Lease
from app.syncs.models import Counts

PULL, PUSH = "pull", "push"
_COUNTS = tuple(field.name for field in fields(Counts))


async def begin_stream(lease: Lease, stream: str, expected: int | None, direction: str = PULL) -> None:
    await execute(
        lease.scope,
        """
        UPDATE sync_run_stream SET status = 'running', started_at = coalesce(started_at, now()), expected = coalesce(expected, $4)
        WHERE organization_id = $1 AND sync_run_id = $2 AND stream = $3 AND direction = $5
        """,
        lease.scope.organization_id,
        lease.run_id,
        stream,
        expected,
        direction,
    )


async def resume_state(scope: Scope, run_id: UUID, stream: str, direction: str = PULL) -> State | None:
    """The state after the last page that this run committed in the stream."""
    state: State | None = await fetch_value(
        scope,
        "SELECT state FROM sync_run_stream WHERE organization_id = $1 AND sync_run_id = $2 AND stream = $3 AND direction = $4",
        scope.organization_id,
        run_id,
        stream,
        direction,
    )
    return state


async def saved_state(scope: Scope, connection_id: UUID, stream: str) -> State | None:
    """The state that the last completed walk of the stream left."""
    state: State | None = await fetch_value(
        scope,
        "SELECT state FROM stream_state WHERE organization_id = $1 AND connection_id = $2 AND stream = $3",
        scope.organization_id,
        connection_id,
        stream,
    )
    return state


async def add_page(
    lease: Lease,
    stream: str,
    *,
    external_ids: Sequence[str],
    state: State,
    counts: Counts,
    expected: int | None,
    direction: str = PULL,
    pages: int = 1,
) -> None:
    """A page with its outcome, and the stream's counts and state after it. Several that were written as one have the last one's number."""
    await execute(
        lease.scope,
        """
        WITH stream AS (
            UPDATE sync_run_stream SET pages = pages + $14, state = $5, expected = coalesce($6, expected),
                read = read + $7, created = created + $8, updated = updated + $9, unchanged = unchanged + $10,
                deleted = deleted + $11, failed = failed + $12
            WHERE organization_id = $1 AND sync_run_id = $2 AND stream = $3 AND direction = $13 RETURNING pages)
        INSERT INTO sync_page (organization_id, sync_run_id, stream, direction, number, external_ids, state,
                               read, created, updated, unchanged, deleted, failed)
        SELECT $1, $2, $3, $13, stream.pages, $4, $5, $7, $8, $9, $10, $11, $12 FROM stream
        """,
        lease.scope.organization_id,
        lease.run_id,
        stream,
        external_ids,
        state,
        expected,
        *(getattr(counts, name) for name in _COUNTS),
        direction,
        pages,
    )


@dataclass(frozen=True, slots=True)
class Ended:
    """The write of a record that ended behind the last page: its page was interrupted, and nobody has counted it."""

    record_id: UUID
    action: str
    status: str
    """confirmed or failed"""
    is_new: bool
    """Whether the provider did not have the object before."""


async def ended_since_last_page(lease: Lease, stream: str) -> list[Ended]:
    """Writes of this run that ended after the last page of a push was noted. Pages follow each other, so they belong to the next one."""
    rows = await fetch(
        lease.scope,
        """
        SELECT DISTINCT ON (record_id) record_id, action, status, payload ->> 'external_id' IS NULL AS is_new FROM delivery
        WHERE organization_id = $1 AND sync_run_id = $2 AND connection_id = $4 AND stream = $3 AND record_id IS NOT NULL
          AND status IN ('confirmed', 'failed') AND NOT coalesce(confirmation ? 'unchanged', false)
          AND finished_at > coalesce(
              (SELECT max(committed_at) FROM sync_page
               WHERE organization_id = $1 AND sync_run_id = $2 AND stream = $3 AND direction = 'push'),
              (SELECT started_at FROM sync_run_stream
               WHERE organization_id = $1 AND sync_run_id = $2 AND stream = $3 AND direction = 'push'))
        ORDER BY record_id, finished_at DESC
        """,
        lease.scope.organization_id,
        lease.run_id,
        stream,
        lease.connection_id,
    )
    return [Ended(**row) for row in rows]


async def finish_stream(lease: Lease, stream: str, *, keep_state: bool, direction: str = PULL) -> None:
    """The walk of a stream has ended: its state becomes the saved one, unless the run was narrowed."""
    scope = lease.scope
    if keep_state:
        await execute(
            scope,
            """
            INSERT INTO stream_state (organization_id, connection_id, stream, state, sync_run_id)
            SELECT organization_id, connection_id, stream, state, sync_run_id FROM sync_run_stream
            WHERE organization_id = $1 AND sync_run_id = $2 AND stream = $3 AND direction = 'pull' AND state IS NOT NULL
            ON CONFLICT (organization_id, connection_id, stream)
            DO UPDATE SET state = excluded.state, sync_run_id = excluded.sync_run_id, updated_at = now()
            """,
            scope.organization_id,
            lease.run_id,
            stream,
        )
    await execute(
        scope,
        """
        UPDATE sync_run_stream SET status = 'completed', finished_at = now()
        WHERE organization_id = $1 AND sync_run_id = $2 AND stream = $3 AND direction = $4
        """,
        scope.organization_id,
        lease.run_id,
        stream,
        direction,
    )


async def lock_records_of(scope: Scope, connection_id: UUID, stream: str) -> None:
    """One writer at a time for a connection's stream, until the transaction ends."""
    await execute(scope, "SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", f"{connection_id}/{stream}")


async def mapped_count(scope: Scope, connection_id: UUID, stream: str) -> int:
    count: int = await fetch_value(
        scope,
        "SELECT count(*) FROM mapping WHERE organization_id = $1 AND connection_id = $2 AND stream = $3 AND status <> 'deleted'",
        scope.organization_id,
        connection_id,
        stream,
    )
    return count
