"""Every query on standing syncs."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from uuid import UUID

import asyncpg

from app.actors import Scope
from app.database import execute, fetch, fetch_row
from app.syncs.models import Sync


@dataclass(frozen=True, slots=True)
class Terms:
    """What somebody chooses of a standing sync."""

    name: str
    streams: Sequence[str]
    direction: str
    mode: str
    schedule: str | None
    time_zone: str
    jitter_seconds: int
    enabled: bool = True

    @property
    def timing(self) -> tuple[object, ...]:
        """What decides when it is due."""
        return self.schedule, self.time_zone, self.jitter_seconds, self.enabled


TERMS = [field.name for field in fields(Terms)]
_COLUMNS = ", ".join(field.name for field in fields(Sync))


async def of_connection(scope: Scope, connection_id: UUID) -> list[Sync]:
    """Oldest first."""
    rows = await fetch(
        scope,
        f"SELECT {_COLUMNS} FROM sync WHERE organization_id = $1 AND connection_id = $2 AND deleted_at IS NULL ORDER BY id",
        scope.organization_id,
        connection_id,
    )
    return [_sync(row) for row in rows]


async def get(scope: Scope, sync_id: UUID, *, lock: bool = False) -> Sync | None:
    row = await fetch_row(
        scope,
        f"""
        SELECT {_COLUMNS} FROM sync WHERE organization_id = $1 AND id = $2 AND deleted_at IS NULL
        {"FOR NO KEY UPDATE" if lock else ""}
        """,
        scope.organization_id,
        sync_id,
    )
    return _sync(row) if row else None


async def get_many(scope: Scope, sync_ids: Sequence[UUID]) -> list[Sync]:
    """Those that exist, in any order."""
    rows = await fetch(
        scope,
        f"SELECT {_COLUMNS} FROM sync WHERE organization_id = $1 AND id = ANY($2::uuid[]) AND deleted_at IS NULL",
        scope.organization_id,
        list(sync_ids),
    )
    return [_sync(row) for row in rows]


async def add(scope: Scope, sync_id: UUID, connection_id: UUID, terms: Terms, due: datetime | None) -> None:
    await execute(
        scope,
        f"""
        INSERT INTO sync (id, organization_id, connection_id, next_due_at, {", ".join(TERMS)})
        VALUES ($1, $2, $3, $4, {", ".join(f"${place}" for place in range(5, 5 + len(TERMS)))})
        """,
        sync_id,
        scope.organization_id,
        connection_id,
        due,
        *asdict(terms).values(),
    )


async def change(scope: Scope, sync_id: UUID, terms: Terms, due: datetime | None) -> None:
    await execute(
        scope,
        f"""
        UPDATE sync SET updated_at = now(), next_due_at = $3, {", ".join(f"{name} = ${place}" for place, name in enumerate(TERMS, 4))}
        WHERE organization_id = $1 AND id = $2
        """,
        scope.organization_id,
        sync_id,
        due,
        *asdict(terms).values(),
    )


async def delete(scope: Scope, sync_id: UUID) -> None:
    """It is not shown and not started any more; its runs stay."""
    await execute(
        scope,
        "UPDATE sync SET deleted_at = now(), enabled = false WHERE organization_id = $1 AND id = $2",
        scope.organization_id,
        sync_id,
    )


async def take_due(scope: Scope, sync_id: UUID, moment: datetime) -> Sync | None:
    """The sync, locked; None where it is not due, or somebody else has it in hand."""
    row = await fetch_row(
        scope,
        f"""
        SELECT {_COLUMNS} FROM sync
        WHERE organization_id = $1 AND id = $2 AND enabled AND deleted_at IS NULL AND next_due_at <= $3
        FOR NO KEY UPDATE SKIP LOCKED
        """,
        scope.organization_id,
        sync_id,
        moment,
    )
    return _sync(row) if row else None


async def set_next(scope: Scope, sync_id: UUID, due: datetime | None) -> None:
    await execute(scope, "UPDATE sync SET next_due_at = $3 WHERE organization_id = $1 AND id = $2", scope.organization_id, sync_id, due)


async def note_skipped(scope: Scope, sync: Sync, moment: datetime, reason: str) -> None:
    """Why it was not started as it should have been. Where its next time was not set, it has none: its schedule cannot be read any more."""
    await execute(
        scope,
        """
        UPDATE sync SET last_skipped_at = $3, last_skipped_reason = $4, next_due_at = nullif(next_due_at, $5)
        WHERE organization_id = $1 AND id = $2
        """,
        scope.organization_id,
        sync.id,
        moment,
        reason,
        sync.next_due_at,
    )


def _sync(row: asyncpg.Record) -> Sync:
    return Sync(**row)
