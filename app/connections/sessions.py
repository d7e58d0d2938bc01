"""Opens sessions: an authorised, limited and logged client for one piece of work on a connection."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from app.actors import Scope
from app.connections import repository, rules
from app.connections.call_log import StoredCallLog
from app.connections.models import Connection, ConnectionStatus
from app.connectors.base import Account, Connector, RateLimit, Session
from app.connectors.budget import PATIENCE_SECONDS, ConnectionBudget, Counters, Priority
from app.connectors.client import Transport
from app.connectors.errors import ConnectorError, CredentialsRefused, QuotaExhausted
from app.connectors.hold import HeldTransport, Hold
from app.encryption import CredentialsUnreadable, Vault
from app.errors import FixBy, InvalidInput, NotFound


class ConnectionNotFound(NotFound):
    """This connection does not exist, or you may not see it."""

    code = "connection_not_found"


class ConnectionUnusable(ConnectorError):
    """This connection cannot be used as it is; work on it waits until somebody has seen to it."""

    code = "connection_unusable"
    fix_by = FixBy.CUSTOMER


class CredentialsLost(CredentialsRefused):
    """These credentials were sealed with another master key: use that key again (CROSSWALK_MASTER_KEY), or enter them again."""

    code = "credentials_unreadable"


_UNUSABLE = {
    ConnectionStatus.UNTESTED: "This connection must be tested with its present settings before it is used.",
    ConnectionStatus.NEEDS_ATTENTION: "This connection needs attention: {message}",
    ConnectionStatus.DISABLED: "This connection is disabled.",
}


@dataclass(frozen=True, slots=True)
class SessionFactory:
    """What all sessions of a process share: connectors, keys, the guarded transport, and the counters of requests."""

    connectors: Mapping[str, Connector]
    vault: Vault
    transport: Transport
    counters: Counters
    patience_seconds: float = PATIENCE_SECONDS
    """How long a request waits for its budget in its job."""

    @asynccontextmanager
    async def open(
        self,
        scope: Scope,
        connection_id: UUID,
        *,
        priority: Priority = "bulk",
        sync_run_id: UUID | None = None,
        delivery_id: UUID | None = None,
        hold: Hold | None = None,
    ) -> AsyncIterator[Session]:
        """A session on a connection that may be used; with `hold`, as long as that lasts.

        Raises ConnectionNotFound, ConnectionUnusable, QuotaExhausted, CredentialsLost.
        """
        found = await repository.get_with_credentials(scope, connection_id)
        if found is None:
            raise ConnectionNotFound
        connection, sealed = found
        check_usable(connection, priority, datetime.now(UTC))
        connector = self.connectors[connection.provider]
        settings = rules.decode_settings(connector, {**connection.settings, **self._secrets(sealed)})
        log = StoredCallLog(scope, connection_id, connection.provider, sync_run_id, delivery_id)
        async with self.make(connector, settings, connection.account, log, priority, hold) as session:
            yield session

    @asynccontextmanager
    async def make(
        self,
        connector: Connector,
        settings: Any,
        account: Account | None,
        log: StoredCallLog,
        priority: Priority,
        hold: Hold | None = None,
    ) -> AsyncIterator[Session]:
        """A session with these settings, saved or not."""
        budget = self._budget(connector.limits(settings), str(log.connection_id or f"{log.scope.organization_id}:{connector.provider}"))
        transport = HeldTransport(self.transport, hold) if hold else self.transport
        client = connector.make_client(settings, transport=transport, budget=budget, log=log, priority=priority)
        try:
            yield Session(client, settings, account)
        finally:
            await log.close()

    async def room(self, scope: Scope, connection_id: UUID, provider: str, requests: int, at_most: int) -> int:
        """How many decisions of that many requests each may be in hand on a connection now."""
        limits = await self._limits(scope, connection_id, self.connectors[provider])
        return await self._budget(limits, str(connection_id)).room(requests, at_most)

    async def _limits(self, scope: Scope, connection_id: UUID, connector: Connector) -> Sequence[RateLimit]:
        """The connection's limits; the usual ones where its settings cannot be read, as whoever opens it will say."""
        found = await repository.get_with_credentials(scope, connection_id) if connector.limits_of else None
        if found is None:
            return connector.rate_limits
        try:
            return connector.limits(rules.decode_settings(connector, {**found[0].settings, **self._secrets(found[1])}))
        except (CredentialsLost, InvalidInput):
            return connector.rate_limits

    def _secrets(self, sealed: bytes) -> dict[str, str]:
        try:
            return self.vault.open(sealed)
        except CredentialsUnreadable:
            raise CredentialsLost from None

    def _budget(self, limits: Sequence[RateLimit], key: str) -> ConnectionBudget:
        return ConnectionBudget(self.counters, key, limits, self.patience_seconds)


def check_usable(connection: Connection, priority: Priority, now: datetime) -> None:
    """Whether work may begin. A pause holds bulk work only: decisions have requests that are kept for them."""
    if connection.deleted_at is not None:
        raise ConnectionUnusable("This connection was deleted.")
    if sentence := _UNUSABLE.get(connection.status):
        raise ConnectionUnusable(sentence.format(message=connection.status_message or "it stopped working."))
    if connection.status is ConnectionStatus.PAUSED and priority == "bulk":
        left = (connection.paused_until - now).total_seconds() if connection.paused_until else 60.0
        raise QuotaExhausted(connection.status_message, retry_after=max(1.0, left))
