"""Failed records: what could not be taken over or written, seen and tried again."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from app.actors import Actor, Permission
from app.audit.service import AuditService
from app.connections.service import ConnectionService
from app.connectors.base import Connector
from app.database import transaction
from app.errors import InvalidInput, NotFound
from app.paging import PageRequest, ResultPage
from app.syncs import failures
from app.syncs.models import Counts, FailedRecord, RetryResult
from app.syncs.walker import StreamWalker


class FailedRecordNotFound(NotFound):
    """This failed record does not exist, or you may not see it."""

    code = "failed_record_not_found"


class FailedRecordService:
    """The use cases of failed records."""

    def __init__(
        self, *, walker: StreamWalker, connections: ConnectionService, connectors: Mapping[str, Connector], audit: AuditService
    ) -> None:
        self._walker = walker
        self._connections = connections
        self._connectors = connectors
        self._audit = audit

    async def failed_records(
        self,
        actor: Actor,
        page: PageRequest,
        *,
        connection_id: UUID | None = None,
        run_id: UUID | None = None,
        open_only: bool = True,
    ) -> ResultPage[FailedRecord]:
        """Records that could not be taken over, newest first, with their cause and payload."""
        actor.require(Permission.READ_SYNCS)
        found = await failures.page(
            actor.scope, first=page.first, after=page.key(UUID), connection_id=connection_id, run_id=run_id, open_only=open_only
        )
        return ResultPage.cut(found, page.first, lambda failed: failed.id)

    async def get(self, actor: Actor, failed_record_id: UUID) -> FailedRecord:
        """Raises FailedRecordNotFound."""
        actor.require(Permission.READ_SYNCS)
        found = await failures.get(actor.scope, failed_record_id)
        if found is None:
            raise FailedRecordNotFound
        return found

    async def retry(
        self, actor: Actor, connection_id: UUID, *, stream: str | None = None, record_ids: Sequence[UUID] | None = None
    ) -> RetryResult:
        """Try open failed records again from their stored payloads; those that are well now are closed."""
        actor.require(Permission.RUN_SYNCS)
        connection = await self._connections.get(actor, connection_id)
        connector = self._connectors[connection.provider]
        streams = [s for s in connector.streams.values() if s.record_stream == s.name and stream in (None, s.name)]
        if not streams:
            raise InvalidInput(fields={"stream": f"There is no stream {stream!r}."})
        total = Counts()
        async with self._connections.open_session(actor.scope, connection_id, priority="bulk") as session:
            for each in streams:
                source = self._walker.source(actor.scope, connection_id, connector, each, session, None)
                total += await self._walker.retry_open(source, record_ids)
        async with transaction(actor.scope):
            await self._audit.add(actor, "failed_records.retried", connection_id, {"retried": total.read, "still_failed": total.failed})
        return RetryResult(total.read, total.read - total.failed, total.failed)
