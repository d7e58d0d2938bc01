"""Failed records: what could not be taken over or written, seen, mended, tried again or dismissed."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, TypedDict, Unpack, cast
from uuid import UUID

from app.actors import Actor, Permission
from app.audit.service import AuditService
from app.connections.models import Connection
from app.connections.service import ConnectionService
from app.connectors.base import Connector, Item, Page, Stream
from app.database import transaction
from app.errors import InvalidInput, NotFound
from app.idempotency import once
from app.paging import PageRequest, ResultPage
from app.plain_text import is_storable, is_visible
from app.syncs import failure_causes, failures
from app.syncs.failure_causes import FailureFilter, ToTry
from app.syncs.failure_rules import PUSH_STAGE, FailedRecordSettled, check_edit
from app.syncs.models import Counts, FailedRecord, FailureCause, RetryResult
from app.syncs.record_pushes import RecordPushService
from app.syncs.walker import StreamWalker
from app.syncs.walks import lock_records_of

BATCH = 200
MOST_AT_ONCE = 1000
LONGEST_REASON = 500


class Alike(TypedDict, total=False):
    """What failed records may have in common; what is left out is any."""

    stream: str | None
    stage: str | None
    error_code: str | None
    cause: str | None
    direction: str | None


class Wanted(Alike, total=False):
    """Which failed records. Of all states only the open ones, unless `state` is given; None is any."""

    connection_id: UUID | None
    run_id: UUID | None
    state: str | None


class FailedRecordNotFound(NotFound):
    """This failed record does not exist, or you may not see it."""

    code = "failed_record_not_found"


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

    async def failed_records(self, actor: Actor, page: PageRequest, **wanted: Unpack[Wanted]) -> ResultPage[FailedRecord]:
        """Records that could not be taken over or written, newest first, with their cause and payload. Raises InvalidInput."""
        actor.require(Permission.READ_SYNCS)
        found = await failure_causes.page(actor.scope, _chosen(wanted), first=page.first, after=page.key(UUID))
        return ResultPage.cut(found, page.first, lambda failed: failed.id)

    async def causes(self, actor: Actor, page: PageRequest, **wanted: Unpack[Wanted]) -> ResultPage[FailureCause]:
        """The open ones, those that fail alike together; the most frequent cause first. Raises InvalidInput."""
        actor.require(Permission.READ_SYNCS)
        found = await failure_causes.causes(actor.scope, _chosen(wanted), first=page.first, after=page.key(tuple[int, UUID]))
        return ResultPage.cut(found, page.first, lambda cause: (cause.count, cause.example_id))

    async def open_count(self, actor: Actor, *, most: int = 1000) -> int:
        """How many are open, counted up to so many."""
        actor.require(Permission.READ_SYNCS)
        return await failure_causes.open_count(actor.scope, most)

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
        after: UUID | None = None,
        limit: int | None = None,
        record_ids: Sequence[UUID] | None = None,
        **alike: Unpack[Alike],
    ) -> RetryResult:
        """Try open failed records again: what was read from its stored payload, what was to be written by another push.

        Those that are well are closed; a push is, when a worker has brought it. Dismissed ones are left out unless they are named.
        At most `limit` of them, in the order of their ids, those that follow `after`. Raises InvalidInput, ConnectionNotFound,
        ConnectionUnusable.
        """
        actor.require(Permission.RUN_SYNCS)
        connection = await self._connections.get(actor, connection_id)
        streams = {one.name: one for one in self._connectors[connection.provider].streams.values() if one.record_stream == one.name}
        if alike.get("stream") is not None and alike["stream"] not in streams:
            raise InvalidInput(fields={"stream": f"There is no stream {alike['stream']!r}."})
        chosen = replace(_chosen(alike), connection_id=connection_id)
        if record_ids is not None:
            chosen = replace(chosen, ids=list(record_ids), state=failure_causes.UNRESOLVED)
        total = await self._try_all(actor, connection, streams, chosen, after, limit)
        async with transaction(actor.scope):
            data = {"retried": total.retried, "still_failed": total.still_failed, "queued": total.queued}
            await self._audit.add(actor, "failed_records.retried", connection_id, data)
        return total

    async def _try_all(
        self,
        actor: Actor,
        connection: Connection,
        streams: Mapping[str, Stream],
        chosen: FailureFilter,
        after: UUID | None,
        limit: int | None,
    ) -> RetryResult:
        total = RetryResult(0, 0, 0)
        while limit is None or total.retried < limit:
            size = BATCH if limit is None else min(BATCH, limit - total.retried)
            batch = await failure_causes.to_try(actor.scope, chosen, after=after, limit=size)
            queued = await self._push_again(actor, connection.id, batch)
            taken = await self._take_over_again(actor, connection, streams, batch)
            total = RetryResult(
                retried=total.retried + len(batch),
                healed=total.healed + taken.read - taken.failed,
                still_failed=total.still_failed + taken.failed,
                queued=total.queued + queued,
                last=batch[-1].id if len(batch) == size else None,
            )
            if len(batch) < size:
                break
            after = batch[-1].id
        return total

    async def _take_over_again(self, actor: Actor, connection: Connection, streams: Mapping[str, Stream], batch: Sequence[ToTry]) -> Counts:
        ids = {name: [one.id for one in batch if one.stream == name and one.stage != PUSH_STAGE] for name in streams}
        if not any(ids.values()):
            return Counts()
        total, connector = Counts(), self._connectors[connection.provider]
        async with self._connections.open_session(actor.scope, connection.id, priority="bulk") as session:
            for stream in streams.values():
                if ids[stream.name]:
                    source = await self._walker.source(actor.scope, connection.id, connector, stream, session, None)
                    total += await self._walker.retry_open(source, ids[stream.name])
        return total

    async def _push_again(self, actor: Actor, connection_id: UUID, batch: Sequence[ToTry]) -> int:
        pushes = [one for one in batch if one.stage == PUSH_STAGE and one.record_id is not None]
        for push in pushes:
            assert push.record_id is not None
            await self._pushes.queue(actor, push.record_id, connection_id, stream=push.stream)
        return len(pushes)

    async def edit(self, actor: Actor, failed_record_id: UUID, payload: str, *, idempotency_key: str | None = None) -> FailedRecord:
        """Try it with another payload, now and in later runs, until the provider sends a new one. Returns what became of it.

        Raises FailedRecordNotFound, FailedRecordSettled, InvalidInput, ConnectionUnusable.
        """
        actor.require(Permission.RUN_SYNCS)
        actor.require(Permission.MANAGE_RECORDS)
        failed = await self.get(actor, failed_record_id)
        provider = (await self._connections.get(actor, failed.connection_id)).provider
        connector = self._connectors[provider]
        async with self._connections.open_session(actor.scope, failed.connection_id, priority="bulk") as session:
            stream = connector.streams[failed.stream]
            source = await self._walker.source(actor.scope, failed.connection_id, connector, stream, session, None)
            request = {"failed_record_id": failed_record_id, "payload": payload}
            async with once(actor, "edit_failed_record", idempotency_key, request) as call:
                if not call.repeated:
                    check_edit(failed, await self.payload(actor, failed_record_id), payload)
                    await lock_records_of(actor.scope, failed.connection_id, failed.stream)
                    if not await failures.lock(actor.scope, failed_record_id):
                        raise FailedRecordSettled
                    await failures.edit(actor.scope, failed_record_id, payload.encode(), actor.name)
                    page = Page(state={}, items=[Item(failed.external_id, payload.encode())])
                    await self._walker.write(replace(source, name=actor.name), page)
                    await self._audit.add(actor, "failed_record.edited", failed_record_id, _named(failed))
                    call.result = {}
        return await self.get(actor, failed_record_id)

    async def dismiss(self, actor: Actor, failed_record_ids: Sequence[UUID], *, reason: str, idempotency_key: str | None = None) -> int:
        """They may stay as they are, for a reason: no run tries them again. One that fails in another way is open again. Says how many.

        Raises InvalidInput, FailedRecordNotFound where there is none of them.
        """
        actor.require(Permission.RUN_SYNCS)
        if not is_visible(reason) or len(reason) > LONGEST_REASON or not is_storable(reason):
            raise InvalidInput(fields={"reason": f"Say why, in at most {LONGEST_REASON} characters."})
        if len(failed_record_ids) > MOST_AT_ONCE:
            raise InvalidInput(fields={"ids": f"Name at most {MOST_AT_ONCE} records."})
        request = {"ids": sorted(map(str, failed_record_ids)), "reason": reason}
        async with once(actor, "dismiss_failed_records", idempotency_key, request) as call:
            if not call.repeated:
                if not await failures.is_any(actor.scope, failed_record_ids):
                    raise FailedRecordNotFound
                dismissed = await failures.dismiss(actor.scope, failed_record_ids, reason.strip(), actor.name)
                for failed_record_id in dismissed:
                    await self._audit.add(actor, "failed_record.dismissed", failed_record_id, {"reason": reason.strip()})
                call.result = {"dismissed": len(dismissed)}
        return int(call.result["dismissed"])

    async def reopen(self, actor: Actor, failed_record_id: UUID, *, idempotency_key: str | None = None) -> FailedRecord:
        """It was dismissed by mistake. Raises FailedRecordNotFound."""
        actor.require(Permission.RUN_SYNCS)
        failed = await self.get(actor, failed_record_id)
        async with once(actor, "reopen_failed_record", idempotency_key, {"failed_record_id": failed_record_id}) as call:
            if not call.repeated and await failures.reopen(actor.scope, failed_record_id):
                await self._audit.add(actor, "failed_record.reopened", failed_record_id, _named(failed))
            call.result = {}
        return await self.get(actor, failed_record_id)


def _chosen(wanted: Mapping[str, object]) -> FailureFilter:
    """Raises InvalidInput."""
    for name, known in (("state", failure_causes.STATES), ("direction", failure_causes.DIRECTIONS)):
        if wanted.get(name) not in known:
            raise InvalidInput(fields={name: f"There is no {name} {wanted.get(name)!r}."})
    return FailureFilter(**cast("dict[str, Any]", wanted))


def _named(failed: FailedRecord) -> dict[str, Any]:
    return {"connection_id": failed.connection_id, "stream": failed.stream, "external_id": failed.external_id}
