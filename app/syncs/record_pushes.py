"""Writing single records to a provider: asked for by people and programs, sent by a worker, never held up by a run."""

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

import structlog

from app.actors import Actor, Permission, Scope
from app.audit.service import AuditService
from app.connections.service import ConnectionService
from app.connectors.base import Connector, Stream, takes
from app.connectors.errors import ConnectorError
from app.connectors.hold import Hold, now
from app.database import after_commit, fetch_row
from app.deliveries import record_store as deliveries
from app.errors import HubError, InvalidInput, LeaseLost
from app.idempotency import once
from app.queue import JobQueue
from app.records.models import Record
from app.records.service import RecordService
from app.syncs.walker import StreamWalker

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Due:
    connection_id: UUID
    provider: str
    stream: str
    record_id: UUID


class RecordPushService:
    """Queues the write of one record, and sends it."""

    def __init__(
        self,
        *,
        records: RecordService,
        connections: ConnectionService,
        connectors: Mapping[str, Connector],
        walker: StreamWalker,
        audit: AuditService,
        queue: JobQueue,
    ) -> None:
        self._records = records
        self._connections = connections
        self._connectors = connectors
        self._walker = walker
        self._audit = audit
        self._queue = queue

    async def queue(
        self, actor: Actor, record_id: UUID, connection_id: UUID, *, stream: str | None = None, idempotency_key: str | None = None
    ) -> UUID:
        """Bring a record to a connection, creating it there if need be. Returns the delivery, which a worker sends at once.

        Raises RecordNotFound, InvalidInput.
        """
        actor.require(Permission.RUN_SYNCS)
        record = await self._records.get(actor, record_id)
        connection = await self._connections.get(actor, connection_id)
        target = self._target(connection.provider, record, stream)
        request = {"record_id": record_id, "connection_id": connection_id, "stream": target.name}
        async with once(actor, "push_record", idempotency_key, request) as call:
            if not call.repeated:
                delivery_id = await deliveries.queue(
                    actor.scope,
                    connection_id=connection_id,
                    provider=connection.provider,
                    stream=target.record_stream,
                    record_id=record_id,
                    action=deliveries.WRITE,
                    payload={"version": record.version},
                )
                await self._audit.add(actor, "record.pushed", record_id, {"connection_id": connection_id, "stream": target.name})
                after_commit(lambda: self._queue.ring("push_record", actor.organization_id, delivery_id))
                call.result = {"id": str(delivery_id)}
        return call.id()

    def _target(self, provider: str, record: Record, name: str | None) -> Stream:
        kind = record.data.get("kind")
        writable = [stream for stream in self._connectors[provider].streams.values() if stream.writer]
        fitting = [stream for stream in writable if takes(stream, record.entity, kind) and name in (None, stream.name)]
        if len(fitting) != 1:
            what = (kind or record.entity).replace("_", " ")
            choices = ", ".join(stream.name for stream in writable) or "none"
            words = f"Name the stream to write this {what} to; those of this connection that can be written: {choices}."
            raise InvalidInput(fields={"stream": words})
        return fitting[0]

    async def send(self, organization_id: UUID, delivery_id: UUID) -> None:
        """Send a delivery of a record that is due. Safe to repeat: whoever else has it in hand keeps it."""
        scope = Scope(organization_id)
        due = await _due(scope, delivery_id)
        if due is None:
            return
        hold = Hold(now(), deliveries.LEASE_SECONDS / 2)
        connector = self._connectors[due.provider]
        try:
            async with self._connections.open_session(
                scope, due.connection_id, priority="bulk", delivery_id=delivery_id, hold=hold
            ) as session:
                source = await self._walker.source(scope, due.connection_id, connector, connector.streams[due.stream], session, None)
                await self._walker.pusher.push(source, session, due.record_id)
        except LeaseLost:
            _log.warning("a record's delivery is in other hands", delivery_id=str(delivery_id))
        except ConnectorError as error:  # it waits; the sweeper rings when its time has come
            _log.warning("a record waits to be written", delivery_id=str(delivery_id), error=error.code)
        except HubError as error:
            _log.error("a record could not be written", delivery_id=str(delivery_id), error=str(error))


async def _due(scope: Scope, delivery_id: UUID) -> _Due | None:
    row = await fetch_row(
        scope,
        """
        SELECT connection_id, provider, stream, record_id FROM delivery
        WHERE organization_id = $1 AND id = $2 AND record_id IS NOT NULL AND status IN ('queued', 'sending')
          AND next_attempt_at <= now() AND (lease_expires_at IS NULL OR lease_expires_at <= now())
        """,
        scope.organization_id,
        delivery_id,
    )
    return _Due(**row) if row else None
