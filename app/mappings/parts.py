"""Every query on the parts that documents are assembled from."""

from collections.abc import Sequence
from uuid import UUID

from app.actors import Scope
from app.connectors.base import Part
from app.database import execute, fetch


async def parts_of(scope: Scope, connection_id: UUID, stream: str, parent_ids: Sequence[str]) -> dict[str, list[Part]]:
    """The parts of each parent."""
    rows = await fetch(
        scope,
        """
        SELECT found.* FROM unnest($4::text[]) AS given (parent_id) CROSS JOIN LATERAL (
            SELECT kind, external_id, parent_id, payload FROM part
            WHERE organization_id = $1 AND connection_id = $2 AND stream = $3 AND parent_id = given.parent_id
            OFFSET 0) AS found
        """,
        scope.organization_id,
        connection_id,
        stream,
        parent_ids,
    )
    found: dict[str, list[Part]] = {}
    for row in rows:
        found.setdefault(row["parent_id"], []).append(Part(**row))
    return found


async def put_parts(scope: Scope, connection_id: UUID, stream: str, parts: Sequence[Part]) -> set[str]:
    """Store what differs; returns the parents whose parts changed (both, when a part moved)."""
    before = await _parts(scope, connection_id, stream, parts)
    changed = [part for part in parts if before.get((part.kind, part.external_id), ("", b""))[:2] != (part.parent_id, part.payload)]
    changed = [part for part in changed if part.payload or (part.kind, part.external_id) in before]
    await _store_parts(scope, connection_id, stream, [part for part in changed if part.payload])
    await _remove_parts(scope, connection_id, stream, [part for part in changed if not part.payload])
    former = {before[key][0] for part in changed if (key := (part.kind, part.external_id)) in before}
    return former | {part.parent_id for part in changed if part.parent_id}


async def _parts(scope: Scope, connection_id: UUID, stream: str, parts: Sequence[Part]) -> dict[tuple[str, str], tuple[str, bytes]]:
    rows = await fetch(
        scope,
        """
        SELECT found.* FROM unnest($4::text[], $5::text[]) AS given (kind, external_id) CROSS JOIN LATERAL (
            SELECT kind, external_id, parent_id, payload FROM part
            WHERE organization_id = $1 AND connection_id = $2 AND stream = $3
              AND kind = given.kind AND external_id = given.external_id LIMIT 1) AS found
        """,
        scope.organization_id,
        connection_id,
        stream,
        [part.kind for part in parts],
        [part.external_id for part in parts],
    )
    return {(row["kind"], row["external_id"]): (row["parent_id"], row["payload"]) for row in rows}


async def _store_parts(scope: Scope, connection_id: UUID, stream: str, parts: Sequence[Part]) -> None:
    if parts:
        await execute(
            scope,
            """
            INSERT INTO part (organization_id, connection_id, stream, kind, external_id, parent_id, payload)
            SELECT $1, $2, $3, given.* FROM unnest($4::text[], $5::text[], $6::text[], $7::bytea[]) AS given
            ON CONFLICT (organization_id, connection_id, stream, kind, external_id)
            DO UPDATE SET parent_id = excluded.parent_id, payload = excluded.payload
            """,
            scope.organization_id,
            connection_id,
            stream,
            [part.kind for part in parts],
            [part.external_id for part in parts],
            [part.parent_id for part in parts],
            [part.payload for part in parts],
        )


async def _remove_parts(scope: Scope, connection_id: UUID, stream: str, parts: Sequence[Part]) -> None:
    if parts:
        await execute(
            scope,
            """
            DELETE FROM part USING unnest($4::text[], $5::text[]) AS given (kind, external_id)
            WHERE organization_id = $1 AND connection_id = $2 AND stream = $3
              AND part.kind = given.kind AND part.external_id = given.external_id
            """,
            scope.organization_id,
            connection_id,
            stream,
            [part.kind for part in parts],
            [part.external_id for part in parts],
        )
