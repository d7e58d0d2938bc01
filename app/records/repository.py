"""Every query on records and their history."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

import asyncpg

from app.actors import Scope
from app.database import execute, fetch, fetch_row
from app.records.models import Record, RecordVersion


@dataclass(frozen=True, slots=True)
class RecordWrite:
    """One record to insert or replace; `data` is JSON."""

    id: UUID
    entity: str
    connection_id: UUID
    data: bytes


async def add_many(scope: Scope, records: Sequence[RecordWrite]) -> None:
    """New records, in one statement."""
    await execute(
        scope,
        """
        INSERT INTO record (id, organization_id, entity, connection_id, data)
        SELECT given.id, $1, given.entity, given.connection_id, convert_from(given.data, 'UTF8')::jsonb
        FROM unnest($2::uuid[], $3::text[], $4::uuid[], $5::bytea[]) AS given (id, entity, connection_id, data)
        """,
        scope.organization_id,
        [record.id for record in records],
        [record.entity for record in records],
        [record.connection_id for record in records],
        [record.data for record in records],
    )


async def replace_many(scope: Scope, records: Sequence[RecordWrite], replaced_by: str) -> None:
    """Changed (or returned) records; what they were goes to their history. They are locked in the order of their ids."""
    ids = [record.id for record in records]
    await _keep_before_images(scope, ids, replaced_by)
    await execute(
        scope,
        """
        UPDATE record SET data = convert_from(given.data, 'UTF8')::jsonb, version = version + 1,
            updated_at = now(), deleted_at = NULL
        FROM unnest($2::uuid[], $3::bytea[]) AS given (id, data)
        WHERE record.organization_id = $1 AND record.id = given.id
        """,
        scope.organization_id,
        ids,
        [record.data for record in records],
    )


async def delete_many(scope: Scope, ids: Sequence[UUID], replaced_by: str) -> None:
    """Leave tombstones."""
    await _keep_before_images(scope, ids, replaced_by)
    await execute(
        scope,
        """
        UPDATE record SET version = version + 1, updated_at = now(), deleted_at = now()
        WHERE organization_id = $1 AND id = ANY($2::uuid[]) AND deleted_at IS NULL
        """,
        scope.organization_id,
        ids,
    )


async def _keep_before_images(scope: Scope, ids: Sequence[UUID], replaced_by: str) -> None:
    await execute(
        scope,
        """
        INSERT INTO record_version (organization_id, record_id, version, data, deleted_at, replaced_by)
        SELECT organization_id, id, version, data, deleted_at, $3
        FROM (SELECT * FROM record WHERE organization_id = $1 AND id = ANY($2::uuid[]) ORDER BY id FOR UPDATE) AS before
        """,
        scope.organization_id,
        ids,
        replaced_by,
    )


_COLUMNS = """
    record.id, record.organization_id, record.entity, record.connection_id, record.data, record.version,
    record.created_at, record.updated_at, record.deleted_at,
    (SELECT external_id FROM mapping WHERE mapping.organization_id = record.organization_id
        AND mapping.record_id = record.id AND mapping.connection_id = record.connection_id
     ORDER BY mapping.id LIMIT 1) AS external_id
"""


async def get(scope: Scope, record_id: UUID) -> Record | None:
    row = await fetch_row(scope, f"SELECT {_COLUMNS} FROM record WHERE organization_id = $1 AND id = $2", scope.organization_id, record_id)
    return _record(row) if row else None


async def get_many(scope: Scope, record_ids: Sequence[UUID]) -> list[Record]:
    rows = await fetch(
        scope, f"SELECT {_COLUMNS} FROM record WHERE organization_id = $1 AND id = ANY($2::uuid[])", scope.organization_id, record_ids
    )
    return [_record(row) for row in rows]


async def contacts(
    scope: Scope, *, first: int, after: tuple[str, UUID] | None, connection_id: UUID | None, search: str | None
) -> list[Record]:
    """Contacts by name; `search` is the beginning of a name. One more than `first`, to see whether there are more."""
    name, last_id = after or (None, None)
    rows = await fetch(
        scope,
        f"""
        SELECT {_COLUMNS} FROM record
        WHERE organization_id = $1 AND entity = 'contact' AND deleted_at IS NULL
          AND ($2::uuid IS NULL OR connection_id = $2)
          AND ($3::text IS NULL OR (name, id) > ($3, $4::uuid))
          AND ($5::text IS NULL OR starts_with(lower(name), lower($5)))
        ORDER BY name, id LIMIT $6
        """,
        scope.organization_id,
        connection_id,
        name,
        last_id,
        search,
        first + 1,
    )
    return [_record(row) for row in rows]


async def jobs(
    scope: Scope,
    *,
    first: int,
    after: UUID | None,
    connection_id: UUID | None,
    contact_id: UUID | None,
    status: str | None,
    oldest_first: bool = False,
) -> list[Record]:
    """Jobs, newest first or oldest first; of one contact where `contact_id` is given."""
    behind, order = (">", "id") if oldest_first else ("<", "id DESC")
    rows = await fetch(
        scope,
        f"""
        SELECT {_COLUMNS} FROM record
        WHERE organization_id = $1 AND entity = 'job' AND deleted_at IS NULL
          AND ($2::uuid IS NULL OR connection_id = $2)
          AND ($3::uuid IS NULL OR id {behind} $3)
          AND ($4::uuid IS NULL OR (connection_id, contact_external_id) IN (
                SELECT connection_id, external_id FROM mapping
                WHERE organization_id = $1 AND record_id = $4))
          AND ($5::text IS NULL OR status = $5)
        ORDER BY {order} LIMIT $6
        """,
        scope.organization_id,
        connection_id,
        after,
        contact_id,
        status,
        first + 1,
    )
    return [_record(row) for row in rows]


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


def _record(row: asyncpg.Record) -> Record:
    return Record(**row)
