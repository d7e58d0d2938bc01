"""Every query on the items of a plan as they are found. How they are applied is in due_items.py."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, fields
from uuid import UUID

from app.actors import Scope
from app.conflicts.models import Conflict
from app.connectors.base import Item
from app.database import execute, fetch, fetch_value
from app.ids import new_id
from app.syncs.plans.models import NewItem
from app.syncs.sources import Source

_CONFLICT = ", ".join(field.name for field in fields(Conflict))
_STATE = "'record', record.version, 'base', m.base_version, 'status', m.status, 'fingerprint', encode(m.fingerprint, 'hex')"
_GIVEN = (
    "id", "kind", "key", "record_id", "fields", "error", "effect", "shown", "payload", "provider_version", "is_deleted", "is_optional",
    "calls",
)  # fmt: skip
NOW = f"""
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


async def put(scope: Scope, plan_id: UUID, connection_id: UUID, where: tuple[str, str, str], items: Sequence[NewItem]) -> None:
    """Items of (stream, record stream, direction). What a walk met twice is planned as it was met last, unless that was older."""
    rows = [{**asdict(item), "id": new_id()} for item in items]
    await execute(
        scope,
        f"""
        INSERT INTO plan_item (id, organization_id, plan_id, stream, record_stream, direction, kind, key, record_id, fields, error, effect,
            shown, payload, provider_version, is_deleted, is_optional, calls, seen)
        SELECT item.*, {NOW} FROM (
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
