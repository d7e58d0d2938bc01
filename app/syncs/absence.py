"""Deletions that a provider does not tell of: what a complete scan did not find is gone there, after a last look.

More of them at once than the stream's policy allows are held back: a provider that suddenly shows a fraction of its records is
more likely in trouble than empty.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from uuid import UUID

from app.actors import Scope
from app.conflicts.models import StreamPolicy
from app.connectors.base import Item, Page, Part, Session
from app.database import execute, fetch, fetch_row, fetch_value, new_id
from app.syncs.sources import Source

BATCH = 100


@dataclass(frozen=True, slots=True)
class Quarantine:
    """Deletions that were held back."""

    id: UUID
    organization_id: UUID
    connection_id: UUID
    stream: str
    sync_run_id: UUID
    external_ids: Sequence[str]
    known: int
    """How many were known before the scan."""
    status: str
    """held, released or dismissed"""
    decided_by: str | None
    decided_at: datetime | None
    created_at: datetime


_COLUMNS = ", ".join(field.name for field in fields(Quarantine))


async def absent(scope: Scope, run_id: UUID, connection_id: UUID, stream: str) -> list[str]:
    """The external ids that are known and that no page of this run's scan named: an exact anti-join."""
    rows = await fetch(
        scope,
        """
        SELECT external_id FROM mapping
        WHERE organization_id = $1 AND connection_id = $3 AND stream = $4 AND status <> 'deleted' AND archived_at IS NULL
        EXCEPT
        SELECT unnest(external_ids) FROM sync_page
        WHERE organization_id = $1 AND sync_run_id = $2 AND stream = $4 AND direction = 'pull'
        ORDER BY external_id
        """,
        scope.organization_id,
        run_id,
        connection_id,
        stream,
    )
    return [row["external_id"] for row in rows]


async def has_unreadable(scope: Scope, run_id: UUID, stream: str) -> bool:
    """Whether the scan met objects that could not be told apart: any of them may be one that seems to be missing."""
    found: bool = await fetch_value(
        scope,
        """
        SELECT EXISTS (SELECT FROM failed_record
            WHERE organization_id = $1 AND sync_run_id = $2 AND stream = $3 AND stage = 'read' AND resolved_at IS NULL)
        """,
        scope.organization_id,
        run_id,
        stream,
    )
    return found


def trips_brake(policy: StreamPolicy, missing: int, known: int) -> bool:
    """Whether so many deletions at once are held back."""
    return missing > policy.brake_minimum and missing > policy.brake_share * known


async def look_again(source: Source, session: Session, external_ids: Sequence[str]) -> Page:
    """Ask for each of them by its id. A scan whose pages drifted may have missed one that is there. Raises ConnectorError."""
    items: list[Item] = []
    parts: list[Part] = []
    for external_id in external_ids:
        reading = await source.stream.read_one(session, external_id)
        if reading is None:
            items.append(Item(external_id, b"", deleted=True))
        else:
            items.append(reading.item)
            parts += reading.parts
    return Page(state={}, items=items, parts=parts)


async def hold(scope: Scope, run_id: UUID, connection_id: UUID, stream: str, external_ids: Sequence[str], known: int) -> UUID:
    """Hold deletions back. What an earlier scan held back is covered by this one."""
    await execute(
        scope,
        """
        UPDATE quarantine SET status = 'dismissed', decided_by = 'a later scan', decided_at = now()
        WHERE organization_id = $1 AND connection_id = $2 AND stream = $3 AND status = 'held'
        """,
        scope.organization_id,
        connection_id,
        stream,
    )
    quarantine_id = new_id()
    await execute(
        scope,
        """
        INSERT INTO quarantine (id, organization_id, connection_id, stream, sync_run_id, external_ids, known)
        VALUES ($2, $1, $3, $4, $5, $6, $7)
        """,
        scope.organization_id,
        quarantine_id,
        connection_id,
        stream,
        run_id,
        list(external_ids),
        known,
    )
    return quarantine_id


async def clear(scope: Scope, connection_id: UUID, stream: str) -> None:
    """A complete scan found nothing to hold back: what was held is seen again."""
    await execute(
        scope,
        """
        UPDATE quarantine SET status = 'dismissed', decided_by = 'a later scan', decided_at = now()
        WHERE organization_id = $1 AND connection_id = $2 AND stream = $3 AND status = 'held'
        """,
        scope.organization_id,
        connection_id,
        stream,
    )


async def get(scope: Scope, quarantine_id: UUID, *, lock: bool = False) -> Quarantine | None:
    row = await fetch_row(
        scope,
        f"SELECT {_COLUMNS} FROM quarantine WHERE organization_id = $1 AND id = $2 {'FOR NO KEY UPDATE' if lock else ''}",
        scope.organization_id,
        quarantine_id,
    )
    return Quarantine(**row) if row else None


async def page(scope: Scope, *, first: int, after: UUID | None, connection_id: UUID | None, held_only: bool) -> list[Quarantine]:
    """Quarantined deletions, newest first; one more than `first`."""
    rows = await fetch(
        scope,
        f"""
        SELECT {_COLUMNS} FROM quarantine
        WHERE organization_id = $1 AND ($2::uuid IS NULL OR id < $2) AND ($3::uuid IS NULL OR connection_id = $3)
          AND (NOT $4 OR status = 'held')
        ORDER BY id DESC LIMIT $5
        """,
        scope.organization_id,
        after,
        connection_id,
        held_only,
        first + 1,
    )
    return [Quarantine(**row) for row in rows]


async def decide(scope: Scope, quarantine_id: UUID, status: str, by: str) -> bool:
    """False when it is decided already."""
    sql = """
        UPDATE quarantine SET status = $3, decided_by = $4, decided_at = now()
        WHERE organization_id = $1 AND id = $2 AND status = 'held'
    """
    return bool(await execute(scope, sql, scope.organization_id, quarantine_id, status, by))
