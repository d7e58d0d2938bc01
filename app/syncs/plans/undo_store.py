"""Every query on what a run did to records: what it made, what it replaced, what it sent."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import asyncpg

from app.actors import Scope
from app.database import fetch
from app.syncs.plans.undo_rules import Past, State


@dataclass(frozen=True, slots=True)
class Sent:
    """What a run wrote to the provider of one record."""

    delivery_id: UUID
    record_id: UUID
    is_removal: bool
    is_creation: bool
    version: int | None
    """The record's version that was sent."""
    base_version: int | None
    """The one that shows what the provider had before; None: it had nothing, or nobody noted it."""
    fields: Sequence[str]


async def made(scope: Scope, connection_id: UUID, run_id: UUID, after: UUID | None, limit: int) -> list[tuple[UUID, UUID]]:
    """(mapping, record) of what the run made, in the order of the mappings' ids."""
    rows = await fetch(
        scope,
        """
        SELECT id, record_id FROM mapping
        WHERE organization_id = $1 AND connection_id = $2 AND created_run_id = $3 AND ($4::uuid IS NULL OR id > $4) ORDER BY id LIMIT $5
        """,
        scope.organization_id,
        connection_id,
        run_id,
        after,
        limit,
    )
    return [(row["id"], row["record_id"]) for row in rows]


async def replaced(scope: Scope, run_id: UUID, after: UUID | None, limit: int) -> list[UUID]:
    """The records that the run changed or deleted, in the order of their ids."""
    rows = await fetch(
        scope,
        """
        SELECT DISTINCT record_id FROM record_version
        WHERE organization_id = $1 AND sync_run_id = $2 AND ($3::uuid IS NULL OR record_id > $3) ORDER BY record_id LIMIT $4
        """,
        scope.organization_id,
        run_id,
        after,
        limit,
    )
    return [row["record_id"] for row in rows]


async def sent(scope: Scope, run_id: UUID, after: UUID | None, limit: int) -> list[Sent]:
    """What the run wrote to the provider, in the order of the deliveries' ids."""
    rows = await fetch(
        scope,
        """
        SELECT id AS delivery_id, record_id, action = 'remove_record' AS is_removal, payload ->> 'external_id' IS NULL AS is_creation,
             (payload ->> 'version')::integer AS version,
            (payload ->> 'base_version')::integer AS base_version, coalesce(payload -> 'fields', '[]') AS fields
        FROM delivery
        WHERE organization_id = $1 AND sync_run_id = $2 AND record_id IS NOT NULL AND status = 'confirmed'
          AND NOT coalesce((confirmation ->> 'unchanged')::boolean, false) AND ($3::uuid IS NULL OR id > $3)
        ORDER BY id LIMIT $4
        """,
        scope.organization_id,
        run_id,
        after,
        limit,
    )
    return [Sent(**row) for row in rows]


async def pasts(scope: Scope, connection_id: UUID, run_id: UUID, streams: Sequence[str], record_ids: Collection[UUID]) -> list[Past]:
    """What the run did to each of these records, and what they are now, in the order of their ids."""
    rows = await fetch(
        scope,
        """
        SELECT record.id, record.version, record.data, record.deleted_at IS NOT NULL AS deleted, record.merged_into IS NOT NULL AS merged,
            made.is_made, coalesce(made.stream, $4[1]) AS stream,
            first.version AS first_version, first.data AS first_data, first.deleted_at IS NOT NULL AS first_deleted,
            result.version AS result_version, result.data AS result_data, result.deleted_at IS NOT NULL AS result_deleted
        FROM record
        LEFT JOIN LATERAL (SELECT version, data, deleted_at FROM record_version
            WHERE organization_id = $1 AND record_id = record.id AND sync_run_id = $3 ORDER BY version LIMIT 1) AS first ON true
        LEFT JOIN LATERAL (SELECT max(version) AS version FROM record_version
            WHERE organization_id = $1 AND record_id = record.id AND sync_run_id = $3) AS last ON true
        LEFT JOIN record_version AS result ON result.organization_id = $1 AND result.record_id = record.id
            AND result.version = coalesce(last.version, 0) + 1
        LEFT JOIN LATERAL (SELECT m.stream, m.created_run_id IS NOT DISTINCT FROM $3 AS is_made
            FROM (SELECT * FROM mapping WHERE organization_id = $1 AND record_id = record.id OFFSET 0) AS m
            WHERE m.connection_id = $2 AND m.stream = ANY($4::text[])
            ORDER BY m.created_run_id IS NOT DISTINCT FROM $3 DESC, m.id LIMIT 1) AS made ON true
        WHERE record.organization_id = $1 AND record.id = ANY($5::uuid[]) ORDER BY record.id
        """,
        scope.organization_id,
        connection_id,
        run_id,
        list(streams),
        list(record_ids),
    )
    return [_past(row) for row in rows]


def _past(row: asyncpg.Record) -> Past:
    now = State(row["version"], row["data"], row["deleted"])
    result = now if row["result_version"] is None else State(row["result_version"], row["result_data"], row["result_deleted"])
    before = (
        None if row["is_made"] or row["first_version"] is None else State(row["first_version"], row["first_data"], row["first_deleted"])
    )
    return Past(row["id"], row["stream"], before, result, now, row["merged"])


async def data_at(scope: Scope, wanted: Collection[tuple[UUID, int]]) -> dict[tuple[UUID, int], dict[str, Any]]:
    """What records were at versions, also at the one that they have now."""
    rows = await fetch(
        scope,
        """
        SELECT given.id, given.number, coalesce(earlier.data, record.data) AS data
        FROM unnest($2::uuid[], $3::integer[]) AS given (id, number)
        JOIN record ON record.organization_id = $1 AND record.id = given.id
        LEFT JOIN record_version AS earlier ON earlier.organization_id = $1 AND earlier.record_id = given.id
            AND earlier.version = given.number
        WHERE earlier.version IS NOT NULL OR record.version = given.number
        """,
        scope.organization_id,
        [record_id for record_id, _ in wanted],
        [version for _, version in wanted],
    )
    return {(row["id"], row["number"]): row["data"] for row in rows}
