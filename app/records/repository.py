"""Every query on records and their history."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg
import msgspec

from app.actors import Scope
from app.database import execute, fetch, fetch_row, transaction
from app.records.models import Record

FIRST_VERSION = 1
"""Of a new record."""


class RecordWrite(msgspec.Struct, frozen=True, gc=False):
    """One record to insert or replace; `data` is JSON."""

    id: UUID
    data: bytes

    @classmethod
    def of(cls, record_id: UUID, data: Mapping[str, Any]) -> "RecordWrite":
        return cls(record_id, msgspec.json.encode(data))


@dataclass(frozen=True, slots=True)
class Held:
    """A record as it is now, locked."""

    connection_id: UUID | None
    """Where it came from, or where it was brought to first."""
    data: dict[str, Any]
    version: int
    updated_at: datetime
    deleted: bool
    merged_into: UUID | None


async def hold_many(scope: Scope, record_ids: Collection[UUID]) -> dict[UUID, Held]:
    """The records as they are now, locked in the order of their ids."""
    return await _hold(scope, record_ids, "$2::uuid[]") if record_ids else {}


async def hold_with_survivors(scope: Scope, record_ids: Collection[UUID]) -> dict[UUID, Held]:
    """The same with the contacts that they were merged into: all of them in one order, so that two of whom each changes what the
    other's was merged into do not wait for each other for ever.
    """
    wanted = set(record_ids)
    while wanted:
        try:
            async with transaction(scope):  # what was locked in vain is let go again
                held = await _hold(scope, wanted, _AND_SURVIVORS)
                if late := {one.merged_into for id, one in held.items() if id in wanted and one.merged_into} - held.keys():
                    raise _MergedMeanwhile
                return held
        except _MergedMeanwhile:
            wanted |= late
    return {}


class _MergedMeanwhile(Exception):
    """While its lock was waited for, a record became part of another one."""


_AND_SURVIVORS = """ARRAY(
    SELECT unnest($2::uuid[]) UNION
    SELECT merged_into FROM record
    WHERE organization_id = $1 AND id = ANY($2::uuid[]) AND deleted_at IS NOT NULL AND merged_into IS NOT NULL)"""


async def _hold(scope: Scope, record_ids: Collection[UUID], which: str) -> dict[UUID, Held]:
    """NO KEY: whoever changes a quote looks at its record's key, and must not wait for a page that waits for the quote."""
    rows = await fetch(
        scope,
        f"""
        SELECT id, connection_id, data, version, updated_at, deleted_at IS NOT NULL AS deleted, merged_into FROM record
        WHERE organization_id = $1 AND id = ANY({which}) ORDER BY id FOR NO KEY UPDATE
        """,
        scope.organization_id,
        list(record_ids),
    )
    return {row["id"]: Held(**{name: value for name, value in row.items() if name != "id"}) for row in rows}


async def find_home(scope: Scope, record_id: UUID, connection_id: UUID) -> None:
    """A record that only the hub had is of the connection that it is brought to first."""
    await execute(
        scope,
        "UPDATE record SET connection_id = $3 WHERE organization_id = $1 AND id = $2 AND connection_id IS NULL",
        scope.organization_id,
        record_id,
        connection_id,
    )


async def at_versions(scope: Scope, wanted: Mapping[UUID, int]) -> dict[UUID, dict[str, Any]]:
    """What records were at earlier versions; those that have no such version are left out."""
    rows = await fetch(
        scope,
        """
        SELECT record_id, data FROM unnest($2::uuid[], $3::integer[]) AS given (id, number)
        JOIN record_version ON organization_id = $1 AND record_id = given.id AND version = given.number
        """,
        scope.organization_id,
        list(wanted),
        list(wanted.values()),
    )
    return {row["record_id"]: row["data"] for row in rows}


async def restored_since(scope: Scope, versions: Mapping[UUID, int]) -> set[UUID]:
    """Those of the records, living ones, that were deleted at a later version than the given one, not by a merge."""
    rows = await fetch(
        scope,
        """
        SELECT DISTINCT record_id FROM unnest($2::uuid[], $3::integer[]) AS given (id, number)
        JOIN record_version ON organization_id = $1 AND record_id = given.id AND version > given.number
        WHERE deleted_at IS NOT NULL
          AND NOT EXISTS (SELECT FROM record_merge
                          WHERE record_merge.organization_id = $1 AND loser_id = given.id AND loser_version >= given.number)
        """,
        scope.organization_id,
        list(versions),
        list(versions.values()),
    )
    return {row["record_id"] for row in rows}


async def add_many(scope: Scope, entity: str, records: Sequence[RecordWrite]) -> None:
    """New records of the hub's own, in one statement; those of a provider come with a mapping."""
    await execute(
        scope,
        """
        INSERT INTO record (id, organization_id, entity, data)
        SELECT given.id, $1, $2, convert_from(given.data, 'UTF8')::jsonb FROM unnest($3::uuid[], $4::bytea[]) AS given (id, data)
        """,
        scope.organization_id,
        entity,
        [record.id for record in records],
        [record.data for record in records],
    )


async def replace_many(scope: Scope, records: Sequence[RecordWrite], replaced_by: str, run_id: UUID | None = None) -> None:
    """Changed (or returned) records; what they were goes to their history. They are locked in the order of their ids.

    One that was merged into another stays a tombstone, whoever changes it.
    """
    ids = [record.id for record in records]
    await keep_before_images(scope, ids, replaced_by, run_id)
    await execute(
        scope,
        """
        UPDATE record SET data = convert_from(given.data, 'UTF8')::jsonb, version = version + 1,
            updated_at = now(), deleted_at = CASE WHEN merged_into IS NULL THEN NULL ELSE deleted_at END
        FROM unnest($2::uuid[], $3::bytea[]) AS given (id, data)
        WHERE record.organization_id = $1 AND record.id = given.id
        """,
        scope.organization_id,
        ids,
        [record.data for record in records],
    )


async def delete_many(scope: Scope, ids: Sequence[UUID], replaced_by: str, run_id: UUID | None = None) -> None:
    """Leave tombstones."""
    await keep_before_images(scope, ids, replaced_by, run_id)
    await execute(
        scope,
        """
        UPDATE record SET version = version + 1, updated_at = now(), deleted_at = now()
        WHERE organization_id = $1 AND id = ANY($2::uuid[]) AND deleted_at IS NULL
        """,
        scope.organization_id,
        ids,
    )


async def keep_before_images(scope: Scope, ids: Sequence[UUID], replaced_by: str, run_id: UUID | None = None) -> None:
    """What they are now goes to their history."""
    await execute(
        scope,
        """
        INSERT INTO record_version (organization_id, record_id, version, data, deleted_at, replaced_by, sync_run_id)
        SELECT organization_id, id, version, data, deleted_at, $3, $4
        FROM (SELECT * FROM record WHERE organization_id = $1 AND id = ANY($2::uuid[]) ORDER BY id FOR NO KEY UPDATE) AS before
        """,
        scope.organization_id,
        ids,
        replaced_by,
        run_id,
    )


COLUMNS = """
    record.id, record.organization_id, record.entity, record.connection_id, record.data, record.version,
    record.created_at, record.updated_at, record.deleted_at, record.name_folded, record.merged_into,
    (SELECT external_id FROM mapping WHERE mapping.organization_id = record.organization_id
        AND mapping.record_id = record.id AND mapping.connection_id = record.connection_id
     ORDER BY mapping.id LIMIT 1) AS external_id
"""


async def get(scope: Scope, record_id: UUID) -> Record | None:
    row = await fetch_row(scope, f"SELECT {COLUMNS} FROM record WHERE organization_id = $1 AND id = $2", scope.organization_id, record_id)
    return as_record(row) if row else None


async def get_many(scope: Scope, record_ids: Sequence[UUID]) -> list[Record]:
    rows = await fetch(
        scope, f"SELECT {COLUMNS} FROM record WHERE organization_id = $1 AND id = ANY($2::uuid[])", scope.organization_id, record_ids
    )
    return [as_record(row) for row in rows]


def as_record(row: asyncpg.Record) -> Record:
    return Record(**row)
