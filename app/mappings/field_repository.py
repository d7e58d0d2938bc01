"""Every query on field mappings and on the stored objects that they are tried on."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

import asyncpg
import msgspec

from app.actors import Scope
from app.connectors.base import Account, FieldRow
from app.database import execute, fetch, fetch_row, fetch_value
from app.mappings.field_models import FieldMappingVersion


@dataclass(frozen=True, slots=True)
class MappedConnection:
    """What translating needs to know of a connection."""

    provider: str
    account: Account
    is_deleted: bool


@dataclass(frozen=True, slots=True)
class StoredObject:
    """A provider's object as it was read last."""

    id: UUID
    """Its mapping's."""
    external_id: str
    payload: bytes
    version: str | None


async def connection(scope: Scope, connection_id: UUID, *, lock: bool = False) -> MappedConnection | None:
    """Locked, so that nobody else changes field mappings of it meanwhile."""
    locked = "FOR NO KEY UPDATE" if lock else ""
    row = await fetch_row(
        scope,
        f"SELECT provider, account, deleted_at FROM connection WHERE organization_id = $1 AND id = $2 {locked}",
        scope.organization_id,
        connection_id,
    )
    if row is None:
        return None
    account = msgspec.convert(row["account"], Account) if row["account"] else Account(id="", name="")
    return MappedConnection(row["provider"], account, row["deleted_at"] is not None)


async def get(scope: Scope, connection_id: UUID, stream: str, version: int) -> FieldMappingVersion | None:
    row = await fetch_row(
        scope,
        "SELECT * FROM field_mapping WHERE organization_id = $1 AND connection_id = $2 AND stream = $3 AND version = $4",
        scope.organization_id,
        connection_id,
        stream,
        version,
    )
    return _version(row) if row else None


async def published(scope: Scope, connection_id: UUID, stream: str) -> FieldMappingVersion | None:
    """The version that counts; None: the connector's own does."""
    row = await fetch_row(
        scope,
        """
        SELECT * FROM field_mapping
        WHERE organization_id = $1 AND connection_id = $2 AND stream = $3 AND published_at IS NOT NULL AND retired_at IS NULL
        """,
        scope.organization_id,
        connection_id,
        stream,
    )
    return _version(row) if row else None


async def published_of(scope: Scope, connection_id: UUID) -> list[FieldMappingVersion]:
    """What counts for the streams of a connection; the connector's own does for those that are missing."""
    rows = await fetch(
        scope,
        """
        SELECT * FROM field_mapping
        WHERE organization_id = $1 AND connection_id = $2 AND published_at IS NOT NULL AND retired_at IS NULL
        """,
        scope.organization_id,
        connection_id,
    )
    return [_version(row) for row in rows]


async def counted_before(scope: Scope, connection_id: UUID, stream: str, limit: int) -> list[FieldMappingVersion]:
    """Versions that counted once and do not any more, newest first."""
    rows = await fetch(
        scope,
        """
        SELECT * FROM field_mapping
        WHERE organization_id = $1 AND connection_id = $2 AND stream = $3 AND published_at IS NOT NULL AND retired_at IS NOT NULL
        ORDER BY version DESC LIMIT $4
        """,
        scope.organization_id,
        connection_id,
        stream,
        limit,
    )
    return [_version(row) for row in rows]


async def page(scope: Scope, connection_id: UUID, stream: str, *, first: int, before: int | None) -> list[FieldMappingVersion]:
    """Newest first; one more than `first`."""
    rows = await fetch(
        scope,
        """
        SELECT * FROM field_mapping
        WHERE organization_id = $1 AND connection_id = $2 AND stream = $3 AND ($4::bigint IS NULL OR version < $4)
        ORDER BY version DESC LIMIT $5
        """,
        scope.organization_id,
        connection_id,
        stream,
        before,
        first + 1,
    )
    return [_version(row) for row in rows]


async def add(scope: Scope, connection_id: UUID, stream: str, rows: Sequence[FieldRow], note: str, created_by: str) -> int:
    """A new version, the next number. Needs the connection's lock."""
    last = await fetch_value(
        scope,
        "SELECT coalesce(max(version), 0) FROM field_mapping WHERE organization_id = $1 AND connection_id = $2 AND stream = $3",
        scope.organization_id,
        connection_id,
        stream,
    )
    await execute(
        scope,
        """
        INSERT INTO field_mapping (organization_id, connection_id, stream, version, rows, note, created_by)
        VALUES ($1, $2, $3, $4, $5, $6, $7)
        """,
        scope.organization_id,
        connection_id,
        stream,
        last + 1,
        list(rows),
        note,
        created_by,
    )
    return int(last) + 1


async def retire(scope: Scope, connection_id: UUID, stream: str) -> None:
    """Nothing of the stream is published any more."""
    await execute(
        scope,
        """
        UPDATE field_mapping SET retired_at = now()
        WHERE organization_id = $1 AND connection_id = $2 AND stream = $3 AND published_at IS NOT NULL AND retired_at IS NULL
        """,
        scope.organization_id,
        connection_id,
        stream,
    )


async def publish(scope: Scope, connection_id: UUID, stream: str, version: int, published_by: str) -> None:
    await execute(
        scope,
        """
        UPDATE field_mapping SET published_at = now(), published_by = $5
        WHERE organization_id = $1 AND connection_id = $2 AND stream = $3 AND version = $4
        """,
        scope.organization_id,
        connection_id,
        stream,
        version,
        published_by,
    )


_TRANSLATED = """
    status <> 'deleted' AND archived_at IS NULL AND payload IS NOT NULL
    AND (status <> 'failed' OR NOT EXISTS (
        SELECT FROM failed_record WHERE failed_record.organization_id = $1 AND failed_record.connection_id = $2
          AND failed_record.stream = $3 AND failed_record.external_id = mapping.external_id AND failed_record.resolved_at IS NULL
          AND failed_record.stage <> 'push'))
"""
"""Whose payload is what their record was made of. What could not be taken over is newer than its mapping's payload: a failed record."""


async def record_count(scope: Scope, connection_id: UUID, stream: str) -> int:
    """How many records are translated by the stream's field mapping."""
    counted: int = await fetch_value(
        scope,
        f"SELECT count(*) FROM mapping WHERE organization_id = $1 AND connection_id = $2 AND stream = $3 AND {_TRANSLATED}",
        scope.organization_id,
        connection_id,
        stream,
    )
    return counted


async def newest(scope: Scope, connection_id: UUID, stream: str, limit: int) -> list[tuple[str, bytes]]:
    """External id and payload of the objects that were mapped last."""
    rows = await fetch(
        scope,
        f"""
        SELECT external_id, payload FROM mapping
        WHERE organization_id = $1 AND connection_id = $2 AND stream = $3 AND {_TRANSLATED}
        ORDER BY id DESC LIMIT $4
        """,
        scope.organization_id,
        connection_id,
        stream,
        limit,
    )
    return [(row["external_id"], row["payload"]) for row in rows]


async def following(scope: Scope, connection_id: UUID, stream: str, after: UUID | None, limit: int) -> list[StoredObject]:
    """The objects in the order of their mappings' ids."""
    rows = await fetch(
        scope,
        f"""
        SELECT id, external_id, payload, provider_version AS version FROM mapping
        WHERE organization_id = $1 AND connection_id = $2 AND stream = $3 AND {_TRANSLATED} AND ($4::uuid IS NULL OR id > $4)
        ORDER BY id LIMIT $5
        """,
        scope.organization_id,
        connection_id,
        stream,
        after,
        limit,
    )
    return [StoredObject(**row) for row in rows]


async def failed(scope: Scope, connection_id: UUID, stream: str, limit: int) -> list[tuple[str, bytes]]:
    """External id and payload of the newest objects that could be read and not be taken over."""
    rows = await fetch(
        scope,
        """
        SELECT external_id, payload FROM failed_record
        WHERE organization_id = $1 AND connection_id = $2 AND stream = $3 AND resolved_at IS NULL AND stage NOT IN ('read', 'push')
        ORDER BY id DESC LIMIT $4
        """,
        scope.organization_id,
        connection_id,
        stream,
        limit,
    )
    return [(row["external_id"], row["payload"]) for row in rows]


def _version(row: asyncpg.Record) -> FieldMappingVersion:
    values = {key: value for key, value in row.items() if key != "organization_id"}
    return FieldMappingVersion(**(values | {"rows": msgspec.convert(values["rows"], tuple[FieldRow, ...])}))
