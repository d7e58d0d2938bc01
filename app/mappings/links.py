"""Every query on a record's links to its counterparts, and on what waits to be pushed to them."""

from collections.abc import Collection
from dataclasses import dataclass
from uuid import UUID

from app.actors import Scope
from app.database import execute, fetch, fetch_row, fetch_value
from app.ids import new_id

_NOWHERE = UUID(int=0)


@dataclass(frozen=True, slots=True)
class Link:
    """A record's mapping at one stream of a connection."""

    id: UUID
    external_id: str
    status: str
    base_version: int | None


async def link(scope: Scope, connection_id: UUID, stream: str, record_id: UUID) -> Link | None:
    """The record's counterpart, locked."""
    row = await fetch_row(
        scope,
        """
        SELECT id, external_id, status, base_version FROM mapping
        WHERE organization_id = $1 AND record_id = $2 AND connection_id = $3 AND stream = $4 FOR NO KEY UPDATE
        """,
        scope.organization_id,
        record_id,
        connection_id,
        stream,
    )
    return Link(**row) if row else None


async def add_link(
    scope: Scope,
    connection_id: UUID,
    stream: str,
    external_id: str,
    record_id: UUID,
    synced_by: str,
    *,
    base_version: int,
    status: str = "pending",
) -> None:
    """Link a record to the object that it is at a provider. Version 0: nothing is known of what both had."""
    await execute(
        scope,
        """
        INSERT INTO mapping (id, organization_id, connection_id, stream, external_id, record_id, status, base_version, synced_by)
        VALUES ($2, $1, $3, $4, $5, $6, $9, $7, $8)
        """,
        scope.organization_id,
        new_id(),
        connection_id,
        stream,
        external_id,
        record_id,
        base_version,
        synced_by,
        status,
    )


async def mark_pending(
    scope: Scope, record_ids: Collection[UUID], pushable: Collection[tuple[str, str]], *, but: tuple[UUID, str] | None = None
) -> list[tuple[UUID, str]]:
    """The records have changed: their mappings at streams that can be written wait to be pushed, but not at the one it came from.

    `pushable` are providers and streams. Returns the connections and streams that have something to push now.
    """
    rows = await fetch(
        scope,
        """
        UPDATE mapping SET status = 'pending', updated_at = now()
        FROM connection
        WHERE mapping.organization_id = $1 AND mapping.record_id = ANY($2::uuid[]) AND mapping.status IN ('synced', 'failed')
          AND NOT (mapping.connection_id, mapping.stream) = ($5::uuid, $6::text)
          AND connection.organization_id = $1 AND connection.id = mapping.connection_id
          AND (connection.provider, mapping.stream) IN (SELECT * FROM unnest($3::text[], $4::text[]))
        RETURNING mapping.connection_id, mapping.stream
        """,
        scope.organization_id,
        list(record_ids),
        [provider for provider, _ in pushable],
        [stream for _, stream in pushable],
        *(but or (_NOWHERE, "")),
    )
    return sorted({(row["connection_id"], row["stream"]) for row in rows})


async def waiting(scope: Scope, connection_id: UUID, stream: str, after: UUID | None, limit: int) -> list[tuple[UUID, UUID]]:
    """(mapping, record) of what may have to be pushed, in the order of the mappings' ids: a conflict holds back its own field only."""
    rows = await fetch(
        scope,
        """
        SELECT id, record_id FROM mapping
        WHERE organization_id = $1 AND connection_id = $2 AND stream = $3 AND status IN ('pending', 'failed', 'conflict')
          AND ($4::uuid IS NULL OR id > $4)
        ORDER BY id LIMIT $5
        """,
        scope.organization_id,
        connection_id,
        stream,
        after,
        limit,
    )
    return [(row["id"], row["record_id"]) for row in rows]


async def waiting_count(scope: Scope, connection_id: UUID, stream: str) -> int:
    """How many may have to be pushed."""
    found: int = await fetch_value(
        scope,
        """
        SELECT count(*) FROM mapping
        WHERE organization_id = $1 AND connection_id = $2 AND stream = $3 AND status IN ('pending', 'failed', 'conflict')
        """,
        scope.organization_id,
        connection_id,
        stream,
    )
    return found


async def unmapped(
    scope: Scope, connection_id: UUID, stream: str, entity: str, kinds: Collection[str], after: UUID | None, limit: int
) -> list[UUID]:
    """Records of an entity that this stream of a connection does not have: an exact anti-join, in the order of their ids.

    Of some kinds only, where the stream has no others. What was merged into a record counts as the record.
    """
    rows = await fetch(
        scope,
        """
        SELECT id FROM record
        WHERE organization_id = $1 AND entity = $4 AND deleted_at IS NULL AND ($5::uuid IS NULL OR id > $5)
          AND ($7::text[] = '{}' OR kind = ANY($7))
          AND NOT EXISTS (SELECT FROM mapping WHERE mapping.organization_id = $1 AND mapping.record_id = record.id
                          AND mapping.connection_id = $2 AND mapping.stream = $3)
          AND NOT EXISTS (SELECT FROM record AS merged JOIN mapping ON mapping.organization_id = $1 AND mapping.record_id = merged.id
                          WHERE merged.organization_id = $1 AND merged.merged_into = record.id
                          AND mapping.connection_id = $2 AND mapping.stream = $3 AND mapping.status <> 'deleted')
        ORDER BY id LIMIT $6
        """,
        scope.organization_id,
        connection_id,
        stream,
        entity,
        after,
        limit,
        list(kinds),
    )
    return [row["id"] for row in rows]


async def rebase(scope: Scope, mapping_id: UUID, base_version: int, status: str) -> None:
    """The provider has been brought to that version; what it shows is looked at whole."""
    await execute(
        scope,
        """
        UPDATE mapping SET base_version = $3, status = $4, fingerprint = NULL, updated_at = now()
        WHERE organization_id = $1 AND id = $2
        """,
        scope.organization_id,
        mapping_id,
        base_version,
        status,
    )


async def settle(scope: Scope, mapping_id: UUID, status: str) -> None:
    """Nothing waits to be pushed any more."""
    await execute(
        scope,
        """
        UPDATE mapping SET status = $3, updated_at = now()
        WHERE organization_id = $1 AND id = $2 AND status IN ('pending', 'conflict') AND status <> $3
        """,
        scope.organization_id,
        mapping_id,
        status,
    )


async def reopen(scope: Scope, mapping_id: UUID) -> None:
    """Somebody has to decide again."""
    await execute(
        scope,
        "UPDATE mapping SET status = 'conflict', updated_at = now() WHERE organization_id = $1 AND id = $2",
        scope.organization_id,
        mapping_id,
    )


async def rest(scope: Scope, record_id: UUID) -> None:
    """Nothing of this record waits to be pushed any more."""
    await execute(
        scope,
        """
        UPDATE mapping SET status = 'synced', updated_at = now()
        WHERE organization_id = $1 AND record_id = $2 AND status = 'pending'
        """,
        scope.organization_id,
        record_id,
    )


async def recover(scope: Scope, mapping_id: UUID) -> None:
    """What could not be pushed has nothing to bring any more."""
    await execute(
        scope,
        """
        UPDATE mapping SET status = 'synced', last_error = NULL, updated_at = now()
        WHERE organization_id = $1 AND id = $2 AND status = 'failed'
        """,
        scope.organization_id,
        mapping_id,
    )
