"""Every query on mappings: what is known of a provider's objects. What waits to be pushed is in links.py."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import msgspec

from app.actors import Scope
from app.database import execute, fetch
from app.ids import new_id
from app.mappings.models import Mapping
from app.records.repository import FIRST_VERSION


class Known(msgspec.Struct, frozen=True, gc=False):
    """What the hub holds of an external id: the mapping, and its record as it is now."""

    external_id: str
    record_id: UUID
    status: str
    provider_version: str | None
    fingerprint: bytes | None
    base_version: int | None
    """The record's version that shows what the provider was last seen to have."""
    last_synced_at: datetime | None
    synced_by: str | None


class MappingWrite(msgspec.Struct, frozen=True, gc=False):
    """One mapping to insert or bring up to date."""

    external_id: str
    record_id: UUID
    status: str
    provider_version: str | None
    fingerprint: bytes
    payload: bytes | None
    """None: the one that is there stays."""
    base_version: int | None = None
    """None: the record's version as it is now, which has to be looked up."""


class NewRecord(msgspec.Struct, frozen=True, gc=False):
    """What an object comes to that the hub has never seen: a record, as JSON, and its mapping."""

    id: UUID
    data: bytes
    mapping_id: UUID
    external_id: str
    provider_version: str | None
    fingerprint: bytes
    payload: bytes


_BY_EXTERNAL_ID = """
    SELECT * FROM mapping WHERE organization_id = $1 AND external_id = given.external_id OFFSET 0
"""
"""Few rows: those of one external id at any connection. Which connection and stream is asked behind OFFSET 0, where the planner
cannot use it: it took the index of a connection's mappings for as good and read all of them, for each external id.
"""
_VERSION_NOW = "(SELECT version FROM record WHERE record.organization_id = $1 AND record.id = given.record_id)"
"""One index look-up, and only where it is asked for. As a join, tables without statistics had all of the organization's records
read for each page.
"""


async def known(scope: Scope, connection_id: UUID, stream: str, external_ids: Sequence[str]) -> dict[str, Known]:
    """Mappings by external id: one index look-up for each, whatever the statistics say."""
    rows = await fetch(
        scope,
        f"""
        SELECT found.external_id, found.record_id, found.status, found.provider_version, found.fingerprint, found.base_version,
            found.last_synced_at, found.synced_by
        FROM unnest($4::text[]) AS given (external_id) CROSS JOIN LATERAL ({_BY_EXTERNAL_ID}) AS found
        WHERE found.connection_id = $2 AND found.stream = $3
        """,
        scope.organization_id,
        connection_id,
        stream,
        external_ids,
    )
    return {row["external_id"]: Known(**row) for row in rows}


async def add_records(
    scope: Scope, connection_id: UUID, stream: str, entity: str, records: Sequence[NewRecord], synced_by: str, run_id: UUID | None
) -> None:
    """New records with their mappings, in one statement. Raises asyncpg.UniqueViolationError for an object that has a mapping already."""
    await execute(
        scope,
        """
        WITH given AS MATERIALIZED (
            SELECT * FROM unnest($5::uuid[], $6::bytea[], $7::uuid[], $8::text[], $9::text[], $10::bytea[], $11::bytea[])
                AS given (record_id, data, id, external_id, provider_version, fingerprint, payload)),
        added AS (
            INSERT INTO record (id, organization_id, entity, connection_id, data, version)
            SELECT record_id, $1, $4, $2, convert_from(data, 'UTF8')::jsonb, $12 FROM given)
        INSERT INTO mapping (id, organization_id, connection_id, stream, external_id, record_id, status,
                             provider_version, fingerprint, payload, base_version, last_synced_at, synced_by, created_run_id)
        SELECT id, $1, $2, $3, external_id, record_id, 'synced', provider_version, fingerprint, payload, $12, now(), $13, $14 FROM given
        """,
        scope.organization_id,
        connection_id,
        stream,
        entity,
        [record.id for record in records],
        [record.data for record in records],
        [record.mapping_id for record in records],
        [record.external_id for record in records],
        [record.provider_version for record in records],
        [record.fingerprint for record in records],
        [record.payload for record in records],
        FIRST_VERSION,
        synced_by,
        run_id,
    )


async def put_many(
    scope: Scope, connection_id: UUID, stream: str, mappings: Sequence[MappingWrite], synced_by: str, run_id: UUID | None = None
) -> None:
    """Insert or bring up to date; an archived one is back."""
    await execute(
        scope,
        f"""
        INSERT INTO mapping (id, organization_id, connection_id, stream, external_id, record_id, status,
                             provider_version, fingerprint, payload, base_version, last_synced_at, synced_by, created_run_id)
        SELECT given.id, $1, $2, $3, given.external_id, given.record_id, given.status, given.provider_version, given.fingerprint,
               given.payload, coalesce(given.base_version, {_VERSION_NOW}), now(), $12, $13
        FROM unnest($4::uuid[], $5::text[], $6::uuid[], $7::text[], $8::text[], $9::bytea[], $10::bytea[], $11::integer[])
             AS given (id, external_id, record_id, status, provider_version, fingerprint, payload, base_version)
        ON CONFLICT (organization_id, connection_id, stream, external_id) DO UPDATE SET
            status = excluded.status, fingerprint = excluded.fingerprint,
            provider_version = coalesce(excluded.provider_version, mapping.provider_version),
            payload = coalesce(excluded.payload, mapping.payload), base_version = excluded.base_version,
            last_synced_at = excluded.last_synced_at,
            last_error = NULL, synced_by = excluded.synced_by, archived_at = NULL, updated_at = now()
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
        [mapping.base_version for mapping in mappings],
        synced_by,
        run_id,
    )


async def forget_fingerprints(scope: Scope, connection_id: UUID, stream: str, payloads: dict[str, bytes]) -> None:
    """What the provider sends next is looked at, also if it is the same; of mappings that were made from these payloads."""
    await execute(
        scope,
        f"""
        UPDATE mapping SET fingerprint = NULL, updated_at = now()
        FROM unnest($4::text[], $5::bytea[]) AS given (external_id, payload) CROSS JOIN LATERAL ({_BY_EXTERNAL_ID}) AS found
        WHERE found.connection_id = $2 AND found.stream = $3 AND found.payload = given.payload
          AND mapping.organization_id = $1 AND mapping.id = found.id
        """,
        scope.organization_id,
        connection_id,
        stream,
        list(payloads),
        list(payloads.values()),
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


async def note(scope: Scope, connection_id: UUID, stream: str, notes: dict[str, str]) -> None:
    """A sentence for whoever looks at the mapping; nothing has to be done about it."""
    await execute(
        scope,
        f"""
        UPDATE mapping SET last_error = given.message, updated_at = now()
        FROM unnest($4::text[], $5::text[]) AS given (external_id, message) CROSS JOIN LATERAL ({_BY_EXTERNAL_ID}) AS found
        WHERE found.connection_id = $2 AND found.stream = $3 AND mapping.organization_id = $1 AND mapping.id = found.id
        """,
        scope.organization_id,
        connection_id,
        stream,
        list(notes),
        list(notes.values()),
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


_MAPPING = """
    id, organization_id, connection_id, stream, external_id, record_id, status, base_version, provider_version,
    last_synced_at, last_error, synced_by, created_at, updated_at
"""


async def page(
    scope: Scope,
    *,
    first: int,
    after: UUID | None,
    connection_id: UUID | None,
    record_id: UUID | None,
    status: str | None,
    external_id: str | None = None,
) -> list[Mapping]:
    """Mappings, newest first; one more than `first`."""
    rows = await fetch(
        scope,
        f"""
        SELECT {_MAPPING} FROM mapping
        WHERE organization_id = $1 AND ($2::uuid IS NULL OR id < $2) AND ($3::uuid IS NULL OR connection_id = $3)
          AND ($4::uuid IS NULL OR record_id = $4) AND ($5::text IS NULL OR status = $5) AND ($7::text IS NULL OR external_id = $7)
        ORDER BY id DESC LIMIT $6
        """,
        scope.organization_id,
        after,
        connection_id,
        record_id,
        status,
        first + 1,
        external_id,
    )
    return [Mapping(**row) for row in rows]


async def of_records(scope: Scope, record_ids: Sequence[UUID]) -> list[Mapping]:
    """All mappings of some records, oldest first."""
    rows = await fetch(
        scope,
        f"SELECT {_MAPPING} FROM mapping WHERE organization_id = $1 AND record_id = ANY($2::uuid[]) ORDER BY id",
        scope.organization_id,
        list(record_ids),
    )
    return [Mapping(**row) for row in rows]
