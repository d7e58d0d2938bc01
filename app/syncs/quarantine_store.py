"""Every query on held deletions."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from uuid import UUID

from app.actors import Scope
from app.conflicts.models import StreamPolicy
from app.database import execute, fetch, fetch_row, fetch_value
from app.ids import new_id


@dataclass(frozen=True, slots=True)
class Quarantine:
    """Deletions that were held back."""

    id: UUID
    connection_id: UUID
    stream: str
    sync_run_id: UUID
    """The run whose scan did not find them."""
    count: int
    known: int
    """How many were known before the scan."""
    brake_share: float
    brake_minimum: int
    """The limits that were passed, both of them."""
    status: str
    """held; releasing, then released; or dismissed"""
    looked_at: int
    """Of a release: how many were asked for again."""
    deleted: int
    """Of those: how many were deleted."""
    error_message: str | None
    """Why a release waits."""
    decided_by: str | None
    decided_at: datetime | None
    finished_at: datetime | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class HeldDeletion:
    """An object that a scan did not find, and its record."""

    external_id: str
    record_id: UUID | None
    is_deleted: bool


_COLUMNS = ", ".join(
    "cardinality(external_ids) AS count" if field.name == "count" else f"quarantine.{field.name}" for field in fields(Quarantine)
)


async def hold(
    scope: Scope, run_id: UUID, connection_id: UUID, stream: str, external_ids: Sequence[str], known: int, policy: StreamPolicy
) -> UUID:
    """Hold deletions back. What an earlier scan held back is covered by this one."""
    await clear(scope, connection_id, stream)
    quarantine_id = new_id()
    await execute(
        scope,
        """
        INSERT INTO quarantine (id, organization_id, connection_id, stream, sync_run_id, external_ids, known, brake_share, brake_minimum)
        VALUES ($2, $1, $3, $4, $5, $6, $7, $8, $9)
        """,
        scope.organization_id,
        quarantine_id,
        connection_id,
        stream,
        run_id,
        list(external_ids),
        known,
        policy.brake_share,
        policy.brake_minimum,
    )
    return quarantine_id


async def clear(scope: Scope, connection_id: UUID, stream: str) -> None:
    """A later complete scan decides anew: what was held is seen again, or held again."""
    await execute(
        scope,
        """
        UPDATE quarantine SET status = 'dismissed', decided_by = 'a later scan', decided_at = now(), finished_at = now()
        WHERE organization_id = $1 AND connection_id = $2 AND stream = $3 AND status = 'held'
        """,
        scope.organization_id,
        connection_id,
        stream,
    )


async def get(scope: Scope, quarantine_id: UUID) -> Quarantine | None:
    sql = f"SELECT {_COLUMNS} FROM quarantine WHERE organization_id = $1 AND id = $2"
    row = await fetch_row(scope, sql, scope.organization_id, quarantine_id)
    return Quarantine(**row) if row else None


async def page(scope: Scope, *, first: int, after: UUID | None, connection_id: UUID | None, open_only: bool) -> list[Quarantine]:
    """Held deletions, newest first; one more than `first`."""
    rows = await fetch(
        scope,
        f"""
        SELECT {_COLUMNS} FROM quarantine
        WHERE organization_id = $1 AND ($2::uuid IS NULL OR id < $2) AND ($3::uuid IS NULL OR connection_id = $3)
          AND (NOT $4 OR status IN ('held', 'releasing'))
        ORDER BY id DESC LIMIT $5
        """,
        scope.organization_id,
        after,
        connection_id,
        open_only,
        first + 1,
    )
    return [Quarantine(**row) for row in rows]


async def held_count(scope: Scope) -> int:
    """How many wait for a decision."""
    sql = "SELECT count(*) FROM quarantine WHERE organization_id = $1 AND status IN ('held', 'releasing') AND status = 'held'"
    return int(await fetch_value(scope, sql, scope.organization_id))


async def deletions(scope: Scope, quarantine_id: UUID, *, first: int, after: str | None) -> list[HeldDeletion]:
    """The objects, by their ids; one more than `first`."""
    rows = await fetch(
        scope,
        """
        SELECT given.external_id, mapping.record_id, coalesce(mapping.status = 'deleted', true) AS is_deleted
        FROM (
            SELECT connection_id, stream, external_id FROM quarantine, unnest(external_ids) AS external_id
            WHERE organization_id = $1 AND id = $2 AND ($3::text IS NULL OR external_id COLLATE "C" > $3)
            ORDER BY external_id COLLATE "C" LIMIT $4
        ) AS given
        LEFT JOIN LATERAL (
            SELECT record_id, status FROM mapping WHERE organization_id = $1 AND connection_id = given.connection_id
                AND stream = given.stream AND external_id = given.external_id LIMIT 1
        ) AS mapping ON true
        ORDER BY given.external_id COLLATE "C"
        """,
        scope.organization_id,
        quarantine_id,
        after,
        first + 1,
    )
    return [HeldDeletion(**row) for row in rows]


async def decide(scope: Scope, quarantine_id: UUID, status: str, by: str) -> bool:
    """False when it is decided already. A release that is not through yet may still be dismissed: the rest stays."""
    sql = """
        UPDATE quarantine SET status = $3, decided_by = $4, decided_at = now(), error_message = NULL,
            next_attempt_at = CASE $3 WHEN 'releasing' THEN now() END, finished_at = CASE $3 WHEN 'dismissed' THEN now() END
        WHERE organization_id = $1 AND id = $2 AND (status = 'held' OR ($3 = 'dismissed' AND status = 'releasing'))
    """
    return bool(await execute(scope, sql, scope.organization_id, quarantine_id, status, by))


async def take(scope: Scope, quarantine_id: UUID, *, lease_seconds: float) -> Quarantine | None:
    """Take a release in hand. None when it is over, in other hands, or waits."""
    row = await fetch_row(
        scope,
        f"""
        UPDATE quarantine SET next_attempt_at = now() + make_interval(secs => $3)
        WHERE organization_id = $1 AND id = $2 AND status = 'releasing' AND next_attempt_at <= now() RETURNING {_COLUMNS}
        """,
        scope.organization_id,
        quarantine_id,
        lease_seconds,
    )
    return Quarantine(**row) if row else None


async def next_batch(scope: Scope, held: Quarantine, size: int) -> list[HeldDeletion]:
    """What a release looks at next, in the order in which it was held."""
    rows = await fetch(
        scope,
        """
        SELECT given.external_id, mapping.record_id, coalesce(mapping.status = 'deleted', true) AS is_deleted
        FROM quarantine
        CROSS JOIN unnest(external_ids[looked_at + 1:looked_at + $3]) WITH ORDINALITY AS given (external_id, place)
        LEFT JOIN mapping ON mapping.organization_id = $1 AND mapping.connection_id = quarantine.connection_id
            AND mapping.stream = quarantine.stream AND mapping.external_id = given.external_id
        WHERE quarantine.organization_id = $1 AND quarantine.id = $2
        ORDER BY given.place
        """,
        scope.organization_id,
        held.id,
        size,
    )
    return [HeldDeletion(**row) for row in rows]


async def advance(scope: Scope, held: Quarantine, *, size: int, deleted: int, lease_seconds: float) -> Quarantine | None:
    """So many more are through. None when somebody else went on with it, or it was dismissed meanwhile."""
    row = await fetch_row(
        scope,
        f"""
        UPDATE quarantine SET looked_at = looked_at + $4, deleted = deleted + $5, error_message = NULL,
            next_attempt_at = now() + make_interval(secs => $6)
        WHERE organization_id = $1 AND id = $2 AND status = 'releasing' AND looked_at = $3 RETURNING {_COLUMNS}
        """,
        scope.organization_id,
        held.id,
        held.looked_at,
        size,
        deleted,
        lease_seconds,
    )
    return Quarantine(**row) if row else None


async def postpone(scope: Scope, quarantine_id: UUID, *, seconds: float, message: str | None) -> None:
    """A worker goes on with it later."""
    sql = """
        UPDATE quarantine SET next_attempt_at = now() + make_interval(secs => $3), error_message = $4
        WHERE organization_id = $1 AND id = $2 AND status = 'releasing'
    """
    await execute(scope, sql, scope.organization_id, quarantine_id, seconds, message)


async def finish(scope: Scope, held: Quarantine) -> bool:
    """All were looked at. False when somebody else has said so, or it was dismissed meanwhile."""
    sql = """
        UPDATE quarantine SET status = 'released', next_attempt_at = NULL, finished_at = now()
        WHERE organization_id = $1 AND id = $2 AND status = 'releasing' AND looked_at = $3
    """
    return bool(await execute(scope, sql, scope.organization_id, held.id, held.looked_at))
