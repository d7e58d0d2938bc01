"""Every query on records and their history."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
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
    connection_id: UUID | None
    data: bytes


@dataclass(frozen=True, slots=True)
class Held:
    """A record as it is now, locked."""

    data: dict[str, Any]
    version: int
    updated_at: datetime
    deleted: bool
    merged_into: UUID | None


async def hold_many(scope: Scope, record_ids: Collection[UUID]) -> dict[UUID, Held]:
    """The records as they are now, locked in the order of their ids.

    NO KEY: whoever changes a quote looks at its record's key, and must not wait for a page that waits for the quote.
    """
    rows = await fetch(
        scope,
        """
        SELECT id, data, version, updated_at, deleted_at IS NOT NULL AS deleted, merged_into FROM record
        WHERE organization_id = $1 AND id = ANY($2::uuid[]) ORDER BY id FOR NO KEY UPDATE
        """,
        scope.organization_id,
        list(record_ids),
    )
    return {row["id"]: Held(**{name: value for name, value in row.items() if name != "id"}) for row in rows}


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


_COLUMNS = """
    record.id, record.organization_id, record.entity, record.connection_id, record.data, record.version,
    record.created_at, record.updated_at, record.deleted_at, record.name_folded, record.merged_into,
    (SELECT external_id FROM mapping WHERE mapping.organization_id = record.organization_id
        AND mapping.record_id = record.id AND mapping.connection_id = record.connection_id
     ORDER BY mapping.id LIMIT 1) AS external_id
"""


NAME_BEGINS = "{item}.name_folded >= lower({value}) AND {item}.name_folded < lower({value}) || chr(1114111)"
"""Whose name begins like this, whatever the case. The last character of Unicode ends the range; a LIKE is not leakproof, so
under row-level security it finds nothing by an index."""
OF_CONTACT = """({item}.connection_id, {item}.contact_external_id) = (
    SELECT m.connection_id, m.external_id FROM mapping AS m
    WHERE m.organization_id = {organization} AND m.record_id = {contact} ORDER BY m.id LIMIT 1)"""
"""The jobs of a contact: whose provider says so by the contact's id there. A contact is read from one connection: its first mapping.

As one comparison with one row, it is known before the jobs are looked for, and they are found in their order by an index.
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
    """Contacts by name, whatever the case; `search` is the beginning of a name. One more than `first`, to see whether there are more."""
    wanted = [
        ("connection_id = {}", connection_id),
        ("(name_folded, id) > ({}, {})", *(after or (None, None))),
        (NAME_BEGINS.format(item="record", value="{0}"), search),
    ]
    return await _page(scope, "contact", wanted, "name_folded, id", first)


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
    wanted = [
        ("connection_id = {}", connection_id),
        (f"id {behind} {{}}", after),
        (OF_CONTACT.format(item="record", organization="$1", contact="{}"), contact_id),
        ("status = {}", status),
    ]
    return await _page(scope, "job", wanted, order, first)


async def _page(scope: Scope, entity: str, wanted: Sequence[tuple[Any, ...]], order: str, first: int) -> list[Record]:
    """Records of an entity that are not gone, one more than `first`. A condition counts if its values are not None."""
    conditions, arguments = ["organization_id = $1", f"entity = '{entity}'", "deleted_at IS NULL"], [scope.organization_id]
    for condition, *values in wanted:
        if None not in values:
            places = [f"${len(arguments) + place}" for place in range(1, len(values) + 1)]
            arguments += values
            conditions.append(condition.format(*places))
    sql = f"SELECT {_COLUMNS} FROM record WHERE {' AND '.join(conditions)} ORDER BY {order} LIMIT {first + 1:d}"
    return [_record(row) for row in await fetch(scope, sql, *arguments)]


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
