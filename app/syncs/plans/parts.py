"""Every query on the parts of a plan: child objects that came with its pages."""

from collections.abc import Collection, Sequence
from uuid import UUID

from app.actors import Scope
from app.connectors.base import Part
from app.database import execute, fetch


async def put(scope: Scope, plan_id: UUID, connection_id: UUID, stream: str, record_stream: str, parts: Sequence[Part]) -> None:
    """Those that differ from what is held, or from what was planned, with whose they are now."""
    if not parts:
        return
    latest = {(part.kind, part.external_id): part for part in parts}
    await execute(
        scope,
        """
        INSERT INTO plan_part (organization_id, plan_id, stream, kind, external_id, parent_id, payload, former_parent_id)
        SELECT $1, $2, $4, given.*, held.parent_id
        FROM unnest($5::text[], $6::text[], $7::text[], $8::bytea[]) AS given (kind, external_id, parent_id, payload)
        LEFT JOIN LATERAL (SELECT parent_id, payload FROM part
            WHERE organization_id = $1 AND connection_id = $3 AND stream = $9 AND kind = given.kind AND external_id = given.external_id
            LIMIT 1) AS held ON true
        WHERE (held.parent_id, held.payload) IS DISTINCT FROM (given.parent_id, given.payload)
              AND (held.payload IS NOT NULL OR given.payload <> '')
           OR EXISTS (SELECT FROM plan_part AS planned WHERE planned.organization_id = $1 AND planned.plan_id = $2
                      AND planned.external_id = given.external_id AND planned.stream = $4 AND planned.kind = given.kind)
        ON CONFLICT (organization_id, plan_id, external_id, stream, kind)
        DO UPDATE SET parent_id = excluded.parent_id, payload = excluded.payload
        """,
        scope.organization_id,
        plan_id,
        connection_id,
        stream,
        *([getattr(part, name) for part in latest.values()] for name in ("kind", "external_id", "parent_id", "payload")),
        record_stream,
    )


async def of(scope: Scope, plan_id: UUID, stream: str, parents: Collection[str]) -> list[tuple[Part, str | None]]:
    """The planned parts of these parents, with whose they were before."""
    rows = await fetch(
        scope,
        """
        SELECT kind, external_id, parent_id, payload, former_parent_id FROM plan_part
        WHERE organization_id = $1 AND plan_id = $2 AND stream = $4 AND (parent_id = ANY($3::text[]) OR former_parent_id = ANY($3::text[]))
        """,
        scope.organization_id,
        plan_id,
        list(parents),
        stream,
    )
    return [(Part(row["kind"], row["external_id"], row["parent_id"], row["payload"]), row["former_parent_id"]) for row in rows]


async def orphans(scope: Scope, plan_id: UUID, stream: str, after: str, limit: int) -> list[Part]:
    """Planned parts whose parent nobody knows yet, by their ids."""
    rows = await fetch(
        scope,
        """
        SELECT kind, external_id, parent_id, payload FROM plan_part
        WHERE organization_id = $1 AND plan_id = $2 AND stream = $3 AND external_id > $4
          AND NOT EXISTS (SELECT FROM plan_item WHERE plan_item.organization_id = $1 AND plan_item.plan_id = $2
              AND plan_item.key IN (plan_part.parent_id, plan_part.former_parent_id) AND plan_item.direction = 'pull')
        ORDER BY external_id LIMIT $5
        """,
        scope.organization_id,
        plan_id,
        stream,
        after,
        limit,
    )
    return [Part(**row) for row in rows]
