"""Every query on the deliveries of records: one write of one record to one connection at a time."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from app.actors import Scope
from app.database import execute, fetch, fetch_row
from app.errors import HubError
from app.ids import new_id

WRITE, REMOVE = "write_record", "remove_record"
LEASE_SECONDS = 300.0
"""Longer than the slowest write of any provider; whoever dies is known by the lease of its run, or by its heartbeat."""


@dataclass(frozen=True, slots=True)
class RecordDelivery:
    """A delivery of a record in somebody's hands. Only the holder of the current fence may end it."""

    id: UUID
    fence: int
    attempts: int
    """1 at the first attempt; more: an earlier one may have been carried out."""


@dataclass(frozen=True, slots=True)
class Attempted:
    """What somebody may have written to a provider without its being stored yet."""

    version: int
    """Of the record."""
    fields: frozenset[str]
    """Those that were sent: others may have been held back for somebody's decision."""


_UNSETTLED = """
    SELECT record_id, payload, status FROM delivery
    WHERE organization_id = $1 AND connection_id = $2 AND stream = $3 AND action = $4 AND record_id IS NOT NULL
      AND status IN ('queued', 'sending') AND attempts > 0
    UNION ALL
    SELECT record_id, payload, status FROM delivery
    WHERE organization_id = $1 AND connection_id = $2 AND stream = $3 AND action = $4 AND record_id IS NOT NULL
      AND status IN ('failed', 'not_applied') AND payload ? 'attempts'
"""
"""What somebody may have written without its being stored: by attempts that have not ended, or before the one that was refused."""


async def creations(scope: Scope, connection_id: UUID, stream: str) -> dict[UUID, dict[str, Any]]:
    """Records, as they are now, that somebody may have made at a provider: what was begun and has no counterpart yet."""
    rows = await fetch(
        scope,
        f"""
        SELECT DISTINCT ON (record.id) record.id, record.data
        FROM ({_UNSETTLED}) AS unsettled JOIN record ON record.organization_id = $1 AND record.id = unsettled.record_id
        WHERE NOT EXISTS (SELECT FROM mapping WHERE mapping.organization_id = $1 AND mapping.record_id = record.id
                          AND mapping.connection_id = $2 AND mapping.stream = $3)
        ORDER BY record.id
        """,
        scope.organization_id,
        connection_id,
        stream,
        WRITE,
    )
    return {row["id"]: row["data"] for row in rows}


async def attempted(scope: Scope, connection_id: UUID, stream: str, record_ids: Collection[UUID]) -> dict[UUID, list[Attempted]]:
    """What may have been written of these records, the oldest version first."""
    rows = await fetch(
        scope,
        f"SELECT record_id, payload, status FROM ({_UNSETTLED}) AS unsettled WHERE record_id = ANY($5::uuid[])",
        scope.organization_id,
        connection_id,
        stream,
        WRITE,
        list(record_ids),
    )
    found: dict[UUID, list[Attempted]] = {}
    for row in rows:
        last = [row["payload"]] if row["status"] in ("queued", "sending") else []  # what was refused was not carried out
        for one in [*row["payload"].get("attempts", ()), *last]:
            found.setdefault(row["record_id"], []).append(Attempted(one["version"], frozenset(one["fields"])))
    return {record_id: sorted(attempts, key=lambda one: one.version) for record_id, attempts in found.items()}


_EARLIER_ATTEMPTS = """
    CASE WHEN delivery.attempts = 0 THEN '{}' ELSE jsonb_build_object('attempts', (
        SELECT jsonb_agg(DISTINCT attempt) FROM jsonb_array_elements(coalesce(delivery.payload -> 'attempts', '[]')
            || jsonb_build_array(jsonb_build_object(
                'version', delivery.payload -> 'version', 'fields', coalesce(delivery.payload -> 'fields', '[]')))) AS attempt)) END
"""
"""Those that the delivery knew of, and its last one."""


async def open_for(
    scope: Scope,
    *,
    connection_id: UUID,
    provider: str,
    stream: str,
    record_id: UUID,
    action: str,
    payload: Mapping[str, Any],
    run_id: UUID | None,
) -> RecordDelivery | None:
    """Take in hand the write of a record: a new delivery, or the one that somebody left behind.

    None while somebody else is writing this record to this connection. What an earlier holder of the same run left is free: that run
    is in our hands now, and nothing that the earlier one still sends gets out (app/connectors/hold.py).
    """
    row = await fetch_row(
        scope,
        f"""
        INSERT INTO delivery (id, organization_id, connection_id, provider, action, payload, record_id, stream, sync_run_id,
                              status, fence, attempts, lease_expires_at, started_at)
        VALUES ($2, $1, $3, $4, $5, $6, $7, $8, $9, 'sending', 1, 1, now() + make_interval(secs => $10), now())
        ON CONFLICT (organization_id, record_id, connection_id, stream) WHERE record_id IS NOT NULL AND status IN ('queued', 'sending')
        DO UPDATE SET status = 'sending', fence = delivery.fence + 1, attempts = delivery.attempts + 1,
            payload = excluded.payload || {_EARLIER_ATTEMPTS},
            action = excluded.action, sync_run_id = coalesce(excluded.sync_run_id, delivery.sync_run_id),
            lease_expires_at = excluded.lease_expires_at, started_at = coalesce(delivery.started_at, now()),
            revision = delivery.revision + 1
        WHERE delivery.lease_expires_at IS NULL OR delivery.lease_expires_at <= now() OR delivery.sync_run_id = excluded.sync_run_id
        RETURNING id, fence, attempts
        """,
        scope.organization_id,
        new_id(),
        connection_id,
        provider,
        action,
        payload,
        record_id,
        stream,
        run_id,
        LEASE_SECONDS,
    )
    return RecordDelivery(**row) if row else None


async def queue(
    scope: Scope, *, connection_id: UUID, provider: str, stream: str, record_id: UUID, action: str, payload: Mapping[str, Any]
) -> UUID:
    """A delivery for a worker to take up; where one is waiting already, that one."""
    row = await fetch_row(
        scope,
        """
        INSERT INTO delivery (id, organization_id, connection_id, provider, action, payload, record_id, stream)
        VALUES ($2, $1, $3, $4, $5, $6, $7, $8)
        ON CONFLICT (organization_id, record_id, connection_id, stream) WHERE record_id IS NOT NULL AND status IN ('queued', 'sending')
        DO UPDATE SET next_attempt_at = least(delivery.next_attempt_at, now())
        RETURNING id
        """,
        scope.organization_id,
        new_id(),
        connection_id,
        provider,
        action,
        payload,
        record_id,
        stream,
    )
    assert row is not None
    found: UUID = row["id"]
    return found


async def finish(
    scope: Scope,
    delivery: RecordDelivery,
    status: str,
    *,
    confirmation: Mapping[str, Any] | None = None,
    error_code: str | None = None,
    error_message: str | None = None,
    fix_by: str | None = None,
) -> bool:
    """The last word on it. False when it is in other hands."""
    return bool(
        await execute(
            scope,
            f"""
            UPDATE delivery SET status = $4, confirmation = $5, error_code = $6, error_message = $7, fix_by = $8,
                finished_at = now(), lease_expires_at = NULL, revision = revision + 1
            WHERE {_HELD}
            """,
            scope.organization_id,
            delivery.id,
            delivery.fence,
            status,
            confirmation,
            error_code,
            error_message,
            fix_by,
        )
    )


async def give_back(scope: Scope, delivery: RecordDelivery, *, delay: float = 0.0, error: HubError | None = None) -> bool:
    """It waits for another attempt. False when it is in other hands."""
    return bool(
        await execute(
            scope,
            f"""
            UPDATE delivery SET status = 'queued', next_attempt_at = now() + make_interval(secs => $4), lease_expires_at = NULL,
                error_code = $5, error_message = $6, fix_by = $7, failing_since = coalesce(failing_since, now()), revision = revision + 1
            WHERE {_HELD}
            """,
            scope.organization_id,
            delivery.id,
            delivery.fence,
            delay,
            error.code if error else None,
            error.message if error else None,
            error.fix_by if error else None,
        )
    )


async def close_idle(scope: Scope, *, connection_id: UUID, stream: str, record_id: UUID) -> None:
    """There is nothing to bring (any more): whoever asked for it learns so, and what somebody left behind is over."""
    await execute(
        scope,
        """
        UPDATE delivery SET status = 'confirmed', confirmation = '{"unchanged": true}', finished_at = now(), fence = fence + 1,
            lease_expires_at = NULL, revision = revision + 1
        WHERE organization_id = $1 AND record_id = $2 AND connection_id = $3 AND stream = $4
          AND (status = 'queued' OR (status = 'sending' AND lease_expires_at <= now()))
        """,
        scope.organization_id,
        record_id,
        connection_id,
        stream,
    )


_HELD = "organization_id = $1 AND id = $2 AND fence = $3 AND status = 'sending'"
