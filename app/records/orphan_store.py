"""Every query on orphans: mappings of which one side is gone."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from app.actors import Scope
from app.database import fetch, fetch_value


class OrphanKind(StrEnum):
    """Which side of a mapping is gone."""

    RECORD_DELETED = "record_deleted"
    """The hub deleted the record; the provider's object lives."""
    OBJECT_DELETED = "object_deleted"
    """The provider deleted its object; the record lives."""
    MERGED = "merged"
    """The contact became part of another one."""


@dataclass(frozen=True, slots=True)
class Orphan:
    """A mapping of which one side is gone."""

    mapping_id: UUID
    kind: OrphanKind
    connection_id: UUID
    stream: str
    external_id: str
    record_id: UUID
    entity: str
    name: str | None
    """The record's."""
    merged_into: UUID | None
    status: str
    last_error: str | None
    last_synced_at: datetime | None
    archived_at: datetime | None
    """When it was cleaned up."""


@dataclass(frozen=True, slots=True)
class OrphanFilter:
    """Which orphans; None is any."""

    connection_id: UUID | None = None
    kind: OrphanKind | None = None
    mapping_ids: Sequence[UUID] | None = None


_COLUMNS = """
    mapping.id AS mapping_id, mapping.connection_id, mapping.stream, mapping.external_id, record.id AS record_id, record.entity,
    record.name, record.merged_into, mapping.status, mapping.last_error, mapping.last_synced_at, mapping.archived_at
"""
_ORPHANS = f"""
    SELECT CASE WHEN record.merged_into IS NULL THEN 'record_deleted' ELSE 'merged' END AS kind, {_COLUMNS}
    FROM record JOIN mapping ON mapping.organization_id = $1 AND mapping.record_id = record.id
    WHERE record.organization_id = $1 AND record.deleted_at IS NOT NULL
      AND (record.merged_into IS NOT NULL OR mapping.status IN ('synced', 'failed'))
    UNION ALL
    SELECT 'object_deleted' AS kind, {_COLUMNS}
    FROM mapping JOIN record ON record.organization_id = $1 AND record.id = mapping.record_id AND record.deleted_at IS NULL
    WHERE mapping.organization_id = $1 AND mapping.status = 'deleted'
"""
"""What waits to be pushed, or for somebody's decision, is none."""
_WANTED = """
    ($2::uuid IS NULL OR orphan.connection_id = $2) AND ($3::text IS NULL OR orphan.kind = $3)
    AND ($4::uuid[] IS NULL OR orphan.mapping_id = ANY($4)) AND (orphan.archived_at IS NOT NULL) = $5
"""


async def page(scope: Scope, wanted: OrphanFilter, *, cleaned: bool, first: int, after: UUID | None) -> list[Orphan]:
    """The latest mapping first; one more than `first`."""
    rows = await fetch(
        scope,
        f"""
        SELECT orphan.* FROM ({_ORPHANS}) AS orphan WHERE {_WANTED} AND ($6::uuid IS NULL OR orphan.mapping_id < $6)
        ORDER BY orphan.mapping_id DESC LIMIT $7
        """,
        *_arguments(scope, wanted, cleaned),
        after,
        first + 1,
    )
    return [Orphan(**{**row, "kind": OrphanKind(row["kind"])}) for row in rows]


async def counts(scope: Scope, wanted: OrphanFilter, *, cleaned: bool) -> list[tuple[OrphanKind, UUID, str, int]]:
    """(kind, connection, stream, how many)."""
    rows = await fetch(
        scope,
        f"""
        SELECT orphan.kind, orphan.connection_id, orphan.stream, count(*) AS count FROM ({_ORPHANS}) AS orphan WHERE {_WANTED}
        GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
        """,
        *_arguments(scope, wanted, cleaned),
    )
    return [(OrphanKind(row["kind"]), row["connection_id"], row["stream"], row["count"]) for row in rows]


async def set_archived(scope: Scope, wanted: OrphanFilter, *, archived: bool) -> list[UUID]:
    """Clean them up, or take that back; those that are orphans still. Returns the mappings."""
    rows = await fetch(
        scope,
        f"""
        WITH changed AS (
            UPDATE mapping SET archived_at = CASE WHEN $5 THEN NULL ELSE now() END, updated_at = now()
            WHERE organization_id = $1 AND id IN (SELECT orphan.mapping_id FROM ({_ORPHANS}) AS orphan WHERE {_WANTED})
            RETURNING id)
        SELECT id FROM changed ORDER BY id
        """,
        *_arguments(scope, wanted, not archived),
    )
    return [row["id"] for row in rows]


async def exist(scope: Scope, wanted: OrphanFilter) -> bool:
    """Whether the connection, and any of the mappings, are there at all; what is not named is."""
    found: bool = await fetch_value(
        scope,
        """
        SELECT ($2::uuid IS NULL OR EXISTS (SELECT FROM connection WHERE organization_id = $1 AND id = $2))
           AND ($3::uuid[] IS NULL OR EXISTS (SELECT FROM mapping WHERE organization_id = $1 AND id = ANY($3)))
        """,
        scope.organization_id,
        wanted.connection_id,
        None if wanted.mapping_ids is None else list(wanted.mapping_ids),
    )
    return found


def _arguments(scope: Scope, wanted: OrphanFilter, cleaned: bool) -> tuple[object, ...]:
    ids = None if wanted.mapping_ids is None else list(wanted.mapping_ids)
    return scope.organization_id, wanted.connection_id, wanted.kind, ids, cleaned
