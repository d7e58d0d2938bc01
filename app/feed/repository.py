"""Every query on the feed."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import asyncpg

from app.actors import Scope
from app.database import execute, fetch, fetch_value
from app.feed.models import Batch, Event, Interest, NewEvent
from app.statements import of_client

BATCH = 200
"""The most events that are read at once."""
FAR_BEHIND = 1000
"""With more events than this to catch up with, a subscriber that comes back gets the latest of each subject."""


async def add(scope: Scope, events: Sequence[NewEvent]) -> int:
    """Number the events and store them. Returns the last sequence.

    The organization's counter stays locked until the commit, so sequences become visible in their order, without gaps.
    """
    added = await fetch(scope, _ADD, *_columns(scope, events))
    if not added:
        await execute(scope, "INSERT INTO organization_counter (organization_id) VALUES ($1) ON CONFLICT DO NOTHING", scope.organization_id)
        added = await fetch(scope, _ADD, *_columns(scope, events))
    return max(int(row["sequence"]) for row in added)


_ADD = """
    WITH counted AS (
        UPDATE organization_counter SET event_sequence = event_sequence + cardinality($3::uuid[])
        WHERE organization_id = $1 RETURNING event_sequence
    )
    INSERT INTO event (organization_id, sequence, client_id, topic, subject_id, revision, data)
    SELECT $1, counted.event_sequence - cardinality($3::uuid[]) + given.place, given.client_id, given.topic,
        given.subject_id, given.revision, given.data
    FROM counted, unnest($2::text[], $3::uuid[], $4::bigint[], $5::jsonb[], $6::uuid[])
        WITH ORDINALITY AS given (topic, subject_id, revision, data, client_id, place)
    RETURNING sequence
"""


def _columns(scope: Scope, events: Sequence[NewEvent]) -> list[Any]:
    return [
        scope.organization_id,
        [event.topic for event in events],
        [event.subject_id for event in events],
        [event.revision for event in events],
        [event.data for event in events],
        [event.client_id for event in events],
    ]


async def head(scope: Scope) -> int:
    """The last sequence, 0 before the first event."""
    sql = "SELECT event_sequence FROM organization_counter WHERE organization_id = $1"
    return await fetch_value(scope, sql, scope.organization_id) or 0


async def newest(scope: Scope, after: int) -> list[Event]:
    """The next events of the whole organization after that place, at most a batch."""
    sql = f"SELECT {_COLUMNS}, false AS missed FROM event WHERE organization_id = $1 AND sequence > $2 ORDER BY sequence LIMIT {BATCH}"
    return [_event(row) for row in await fetch(scope, sql, scope.organization_id, after)]


async def read(interest: Interest, after: int, *, far_behind: int = FAR_BEHIND) -> Batch:
    """The next events after that place, each batch one statement and so one moment."""
    scope = interest.scope
    watched = (scope.organization_id, after, list(interest.topics), interest.subject_id, scope.client_id)
    statements = _OF_CLIENT if scope.client_id else _OF_ALL
    rows = await fetch(scope, statements.read, *watched)
    if _head(rows) - after > far_behind and await fetch_value(scope, statements.count, *watched, far_behind + 1) > far_behind:
        rows = await fetch(scope, statements.read_latest, *watched)
    events = sorted((_event(row) for row in rows if row["sequence"] is not None), key=lambda event: event.sequence)
    more = len(events) == BATCH
    return Batch(events, events[-1].sequence if more else max(after, _head(rows)), more)


def _head(rows: Sequence[asyncpg.Record]) -> int:
    return rows[0]["head"] if rows else 0


def _event(row: asyncpg.Record) -> Event:
    return Event(row["sequence"], row["topic"], row["subject_id"], row["revision"], row["data"], row["missed"], row["client_id"])


_COLUMNS = "sequence, topic, subject_id, revision, data, client_id"


_WATCHED = f"""
    event.organization_id = $1 AND event.sequence > $2 AND event.topic = ANY($3::text[])
    AND ($4::uuid IS NULL OR event.subject_id = $4) AND {of_client("event")}
"""


@dataclass(frozen=True, slots=True)
class _Statements:
    """How events are read for one kind of subscriber."""

    read: str
    read_latest: str
    count: str


def _statements(watched: str) -> _Statements:
    return _Statements(
        read=_select(watched, "false", "true"),
        read_latest=_select(
            watched,
            missed=_another("other.sequence > $2 AND other.sequence < event.sequence"),
            condition=f"NOT {_another('other.sequence > event.sequence')}",
        ),
        count=f"SELECT count(*) FROM (SELECT FROM event WHERE {watched} LIMIT $6) AS waiting",
    )


def _select(watched: str, missed: str, condition: str) -> str:
    return f"""
        SELECT counter.event_sequence AS head, found.* FROM organization_counter AS counter LEFT JOIN LATERAL (
            SELECT {_COLUMNS}, {missed} AS missed FROM event
            WHERE {watched} AND {condition}
            ORDER BY sequence LIMIT {BATCH}
        ) AS found ON true
        WHERE counter.organization_id = $1
    """


def _another(condition: str) -> str:
    """Whether the same subject has another event."""
    return f"""EXISTS (
        SELECT FROM event AS other WHERE other.organization_id = event.organization_id
          AND other.topic = event.topic AND other.subject_id = event.subject_id AND {condition}
    )"""


_OF_ALL = _statements(f"{_WATCHED} AND $5::uuid IS NULL")
_OF_CLIENT = _statements(f"{_WATCHED} AND event.client_id = $5::uuid")
"""The client is named, because no index finds `of_client`."""
