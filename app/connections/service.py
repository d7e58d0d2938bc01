"""Connections: authorised accounts at providers."""

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import Any, Protocol
from uuid import UUID

import asyncpg

from app.actors import Actor, Permission, Scope
from app.connections import call_log, repository, rules
from app.connections.models import Connection, ConnectionStatus, LoggedCall
from app.connections.sessions import ConnectionNotFound
from app.connections.trials import ConnectionTrials
from app.connectors.base import Connector, Session
from app.connectors.budget import Priority
from app.connectors.hold import Hold
from app.database import transaction
from app.errors import Refusal
from app.idempotency import once
from app.ids import new_id
from app.paging import PageRequest, ResultPage


class ConnectionNameTaken(Refusal):
    """Another connection has this name; choose a different one."""

    code = "connection_name_taken"


class ConnectionChanged(Refusal):
    """Somebody changed this connection meanwhile; look at it again before you change it."""

    code = "connection_changed"

    def __init__(self, current_version: int) -> None:
        super().__init__()
        self.current_version = current_version


class ConnectionBusy(Refusal):
    """A sync or a decision is under way on this connection."""

    code = "connection_busy"


class Runs(Protocol):
    """What deleting a connection needs of the syncs feature."""

    async def has_active(self, scope: Scope, connection_id: UUID) -> bool: ...

    async def cancel_all(self, actor: Actor, connection_id: UUID) -> int: ...


@dataclass(eq=False)
class ConnectionService(ConnectionTrials):
    """What one can ask for about connections; `ConnectionTrials` and `ConnectionStatuses` hold the rest of its methods."""

    runs: Runs | None = None
    """Set once the syncs feature exists, which itself needs this service."""

    def connectors(self, actor: Actor) -> list[Connector]:
        """The providers that can be connected, by title."""
        actor.require(Permission.READ_CONNECTIONS)
        return sorted(self.registry.values(), key=lambda connector: connector.title)

    async def list(self, actor: Actor, page: PageRequest, *, deleted: bool = False) -> ResultPage[Connection]:
        """Oldest first; the deleted ones instead with `deleted`."""
        actor.require(Permission.READ_CONNECTIONS)
        found = await repository.page(actor.scope, first=page.first, after=page.key(UUID), deleted=deleted)
        return ResultPage.cut(found, page.first, lambda connection: connection.id)

    async def get(self, actor: Actor, connection_id: UUID) -> Connection:
        """Raises ConnectionNotFound; a deleted one is still found."""
        actor.require(Permission.READ_CONNECTIONS)
        connection = await repository.get(actor.scope, connection_id)
        if connection is None:
            raise ConnectionNotFound
        return connection

    async def get_many(self, actor: Actor, connection_ids: Sequence[UUID]) -> "Sequence[Connection]":
        """Those of the connections that exist, in any order."""
        actor.require(Permission.READ_CONNECTIONS)
        return await repository.get_many(actor.scope, connection_ids)

    async def create(
        self,
        actor: Actor,
        *,
        provider: str,
        name: str,
        mode: str = "live",
        settings: Mapping[str, Any],
        credentials: Mapping[str, Any],
        idempotency_key: str | None = None,
    ) -> Connection:
        """A new connection, still untested. Raises InvalidInput, ConnectionNameTaken."""
        actor.require(Permission.MANAGE_CONNECTIONS)
        connector, chosen_name, chosen_mode = self.connector(provider), rules.name(name), rules.mode(mode)
        rules.check_places(connector, settings, credentials)
        shown, secrets = self.decode(connector, {**settings, **credentials}, chosen_mode)
        request = [provider, chosen_name, chosen_mode, shown, self.vault.fingerprint(secrets)]
        connection_id = new_id()
        with _name_conflicts():
            async with once(actor, "create_connection", idempotency_key, request) as call:
                if call.repeated:
                    return await self.get(actor, call.id())
                await repository.add(
                    actor.scope,
                    connection_id,
                    provider=provider,
                    name=chosen_name,
                    mode=chosen_mode,
                    settings=shown,
                    credentials=self.vault.seal(secrets),
                    credential_hints=rules.hints(secrets, self.now()),
                )
                await self._set_status(actor.scope, connection_id, ConnectionStatus.UNTESTED)
                data = {"provider": provider, "name": chosen_name, "mode": chosen_mode, "settings": shown}
                await self.audit.add(actor, "connection.created", connection_id, data)
                call.result = {"id": str(connection_id)}
                return await self.get(actor, connection_id)

    async def update(
        self,
        actor: Actor,
        connection_id: UUID,
        *,
        name: str | None = None,
        settings: Mapping[str, Any] | None = None,
        credentials: Mapping[str, Any] | None = None,
        enabled: bool | None = None,
        version: int | None = None,
        idempotency_key: str | None = None,
    ) -> Connection:
        """Change what is given and keep the rest; a setting of None returns to its default, an empty secret stays.

        Raises InvalidInput, ConnectionChanged (when `version` is not the current one), ConnectionNameTaken, CredentialsUnreadable.
        """
        actor.require(Permission.MANAGE_CONNECTIONS)
        given = {key: str(secret) for key, secret in (credentials or {}).items() if secret}
        request = [connection_id, name, settings, self.vault.fingerprint(given), enabled, version]
        with _name_conflicts():
            async with once(actor, "update_connection", idempotency_key, request) as call:
                if not call.repeated:
                    before = await self._current(actor.scope, connection_id, version)
                    await self._change(actor, before, rules.name(name or before.name), settings or {}, given, enabled)
                    call.result = {"id": str(connection_id)}
                return await self.get(actor, connection_id)

    async def _change(
        self, actor: Actor, before: Connection, name: str, settings: Mapping[str, Any], given: Mapping[str, str], enabled: bool | None
    ) -> None:
        scope, connector = actor.scope, self.connector(before.provider)
        _, values = await self._with_changes(actor, before.id, settings, given)
        shown, secrets = self.decode(connector, values, before.mode)
        retest = bool(given) or rules.endpoints(connector, shown) != rules.endpoints(connector, before.settings)
        proven = not retest and before.status is not ConnectionStatus.NEEDS_ATTENTION
        await repository.set_wishes(scope, before.id, name=name, settings=shown, proven=proven)
        if given:
            kept = {key: {"last_four": hint.last_four, "set_at": hint.set_at} for key, hint in before.credential_hints.items()}
            new = rules.hints({key: secret for key, secret in secrets.items() if key in given}, self.now())
            await repository.set_credentials(scope, before.id, self.vault.seal(secrets), kept | new)
        status = rules.status_after_change(before, retest=retest, enabled=enabled)
        message = before.status_message if status is before.status else None
        await self._set_status(scope, before.id, status, message, paused_until=before.paused_until)
        data = rules.changes(before, name, shown) | ({"credentials": sorted(given)} if given else {})
        await self.audit.add(actor, "connection.updated", before.id, data | ({} if enabled is None else {"enabled": enabled}))

    async def delete(
        self,
        actor: Actor,
        connection_id: UUID,
        *,
        cancel_running: bool = False,
        version: int | None = None,
        idempotency_key: str | None = None,
    ) -> Connection:
        """Forget the credentials and stop all work; records, history and logs stay. Deleting it again changes nothing.

        Raises ConnectionBusy unless `cancel_running`, ConnectionChanged, ConnectionNotFound.
        """
        actor.require(Permission.MANAGE_CONNECTIONS)
        async with once(actor, "delete_connection", idempotency_key, [connection_id, cancel_running, version]) as call:
            connection = await self.get(actor, connection_id)
            if connection.deleted_at is None and not call.repeated:
                _check_version(connection, version)
                await self._delete(actor, connection, cancel_running)
            call.result = {"id": str(connection_id)}
            return await self.get(actor, connection_id)

    async def _delete(self, actor: Actor, connection: Connection, cancel_running: bool) -> None:
        scope = actor.scope
        waiting = await repository.waiting_deliveries(scope, connection.id)
        running = self.runs is not None and await self.runs.has_active(scope, connection.id)
        if (waiting or running) and not cancel_running:
            raise ConnectionBusy(_busy_words(waiting, running))
        # Runs before their connection: whoever ends a run locks the two in this order.
        cancelled = await self.runs.cancel_all(actor, connection.id) if self.runs and running else 0
        if (await self._locked(scope, connection.id)).version != connection.version:
            raise ConnectionChanged(connection.version + 1)
        await repository.set_credentials(scope, connection.id, self.vault.seal({}), {})
        await repository.set_deleted(scope, connection.id, self.now())
        await self._set_status(scope, connection.id, ConnectionStatus.DISABLED, "This connection was deleted.")
        data = {"name": connection.name, "cancelled_runs": cancelled, "undelivered_decisions": waiting}
        await self.audit.add(actor, "connection.deleted", connection.id, data)

    async def restore(self, actor: Actor, connection_id: UUID, *, idempotency_key: str | None = None) -> Connection:
        """Bring a deleted connection back with its records and settings; its credentials must be entered again.

        Raises ConnectionNotFound, ConnectionNameTaken.
        """
        actor.require(Permission.MANAGE_CONNECTIONS)
        with _name_conflicts():
            async with once(actor, "restore_connection", idempotency_key, [connection_id]) as call:
                connection = await self._locked(actor.scope, connection_id)
                if connection.deleted_at is not None and not call.repeated:
                    await repository.set_deleted(actor.scope, connection_id, None)
                    words = "Enter the credentials again, then test the connection."
                    await self._set_status(actor.scope, connection_id, ConnectionStatus.NEEDS_ATTENTION, words)
                    await self.audit.add(actor, "connection.restored", connection_id, {"name": connection.name})
                call.result = {"id": str(connection_id)}
                return await self.get(actor, connection_id)

    @asynccontextmanager
    async def open_session(
        self,
        scope: Scope,
        connection_id: UUID,
        *,
        priority: Priority = "bulk",
        sync_run_id: UUID | None = None,
        delivery_id: UUID | None = None,
        hold: Hold | None = None,
    ) -> AsyncIterator[Session]:
        """An authorised, limited and logged client for one piece of work; with `hold`, as long as that lasts.

        Raises ConnectionNotFound, ConnectionUnusable, QuotaExhausted (paused), CredentialsLost.
        """
        opened = self.sessions.open(scope, connection_id, priority=priority, sync_run_id=sync_run_id, delivery_id=delivery_id, hold=hold)
        async with opened as session:
            yield session

    async def origin(self, scope: Scope, connection_id: UUID) -> tuple[str, str, str] | None:
        """The provider of a connection, its account's currency (ISO 4217, XXX: none known) and time zone.

        None where there is no such connection.
        """
        found = await repository.get(scope, connection_id)
        if found is None:
            return None
        return (found.provider, found.account.currency, found.account.time_zone) if found.account else (found.provider, "XXX", "UTC")

    async def provider_calls(
        self, actor: Actor, connection_id: UUID, page: PageRequest, *, sync_run_id: UUID | None = None
    ) -> ResultPage[LoggedCall]:
        """Every request that was sent, newest first; those of one sync run where it is given."""
        actor.require(Permission.READ_CONNECTIONS)
        found = await call_log.logged_calls(actor.scope, connection_id, first=page.first, after=page.key(UUID), sync_run_id=sync_run_id)
        return ResultPage.cut(found, page.first, lambda call: call.id)

    async def reseal(self, actor: Actor) -> int:
        """Seal all credentials with the newest master key, so that an older one can be thrown away. How many."""
        actor.require(Permission.MANAGE_PEOPLE)
        async with transaction(actor.scope):
            sealed = await repository.all_sealed(actor.scope)
            for connection_id, credentials in sealed:
                await repository.set_credentials(actor.scope, connection_id, self.vault.rotate(credentials))
            await self.audit.add(actor, "connections.resealed", None, {"connections": len(sealed)})
        return len(sealed)

    async def _current(self, scope: Scope, connection_id: UUID, version: int | None) -> Connection:
        connection = await self._locked(scope, connection_id)
        if connection.deleted_at is not None:
            raise ConnectionNotFound
        _check_version(connection, version)
        return connection


def _check_version(connection: Connection, version: int | None) -> None:
    if version is not None and version != connection.version:
        raise ConnectionChanged(connection.version)


def _busy_words(waiting: int, running: bool) -> str:
    if not waiting:
        return "A sync is running on this connection; cancel it first, or delete the connection together with it."
    decisions = "A decision of a client is" if waiting == 1 else f"{waiting} decisions of clients are"
    return f"{decisions} still being sent over this connection and would never arrive."


@contextmanager
def _name_conflicts() -> Iterator[None]:
    try:
        yield
    except asyncpg.UniqueViolationError as error:
        if error.constraint_name != "connection_name":
            raise
        raise ConnectionNameTaken from None
