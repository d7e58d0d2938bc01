"""Every query on connections."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg
import msgspec

from app.actors import Scope
from app.connections.models import Connection, ConnectionMode, ConnectionStatus, CredentialHint
from app.connectors.base import Account
from app.database import execute, fetch, fetch_row, fetch_value

# A pause ends by itself, without anybody writing it down.
_OVER = "{connection}.status = 'paused' AND {connection}.paused_until <= now()"
STATUS = f"CASE WHEN {_OVER} THEN 'active' ELSE {{connection}}.status END"
STATUS_MESSAGE = f"CASE WHEN {_OVER} THEN NULL ELSE {{connection}}.status_message END"
PAUSED_UNTIL = "CASE WHEN {connection}.paused_until > now() THEN {connection}.paused_until END"

_COLUMNS = f"""
    id, organization_id, provider, name, mode, settings, credential_hints, account, {STATUS} AS status,
    {STATUS_MESSAGE} AS status_message, {PAUSED_UNTIL} AS paused_until,
    tested_at, last_synced_at, version, revision, created_at, updated_at, deleted_at
""".format(connection="connection")


async def add(
    scope: Scope,
    connection_id: UUID,
    *,
    provider: str,
    name: str,
    mode: ConnectionMode,
    settings: Mapping[str, Any],
    credentials: bytes,
    credential_hints: Mapping[str, Any],
) -> None:
    await execute(
        scope,
        """
        INSERT INTO connection (id, organization_id, provider, name, mode, settings, credentials, credential_hints)
        VALUES ($2, $1, $3, $4, $5, $6, $7, $8)
        """,
        scope.organization_id,
        connection_id,
        provider,
        name,
        mode,
        settings,
        credentials,
        credential_hints,
    )


async def get(scope: Scope, connection_id: UUID, *, lock: bool = False) -> Connection | None:
    """Locked against other changes of it; rows that refer to it can still be written meanwhile."""
    row = await fetch_row(
        scope,
        f"SELECT {_COLUMNS} FROM connection WHERE organization_id = $1 AND id = $2 {'FOR NO KEY UPDATE' if lock else ''}",
        scope.organization_id,
        connection_id,
    )
    return _connection(row) if row else None


async def get_many(scope: Scope, connection_ids: Sequence[UUID]) -> list[Connection]:
    rows = await fetch(
        scope,
        f"SELECT {_COLUMNS} FROM connection WHERE organization_id = $1 AND id = ANY($2::uuid[])",
        scope.organization_id,
        connection_ids,
    )
    return [_connection(row) for row in rows]


async def page(scope: Scope, *, first: int, after: UUID | None, deleted: bool) -> list[Connection]:
    """Oldest first; one more than `first`, to see whether there are more."""
    rows = await fetch(
        scope,
        f"""
        SELECT {_COLUMNS} FROM connection
        WHERE organization_id = $1 AND (deleted_at IS NOT NULL) = $2 AND ($3::uuid IS NULL OR id > $3)
        ORDER BY id LIMIT $4
        """,
        scope.organization_id,
        deleted,
        after,
        first + 1,
    )
    return [_connection(row) for row in rows]


async def sealed_credentials(scope: Scope, connection_id: UUID) -> bytes:
    sealed: bytes | None = await fetch_value(
        scope, "SELECT credentials FROM connection WHERE organization_id = $1 AND id = $2", scope.organization_id, connection_id
    )
    return sealed or b""


async def get_with_credentials(scope: Scope, connection_id: UUID) -> tuple[Connection, bytes] | None:
    """The connection and its sealed credentials, in one round trip."""
    row = await fetch_row(
        scope,
        f"SELECT {_COLUMNS}, credentials FROM connection WHERE organization_id = $1 AND id = $2",
        scope.organization_id,
        connection_id,
    )
    return (_connection(row), row["credentials"]) if row else None


async def all_sealed(scope: Scope) -> list[tuple[UUID, bytes]]:
    """Locked, for sealing them again."""
    rows = await fetch(
        scope, "SELECT id, credentials FROM connection WHERE organization_id = $1 ORDER BY id FOR NO KEY UPDATE", scope.organization_id
    )
    return [(row["id"], row["credentials"]) for row in rows]


async def set_credentials(scope: Scope, connection_id: UUID, sealed: bytes, credential_hints: Mapping[str, Any] | None = None) -> None:
    await execute(
        scope,
        """
        UPDATE connection SET credentials = $3, credential_hints = coalesce($4, credential_hints)
        WHERE organization_id = $1 AND id = $2
        """,
        scope.organization_id,
        connection_id,
        sealed,
        credential_hints,
    )


async def set_wishes(scope: Scope, connection_id: UUID, *, name: str, settings: Mapping[str, Any], proven: bool) -> None:
    """What people chose; a new version of the connection. Unless `proven`, its last test counts no more."""
    await execute(
        scope,
        """
        UPDATE connection SET name = $3, settings = $4, tested_at = CASE WHEN $5 THEN tested_at END,
            version = version + 1, updated_at = now()
        WHERE organization_id = $1 AND id = $2
        """,
        scope.organization_id,
        connection_id,
        name,
        settings,
        proven,
    )


async def set_status(
    scope: Scope, connection_id: UUID, status: ConnectionStatus, message: str | None = None, *, paused_until: datetime | None = None
) -> int:
    """The connection's new revision."""
    revision: int = await fetch_value(
        scope,
        """
        UPDATE connection SET status = $3, status_message = $4, paused_until = $5, revision = revision + 1
        WHERE organization_id = $1 AND id = $2 RETURNING revision
        """,
        scope.organization_id,
        connection_id,
        status,
        message,
        paused_until,
    )
    return revision


async def set_tested(scope: Scope, connection_id: UUID, account: Account, tested_at: datetime) -> None:
    """A test that went well, and whose account it was."""
    await execute(
        scope,
        "UPDATE connection SET account = $3, tested_at = $4 WHERE organization_id = $1 AND id = $2",
        scope.organization_id,
        connection_id,
        msgspec.to_builtins(account),
        tested_at,
    )


async def set_synced(scope: Scope, connection_id: UUID, synced_at: datetime) -> None:
    await execute(
        scope,
        "UPDATE connection SET last_synced_at = $3, revision = revision + 1 WHERE organization_id = $1 AND id = $2",
        scope.organization_id,
        connection_id,
        synced_at,
    )


async def set_deleted(scope: Scope, connection_id: UUID, deleted_at: datetime | None) -> None:
    """A tombstone, or its removal; a new version either way."""
    await execute(
        scope,
        """
        UPDATE connection SET deleted_at = $3, version = version + 1, updated_at = now()
        WHERE organization_id = $1 AND id = $2
        """,
        scope.organization_id,
        connection_id,
        deleted_at,
    )


async def waiting_deliveries(scope: Scope, connection_id: UUID) -> int:
    """Decisions that have not reached the provider yet."""
    waiting: int = await fetch_value(
        scope,
        """
        SELECT count(*) FROM delivery
        WHERE organization_id = $1 AND connection_id = $2 AND status IN ('queued', 'sending')
        """,
        scope.organization_id,
        connection_id,
    )
    return waiting


async def slug(scope: Scope) -> str:
    """The organization's part of its addresses."""
    return str(await fetch_value(scope, "SELECT slug FROM organization WHERE id = $1", scope.organization_id))


def _connection(row: asyncpg.Record) -> Connection:
    values = dict(row)
    values.pop("credentials", None)
    return Connection(
        **(
            values
            | {
                "mode": ConnectionMode(values["mode"]),
                "status": ConnectionStatus(values["status"]),
                "credential_hints": msgspec.convert(values["credential_hints"], dict[str, CredentialHint]),
                "account": msgspec.convert(values["account"], Account) if values["account"] else None,
            }
        )
    )
