"""Every query on deliveries. Leases run by the database's clock, the only one that all workers share."""

from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any
from uuid import UUID

import asyncpg
import msgspec

from app.actors import Scope
from app.database import execute, fetch, fetch_row, fetch_value
from app.deliveries.models import Delivery, DeliveryStatus, Hurried, Waiting, Work
from app.deliveries.rules import AT_ONCE, Postponement
from app.errors import FixBy, HubError
from app.statements import of_client

_FIELDS = [field.name for field in fields(Delivery) if field.name != "provider_title"]
JSON = "jsonb_build_object({})".format(", ".join(f"'{name}', delivery.{name}" for name in _FIELDS))
"""A delivery as one JSON value, for queries that join it."""
_COLUMNS = ", ".join(f"delivery.{name}" for name in _FIELDS)


def from_json(value: Mapping[str, Any], titles: Mapping[str, str]) -> Delivery:
    """A delivery of the JSON above; `titles` tell how people call each provider."""
    return msgspec.convert({**value, "provider_title": titles.get(value["provider"], value["provider"])}, Delivery)


def _delivery(row: asyncpg.Record, titles: Mapping[str, str]) -> Delivery:
    return from_json(dict(row), titles)


async def add(scope: Scope, delivery_id: UUID, values: Mapping[str, Any]) -> None:
    names = ["id", "organization_id", *values]
    places = ", ".join(f"${place}" for place in range(1, len(names) + 1))
    await execute(
        scope, f"INSERT INTO delivery ({', '.join(names)}) VALUES ({places})", delivery_id, scope.organization_id, *values.values()
    )


async def get(scope: Scope, delivery_id: UUID, titles: Mapping[str, str]) -> Delivery | None:
    sql = f"SELECT {_COLUMNS} FROM delivery WHERE organization_id = $1 AND id = $2 AND {of_client('delivery')}"
    row = await fetch_row(scope, sql, scope.organization_id, delivery_id)
    return _delivery(row, titles) if row else None


async def page(
    scope: Scope,
    *,
    first: int,
    before: UUID | None,
    connection_id: UUID | None,
    quote_id: UUID | None,
    status: DeliveryStatus | None,
    titles: Mapping[str, str],
) -> list[Delivery]:
    """Deliveries, newest first; one more than `first`, to see whether there are more."""
    conditions: list[str] = ["organization_id = $1", of_client("delivery")]
    arguments: list[Any] = [scope.organization_id]
    # The client is named beside its wall, because no index finds that.
    client_id = scope.client_id
    wanted = {"id <": before, "client_id =": client_id, "connection_id =": connection_id, "quote_id =": quote_id, "status =": status}
    for condition, value in wanted.items():
        if value is not None:
            arguments.append(value)
            conditions.append(f"{condition} ${len(arguments)}")
    sql = f"SELECT {_COLUMNS} FROM delivery WHERE {' AND '.join(conditions)} ORDER BY id DESC LIMIT {first + 1:d}"
    return [_delivery(row, titles) for row in await fetch(scope, sql, *arguments)]


async def of_quotes(scope: Scope, quote_ids: Sequence[UUID], titles: Mapping[str, str]) -> dict[UUID, Delivery]:
    """The latest delivery of each quote."""
    rows = await fetch(
        scope,
        f"""
        SELECT DISTINCT ON (quote_id) {_COLUMNS} FROM delivery
        WHERE organization_id = $1 AND quote_id = ANY($2::uuid[]) AND {of_client("delivery")} ORDER BY quote_id, id DESC
        """,
        scope.organization_id,
        list(quote_ids),
    )
    return {row["quote_id"]: _delivery(row, titles) for row in rows}


LINE = """
    SELECT id, organization_id, connection_id, fence, next_attempt_at, is_free, greatest(next_attempt_at, lease_expires_at) AS due_at,
        row_number() OVER (PARTITION BY organization_id, connection_id ORDER BY is_free, id) AS place
    FROM (
        SELECT id, organization_id, connection_id, fence, next_attempt_at, lease_expires_at,
            lease_expires_at IS NULL OR lease_expires_at <= now() AS is_free
        FROM delivery WHERE status IN ('queued', 'sending') AND next_attempt_at <= now() AND record_id IS NULL
    ) AS due
"""
"""The line of decisions before each connection: those in hand, then those that are due (`is_free`), the oldest first."""


async def waiting(scope: Scope, delivery_id: UUID) -> Waiting | None:
    """A delivery that is due and in nobody's hands, with its place in the line. None for any other."""
    row = await fetch_row(
        scope,
        f"""
        SELECT delivery.connection_id, provider, action, payload, quote_id, place
        FROM delivery CROSS JOIN LATERAL (
            SELECT place FROM ({LINE}) AS line
            WHERE organization_id = $1 AND connection_id = delivery.connection_id AND line.id = delivery.id AND is_free
        ) AS line
        WHERE organization_id = $1 AND id = $2
        """,
        scope.organization_id,
        delivery_id,
    )
    return Waiting(**row) if row else None


async def next_in_line(scope: Scope, connection_id: UUID) -> list[tuple[UUID, int]]:
    """The ids and fences of those whose turn it is: as many as may still be taken in hand."""
    rows = await fetch(
        scope,
        f"SELECT id, fence FROM ({LINE}) AS line WHERE organization_id = $1 AND connection_id = $2 AND is_free AND place <= {AT_ONCE}",
        scope.organization_id,
        connection_id,
    )
    return [(row["id"], row["fence"]) for row in rows]


async def enter_line(scope: Scope, connection_id: UUID) -> bool:
    """Claims on one connection come one after the other, so that each counts the ones before. False while another one is at it.

    Nobody waits here: a worker that is frozen in its claim would keep others waiting, and what they hold.
    """
    sql = "SELECT pg_try_advisory_xact_lock(hashtextextended($1, 0))"
    return bool(await fetch_value(scope, sql, f"{connection_id}/deliveries"))


async def claim(scope: Scope, delivery_id: UUID, connection_id: UUID, *, at_most: int, lease_seconds: float) -> Work | None:
    """Take a delivery that is due and in nobody's hands, if its place in its connection's line is within `at_most`.

    None for any other. The caller has entered the line.
    """
    row = await fetch_row(
        scope,
        f"""
        UPDATE delivery SET status = 'sending', fence = fence + 1, lease_expires_at = now() + make_interval(secs => $3),
            attempts = attempts + 1, started_at = coalesce(started_at, now()), revision = revision + 1
        WHERE organization_id = $1 AND id = $2 AND status IN ('queued', 'sending') AND next_attempt_at <= now()
          AND (lease_expires_at IS NULL OR lease_expires_at <= now())
          AND $5 >= (SELECT place FROM ({LINE}) AS line WHERE organization_id = $1 AND connection_id = $4 AND id = $2)
        RETURNING id, organization_id, connection_id, provider, client_id, action, payload, steps, quote_id, decision_id,
            fence, attempts, faults, revision
        """,
        scope.organization_id,
        delivery_id,
        float(lease_seconds),
        connection_id,
        at_most,
    )
    return Work(**row) if row else None


_HELD = "organization_id = $1 AND id = $2 AND fence = $3 AND lease_expires_at > now()"


async def extend(scope: Scope, work: Work, *, lease_seconds: float) -> bool:
    """Hold it for longer. False once the lease has run out or somebody else has it."""
    sql = f"UPDATE delivery SET lease_expires_at = now() + make_interval(secs => $4) WHERE {_HELD}"
    return bool(await execute(scope, sql, scope.organization_id, work.id, work.fence, float(lease_seconds)))


async def save_steps(scope: Scope, work: Work, steps: Mapping[str, Any]) -> bool:
    sql = f"UPDATE delivery SET steps = $4 WHERE {_HELD}"
    return bool(await execute(scope, sql, scope.organization_id, work.id, work.fence, steps))


async def release(scope: Scope, work: Work) -> bool:
    """Give it back as it is, for another worker to take at once."""
    sql = f"UPDATE delivery SET status = 'queued', lease_expires_at = NULL, revision = revision + 1 WHERE {_HELD}"
    return bool(await execute(scope, sql, scope.organization_id, work.id, work.fence))


async def finish(
    scope: Scope, work: Work, status: DeliveryStatus, *, confirmation: Mapping[str, Any] | None = None, error: HubError | None = None
) -> int | None:
    """The last word on a delivery. Returns its revision, None if it is in other hands."""
    revision: int | None = await fetch_value(
        scope,
        f"""
        UPDATE delivery SET status = $4, confirmation = $5, error_code = $6, error_message = $7, fix_by = $8,
            finished_at = now(), lease_expires_at = NULL, failing_since = NULL, revision = revision + 1
        WHERE {_HELD} RETURNING revision
        """,
        scope.organization_id,
        work.id,
        work.fence,
        status,
        confirmation,
        *_error(error),
    )
    return revision


async def postpone(scope: Scope, work: Work, later: Postponement, error: HubError) -> asyncpg.Record | None:
    """Back into the queue. Returns revision, failing_for (seconds) and told (whether operators know); None in other hands."""
    return await fetch_row(
        scope,
        f"""
        UPDATE delivery SET status = 'queued', lease_expires_at = NULL, next_attempt_at = now() + make_interval(secs => $4),
            faults = faults + $5, error_code = $6, error_message = $7, fix_by = $8,
            failing_since = coalesce(failing_since, now()), revision = revision + 1
        WHERE {_HELD}
        RETURNING revision, extract(epoch FROM now() - failing_since)::float8 AS failing_for, operators_told_at IS NOT NULL AS told
        """,
        scope.organization_id,
        work.id,
        work.fence,
        float(later.seconds),
        int(later.is_fault),
        *_error(error),
    )


def _error(error: HubError | None) -> tuple[str | None, str | None, FixBy | None]:
    return (None, None, None) if error is None else (error.code, error.message, error.fix_by)


async def note_told(scope: Scope, delivery_id: UUID) -> None:
    sql = "UPDATE delivery SET operators_told_at = now() WHERE organization_id = $1 AND id = $2"
    await execute(scope, sql, scope.organization_id, delivery_id)


async def queue_again(scope: Scope, delivery_id: UUID) -> bool:
    """A failed delivery, or one that waits for its next attempt, is due now. False for any other."""
    return bool(
        await execute(
            scope,
            """
            UPDATE delivery SET status = 'queued', next_attempt_at = now(), finished_at = NULL, faults = 0, error_code = NULL,
                error_message = NULL, fix_by = NULL, failing_since = NULL, operators_told_at = NULL, revision = revision + 1
            WHERE organization_id = $1 AND id = $2 AND status IN ('queued', 'failed')
              AND NOT EXISTS (SELECT FROM quote_decision WHERE quote_decision.organization_id = $1
                AND quote_decision.id = delivery.decision_id AND superseded_at IS NOT NULL)
              AND NOT EXISTS (SELECT FROM delivery AS newer WHERE newer.organization_id = $1 AND newer.record_id = delivery.record_id
                AND newer.connection_id = delivery.connection_id AND newer.stream = delivery.stream
                AND newer.status IN ('queued', 'sending') AND newer.id <> delivery.id)
            """,
            scope.organization_id,
            delivery_id,
        )
    )


async def hurry(scope: Scope, connection_id: UUID) -> list[Hurried]:
    """What waits for this connection is due now."""
    rows = await fetch(
        scope,
        """
        UPDATE delivery SET next_attempt_at = now()
        WHERE organization_id = $1 AND connection_id = $2 AND status = 'queued' AND next_attempt_at > now()
        RETURNING id, record_id, attempts
        """,
        scope.organization_id,
        connection_id,
    )
    return [Hurried(**row) for row in rows]


async def slug(scope: Scope) -> str:
    """The organization's part of an address."""
    return str(await fetch_value(scope, "SELECT slug FROM organization WHERE id = $1", scope.organization_id))
