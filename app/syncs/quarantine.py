"""Deletions that the brake held back: looked at, released or dismissed by people, carried out by a worker."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from uuid import UUID

import structlog

from app.actors import Actor, Permission, Scope, system_actor
from app.audit.service import AuditService
from app.connections.service import ConnectionService
from app.connectors.base import Connector, Page, Session
from app.connectors.errors import RateLimited
from app.database import after_commit, transaction
from app.errors import HubError, LeaseLost, NotFound, Refusal
from app.idempotency import once
from app.paging import PageRequest, ResultPage
from app.queue import JobQueue
from app.syncs import absence
from app.syncs import quarantine_store as store
from app.syncs.quarantine_store import HeldDeletion, Quarantine
from app.syncs.sources import Source
from app.syncs.walker import StreamWalker

BATCH = 10
"""Objects that are asked for before what is gone is written. Some providers are gone through as a whole for each."""
SLICE_SECONDS = 20.0
LEASE_SECONDS = 90.0
"""After so long without a batch another worker may go on."""
WAIT_SECONDS = 60.0
"""Before the next try, where the provider names no time."""

_log = structlog.get_logger(__name__)


class QuarantineNotFound(NotFound):
    """These held deletions do not exist, or you may not see them."""

    code = "quarantine_not_found"


class QuarantineSettled(Refusal):
    """These deletions were released or dismissed already."""

    code = "quarantine_settled"


class QuarantineService:
    """The use cases of held deletions."""

    def __init__(
        self,
        *,
        walker: StreamWalker,
        connections: ConnectionService,
        connectors: Mapping[str, Connector],
        audit: AuditService,
        queue: JobQueue,
    ) -> None:
        self._walker = walker
        self._connections = connections
        self._connectors = connectors
        self._audit = audit
        self._queue = queue

    async def quarantined(
        self, actor: Actor, page: PageRequest, *, connection_id: UUID | None = None, open_only: bool = True
    ) -> ResultPage[Quarantine]:
        """Held deletions, newest first."""
        actor.require(Permission.READ_SYNCS)
        found = await store.page(actor.scope, first=page.first, after=page.key(UUID), connection_id=connection_id, open_only=open_only)
        return ResultPage.cut(found, page.first, lambda quarantine: quarantine.id)

    async def held_count(self, actor: Actor) -> int:
        """How many wait for a decision."""
        actor.require(Permission.READ_SYNCS)
        return await store.held_count(actor.scope)

    async def get(self, actor: Actor, quarantine_id: UUID) -> Quarantine:
        """Raises QuarantineNotFound."""
        actor.require(Permission.READ_SYNCS)
        found = await store.get(actor.scope, quarantine_id)
        if found is None:
            raise QuarantineNotFound
        return found

    async def deletions(self, actor: Actor, quarantine_id: UUID, page: PageRequest) -> ResultPage[HeldDeletion]:
        """What would be deleted, by the provider's ids. Raises QuarantineNotFound."""
        await self.get(actor, quarantine_id)
        actor.require(Permission.READ_RECORDS)
        found = await store.deletions(actor.scope, quarantine_id, first=page.first, after=page.key(str))
        return ResultPage.cut(found, page.first, lambda deletion: deletion.external_id)

    async def dismiss(self, actor: Actor, quarantine_id: UUID, *, idempotency_key: str | None = None) -> Quarantine:
        """Nothing (more) is deleted. Raises QuarantineNotFound, QuarantineSettled."""
        return await self._decide(actor, quarantine_id, "dismissed", idempotency_key)

    async def release(self, actor: Actor, quarantine_id: UUID, *, idempotency_key: str | None = None) -> Quarantine:
        """Delete what is still missing: a worker asks the provider for each once more. Raises QuarantineNotFound, QuarantineSettled."""
        return await self._decide(actor, quarantine_id, "releasing", idempotency_key)

    async def _decide(self, actor: Actor, quarantine_id: UUID, status: str, key: str | None) -> Quarantine:
        actor.require(Permission.MANAGE_RECORDS)
        event = "quarantine.released" if status == "releasing" else "quarantine.dismissed"
        async with once(actor, event, key, {"id": quarantine_id}) as call:
            found = await self.get(actor, quarantine_id)
            if not call.repeated:
                if not await store.decide(actor.scope, quarantine_id, status, actor.name):
                    raise QuarantineSettled
                data = {"connection_id": found.connection_id, "stream": found.stream, "count": found.count}
                await self._audit.add(actor, event, quarantine_id, data)
                if status == "releasing":
                    after_commit(lambda: self._queue.ring("release_deletions", actor.organization_id, quarantine_id))
                call.result = {}
        return await self.get(actor, quarantine_id)

    async def advance(self, organization_id: UUID, quarantine_id: UUID) -> None:
        """Carry out a release for a while, and ring for the rest. Safe to repeat: whoever else has it in hand keeps it."""
        scope = Scope(organization_id)
        async with transaction(scope):
            held = await store.take(scope, quarantine_id, lease_seconds=LEASE_SECONDS)
        if held is None:
            return
        try:
            async with self._connections.open_session(scope, held.connection_id, priority="bulk") as session:
                held = await self._carry_out(held, await self._source(scope, held, session), session)
        except LeaseLost:
            return
        except HubError as error:
            _log.warning("released deletions wait", quarantine_id=str(quarantine_id), error=error.code)
            await self._go_on_later(scope, quarantine_id, error)
        else:
            await self._go_on(scope, held)

    async def _go_on_later(self, scope: Scope, quarantine_id: UUID, error: HubError) -> None:
        wait = error.retry_after if isinstance(error, RateLimited) else WAIT_SECONDS
        async with transaction(scope):
            await store.postpone(scope, quarantine_id, seconds=wait, message=error.message)

    async def _go_on(self, scope: Scope, held: Quarantine) -> None:
        async with transaction(scope):
            if held.looked_at < held.count:
                await store.postpone(scope, held.id, seconds=0, message=None)
                after_commit(lambda: self._queue.ring("release_deletions", scope.organization_id, held.id, attempt=held.looked_at))
            elif await store.finish(scope, held):
                data = {"deleted": held.deleted}
                await self._audit.add(system_actor(scope.organization_id), "quarantine.carried_out", held.id, data)

    async def _source(self, scope: Scope, held: Quarantine, session: Session) -> Source:
        connector = self._connectors[await self._connections.provider_of(scope, held.connection_id)]
        source = await self._walker.source(scope, held.connection_id, connector, connector.streams[held.stream], session, None)
        return replace(source, name=held.decided_by or source.name)

    async def _carry_out(self, held: Quarantine, source: Source, session: Session) -> Quarantine:
        """Batch by batch until the slice is over. Raises LeaseLost, ConnectorError."""
        deadline = time.monotonic() + SLICE_SECONDS
        while held.looked_at < held.count and time.monotonic() < deadline:
            batch = await store.next_batch(source.scope, held, BATCH)
            size, seen = await _ask(source, session, batch, deadline)
            async with transaction(source.scope):
                counts = await self._walker.write(source, seen)
                moved = await store.advance(source.scope, held, size=size, deleted=counts.deleted, lease_seconds=LEASE_SECONDS)
                if moved is None:
                    raise LeaseLost
            held = moved
        return held


async def _ask(source: Source, session: Session, batch: Sequence[HeldDeletion], deadline: float) -> tuple[int, Page]:
    """How many of them were asked for until the slice was over, at least one, and what the provider has of them."""
    pages: list[Page] = []
    for one in batch:
        pages.append(await absence.look_again(source, session, [] if one.is_deleted else [one.external_id]))
        if time.monotonic() > deadline:
            break
    return len(pages), Page(
        state={}, items=[item for page in pages for item in page.items], parts=[p for page in pages for p in page.parts]
    )
