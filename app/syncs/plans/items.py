"""Every query on the items and parts of a plan, as they are found and as they are applied."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, fields
from typing import Any
from uuid import UUID

from app.actors import Scope
from app.conflicts.models import Conflict
from app.connectors.base import Item
from app.database import execute, fetch, fetch_value
from app.ids import new_id
from app.syncs.plans.models import DueItem, Moved, NewItem
from app.syncs.sources import Source

_DUE = ", ".join(f"item.{field.name}" for field in fields(DueItem))
_CONFLICT = ", ".join(field.name for field in fields(Conflict))
_STATE = "'record', record.version, 'base', m.base_version, 'status', m.status, 'fingerprint', encode(m.fingerprint, 'hex')"
_GIVEN = (
    "id", "kind", "key", "record_id", "fields", "error", "effect", "shown", "payload", "provider_version", "is_deleted", "is_optional",
    "calls",
)  # fmt: skip
_NOW = f"""
    CASE item.direction
    WHEN 'pull' THEN (
        SELECT jsonb_build_object({_STATE})
        FROM (SELECT * FROM mapping WHERE organization_id = $1 AND external_id = item.key OFFSET 0) AS m
        JOIN record ON record.organization_id = $1 AND record.id = m.record_id
        WHERE m.connection_id = $3 AND m.stream = item.record_stream)
    WHEN 'push' THEN (
        SELECT jsonb_build_object({_STATE}, 'external_id', m.external_id)
        FROM record LEFT JOIN LATERAL (SELECT * FROM mapping WHERE organization_id = $1 AND record_id = record.id OFFSET 0) AS m
            ON m.connection_id = $3 AND m.stream = item.record_stream
        WHERE record.organization_id = $1 AND record.id = item.record_id)
    ELSE (SELECT jsonb_build_object('record', version) FROM record WHERE organization_id = $1 AND id = item.record_id)
    END
"""
"""Record and mapping of an item as they are now; $1 is the organization, $3 the connection."""
_WANTED = """
    (item.status = 'chosen' OR (item.status = 'planned' AND NOT item.is_optional AND NOT plan.chosen_only)) AND item.kind <> 'remain'
"""
"""What is to be applied of a plan."""


async def put(scope: Scope, plan_id: UUID, connection_id: UUID, where: tuple[str, str, str], items: Sequence[NewItem]) -> None:
    """Items of (stream, record stream, direction). What a walk met twice is planned as it was met last, unless that was older."""
    rows = [{**asdict(item), "id": new_id()} for item in items]
    await execute(
        scope,
        f"""
        INSERT INTO plan_item (id, organization_id, plan_id, stream, record_stream, direction, kind, key, record_id, fields, error, effect,
            shown, payload, provider_version, is_deleted, is_optional, calls, seen)
        SELECT item.*, {_NOW} FROM (
            SELECT given.id, $1::uuid, $2::uuid, $4::text, $5::text AS record_stream, $6::text AS direction, given.kind, given.key,
                given.record_id, given.fields, given.error, given.effect, given.shown, given.payload, given.provider_version,
                given.is_deleted, given.is_optional, given.calls
            FROM unnest($7::uuid[], $8::text[], $9::text[], $10::uuid[], $11::jsonb[], $12::jsonb[], $13::bytea[], $14::bytea[],
                $15::bytea[], $16::text[], $17::boolean[], $18::boolean[], $19::integer[])
                AS given (id, kind, key, record_id, fields, error, effect, shown, payload, provider_version, is_deleted, is_optional,
                calls)) AS item
        ON CONFLICT (organization_id, plan_id, key, stream, direction) DO UPDATE SET
            kind = excluded.kind, record_id = excluded.record_id, fields = excluded.fields, error = excluded.error,
            effect = excluded.effect, shown = excluded.shown, payload = excluded.payload, provider_version = excluded.provider_version,
            is_deleted = excluded.is_deleted, is_optional = excluded.is_optional, calls = excluded.calls, seen = excluded.seen
        WHERE coalesce(excluded.provider_version >= plan_item.provider_version, true)
        """,
        scope.organization_id,
        plan_id,
        connection_id,
        *where,
        *([row[name] for row in rows] for name in _GIVEN),
    )


async def drop_unchanged(scope: Scope, plan_id: UUID, stream: str, objects: Mapping[str, str | None]) -> None:
    """Objects (with their versions) that were planned and are met again as the hub has them: there is nothing to do."""
    await execute(
        scope,
        """
        DELETE FROM plan_item USING unnest($4::text[], $5::text[]) AS given (key, version)
        WHERE organization_id = $1 AND plan_id = $2 AND stream = $3 AND direction = 'pull' AND plan_item.key = given.key
          AND coalesce(given.version >= plan_item.provider_version, true)
        """,
        scope.organization_id,
        plan_id,
        stream,
        list(objects),
        list(objects.values()),
    )


async def objects(scope: Scope, plan_id: UUID, stream: str, keys: Collection[str]) -> list[Item]:
    """Those of the objects that are planned already."""
    rows = await fetch(
        scope,
        """
        SELECT key, payload, provider_version FROM plan_item
        WHERE organization_id = $1 AND plan_id = $2 AND key = ANY($3::text[]) AND stream = $4 AND direction = 'pull' AND payload IS NOT NULL
          AND NOT is_deleted AND coalesce(error ->> 'stage', '') <> 'read'
        """,
        scope.organization_id,
        plan_id,
        list(keys),
        stream,
    )
    return [Item(row["key"], row["payload"], row["provider_version"]) for row in rows]


async def has_unreadable(scope: Scope, plan_id: UUID, stream: str) -> bool:
    """Whether the walk met objects that could not be told apart."""
    found: bool = await fetch_value(
        scope,
        """
        SELECT EXISTS (SELECT FROM plan_item
            WHERE organization_id = $1 AND plan_id = $2 AND stream = $3 AND kind = 'failure' AND error ->> 'stage' = 'read')
        """,
        scope.organization_id,
        plan_id,
        stream,
    )
    return found


async def found_conflicts(source: Source) -> list[Conflict]:
    """The conflicts that this transaction found or met again."""
    rows = await fetch(
        source.scope,
        f"""
        SELECT {_CONFLICT} FROM conflict
        WHERE organization_id = $1 AND connection_id = $2 AND stream = $3 AND resolved_at IS NULL AND updated_at = now()
        ORDER BY record_id, field
        """,
        source.scope.organization_id,
        source.connection_id,
        source.stream.record_stream,
    )
    return [Conflict(**row) for row in rows]


async def moved(
    scope: Scope, plan_id: UUID, connection_id: UUID, item_ids: Collection[UUID] | None = None, *, limit: int = 20
) -> list[Moved]:
    """What is to be applied and is not what the plan saw: of all items, or of these."""
    rows = await fetch(
        scope,
        f"""
        SELECT stream, key, record_id, seen, now FROM (
            SELECT item.*, {_NOW} AS now FROM plan_item AS item JOIN plan ON plan.organization_id = $1 AND plan.id = item.plan_id
            WHERE item.organization_id = $1 AND item.plan_id = $2 AND ($4::uuid[] IS NULL OR item.id = ANY($4)) AND {_WANTED} OFFSET 0
        ) AS item WHERE seen IS DISTINCT FROM now ORDER BY id LIMIT $5
        """,
        scope.organization_id,
        plan_id,
        connection_id,
        list(item_ids) if item_ids is not None else None,
        limit,
    )
    return [Moved(row["stream"], row["key"], row["record_id"], _what(row["seen"] or {}, row["now"] or {})) for row in rows]


def _what(seen: Mapping[str, Any], now: Mapping[str, Any]) -> str:
    return "record" if seen.get("record") != now.get("record") else "mapping"


async def is_any_due(scope: Scope, plan_id: UUID) -> bool:
    """Whether anything is left that is applied without being chosen."""
    found: bool = await fetch_value(
        scope,
        f"""
        SELECT EXISTS (SELECT FROM plan_item AS item JOIN plan ON plan.organization_id = $1 AND plan.id = item.plan_id
            WHERE item.organization_id = $1 AND item.plan_id = $2 AND {_WANTED})
        """,
        scope.organization_id,
        plan_id,
    )
    return found


async def due_count(scope: Scope, plan_id: UUID, stream: str, direction: str) -> int:
    """How many items of a stream are to be applied."""
    found: int = await fetch_value(
        scope,
        f"""
        SELECT count(*) FROM plan_item AS item JOIN plan ON plan.organization_id = $1 AND plan.id = item.plan_id
        WHERE item.organization_id = $1 AND item.plan_id = $2 AND item.stream = $3 AND item.direction = $4 AND {_WANTED}
        """,
        scope.organization_id,
        plan_id,
        stream,
        direction,
    )
    return found


async def is_any_left(scope: Scope, plan_id: UUID, stream: str) -> bool:
    """Whether something of a stream's pull has not been applied."""
    found: bool = await fetch_value(
        scope,
        """
        SELECT EXISTS (SELECT FROM plan_item
            WHERE organization_id = $1 AND plan_id = $2 AND stream = $3 AND direction = 'pull' AND status <> 'applied')
        """,
        scope.organization_id,
        plan_id,
        stream,
    )
    return found


async def is_undone(scope: Scope, plan_id: UUID) -> bool:
    """Whether all is applied that takes a run back, but for what was changed since."""
    left: bool = await fetch_value(
        scope,
        """
        SELECT EXISTS (SELECT FROM plan_item
            WHERE organization_id = $1 AND plan_id = $2 AND kind NOT IN ('conflict', 'remain') AND status <> 'applied')
        """,
        scope.organization_id,
        plan_id,
    )
    return not left


async def due(scope: Scope, plan_id: UUID, stream: str, direction: str, *, after: UUID | None, limit: int) -> list[DueItem]:
    """The next items that are to be applied."""
    rows = await fetch(
        scope,
        f"""
        SELECT {_DUE} FROM plan_item AS item JOIN plan ON plan.organization_id = $1 AND plan.id = item.plan_id
        WHERE item.organization_id = $1 AND item.plan_id = $2 AND item.stream = $3 AND item.direction = $4
          AND ($5::uuid IS NULL OR item.id > $5) AND {_WANTED}
        ORDER BY item.id LIMIT $6
        """,
        scope.organization_id,
        plan_id,
        stream,
        direction,
        after,
        limit,
    )
    return [DueItem(**row) for row in rows]


async def by_keys(scope: Scope, plan_id: UUID, stream: str, keys: Collection[str]) -> list[DueItem]:
    """Objects of a pull that have to go with others, if they have not been applied."""
    rows = await fetch(
        scope,
        f"""
        SELECT {_DUE} FROM plan_item AS item
        WHERE item.organization_id = $1 AND item.plan_id = $2 AND item.key = ANY($3::text[]) AND item.stream = $4
          AND item.direction = 'pull' AND item.status <> 'applied'
        """,
        scope.organization_id,
        plan_id,
        list(keys),
        stream,
    )
    return [DueItem(**row) for row in rows]


async def unchecked(scope: Scope, plan_id: UUID, run_id: UUID, stream: str, limit: int) -> list[DueItem]:
    """Pushes that are to be applied and whose object this run has not looked at yet."""
    rows = await fetch(
        scope,
        f"""
        SELECT {_DUE} FROM plan_item AS item JOIN plan ON plan.organization_id = $1 AND plan.id = item.plan_id
        WHERE item.organization_id = $1 AND item.plan_id = $2 AND item.stream = $4 AND item.direction = 'push'
          AND item.checked_run_id IS DISTINCT FROM $3 AND {_WANTED}
        ORDER BY item.id LIMIT $5
        """,
        scope.organization_id,
        plan_id,
        run_id,
        stream,
        limit,
    )
    return [DueItem(**row) for row in rows]


async def mark_checked(scope: Scope, run_id: UUID, item_ids: Collection[UUID]) -> None:
    await execute(
        scope,
        "UPDATE plan_item SET checked_run_id = $2 WHERE organization_id = $1 AND id = ANY($3::uuid[])",
        scope.organization_id,
        run_id,
        list(item_ids),
    )


async def mark_applied(scope: Scope, item_ids: Collection[UUID]) -> None:
    await execute(
        scope,
        "UPDATE plan_item SET status = 'applied' WHERE organization_id = $1 AND id = ANY($2::uuid[])",
        scope.organization_id,
        list(item_ids),
    )
