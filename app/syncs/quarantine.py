"""Deletions that the brake held back: looked at, released or dismissed by people."""

from collections.abc import Mapping
from uuid import UUID

from app.actors import Actor, Permission
from app.audit.service import AuditService
from app.connections.service import ConnectionService
from app.connectors.base import Connector
from app.database import transaction
from app.errors import NotFound, Refusal
from app.paging import PageRequest, ResultPage
from app.syncs import absence
from app.syncs.absence import BATCH, Quarantine
from app.syncs.models import Counts
from app.syncs.walker import StreamWalker


class QuarantineNotFound(NotFound):
    """These held deletions do not exist, or you may not see them."""

    code = "quarantine_not_found"


class QuarantineSettled(Refusal):
    """These deletions were released or dismissed already."""

    code = "quarantine_settled"


class QuarantineService:
    """The use cases of held deletions."""

    def __init__(
        self, *, walker: StreamWalker, connections: ConnectionService, connectors: Mapping[str, Connector], audit: AuditService
    ) -> None:
        self._walker = walker
        self._connections = connections
        self._connectors = connectors
        self._audit = audit

    async def quarantined(
        self, actor: Actor, page: PageRequest, *, connection_id: UUID | None = None, held_only: bool = True
    ) -> ResultPage[Quarantine]:
        """Held deletions, newest first."""
        actor.require(Permission.READ_SYNCS)
        found = await absence.page(actor.scope, first=page.first, after=page.key(UUID), connection_id=connection_id, held_only=held_only)
        return ResultPage.cut(found, page.first, lambda quarantine: quarantine.id)

    async def get(self, actor: Actor, quarantine_id: UUID) -> Quarantine:
        """Raises QuarantineNotFound."""
        actor.require(Permission.READ_SYNCS)
        found = await absence.get(actor.scope, quarantine_id)
        if found is None:
            raise QuarantineNotFound
        return found

    async def dismiss(self, actor: Actor, quarantine_id: UUID) -> Quarantine:
        """Nothing is deleted. Raises QuarantineNotFound, QuarantineSettled."""
        actor.require(Permission.MANAGE_RECORDS)
        await self.get(actor, quarantine_id)
        async with transaction(actor.scope):
            if not await absence.decide(actor.scope, quarantine_id, "dismissed", actor.name):
                raise QuarantineSettled
            await self._audit.add(actor, "quarantine.dismissed", quarantine_id)
        return await self.get(actor, quarantine_id)

    async def release(self, actor: Actor, quarantine_id: UUID) -> Counts:
        """Delete what is still missing: each is asked for once more at the provider. Says what became of them.

        Raises QuarantineNotFound, QuarantineSettled, ConnectorError.
        """
        actor.require(Permission.MANAGE_RECORDS)
        held = await self.get(actor, quarantine_id)
        if held.status != "held":
            raise QuarantineSettled
        provider = await self._connections.provider_of(actor.scope, held.connection_id)
        connector, total = self._connectors[provider], Counts()
        async with self._connections.open_session(actor.scope, held.connection_id, priority="bulk") as session:
            source = await self._walker.source(actor.scope, held.connection_id, connector, connector.streams[held.stream], session, None)
            for place in range(0, len(held.external_ids), BATCH):
                seen = await absence.look_again(source, session, held.external_ids[place : place + BATCH])
                async with transaction(actor.scope):
                    total += await self._walker.write(source, seen)
        async with transaction(actor.scope):
            await absence.decide(actor.scope, quarantine_id, "released", actor.name)
            await self._audit.add(actor, "quarantine.released", quarantine_id, {"deleted": total.deleted})
        return total
