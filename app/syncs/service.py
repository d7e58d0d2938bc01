"""Starting, cancelling and watching syncs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import asyncpg

from app.actors import Actor, Permission, Scope
from app.audit.service import AuditService
from app.connections.models import Connection, ConnectionStatus
from app.connections.service import ConnectionService
from app.connectors.base import Connector, Stream, takes
from app.database import after_commit, transaction
from app.errors import InvalidInput, NotFound, Refusal
from app.feed.service import FeedService
from app.idempotency import once
from app.ids import new_id
from app.paging import PageRequest, ResultPage
from app.queue import JobQueue
from app.records.service import RecordService
from app.syncs import repository, rules, single
from app.syncs.engine import SyncEngine
from app.syncs.models import RunMode, RunStatus, StreamStatus, SyncRun
from app.syncs.plans import store as plan_store
from app.syncs.status import stream_statuses
from app.syncs.walks import PULL


class SyncInProgress(Refusal):
    """This connection is already being synced; watch or cancel the run that is going on."""

    code = "sync_in_progress"

    def __init__(self, existing_run_id: UUID) -> None:
        super().__init__()
        self.existing_run_id = existing_run_id


class SyncRunNotFound(NotFound):
    """This sync run does not exist, or you may not see it."""

    code = "sync_run_not_found"


class ConnectionNotUsable(Refusal):
    """This connection cannot be synced as it is."""

    code = "connection_not_usable"


_UNUSABLE = {
    "untested": "Test this connection first; it has not been tried with its present settings.",
    "needs_attention": "This connection needs attention: {message} Correct its settings and test it, then start the sync again.",
    "paused": "This connection is paused: {message}",
    "disabled": "This connection is disabled; enable it to sync.",
}


@dataclass(frozen=True, slots=True)
class _Wish:
    """What is to be synced, checked."""

    connection: Connection
    walks: Sequence[tuple[Stream, str]]
    """Streams, each with the direction (pull or push) in which it is walked, in order."""
    mode: str
    direction: str
    narrowed_to: Mapping[str, str]
    sync_id: UUID | None
    idempotency_key: str | None
    task: str
    """sync, or plan: what a sync would do is only planned"""
    creates_missing: bool

    @property
    def locks(self) -> list[tuple[str, str]]:
        return [(stream.record_stream, direction) for stream, direction in self.walks]

    @property
    def described(self) -> dict[str, Any]:
        return {
            "connection_id": str(self.connection.id),
            "streams": list(dict.fromkeys(stream.name for stream, _ in self.walks)),
            "direction": self.direction,
            "mode": self.mode,
            "narrowed_to": dict(self.narrowed_to),
            **({"task": self.task} if self.task != "sync" else {}),
            **({"creates_missing": True} if self.creates_missing else {}),
        }


class SyncService:
    """The use cases of syncing. What advances a run is in app/syncs/engine.py."""

    def __init__(
        self,
        *,
        engine: SyncEngine,
        records: RecordService,
        connections: ConnectionService,
        connectors: Mapping[str, Connector],
        audit: AuditService,
        feed: FeedService,
        queue: JobQueue,
    ) -> None:
        self._engine = engine
        self._records = records
        self._connections = connections
        self._connectors = connectors
        self._audit = audit
        self._feed = feed
        self._queue = queue

    async def start(
        self,
        actor: Actor,
        connection_id: UUID,
        *,
        streams: Sequence[str] | None = None,
        mode: str = "incremental",
        direction: str = "pull",
        narrowed_to: Mapping[str, str] | None = None,
        sync_id: UUID | None = None,
        idempotency_key: str | None = None,
        task: str = "sync",
        creates_missing: bool = False,
    ) -> SyncRun:
        """Commit a queued run and ring for it; answers at once. All streams where none are named. Modes: see RunMode.

        `creates_missing`: what it pushes includes what the provider does not have yet, whatever the streams' policies say.

        Raises SyncInProgress with the run that is going on, ConnectionNotUsable, InvalidInput.
        """
        actor.require(Permission.RUN_SYNCS)
        actor.require(Permission.READ_SYNCS)  # the answer is the run, so it is not started for whoever may not see it
        connection = await self._connections.get(actor, connection_id)
        if mode not in list(RunMode):
            raise InvalidInput(fields={"mode": f"The mode is one of {', '.join(RunMode)}."})
        if mode == RunMode.REMAP:
            rules.check_remap(direction, narrowed_to, task)
        walks = self._walks(connection.provider, streams, mode, direction)
        if creates_missing and direction == PULL:
            raise InvalidInput(fields={"createsMissing": "Only a sync that writes makes what the provider does not have yet."})
        narrowed = rules.narrowing(walks, narrowed_to)
        if record_id := single.record_of(narrowed):
            await self._require_fitting(actor, walks[0][0], record_id)
        wish = _Wish(connection, walks, mode, direction, narrowed, sync_id, idempotency_key, task, creates_missing)
        try:
            run_id = await self._queue_run(actor, wish)
        except asyncpg.UniqueViolationError:
            existing = await repository.active_run(actor.scope, connection.id, wish.locks)
            if existing is not None:
                raise SyncInProgress(existing) from None
            run_id = await self._queue_run(actor, wish)  # the other one ended in this moment
        return await self.run(actor, run_id)

    async def _require_fitting(self, actor: Actor, stream: Stream, record_id: UUID) -> None:
        """Raises RecordNotFound, and InvalidInput for a record that has no place in the stream."""
        record = await self._records.get(actor, record_id)
        if not takes(stream, record.entity, record.data.get("kind")):
            raise InvalidInput(fields={"streams": f"This record has no place in the stream {stream.name}."})

    async def _queue_run(self, actor: Actor, wish: "_Wish") -> UUID:
        async with once(actor, "sync_run.start", wish.idempotency_key, wish.described) as call:
            if call.repeated:
                return call.id()
            _usable(wish.connection, wish.mode)
            run_id = new_id()
            plan_id = await self._add_plan(actor, wish, run_id) if wish.task == "plan" else None
            await repository.add_run(
                actor.scope,
                run_id,
                wish.connection.id,
                sync_id=wish.sync_id,
                mode=wish.mode,
                direction=wish.direction,
                narrowed_to=wish.narrowed_to or None,
                requested_by={"kind": actor.kind, "id": str(actor.id) if actor.id else None, "name": actor.name},
                streams=[(stream.name, stream.record_stream, way) for stream, way in wish.walks],
                task=wish.task,
                plan_id=plan_id,
                creates_missing=wish.creates_missing,
            )
            await self._note(actor, "sync_run.planned" if plan_id else "sync_run.started", run_id, wish.described)
            after_commit(lambda: self._queue.ring("advance_run", actor.organization_id, run_id))
            call.result = {"id": str(run_id)}
        return run_id

    async def _add_plan(self, actor: Actor, wish: "_Wish", run_id: UUID) -> UUID:
        plan_id, by = new_id(), actor.name
        await plan_store.add(actor.scope, plan_id, wish.connection.id, kind="sync", run_id=run_id, undoes_run_id=None, requested_by=by)
        return plan_id

    def _walks(self, provider: str, names: Sequence[str] | None, mode: str, direction: str) -> list[tuple[Stream, str]]:
        """What is stored is stored once: a re-map walks the streams of which others are views."""
        chosen = self._streams(provider, names)
        if mode == RunMode.REMAP:
            offered = self._connectors[provider].streams
            chosen = rules.order(offered[stream.record_stream] for stream in chosen)
        return rules.walks(chosen, direction, named=names is not None)

    def _streams(self, provider: str, names: Sequence[str] | None) -> list[Stream]:
        offered = self._connectors[provider].streams
        if names is not None and not names:
            raise InvalidInput(fields={"streams": "Choose at least one stream."})
        unknown = [name for name in names or () if name not in offered]
        if unknown:
            raise InvalidInput(fields={"streams": f"There is no stream {unknown[0]!r}; choose from {', '.join(offered)}."})
        return rules.order(offered[name] for name in (names or offered))

    async def _note(self, actor: Actor, event: str, run_id: UUID, data: dict[str, Any]) -> None:
        await self._audit.add(actor, event, run_id, data)
        await self._feed.publish(actor.scope, topic="sync_run", subject_id=run_id, revision=1, data={})

    async def cancel(self, actor: Actor, run_id: UUID) -> SyncRun:
        """Ask a run to end; it acts within two seconds and keeps what it has committed. A run that has ended stays as it is."""
        actor.require(Permission.RUN_SYNCS)
        async with transaction(actor.scope):
            run = await repository.get_run(actor.scope, run_id, lock=True)
            if run is None:
                raise SyncRunNotFound
            if run.status in (RunStatus.QUEUED, RunStatus.RUNNING):
                await repository.request_cancel(actor.scope, run_id)
                if run.plan_id is not None:
                    await plan_store.settle(actor.scope, run_id)
                await self._audit.add(actor, "sync_run.cancelled", run_id, {"connection_id": str(run.connection_id)})
                await self._feed.publish(actor.scope, topic="sync_run", subject_id=run_id, revision=run.revision + 1, data={})
                after_commit(lambda: self._queue.ring("advance_run", actor.organization_id, run_id, attempt=-1))
        return await self.run(actor, run_id)

    async def run(self, actor: Actor, run_id: UUID) -> SyncRun:
        """Raises SyncRunNotFound."""
        actor.require(Permission.READ_SYNCS)
        run = await repository.get_run(actor.scope, run_id)
        if run is None:
            raise SyncRunNotFound
        return run

    async def get_many(self, actor: Actor, run_ids: Sequence[UUID]) -> list[SyncRun]:
        """Those of the runs that exist, in any order."""
        actor.require(Permission.READ_SYNCS)
        return await repository.get_runs(actor.scope, run_ids)

    async def runs(
        self,
        actor: Actor,
        page: PageRequest,
        *,
        connection_id: UUID | None = None,
        status: str | None = None,
        oldest_first: bool = False,
    ) -> ResultPage[SyncRun]:
        """Runs, newest first or oldest first."""
        actor.require(Permission.READ_SYNCS)
        found = await repository.runs(
            actor.scope,
            first=page.first,
            after=page.key(UUID),
            connection_id=connection_id,
            status=status,
            oldest_first=oldest_first,
        )
        return ResultPage.cut(found, page.first, lambda run: run.id)

    async def latest_runs(self, actor: Actor, connection_ids: Sequence[UUID], page: PageRequest) -> dict[UUID, list[SyncRun]]:
        """The newest runs of each connection."""
        actor.require(Permission.READ_SYNCS)
        found: dict[UUID, list[SyncRun]] = {connection_id: [] for connection_id in connection_ids}
        for run in await repository.latest_runs(actor.scope, connection_ids, page.first):
            found[run.connection_id].append(run)
        return found

    async def status(self, actor: Actor, connection_id: UUID) -> list[StreamStatus]:
        """Where each stream of a connection stands."""
        actor.require(Permission.READ_SYNCS)
        connection = await self._connections.get(actor, connection_id)
        return await stream_statuses(actor.scope, connection_id, self._connectors[connection.provider])

    async def cancel_all(self, actor: Actor, connection_id: UUID) -> int:
        """Cancel whatever runs on a connection; returns how many runs that were."""
        active = [run for run in (await self.runs(actor, PageRequest(100), connection_id=connection_id)).items if run.status.is_active]
        for run in active:
            await self.cancel(actor, run.id)
        return len(active)

    async def has_active(self, scope: Scope, connection_id: UUID) -> bool:
        found = await repository.runs(scope, first=100, after=None, connection_id=connection_id, status=None)
        return any(run.status.is_active for run in found)

    async def advance(self, organization_id: UUID, run_id: UUID) -> None:
        """One slice of a run's work; see SyncEngine.advance."""
        await self._engine.advance(organization_id, run_id)


def _usable(connection: Connection, mode: str) -> None:
    """A re-map asks the provider nothing, so that only switching a connection off stops it."""
    sentence = _UNUSABLE.get(connection.status) if mode != RunMode.REMAP or connection.status is ConnectionStatus.DISABLED else None
    if sentence is not None:
        raise ConnectionNotUsable(sentence.format(message=connection.status_message or "it stopped working."))
