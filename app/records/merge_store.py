"""Every query on contacts that are merged, parted again, or may be the same."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from app.actors import Scope
from app.database import execute, fetch, fetch_row
from app.ids import new_id
from app.records.merge_models import RecordMerge
from app.records.repository import keep_before_images

ALIKE_BY = {"tax_number": "tax_number_folded", "email": "email_folded", "name": "name_folded"}
"""By what contacts are taken for the same, the most telling first, and the indexed column of it."""
SHOWN = 20
"""How many contacts of a group are named; all are counted."""


@dataclass(frozen=True, slots=True)
class Alike:
    """Contacts that share something."""

    value: str
    count: int
    record_ids: Sequence[UUID]


_COLUMNS = "id, survivor_id, loser_id, loser_version, changes, followers, moved, merged_by, merged_at"


async def absorb(scope: Scope, survivor_id: UUID, loser_id: UUID, by: str) -> list[UUID]:
    """The loser becomes a tombstone that points to the survivor. Returns what had been merged into it, which points there as well."""
    await keep_before_images(scope, [loser_id], by)
    await execute(
        scope,
        """
        UPDATE record SET version = version + 1, updated_at = now(), deleted_at = now(), merged_into = $3
        WHERE organization_id = $1 AND id = $2
        """,
        scope.organization_id,
        loser_id,
        survivor_id,
    )
    rows = await fetch(
        scope,
        "UPDATE record SET merged_into = $3 WHERE organization_id = $1 AND merged_into = $2 RETURNING id",
        scope.organization_id,
        loser_id,
        survivor_id,
    )
    return [row["id"] for row in rows]


async def followers_of(scope: Scope, loser_id: UUID) -> set[UUID]:
    """What was merged into this contact and still is."""
    sql = "SELECT id FROM record WHERE organization_id = $1 AND merged_into = $2"
    return {row["id"] for row in await fetch(scope, sql, scope.organization_id, loser_id)}


async def release(scope: Scope, merge: RecordMerge, by: str) -> None:
    """The loser lives again, with what had been merged into it."""
    await keep_before_images(scope, [merge.loser_id], by)
    await execute(
        scope,
        """
        UPDATE record SET version = version + 1, updated_at = now(), deleted_at = NULL, merged_into = NULL
        WHERE organization_id = $1 AND id = $2
        """,
        scope.organization_id,
        merge.loser_id,
    )
    await execute(
        scope,
        "UPDATE record SET merged_into = $3 WHERE organization_id = $1 AND id = ANY($4::uuid[]) AND merged_into = $2",
        scope.organization_id,
        merge.survivor_id,
        merge.loser_id,
        list(merge.followers),
    )


async def add(
    scope: Scope,
    survivor_id: UUID,
    loser_id: UUID,
    *,
    loser_version: int,
    changes: Mapping[str, Any],
    followers: Sequence[UUID],
    moved: Mapping[str, Any],
    by: str,
) -> None:
    await execute(
        scope,
        """
        INSERT INTO record_merge (id, organization_id, survivor_id, loser_id, loser_version, changes, followers, moved, merged_by)
        VALUES ($2, $1, $3, $4, $5, $6, $7, $8, $9)
        """,
        scope.organization_id,
        new_id(),
        survivor_id,
        loser_id,
        loser_version,
        changes,
        list(followers),
        moved,
        by,
    )


async def of_loser(scope: Scope, loser_id: UUID, *, lock: bool = False) -> RecordMerge | None:
    """The merge that this contact is lost in."""
    row = await fetch_row(
        scope,
        f"""
        SELECT {_COLUMNS} FROM record_merge WHERE organization_id = $1 AND loser_id = $2 AND undone_at IS NULL
        {"FOR NO KEY UPDATE" if lock else ""}
        """,
        scope.organization_id,
        loser_id,
    )
    return RecordMerge(**row) if row else None


async def of_survivor(scope: Scope, survivor_id: UUID) -> list[RecordMerge]:
    """What was merged into this contact and is still, the latest first."""
    rows = await fetch(
        scope,
        f"""
        SELECT {_COLUMNS} FROM record_merge WHERE organization_id = $1 AND survivor_id = $2 AND undone_at IS NULL ORDER BY id DESC
        """,
        scope.organization_id,
        survivor_id,
    )
    return [RecordMerge(**row) for row in rows]


async def undo(scope: Scope, merge_id: UUID, by: str) -> None:
    await execute(
        scope,
        "UPDATE record_merge SET undone_at = now(), undone_by = $3 WHERE organization_id = $1 AND id = $2",
        scope.organization_id,
        merge_id,
        by,
    )


async def like(scope: Scope, record_id: UUID, first: int) -> list[tuple[UUID, str]]:
    """(contact, what they share) of living contacts that may be this one, the most telling first, each once."""
    parts = " UNION ALL ".join(
        f"""SELECT other.id, '{by}' AS by, {place} AS place FROM record AS other
        WHERE other.organization_id = $1 AND other.{column} = (SELECT {column} FROM record WHERE organization_id = $1 AND id = $2)
          AND other.entity = 'contact' AND other.deleted_at IS NULL AND other.id <> $2"""
        for place, (by, column) in enumerate(ALIKE_BY.items())
    )
    rows = await fetch(
        scope,
        f"SELECT id, (array_agg(by ORDER BY place))[1] AS by FROM ({parts}) AS found GROUP BY id ORDER BY min(place), id LIMIT $3",
        scope.organization_id,
        record_id,
        first,
    )
    return [(row["id"], row["by"]) for row in rows]


async def alike(scope: Scope, by: str, *, first: int, after: str | None, connection_id: UUID | None) -> list[Alike]:
    """Living contacts that share it, group by group in the order of what they share; of a connection, groups with one of its contacts."""
    column = ALIKE_BY[by]
    rows = await fetch(
        scope,
        f"""
        SELECT {column} AS value, count(*) AS count, (array_agg(id ORDER BY id))[1:{SHOWN}] AS record_ids FROM record
        WHERE organization_id = $1 AND entity = 'contact' AND deleted_at IS NULL AND {column} IS NOT NULL
          AND ($2::text IS NULL OR {column} > $2)
        GROUP BY {column} HAVING count(*) > 1 AND ($3::uuid IS NULL OR bool_or(connection_id = $3))
        ORDER BY {column} LIMIT $4
        """,
        scope.organization_id,
        after,
        connection_id,
        first,
    )
    return [Alike(**row) for row in rows]
