"""Failed records: what could not be taken over or written, seen, mended, tried again or dismissed."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

from app.actors import Actor, Permission
from app.audit.service import AuditService
from app.connections.service import ConnectionService
from app.connectors.base import Connector, Item, Page, Stream
from app.database import transaction
from app.errors import InvalidInput, NotFound, Refusal
from app.idempotency import once
from app.paging import PageRequest, ResultPage
from app.plain_text import is_storable, is_visible
from app.syncs import failure_causes, failures
from app.syncs.failure_causes import FailureFilter
from app.syncs.models import Counts, FailedRecord, FailureCause, RetryResult
from app.syncs.record_pushes import RecordPushService
from app.syncs.walker import StreamWalker
from app.syncs.walks import lock_records_of

BATCH = 200
MOST_AT_ONCE = 1000
LONGEST_PAYLOAD = 1_000_000
"""Characters of an edited payload."""
LONGEST_REASON = 500


class FailedRecordNotFound(NotFound):
    """This failed record does not exist, or you may not see it."""

    code = "failed_record_not_found"


class FailedRecordSettled(Refusal):
    """This failed record is well by now; there is nothing to mend."""

    code = "failed_record_settled"


class FailedRecordService:
    """The use cases of failed records."""

    def __init__(
        self,
        *,
        walker: StreamWalker,
        pushes: RecordPushService,
        connections: ConnectionService,
        connectors: Mapping[str, Connector],
        audit: AuditService,
    ) -> None:
        self._walker = walker
        self._pushes = pushes
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
        """Records that could not be taken over or written, newest first, with their cause and payload."""
        actor.require(Permission.READ_SYNCS)
        found = await failures.page(
            actor.scope, first=page.first, after=page.key(UUID), connection_id=connection_id, run_id=run_id, open_only=open_only
        )
        return ResultPage.cut(found, page.first, lambda failed: failed.id)

    async def causes(
        self, actor: Actor, page: PageRequest, *, connection_id: UUID | None = None, stream: str | None = None, stage: str | None = None
    ) -> ResultPage[FailureCause]:
        """The open ones, those that fail alike together; the most frequent cause first."""
        actor.require(Permission.READ_SYNCS)
        wanted = FailureFilter(connection_id, stream, stage)
        found = await failure_causes.causes(actor.scope, wanted, first=page.first, after=page.key(tuple[int, UUID]))
        return ResultPage.cut(found, page.first, lambda cause: (cause.count, cause.example_id))

    async def get(self, actor: Actor, failed_record_id: UUID) -> FailedRecord:
        """Raises FailedRecordNotFound."""
        actor.require(Permission.READ_SYNCS)
        found = await failures.get(actor.scope, failed_record_id)
        if found is None:
            raise FailedRecordNotFound
        return found

    async def payload(self, actor: Actor, failed_record_id: UUID) -> bytes:
        """The whole payload that is tried next: the edited one, or the provider's. Raises FailedRecordNotFound."""
        actor.require(Permission.READ_SYNCS)
        found = await failures.whole_payload(actor.scope, failed_record_id)
        if found is None:
            raise FailedRecordNotFound
        return found

    async def retry(
        self,
        actor: Actor,
        connection_id: UUID,
        *,
        stream: str | None = None,
        stage: str | None = None,
        error_code: str | None = None,
        cause: str | None = None,
        record_ids: Sequence[UUID] | None = None,
    ) -> RetryResult:
        """Try open failed records again: what was read from its stored payload, what was to be written by another push.

        Those that are well are closed; a push is, when a worker has brought it. Dismissed ones are left out unless they are named.
        Raises InvalidInput, ConnectionNotFound, ConnectionUnusable.
        """
        actor.require(Permission.RUN_SYNCS)
        connection = await self._connections.get(actor, connection_id)
        streams = [one for one in self._record_streams(connection.provider) if stream in (None, one.name)]
        if not streams:
            raise InvalidInput(fields={"stream": f"There is no stream {stream!r}."})
        wanted = FailureFilter(connection_id, stream, stage, error_code, cause, None if record_ids is None else list(record_ids))
        queued = await self._push_again(actor, wanted)
        total = await self._take_over_again(actor, wanted, streams)
        async with transaction(actor.scope):
            data = {"retried": total.read, "still_failed": total.failed, "queued": queued}
            await self._audit.add(actor, "failed_records.retried", connection_id, data)
        return RetryResult(total.read + queued, total.read - total.failed, total.failed, queued)

    def _record_streams(self, provider: str) -> list[Stream]:
        return [stream for stream in self._connectors[provider].streams.values() if stream.record_stream == stream.name]

    async def _take_over_again(self, actor: Actor, wanted: FailureFilter, streams: Sequence[Stream]) -> Counts:
        connection_id = wanted.connection_id
        assert connection_id is not None
        if not await failure_causes.ids_to_try(actor.scope, wanted, after=None, limit=1):
            return Counts()
        connector = self._connectors[(await self._connections.get(actor, connection_id)).provider]
        total = Counts()
        async with self._connections.open_session(actor.scope, connection_id, priority="bulk") as session:
            for stream in streams:
                source = await self._walker.source(actor.scope, connection_id, connector, stream, session, None)
                after: UUID | None = None
                while ids := await failure_causes.ids_to_try(actor.scope, replace(wanted, stream=stream.name), after=after, limit=BATCH):
                    total += await self._walker.retry_open(source, ids)
                    after = ids[-1]
        return total

    async def _push_again(self, actor: Actor, wanted: FailureFilter) -> int:
        queued, after = 0, None
        while found := await failure_causes.pushes_to_try(actor.scope, wanted, after=after, limit=BATCH):
            for push in found:
                if push.record_id is not None:
                    await self._pushes.queue(actor, push.record_id, push.connection_id, stream=push.stream)
                    queued += 1
            after = found[-1].id
        return queued

    async def edit(self, actor: Actor, failed_record_id: UUID, payload: str, *, idempotency_key: str | None = None) -> FailedRecord:
        """Try it with another payload, now and in later runs, until the provider sends a new one. Returns what became of it.

        Raises FailedRecordNotFound, FailedRecordSettled, InvalidInput, ConnectionUnusable.
        """
        actor.require(Permission.RUN_SYNCS)
        actor.require(Permission.MANAGE_RECORDS)
        failed = await self.get(actor, failed_record_id)
        _check_edit(failed, payload)
        provider = (await self._connections.get(actor, failed.connection_id)).provider
        connector = self._connectors[provider]
        async with self._connections.open_session(actor.scope, failed.connection_id, priority="bulk") as session:
            stream = connector.streams[failed.stream]
            source = await self._walker.source(actor.scope, failed.connection_id, connector, stream, session, None)
            request = {"failed_record_id": failed_record_id, "payload": payload}
            async with once(actor, "edit_failed_record", idempotency_key, request) as call:
                if not call.repeated:
                    await lock_records_of(actor.scope, failed.connection_id, failed.stream)
                    if not await failures.lock(actor.scope, failed_record_id):
                        raise FailedRecordSettled
                    await failures.edit(actor.scope, failed_record_id, payload.encode(), actor.name)
                    page = Page(state={}, items=[Item(failed.external_id, payload.encode())])
                    await self._walker.write(replace(source, name=actor.name), page)
                    await self._audit.add(actor, "failed_record.edited", failed_record_id, _named(failed))
                    call.result = {}
        return await self.get(actor, failed_record_id)

    async def dismiss(self, actor: Actor, failed_record_ids: Sequence[UUID], *, reason: str) -> int:
        """They may stay as they are, for a reason: no run tries them again. One that fails in another way is open again. Says how many.

        Raises InvalidInput.
        """
        actor.require(Permission.RUN_SYNCS)
        if not is_visible(reason) or len(reason) > LONGEST_REASON or not is_storable(reason):
            raise InvalidInput(fields={"reason": f"Say why, in at most {LONGEST_REASON} characters."})
        if len(failed_record_ids) > MOST_AT_ONCE:
            raise InvalidInput(fields={"ids": f"Name at most {MOST_AT_ONCE} records."})
        async with transaction(actor.scope):
            dismissed = await failures.dismiss(actor.scope, failed_record_ids, reason.strip(), actor.name)
            for failed_record_id in dismissed:
                await self._audit.add(actor, "failed_record.dismissed", failed_record_id, {"reason": reason.strip()})
        return len(dismissed)

    async def reopen(self, actor: Actor, failed_record_id: UUID) -> FailedRecord:
        """It was dismissed by mistake. Raises FailedRecordNotFound."""
        actor.require(Permission.RUN_SYNCS)
        failed = await self.get(actor, failed_record_id)
        async with transaction(actor.scope):
            if await failures.reopen(actor.scope, failed_record_id):
                await self._audit.add(actor, "failed_record.reopened", failed_record_id, _named(failed))
        return await self.get(actor, failed_record_id)


def _check_edit(failed: FailedRecord, payload: str) -> None:
    if failed.resolved_at is not None:
        raise FailedRecordSettled
    if failed.stage == "push":
        raise InvalidInput(fields={"id": "The provider did not take this record: correct the record itself, and push it again."})
    if failed.stage == "read":
        raise InvalidInput(
            fields={"id": "This could not be told apart from others, so it cannot be taken over by itself; run the sync again."}
        )
    if not payload.strip() or len(payload) > LONGEST_PAYLOAD or not is_storable(payload):
        raise InvalidInput(
            fields={"payload": f"Give the whole object as the provider would send it, at most {LONGEST_PAYLOAD:,} characters."}
        )


def _named(failed: FailedRecord) -> dict[str, Any]:
    return {"connection_id": failed.connection_id, "stream": failed.stream, "external_id": failed.external_id}
