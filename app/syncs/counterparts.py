"""Where records stand at every connection: their counterparts, what waits, what failed, what somebody has to decide."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from app.actors import Actor, Permission, Scope
from app.database import fetch


@dataclass(frozen=True, slots=True)
class Counterpart:
    """A record at one stream of a connection."""

    record_id: UUID
    connection_id: UUID
    stream: str
    status: str
    """The mapping's: pending, synced, conflict, failed or deleted; without a mapping, pending or failed as its push is."""
    mapping_id: UUID | None = None
    external_id: str | None = None
    """None: the provider does not have it (yet)."""
    merged_id: UUID | None = None
    """Whose mapping it is, where that record was merged into this one; nothing is brought to it."""
    last_synced_at: datetime | None = None
    last_error: str | None = None
    archived_at: datetime | None = None
    delivery_id: UUID | None = None
    """The write that is on its way."""
    next_attempt_at: datetime | None = None
    """When that is tried (again)."""
    conflicts: Sequence[str] = ()
    """Fields in which somebody has to decide."""
    failed_record_id: UUID | None = None
    """The open failed record, of reading or writing it."""

    @property
    def is_waiting(self) -> bool:
        """Whether something is still to be brought there."""
        return self.delivery_id is not None or (self.status == "pending" and self.merged_id is None)


_Place = tuple[UUID, UUID, str]
"""(record, connection, stream)."""


class CounterpartService:
    """Reading where records stand."""

    async def of_record(self, actor: Actor, record_id: UUID) -> list[Counterpart]:
        """At every connection that has it, or is to have it."""
        return (await self.of_records(actor, [record_id]))[record_id]

    async def waiting(self, actor: Actor, connection_id: UUID) -> dict[str, int]:
        """By stream, how many records may have something to be brought to a connection."""
        actor.require(Permission.READ_RECORDS)
        rows = await fetch(
            actor.scope,
            """
            SELECT stream, count(*) AS number FROM mapping
            WHERE organization_id = $1 AND connection_id = $2 AND status IN ('pending', 'failed', 'conflict') GROUP BY stream
            """,
            actor.scope.organization_id,
            connection_id,
        )
        return {row["stream"]: row["number"] for row in rows}

    async def of_records(self, actor: Actor, record_ids: Sequence[UUID]) -> dict[UUID, list[Counterpart]]:
        """The same for many at once: four statements, however many they are."""
        actor.require(Permission.READ_RECORDS)
        scope, ids = actor.scope, list(dict.fromkeys(record_ids))
        found = {(_whose(one), one.connection_id, one.stream): one for one in await _mapped(scope, ids)}
        await _add_deliveries(scope, ids, found)
        await _add_failures(scope, ids, found)
        await _add_conflicts(scope, found)
        places = sorted(found, key=lambda place: (place[0], place[2], place[1]))
        return {id: [found[place] for place in places if found[place].record_id == id] for id in ids}


def _whose(one: Counterpart) -> UUID:
    return one.merged_id or one.record_id


async def _mapped(scope: Scope, record_ids: Sequence[UUID]) -> list[Counterpart]:
    rows = await fetch(
        scope,
        """
        SELECT member.record_id, member.merged_id, mapping.id AS mapping_id, mapping.connection_id, mapping.stream, mapping.external_id,
            mapping.status, mapping.last_synced_at, mapping.last_error, mapping.archived_at
        FROM (
            SELECT id, id AS record_id, NULL::uuid AS merged_id FROM unnest($2::uuid[]) AS given (id)
            UNION ALL
            SELECT id, merged_into, id FROM record WHERE organization_id = $1 AND merged_into = ANY($2::uuid[])
        ) AS member
        JOIN mapping ON mapping.organization_id = $1 AND mapping.record_id = member.id
        """,
        scope.organization_id,
        record_ids,
    )
    return [Counterpart(**row) for row in rows]


async def _add_deliveries(scope: Scope, record_ids: Sequence[UUID], found: dict[_Place, Counterpart]) -> None:
    rows = await fetch(
        scope,
        """
        SELECT record_id, connection_id, stream, id AS delivery_id, next_attempt_at FROM delivery
        WHERE organization_id = $1 AND record_id = ANY($2::uuid[]) AND status IN ('queued', 'sending')
        """,
        scope.organization_id,
        record_ids,
    )
    for row in rows:
        place = (row["record_id"], row["connection_id"], row["stream"])
        found[place] = replace(found.get(place) or Counterpart(*place, status="pending"), **row)


async def _add_failures(scope: Scope, record_ids: Sequence[UUID], found: dict[_Place, Counterpart]) -> None:
    """By the counterpart's id, or by the record's where a push found none."""
    mapped = [place for place, one in found.items() if one.external_id is not None]
    rows = await fetch(
        scope,
        """
        SELECT given.record_id, failed.connection_id, failed.stream, failed.id AS failed_record_id, failed.message AS last_error
        FROM unnest($2::uuid[], $3::uuid[], $4::text[], $5::text[]) AS given (record_id, connection_id, stream, external_id)
        JOIN failed_record AS failed ON failed.organization_id = $1 AND failed.connection_id = given.connection_id
            AND failed.stream = given.stream AND failed.external_id = given.external_id
            AND failed.resolved_at IS NULL AND failed.dismissed_at IS NULL
        UNION ALL
        SELECT given.id, failed.connection_id, failed.stream, failed.id, failed.message
        FROM unnest($6::uuid[]) AS given (id)
        JOIN failed_record AS failed ON failed.organization_id = $1 AND failed.external_id = 'record:' || given.id
            AND failed.stage = 'push' AND failed.resolved_at IS NULL AND failed.dismissed_at IS NULL
        """,
        scope.organization_id,
        [record_id for record_id, _, _ in mapped],
        [connection_id for _, connection_id, _ in mapped],
        [stream for _, _, stream in mapped],
        [found[place].external_id for place in mapped],
        record_ids,
    )
    for row in rows:
        place = (row["record_id"], row["connection_id"], row["stream"])
        values = {"failed_record_id": row["failed_record_id"], "last_error": row["last_error"]}
        found[place] = replace(found.get(place) or Counterpart(*place, status="failed"), **values)


async def _add_conflicts(scope: Scope, found: dict[_Place, Counterpart]) -> None:
    rows = await fetch(
        scope,
        """
        SELECT record_id, connection_id, stream, array_agg(field ORDER BY field) AS fields FROM conflict
        WHERE organization_id = $1 AND record_id = ANY($2::uuid[]) AND resolved_at IS NULL GROUP BY 1, 2, 3
        """,
        scope.organization_id,
        list({record_id for record_id, _, _ in found}),
    )
    for row in rows:
        place = (row["record_id"], row["connection_id"], row["stream"])
        if place in found:
            found[place] = replace(found[place], conflicts=tuple(row["fields"]))
