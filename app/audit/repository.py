"""Every query on the audit log."""

from collections.abc import Sequence
from uuid import UUID

import asyncpg

from app.actors import Scope
from app.audit.models import AuditEntry, ChainedEntry
from app.database import execute, fetch, fetch_row


async def lock_head(scope: Scope) -> tuple[int, bytes]:
    """The sequence and hash of the last entry, locked until the transaction ends."""
    sql = "SELECT audit_sequence, audit_hash FROM organization_counter WHERE organization_id = $1 FOR NO KEY UPDATE"
    row = await fetch_row(scope, sql, scope.organization_id)
    if row is None:
        insert = "INSERT INTO organization_counter (organization_id) VALUES ($1) ON CONFLICT DO NOTHING"
        await execute(scope, insert, scope.organization_id)
        row = await fetch_row(scope, sql, scope.organization_id)
    if row is None:
        raise RuntimeError("The organization has no counter and none can be made.")
    return row["audit_sequence"], row["audit_hash"]


async def head(scope: Scope) -> tuple[int, bytes]:
    """The sequence and hash that the last entry should have."""
    sql = "SELECT audit_sequence, audit_hash FROM organization_counter WHERE organization_id = $1"
    row = await fetch_row(scope, sql, scope.organization_id)
    return (row["audit_sequence"], row["audit_hash"]) if row else (0, b"")


async def add(scope: Scope, chained: ChainedEntry) -> None:
    """The next entry, and with it the new head of the chain."""
    entry = chained.entry
    await execute(
        scope,
        """
        WITH moved AS (
            UPDATE organization_counter SET audit_sequence = $2, audit_hash = $11 WHERE organization_id = $1
        )
        INSERT INTO audit_entry (organization_id, sequence, client_id, happened_at, actor, ip, user_agent, event,
            subject_id, data, previous_hash, hash)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $12, $11)
        """,
        scope.organization_id,
        entry.sequence,
        entry.client_id,
        entry.happened_at,
        entry.actor,
        entry.ip,
        entry.user_agent,
        entry.event,
        entry.subject_id,
        entry.data,
        chained.hash,
        chained.previous_hash,
    )


_COLUMNS = "sequence, client_id, happened_at, actor, ip, user_agent, event, subject_id, data"


async def entries(scope: Scope, *, first: int, before: int | None, subject_id: UUID | None) -> list[AuditEntry]:
    """The newest entries first; one more than `first`, to see whether there are more."""
    rows = await fetch(
        scope,
        f"""
        SELECT {_COLUMNS} FROM audit_entry
        WHERE organization_id = $1 AND ($2::bigint IS NULL OR sequence < $2) AND ($3::uuid IS NULL OR subject_id = $3)
        ORDER BY sequence DESC LIMIT $4
        """,
        scope.organization_id,
        before,
        subject_id,
        first + 1,
    )
    return [_entry(row) for row in rows]


async def chain(scope: Scope, *, after: int, limit: int) -> Sequence[ChainedEntry]:
    """Entries in order with their hashes."""
    rows = await fetch(
        scope,
        f"""
        SELECT {_COLUMNS}, previous_hash, hash FROM audit_entry
        WHERE organization_id = $1 AND sequence > $2 ORDER BY sequence LIMIT $3
        """,
        scope.organization_id,
        after,
        limit,
    )
    return [ChainedEntry(_entry(row), row["previous_hash"], row["hash"]) for row in rows]


def _entry(row: asyncpg.Record) -> AuditEntry:
    return AuditEntry(
        sequence=row["sequence"],
        client_id=row["client_id"],
        happened_at=row["happened_at"],
        actor=row["actor"],
        ip=row["ip"],
        user_agent=row["user_agent"],
        event=row["event"],
        subject_id=row["subject_id"],
        data=row["data"],
    )
