"""What a connection's status is after work on it: the parts of the service that a worker calls, and what all parts share."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from uuid import UUID

from app.actors import Scope
from app.audit.service import AuditService
from app.connections import repository
from app.connections.models import Connection, ConnectionStatus
from app.connections.sessions import ConnectionNotFound, SessionFactory
from app.connectors.base import Connector
from app.database import after_commit, transaction
from app.encryption import Vault
from app.errors import HubError
from app.feed.service import FeedService
from app.mail import texts
from app.settings import Settings

if TYPE_CHECKING:
    from app.mail.service import MailService

TOLD_ONCE_PER = timedelta(hours=6)
"""Operators hear of the same trouble of a connection no more often."""


@dataclass(eq=False)
class ConnectionStatuses:
    """Where a connection stands, seen by those who work on it."""

    registry: Mapping[str, Connector]
    """Every connector by provider."""
    sessions: SessionFactory
    vault: Vault
    settings: Settings
    audit: AuditService
    feed: FeedService
    mail: "MailService"
    now: Callable[[], datetime]
    hurry: Callable[[Scope, UUID], Awaitable[object]] | None = None
    """Sends what waits for a connection that works again; set once the deliveries feature exists, which needs this one."""

    async def mark_needs_attention(self, scope: Scope, connection_id: UUID, error: HubError) -> None:
        """Work stops until somebody has seen to it; the operators are told by mail.

        Where somebody has changed or disabled it meanwhile, what earlier work met says nothing of it any more.
        """
        async with transaction(scope):
            connection = await self._locked(scope, connection_id)
            if connection.status in (ConnectionStatus.UNTESTED, ConnectionStatus.DISABLED):
                return
            await self._set_status(scope, connection_id, ConnectionStatus.NEEDS_ATTENTION, error.message)
            url = f"{self.settings.public_url.rstrip('/')}/console/{await repository.slug(scope)}/connections/{connection_id}"
            subject, body = texts.connection_needs_attention(connection.name, error.message, url)
            purpose = f"connection_needs_attention:{connection_id}"
            await self.mail.tell_operators(scope, subject=subject, body=body, purpose=purpose, once_per=TOLD_ONCE_PER)

    async def pause_until(self, scope: Scope, connection_id: UUID, until: datetime | float, message: str) -> None:
        """Bulk work waits until that time (or that many seconds from now); the pause ends by itself."""
        end = until if isinstance(until, datetime) else self.now() + timedelta(seconds=until)
        async with transaction(scope):
            connection = await self._locked(scope, connection_id)
            if connection.status in (ConnectionStatus.ACTIVE, ConnectionStatus.PAUSED):
                await self._set_status(scope, connection_id, ConnectionStatus.PAUSED, message, paused_until=end)

    async def mark_synced(self, scope: Scope, connection_id: UUID) -> None:
        """A sync run came to its end."""
        async with transaction(scope):
            await repository.set_synced(scope, connection_id, self.now())

    async def provider_of(self, scope: Scope, connection_id: UUID) -> str:
        """Raises ConnectionNotFound."""
        connection = await repository.get(scope, connection_id)
        if connection is None:
            raise ConnectionNotFound
        return connection.provider

    async def _locked(self, scope: Scope, connection_id: UUID) -> Connection:
        connection = await repository.get(scope, connection_id, lock=True)
        if connection is None:
            raise ConnectionNotFound
        return connection

    async def _set_status(
        self,
        scope: Scope,
        connection_id: UUID,
        status: ConnectionStatus,
        message: str | None = None,
        *,
        paused_until: datetime | None = None,
    ) -> None:
        revision = await repository.set_status(scope, connection_id, status, message, paused_until=paused_until)
        if status is ConnectionStatus.ACTIVE and (hurry := self.hurry):
            after_commit(lambda: hurry(scope, connection_id))
        await self.feed.publish(
            scope, topic="connection", subject_id=connection_id, revision=revision, data={"status": status, "message": message}
        )
