"""What one side has and the other has not: exact anti-joins, both ways. docs/glossary.md says what counts (*unsynced*)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from app.actors import Actor, Permission, Scope
from app.connections.service import ConnectionService
from app.connectors.base import Connector, Stream
from app.database import fetch, fetch_row
from app.errors import InvalidInput
from app.paging import PageRequest, ResultPage
from app.records import repository as records
from app.records.models import Record


@dataclass(frozen=True, slots=True)
class Scan:
    """The last complete scan of a stream: what the provider had then."""

    sync_run_id: UUID
    started_at: datetime
    finished_at: datetime


@dataclass(frozen=True, slots=True)
class UnsyncedObject:
    """An object at the provider that the hub has no record of."""

    external_id: str
    failed_record_id: UUID | None
    """Where it could not be taken over: its failed record."""
    message: str | None
    """Why not, in one sentence."""


@dataclass(frozen=True, slots=True)
class UnsyncedObjects:
    """A page of them, as of a scan; without one nothing is known."""

    scan: Scan | None
    page: ResultPage[UnsyncedObject]


@dataclass(frozen=True, slots=True)
class UnsyncedCounts:
    """How many one side has and the other has not."""

    records: int
    objects: int | None
    """None: nothing is known without a complete scan."""


class UnsyncedService:
    """Reading what is not in step because one side lacks it."""

    def __init__(self, connections: ConnectionService, connectors: Mapping[str, Connector]) -> None:
        self._connections = connections
        self._connectors = connectors

    async def records(
        self, actor: Actor, connection_id: UUID, stream: str, page: PageRequest, *, kind: str | None = None
    ) -> ResultPage[Record]:
        """Living records of the stream's entity without a living counterpart at the connection, in the order in which they were made.

        Only those that have their place in the stream: no orders among offers. `kind` narrows sales documents further.
        Raises ConnectionNotFound, InvalidInput.
        """
        actor.require(Permission.READ_RECORDS)
        chosen = await self._stream(actor, connection_id, stream)
        kinds = [each for each in chosen.kinds or (kind,) if kind in (None, each)] if kind or chosen.kinds else None
        ids = await _records_without_object(actor.scope, connection_id, chosen.entity, kinds, after=page.key(UUID), limit=page.first + 1)
        found = {record.id: record for record in await records.get_many(actor.scope, ids)}
        return ResultPage.cut([found[id] for id in ids], page.first, lambda record: record.id)

    async def objects(self, actor: Actor, connection_id: UUID, stream: str, page: PageRequest) -> UnsyncedObjects:
        """Objects that the last complete scan named and that have no mapping now, by external id.

        Raises ConnectionNotFound, InvalidInput.
        """
        actor.require(Permission.READ_RECORDS)
        chosen = await self._stream(actor, connection_id, stream)
        if not chosen.complete:
            raise InvalidInput(fields={"stream": f"{chosen.title} cannot be listed completely, so it is not known what is missing."})
        scan = await _last_scan(actor.scope, connection_id, stream)
        if scan is None:
            return UnsyncedObjects(None, ResultPage([], [], False))
        found = await _objects_without_record(actor.scope, scan, connection_id, stream, after=page.key(str), limit=page.first + 1)
        return UnsyncedObjects(scan, ResultPage.cut(found, page.first, lambda one: one.external_id))

    async def counts(self, actor: Actor, connection_id: UUID, stream: str, most: int) -> UnsyncedCounts:
        """How many there are on each side; beyond `most` they are not counted. Raises ConnectionNotFound, InvalidInput."""
        actor.require(Permission.READ_RECORDS)
        chosen = await self._stream(actor, connection_id, stream)
        kinds = list(chosen.kinds) or None
        records = await _records_without_object(actor.scope, connection_id, chosen.entity, kinds, after=None, limit=most + 1)
        scan = await _last_scan(actor.scope, connection_id, stream) if chosen.complete else None
        objects = await _objects_without_record(actor.scope, scan, connection_id, stream, after=None, limit=most + 1) if scan else None
        return UnsyncedCounts(len(records), None if objects is None else len(objects))

    async def _stream(self, actor: Actor, connection_id: UUID, name: str) -> Stream:
        connection = await self._connections.get(actor, connection_id)
        streams = {one.name: one for one in self._connectors[connection.provider].streams.values() if one.record_stream == one.name}
        if name not in streams:
            raise InvalidInput(fields={"stream": f"There is no stream {name!r}; choose from {', '.join(streams)}."})
        return streams[name]


async def _records_without_object(
    scope: Scope, connection_id: UUID, entity: str, kinds: Sequence[str | None] | None, *, after: UUID | None, limit: int
) -> list[UUID]:
    """What was merged into a record counts as the record."""
    rows = await fetch(
        scope,
        """
        SELECT id FROM record
        WHERE organization_id = $1 AND entity = $3 AND deleted_at IS NULL AND ($4::text[] IS NULL OR kind = ANY($4))
          AND ($5::uuid IS NULL OR id > $5)
          AND NOT EXISTS (SELECT FROM mapping WHERE mapping.organization_id = $1 AND mapping.record_id = record.id
                          AND mapping.connection_id = $2 AND mapping.status <> 'deleted')
          AND NOT EXISTS (SELECT FROM record AS merged JOIN mapping ON mapping.organization_id = $1 AND mapping.record_id = merged.id
                          WHERE merged.organization_id = $1 AND merged.merged_into = record.id
                          AND mapping.connection_id = $2 AND mapping.status <> 'deleted')
        ORDER BY id LIMIT $6
        """,
        scope.organization_id,
        connection_id,
        entity,
        kinds,
        after,
        limit,
    )
    return [row["id"] for row in rows]


async def _last_scan(scope: Scope, connection_id: UUID, stream: str) -> Scan | None:
    """A full walk of everything, or the first one, whatever was asked for; None where its pages are forgotten."""
    row = await fetch_row(
        scope,
        """
        SELECT walk.sync_run_id, walk.started_at, walk.finished_at
        FROM sync_run_stream AS walk JOIN sync_run AS run ON run.organization_id = $1 AND run.id = walk.sync_run_id
        WHERE walk.organization_id = $1 AND walk.connection_id = $2 AND walk.stream = $3 AND walk.direction = 'pull'
          AND walk.status = 'completed' AND run.task = 'sync' AND run.mode <> 'remap' AND run.narrowed_to IS NULL
          AND (run.mode = 'full' OR NOT EXISTS (
              SELECT FROM sync_run_stream AS earlier JOIN sync_run AS of ON of.organization_id = $1 AND of.id = earlier.sync_run_id
              WHERE earlier.organization_id = $1 AND earlier.connection_id = $2 AND earlier.stream = $3 AND earlier.direction = 'pull'
                AND earlier.status = 'completed' AND of.task = 'sync' AND of.mode <> 'remap' AND of.narrowed_to IS NULL
                AND earlier.sync_run_id < walk.sync_run_id))
          AND EXISTS (SELECT FROM sync_page WHERE sync_page.organization_id = $1 AND sync_page.sync_run_id = walk.sync_run_id
                      AND sync_page.stream = $3 AND sync_page.direction = 'pull')
        ORDER BY walk.sync_run_id DESC LIMIT 1
        """,
        scope.organization_id,
        connection_id,
        stream,
    )
    return Scan(**row) if row else None


async def _objects_without_record(
    scope: Scope, scan: Scan, connection_id: UUID, stream: str, *, after: str | None, limit: int
) -> list[UnsyncedObject]:
    """EXCEPT hashes or sorts; however wrong the planner's guess, it is no nested loop."""
    rows = await fetch(
        scope,
        """
        SELECT missing.external_id, failed.id AS failed_record_id, failed.message
        FROM (
            SELECT named.external_id FROM sync_page CROSS JOIN LATERAL unnest(sync_page.external_ids) AS named (external_id)
            WHERE organization_id = $1 AND sync_run_id = $2 AND stream = $4 AND direction = 'pull'
              AND ($5::text IS NULL OR named.external_id > $5)
            EXCEPT
            SELECT external_id FROM mapping
            WHERE organization_id = $1 AND connection_id = $3 AND stream = $4
            ORDER BY external_id LIMIT $6
        ) AS missing
        LEFT JOIN LATERAL (
            SELECT id, message FROM failed_record
            WHERE organization_id = $1 AND connection_id = $3 AND stream = $4 AND external_id = missing.external_id
              AND resolved_at IS NULL AND stage <> 'push' LIMIT 1) AS failed ON true
        ORDER BY missing.external_id
        """,
        scope.organization_id,
        scan.sync_run_id,
        connection_id,
        stream,
        after,
        limit,
    )
    return [UnsyncedObject(**row) for row in rows]
