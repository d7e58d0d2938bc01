"""Every query that reads what records were before."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from app.actors import Scope
from app.database import fetch, fetch_row
from app.records.models import RecordAsOf, RecordVersion


async def history(scope: Scope, record_id: UUID) -> list[RecordVersion]:
    """What a record was before, newest first."""
    rows = await fetch(
        scope,
        """
        SELECT record_id, version, data, deleted_at, replaced_at, replaced_by FROM record_version
        WHERE organization_id = $1 AND record_id = $2 ORDER BY version DESC
        """,
        scope.organization_id,
        record_id,
    )
    return [RecordVersion(**row) for row in rows]


async def latest(scope: Scope, record_ids: Sequence[UUID], first: int) -> list[RecordVersion]:
    """What each of some records was before, newest first, at most `first` of each."""
    rows = await fetch(
        scope,
        """
        SELECT found.* FROM unnest($2::uuid[]) AS given (id) CROSS JOIN LATERAL (
            SELECT record_id, version, data, deleted_at, replaced_at, replaced_by FROM record_version
            WHERE organization_id = $1 AND record_id = given.id ORDER BY version DESC LIMIT $3) AS found
        """,
        scope.organization_id,
        list(record_ids),
        first,
    )
    return [RecordVersion(**row) for row in rows]


async def as_of(scope: Scope, record_id: UUID, time: datetime) -> RecordAsOf | None:
    """What a record was at a moment: the first version that was replaced later, else what it is now. None before there was one."""
    row = await fetch_row(
        scope,
        """
        SELECT coalesce(earlier.version, record.version) AS version, coalesce(earlier.data, record.data) AS data,
            CASE WHEN earlier.version IS NULL THEN record.deleted_at ELSE earlier.deleted_at END AS deleted_at,
            earlier.replaced_at, earlier.replaced_by
        FROM record LEFT JOIN LATERAL (
            SELECT * FROM record_version
            WHERE organization_id = $1 AND record_id = record.id AND replaced_at > $3 ORDER BY version LIMIT 1) AS earlier ON true
        WHERE record.organization_id = $1 AND record.id = $2 AND record.created_at <= $3
        """,
        scope.organization_id,
        record_id,
        time,
    )
    return RecordAsOf(**row) if row else None
