"""Every query on mappings and on the parts that documents are assembled from."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from app.actors import Scope
from app.connectors.base import Part
from app.database import execute, fetch, new_id
from app.mappings.models import Mapping


@dataclass(frozen=True, slots=True)
class Known:
    """What the hub holds of an external id: the mapping, and its record as it is now."""

    external_id: str
    record_id: UUID
    status: str
    provider_version: str | None
    fingerprint: bytes | None


@dataclass(frozen=True, slots=True)
class MappingWrite:
    """One mapping to insert or bring up to date."""

    external_id: str
    record_id: UUID
    status: str
    provider_version: str | None
    fingerprint: bytes
    payload: bytes


_BY_EXTERNAL_ID = """
    SELECT * FROM mapping WHERE organization_id = $1 AND external_id = given.external_id OFFSET 0
"""
"""Few rows: those of one external id at any connection. Which connection and stream is asked behind OFFSET 0, where the planner
cannot use it: it took the index of a connection's mappings for as good and read all of them, for each external id.
"""


async def known(scope: Scope, connection_id: UUID, stream: str, external_ids: Sequence[str]) -> dict[str, Known]:
    """Mappings by external id: one index look-up for each, whatever the statistics say."""
    rows = await fetch(
        scope,
        f"""
        SELECT found.external_id, found.record_id, found.status, found.provider_version, found.fingerprint
        FROM unnest($4::text[]) AS given (external_id) CROSS JOIN LATERAL ({_BY_EXTERNAL_ID}) AS found
        WHERE found.connection_id = $2 AND found.stream = $3
        """,
        scope.organization_id,
        connection_id,
        stream,
        external_ids,
    )
    return {row["external_id"]: Known(**row) for row in rows}


async def record_data(scope: Scope, record_ids: Sequence[UUID]) -> dict[UUID, dict[str, Any] | None]:
    """The records' data as they are now, locked; None for a tombstone.

    NO KEY: whoever changes a quote looks at its record's key, and must not wait for a page that waits for the quote.
    """
    rows = await fetch(
        scope,
        """
        SELECT id, CASE WHEN deleted_at IS NULL THEN data END AS data FROM record
        WHERE organization_id = $1 AND id = ANY($2::uuid[]) ORDER BY id FOR NO KEY UPDATE
        """,
        scope.organization_id,
        record_ids,
    )
    return {row["id"]: row["data"] for row in rows}


async def put_many(scope: Scope, connection_id: UUID, stream: str, mappings: Sequence[MappingWrite], synced_by: str) -> None:
    """Insert or bring up to date; each starts from its record's version as it is now."""
    await execute(
        scope,
        """
        INSERT INTO mapping (id, organization_id, connection_id, stream, external_id, record_id, status,
                             provider_version, fingerprint, payload, base_version, last_synced_at, synced_by)
        SELECT given.id, $1, $2, $3, given.external_id, given.record_id, given.status,
               given.provider_version, given.fingerprint, given.payload, record.version, now(), $11
        FROM unnest($4::uuid[], $5::text[], $6::uuid[], $7::text[], $8::text[], $9::bytea[], $10::bytea[])
             AS given (id, external_id, record_id, status, provider_version, fingerprint, payload)
        JOIN record ON record.organization_id = $1 AND record.id = given.record_id
        ON CONFLICT (organization_id, connection_id, stream, external_id) DO UPDATE SET
            status = excluded.status, fingerprint = excluded.fingerprint,
            provider_version = coalesce(excluded.provider_version, mapping.provider_version),
            payload = excluded.payload, base_version = excluded.base_version, last_synced_at = excluded.last_synced_at,
            last_error = NULL, synced_by = excluded.synced_by, updated_at = now()
        """,
        scope.organization_id,
        connection_id,
        stream,
        [new_id() for _ in mappings],
        [mapping.external_id for mapping in mappings],
        [mapping.record_id for mapping in mappings],
        [mapping.status for mapping in mappings],
        [mapping.provider_version for mapping in mappings],
        [mapping.fingerprint for mapping in mappings],
        [mapping.payload for mapping in mappings],
        synced_by,
    )


async def mark_failed(scope: Scope, connection_id: UUID, stream: str, errors: dict[str, str]) -> None:
    """Existing mappings whose object could not be taken over keep their record and say why."""
    await execute(
        scope,
        f"""
        UPDATE mapping SET status = 'failed', last_error = given.message, updated_at = now()
        FROM unnest($4::text[], $5::text[]) AS given (external_id, message) CROSS JOIN LATERAL ({_BY_EXTERNAL_ID}) AS found
        WHERE found.connection_id = $2 AND found.stream = $3 AND mapping.organization_id = $1 AND mapping.id = found.id
        """,
        scope.organization_id,
        connection_id,
        stream,
        list(errors),
        list(errors.values()),
    )


async def payloads(scope: Scope, connection_id: UUID, stream: str, external_ids: Sequence[str]) -> list[tuple[str, bytes, str | None]]:
    """(external id, payload, provider version) of live mappings, to assemble them again when a part has changed."""
    rows = await fetch(
        scope,
        f"""
        SELECT found.external_id, found.payload, found.provider_version
        FROM unnest($4::text[]) AS given (external_id) CROSS JOIN LATERAL ({_BY_EXTERNAL_ID}) AS found
        WHERE found.connection_id = $2 AND found.stream = $3 AND found.status <> 'deleted' AND found.payload IS NOT NULL
        """,
        scope.organization_id,
        connection_id,
        stream,
        external_ids,
    )
    return [(row["external_id"], row["payload"], row["provider_version"]) for row in rows]


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


async def page(
    scope: Scope, *, first: int, after: UUID | None, connection_id: UUID | None, record_id: UUID | None, status: str | None
) -> list[Mapping]:
    """Mappings, newest first; one more than `first`."""
    rows = await fetch(
        scope,
        """
        SELECT id, organization_id, connection_id, stream, external_id, record_id, status, base_version, provider_version,
               last_synced_at, last_error, synced_by, created_at, updated_at
        FROM mapping
        WHERE organization_id = $1 AND ($2::uuid IS NULL OR id < $2) AND ($3::uuid IS NULL OR connection_id = $3)
          AND ($4::uuid IS NULL OR record_id = $4) AND ($5::text IS NULL OR status = $5)
        ORDER BY id DESC LIMIT $6
        """,
        scope.organization_id,
        after,
        connection_id,
        record_id,
        status,
        first + 1,
    )
    return [Mapping(**row) for row in rows]
