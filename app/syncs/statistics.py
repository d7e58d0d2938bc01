"""Statistics of a connection: its runs, records, provider calls and deliveries, day by day and in total.

Everything counts for the day on which it began, in the organization's time zone. Ids begin with the time at which they were made,
so that a stretch of days is a stretch of the index on (organization, connection, id), however much there was before.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg

from app.actors import Actor, Permission, Scope
from app.connections.sessions import ConnectionNotFound
from app.database import fetch
from app.errors import InvalidInput
from app.syncs.models import Counts

MAXIMUM_DAYS = 366
_MARGIN = timedelta(days=2)
"""Where a day begins differs by zone, and an id is made a moment before or after the time in its row."""
_EVERYTHING = UUID(int=0)
_COUNTS = tuple(field.name for field in fields(Counts))


@dataclass(frozen=True, slots=True)
class Statistics:
    """What happened at a connection."""

    day: date | None
    """In the organization's time zone; None: in total."""
    runs: int
    completed: int
    partially_completed: int
    failed: int
    cancelled: int
    run_seconds: float
    """Of all runs that ended, from the first attempt to the end, waiting included."""
    average_run_seconds: float | None
    last_ended_at: datetime | None
    """When the last of these runs ended."""
    records: Counts
    provider_calls: int
    """Requests that were sent; they are kept for 30 days."""
    failed_provider_calls: int
    deliveries_waiting: int
    deliveries_confirmed: int
    deliveries_not_applied: int
    """The provider's object had changed."""
    deliveries_failed: int
    average_seconds_to_confirm: float | None
    """From the moment in which a write was decided to the provider's confirmation."""

    @property
    def success_rate(self) -> float | None:
        """The share of runs without any failure in those that ended by themselves, 0 to 1; None where none did."""
        ended = self.completed + self.partially_completed + self.failed
        return self.completed / ended if ended else None


@dataclass(frozen=True, slots=True)
class Activity:
    """How much changed at a connection on one day."""

    day: date
    changed: int
    """Records that were created, updated or deleted."""
    failed: int


class StatisticsService:
    """Counts what connections did."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now

    async def by_day(self, actor: Actor, connection_id: UUID, *, days: int = 30) -> list[Statistics]:
        """The last days, today included, oldest first; days without anything as well. Raises ConnectionNotFound, InvalidInput."""
        actor.require(Permission.READ_SYNCS)
        _check(days)
        now = self._now()
        since = _first_id(now - timedelta(days=days) - _MARGIN)
        rows = await _read(actor.scope, _BY_DAY, connection_id, since, now, days)
        return [_statistics(row, row["day"]) for row in rows]

    async def activity(self, actor: Actor, connection_ids: Sequence[UUID], *, days: int = 14) -> dict[UUID, list[Activity]]:
        """How much changed at several connections in the last days, today included, oldest first. Raises InvalidInput."""
        actor.require(Permission.READ_SYNCS)
        _check(days)
        now = self._now()
        since = _first_id(now - timedelta(days=days) - _MARGIN)
        rows = await fetch(actor.scope, _ACTIVITY, actor.organization_id, list(connection_ids), since, now, days)
        found: dict[UUID, list[Activity]] = {connection_id: [] for connection_id in connection_ids}
        for row in rows:
            found[row["connection_id"]].append(Activity(row["day"], row["changed"], row["failed"]))
        return found

    async def total(self, actor: Actor, connection_id: UUID) -> Statistics:
        """All that is kept. Raises ConnectionNotFound."""
        actor.require(Permission.READ_SYNCS)
        (row,) = await _read(actor.scope, _TOTAL, connection_id, _EVERYTHING, self._now())
        return _statistics(row, None)


def _check(days: int) -> None:
    if not 1 <= days <= MAXIMUM_DAYS:
        raise InvalidInput(fields={"days": f"Ask for 1 to {MAXIMUM_DAYS} days."})


def _first_id(moment: datetime) -> UUID:
    """No UUIDv7 that is made from then on is less."""
    return UUID(int=int(moment.timestamp() * 1000) << 80)


_STATEMENT = """
    WITH zone AS MATERIALIZED (
        SELECT organization.time_zone AS name, ($4::timestamptz AT TIME ZONE organization.time_zone)::date AS today
        FROM organization JOIN connection ON connection.organization_id = $1 AND connection.id = $2
        WHERE organization.id = $1),
    runs AS MATERIALIZED (
        SELECT {run_day} AS day, count(*) AS runs, count(*) FILTER (WHERE status = 'completed') AS completed,
            count(*) FILTER (WHERE status = 'partially_completed') AS partially_completed,
            count(*) FILTER (WHERE status = 'failed') AS failed, count(*) FILTER (WHERE status = 'cancelled') AS cancelled,
            sum(extract(epoch FROM finished_at - started_at))::float8 AS run_seconds,
            avg(extract(epoch FROM finished_at - started_at))::float8 AS average_run_seconds, max(finished_at) AS last_ended_at
        FROM sync_run CROSS JOIN zone
        -- what only makes a plan takes nothing over; a re-map exchanges nothing with the provider
        WHERE organization_id = $1 AND connection_id = $2 AND id >= $3 AND task <> 'plan' AND mode <> 'remap' GROUP BY 1),
    records AS MATERIALIZED (
        SELECT {run_day} AS day, {sums}
        FROM sync_run AS run CROSS JOIN zone CROSS JOIN LATERAL (
            SELECT {counts} FROM sync_run_stream
            WHERE organization_id = $1 AND sync_run_id = run.id OFFSET 0) AS stream
        WHERE run.organization_id = $1 AND run.connection_id = $2 AND run.id >= $3 AND run.task <> 'plan' AND run.mode <> 'remap'
        GROUP BY 1),
    calls AS MATERIALIZED (
        SELECT {call_day} AS day, count(*) AS provider_calls,
            count(*) FILTER (WHERE error IS NOT NULL OR status >= 400) AS failed_provider_calls
        FROM provider_call CROSS JOIN zone
        WHERE organization_id = $1 AND connection_id = $2 AND id >= $3 GROUP BY 1),
    deliveries AS MATERIALIZED (
        SELECT {delivery_day} AS day, count(*) FILTER (WHERE status IN ('queued', 'sending')) AS deliveries_waiting,
            count(*) FILTER (WHERE status = 'confirmed') AS deliveries_confirmed,
            count(*) FILTER (WHERE status = 'not_applied') AS deliveries_not_applied,
            count(*) FILTER (WHERE status = 'failed') AS deliveries_failed,
            avg(extract(epoch FROM finished_at - created_at)) FILTER (WHERE status = 'confirmed')::float8 AS average_seconds_to_confirm
        FROM delivery CROSS JOIN zone
        WHERE organization_id = $1 AND connection_id = $2 AND id >= $3 GROUP BY 1)
    SELECT * FROM (SELECT zone.today - back AS day FROM zone CROSS JOIN generate_series(0, $5::integer - 1) AS back) AS days
    LEFT JOIN runs USING (day) LEFT JOIN records USING (day) LEFT JOIN calls USING (day) LEFT JOIN deliveries USING (day)
    ORDER BY day
"""


def _statement(day: str) -> str:
    """`day` is the day on which something at `{time}` counts."""
    return _STATEMENT.format(
        run_day=day.format(time="created_at"),
        call_day=day.format(time="called_at"),
        delivery_day=day.format(time="created_at"),
        counts=", ".join(_COUNTS),
        sums=", ".join(f"sum(stream.{name}) AS records_{name}" for name in _COUNTS),
    )


_BY_DAY = _statement("({time} AT TIME ZONE zone.name)::date")
_TOTAL = _statement("zone.today")
_ACTIVITY = """
    WITH zone AS MATERIALIZED (
        SELECT organization.time_zone AS name, ($4::timestamptz AT TIME ZONE organization.time_zone)::date AS today
        FROM organization WHERE organization.id = $1),
    counted AS MATERIALIZED (
        SELECT run.connection_id, (run.created_at AT TIME ZONE zone.name)::date AS day,
            sum(stream.created + stream.updated + stream.deleted)::integer AS changed, sum(stream.failed)::integer AS failed
        FROM zone CROSS JOIN unnest($2::uuid[]) AS given (connection_id) CROSS JOIN LATERAL (
            SELECT id, connection_id, created_at FROM sync_run
            WHERE organization_id = $1 AND connection_id = given.connection_id AND id >= $3
              AND task <> 'plan' AND mode <> 'remap' OFFSET 0) AS run
        CROSS JOIN LATERAL (
            SELECT created, updated, deleted, failed FROM sync_run_stream
            WHERE organization_id = $1 AND sync_run_id = run.id OFFSET 0) AS stream
        GROUP BY 1, 2)
    SELECT given.connection_id, days.day, coalesce(changed, 0) AS changed, coalesce(failed, 0) AS failed
    FROM unnest($2::uuid[]) AS given (connection_id)
    CROSS JOIN (SELECT zone.today - back AS day FROM zone CROSS JOIN generate_series(0, $5::integer - 1) AS back) AS days
    LEFT JOIN counted ON counted.connection_id = given.connection_id AND counted.day = days.day
    ORDER BY given.connection_id, days.day
"""
_MAY_BE_UNKNOWN = {"average_run_seconds", "last_ended_at", "average_seconds_to_confirm"}
_SIMPLE = [field.name for field in fields(Statistics) if field.name not in ("day", "records")]


async def _read(scope: Scope, sql: str, connection_id: UUID, since: UUID, now: datetime, days: int = 1) -> list[asyncpg.Record]:
    rows = await fetch(scope, sql, scope.organization_id, connection_id, since, now, days)
    if not rows:
        raise ConnectionNotFound
    return rows


def _statistics(row: asyncpg.Record, day: date | None) -> Statistics:
    values: dict[str, Any] = {name: row[name] if name in _MAY_BE_UNKNOWN else row[name] or 0 for name in _SIMPLE}
    return Statistics(**values, day=day, records=Counts(**{name: int(row[f"records_{name}"] or 0) for name in _COUNTS}))
