"""Every query on deliveries. Leases run by the database's clock, the only one that all workers share."""

from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any
from uuid import UUID

import asyncpg
import msgspec

from app.actors import Scope
from app.database import execute, fetch, fetch_row, fetch_value, of_client
from app.deliveries.models import Delivery, DeliveryStatus, Work
from app.deliveries.rules import Postponement
from app.errors import FixBy, HubError

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
    wanted = {"id <": before, "connection_id =": connection_id, "quote_id =": quote_id, "status =": status}
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


async def quote_of(scope: Scope, delivery_id: UUID) -> UUID | None:
    sql = "SELECT quote_id FROM delivery WHERE organization_id = $1 AND id = $2"
    quote_id: UUID | None = await fetch_value(scope, sql, scope.organization_id, delivery_id)
    return quote_id


async def claim(scope: Scope, delivery_id: UUID, *, lease_seconds: float) -> Work | None:
    """Take a delivery that is due and in nobody's hands. None for any other."""
    row = await fetch_row(
        scope,
        """
        UPDATE delivery SET status = 'sending', fence = fence + 1, lease_expires_at = now() + make_interval(secs => $3),
            attempts = attempts + 1, started_at = coalesce(started_at, now()), revision = revision + 1
        WHERE organization_id = $1 AND id = $2 AND status IN ('queued', 'sending') AND next_attempt_at <= now()
          AND (lease_expires_at IS NULL OR lease_expires_at <= now())
        RETURNING id, organization_id, connection_id, provider, client_id, action, payload, steps, quote_id, decision_id,
            fence, attempts, faults, revision
        """,
        scope.organization_id,
        delivery_id,
        float(lease_seconds),
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
            """,
            scope.organization_id,
            delivery_id,
        )
    )


async def hurry(scope: Scope, connection_id: UUID) -> list[tuple[UUID, int]]:
    """What waits for this connection is due now. Returns ids and attempts."""
    rows = await fetch(
        scope,
        """
        UPDATE delivery SET next_attempt_at = now()
        WHERE organization_id = $1 AND connection_id = $2 AND status = 'queued' AND next_attempt_at > now()
        RETURNING id, attempts
        """,
        scope.organization_id,
        connection_id,
    )
    return [(row["id"], row["attempts"]) for row in rows]


async def slug(scope: Scope) -> str:
    """The organization's part of an address."""
    return str(await fetch_value(scope, "SELECT slug FROM organization WHERE id = $1", scope.organization_id))
