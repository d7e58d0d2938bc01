"""Every query on conflicts and on the policies of streams."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, fields
from typing import Any
from uuid import UUID

import asyncpg

from app.actors import Scope
from app.conflicts.models import Conflict, FoundConflict, StreamPolicy
from app.conflicts.rules import Rule
from app.database import execute, fetch, fetch_row, fetch_value
from app.ids import new_id

_COLUMNS = ", ".join(field.name for field in fields(Conflict))
_POLICY = ", ".join(field.name for field in fields(StreamPolicy))


async def policy(scope: Scope, connection_id: UUID, stream: str) -> StreamPolicy:
    """What was set for a stream of a connection, or what counts where nothing was."""
    row = await fetch_row(
        scope,
        f"SELECT {_POLICY} FROM stream_policy WHERE organization_id = $1 AND connection_id = $2 AND stream = $3",
        scope.organization_id,
        connection_id,
        stream,
    )
    return _policy(row) if row else StreamPolicy(connection_id, stream)


async def put_policy(scope: Scope, policy: StreamPolicy) -> bool:
    """Save a policy that was made from the version before it. False when somebody else has changed it since."""
    values = {name: value for name, value in asdict(policy).items() if name not in ("connection_id", "stream", "version", "updated_at")}
    places = ", ".join(f"${place}" for place in range(5, 5 + len(values)))
    changes = ", ".join(f"{name} = excluded.{name}" for name in values)
    return bool(
        await execute(
            scope,
            f"""
            INSERT INTO stream_policy (organization_id, connection_id, stream, version, {", ".join(values)})
            SELECT $1, $2, $3, $4::int + 1, {places}
            WHERE $4::int = 0 OR EXISTS (SELECT FROM stream_policy AS held
                WHERE held.organization_id = $1 AND held.connection_id = $2 AND held.stream = $3)
            ON CONFLICT (organization_id, connection_id, stream) DO UPDATE SET version = excluded.version, updated_at = now(), {changes}
            WHERE stream_policy.version = $4
            """,
            scope.organization_id,
            policy.connection_id,
            policy.stream,
            policy.version,
            *values.values(),
        )
    )


async def open_fields(scope: Scope, connection_id: UUID, stream: str, record_ids: Collection[UUID]) -> dict[UUID, set[str]]:
    """The fields with an open conflict, by record."""
    rows = await fetch(
        scope,
        """
        SELECT record_id, field FROM conflict
        WHERE organization_id = $1 AND connection_id = $2 AND stream = $3 AND record_id = ANY($4::uuid[]) AND resolved_at IS NULL
        """,
        scope.organization_id,
        connection_id,
        stream,
        list(record_ids),
    )
    found: dict[UUID, set[str]] = {}
    for row in rows:
        found.setdefault(row["record_id"], set()).add(row["field"])
    return found


async def has_open(scope: Scope, record_id: UUID) -> bool:
    """Whether a record has open conflicts, at any connection."""
    sql = "SELECT true FROM conflict WHERE organization_id = $1 AND record_id = $2 AND resolved_at IS NULL LIMIT 1"
    return await fetch_row(scope, sql, scope.organization_id, record_id) is not None


async def put_found(scope: Scope, connection_id: UUID, stream: str, run_id: UUID | None, found: Sequence[FoundConflict]) -> None:
    """One open conflict for each record and field; one that is open already keeps its base and shows both sides as they are now."""
    await execute(
        scope,
        """
        INSERT INTO conflict (id, organization_id, connection_id, stream, record_id, external_id, field, base, ours, theirs, sync_run_id)
        SELECT given.id, $1, $2, $3, given.record_id, given.external_id, given.field, given.base, given.ours, given.theirs, $4
        FROM jsonb_to_recordset($5::jsonb)
             AS given (id uuid, record_id uuid, external_id text, field text, base jsonb, ours jsonb, theirs jsonb)
        ORDER BY given.record_id, given.field
        ON CONFLICT (organization_id, record_id, connection_id, stream, field) WHERE resolved_at IS NULL
        DO UPDATE SET ours = excluded.ours, theirs = excluded.theirs, updated_at = now()
        """,
        scope.organization_id,
        connection_id,
        stream,
        run_id,
        [{"id": new_id(), **asdict(conflict)} for conflict in found],
    )


async def close_agreed(scope: Scope, connection_id: UUID, stream: str, agreed: Mapping[UUID, Collection[str]]) -> None:
    """Close conflicts of fields in which both sides have come to show the same."""
    pairs = [(record_id, name) for record_id, names in agreed.items() for name in names]
    await execute(
        scope,
        """
        UPDATE conflict SET resolution = 'agreed', resolved_at = now(), updated_at = now()
        FROM unnest($4::uuid[], $5::text[]) AS given (record_id, field)
        WHERE organization_id = $1 AND connection_id = $2 AND stream = $3 AND resolved_at IS NULL
          AND conflict.record_id = given.record_id AND conflict.field = given.field
        """,
        scope.organization_id,
        connection_id,
        stream,
        [record_id for record_id, _ in pairs],
        [name for _, name in pairs],
    )


async def get(scope: Scope, conflict_id: UUID, *, lock: bool = False) -> Conflict | None:
    row = await fetch_row(
        scope,
        f"SELECT {_COLUMNS} FROM conflict WHERE organization_id = $1 AND id = $2 {'FOR NO KEY UPDATE' if lock else ''}",
        scope.organization_id,
        conflict_id,
    )
    return Conflict(**row) if row else None


async def get_many(scope: Scope, conflict_ids: Sequence[UUID]) -> list[Conflict]:
    rows = await fetch(
        scope,
        f"SELECT {_COLUMNS} FROM conflict WHERE organization_id = $1 AND id = ANY($2::uuid[]) ORDER BY id DESC",
        scope.organization_id,
        list(conflict_ids),
    )
    return [Conflict(**row) for row in rows]


async def page(
    scope: Scope,
    *,
    first: int,
    after: UUID | None,
    connection_id: UUID | None = None,
    record_id: UUID | None = None,
    stream: str | None = None,
    field: str | None = None,
    open_only: bool = True,
) -> list[Conflict]:
    """Conflicts, newest first; one more than `first`."""
    rows = await fetch(
        scope,
        f"""
        SELECT {_COLUMNS} FROM conflict
        WHERE organization_id = $1 AND ($2::uuid IS NULL OR id < $2) AND ($3::uuid IS NULL OR connection_id = $3)
          AND ($4::uuid IS NULL OR record_id = $4) AND ($5::text IS NULL OR stream = $5) AND ($6::text IS NULL OR field = $6)
          AND (NOT $7 OR resolved_at IS NULL)
        ORDER BY id DESC LIMIT $8
        """,
        scope.organization_id,
        after,
        connection_id,
        record_id,
        stream,
        field,
        open_only,
        first + 1,
    )
    return [Conflict(**row) for row in rows]


async def resolve(scope: Scope, conflict_id: UUID, *, resolution: str, value: Any, ours: Any, by: str) -> None:
    """Close it; `ours` is what the hub has now, which may have been edited since the conflict was found."""
    await execute(
        scope,
        """
        UPDATE conflict SET resolution = $3, value = $4, ours = $5, resolved_by = $6, resolved_at = now(), updated_at = now()
        WHERE organization_id = $1 AND id = $2 AND resolved_at IS NULL
        """,
        scope.organization_id,
        conflict_id,
        resolution,
        value,
        ours,
        by,
    )


async def reopen(scope: Scope, conflict_id: UUID) -> bool:
    """It waits for somebody again. False where another one is open in the same field."""
    return bool(
        await execute(
            scope,
            """
            UPDATE conflict SET resolution = NULL, value = NULL, resolved_by = NULL, resolved_at = NULL, updated_at = now()
            WHERE organization_id = $1 AND id = $2 AND resolved_at IS NOT NULL AND NOT EXISTS (
                SELECT FROM conflict AS later WHERE later.organization_id = $1 AND later.record_id = conflict.record_id
                AND later.connection_id = conflict.connection_id AND later.stream = conflict.stream AND later.field = conflict.field
                AND later.resolved_at IS NULL)
            """,
            scope.organization_id,
            conflict_id,
        )
    )


async def count_open(scope: Scope, most: int, connection_id: UUID | None) -> int:
    """At most so many; of a connection where it is given."""
    found: int = await fetch_value(
        scope,
        f"""
        SELECT count(*) FROM (
            SELECT FROM conflict WHERE organization_id = $1 AND resolved_at IS NULL {"AND connection_id = $3" if connection_id else ""}
            LIMIT $2) AS counted
        """,
        scope.organization_id,
        most,
        *filter(None, [connection_id]),
    )
    return found


async def fields_waiting(scope: Scope) -> list[str]:
    """The names of the fields with open conflicts: each found by itself, however many conflicts there are."""
    rows = await fetch(
        scope,
        """
        WITH RECURSIVE waiting AS (
            (SELECT field FROM conflict WHERE organization_id = $1 AND resolved_at IS NULL ORDER BY field LIMIT 1)
            UNION ALL
            SELECT (SELECT conflict.field FROM conflict
                    WHERE organization_id = $1 AND resolved_at IS NULL AND conflict.field > waiting.field ORDER BY field LIMIT 1)
            FROM waiting WHERE waiting.field IS NOT NULL)
        SELECT field FROM waiting WHERE field IS NOT NULL
        """,
        scope.organization_id,
    )
    return [row["field"] for row in rows]


def _policy(row: asyncpg.Record) -> StreamPolicy:
    rules = {name: Rule(rule) for name, rule in row["field_conflicts"].items()}
    return StreamPolicy(**{**row, "conflicts": Rule(row["conflicts"]), "field_conflicts": rules})
