"""Tests of connections: nothing counts as working without a real exchange."""

import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from uuid import UUID

from app.actors import Actor, Permission
from app.connections import repository, rules
from app.connections.call_log import StoredCallLog
from app.connections.models import Connection, ConnectionMode, ConnectionStatus, ConnectionTest
from app.connections.sessions import ConnectionNotFound
from app.connections.status import ConnectionStatuses
from app.connectors.base import Account, Connector, Session
from app.connectors.errors import ConnectorError, CredentialsRefused
from app.database import transaction
from app.encryption import CredentialsUnreadable
from app.errors import FixBy, HubError, InvalidInput


class AnotherAccount(CredentialsRefused):
    """These credentials belong to another account; add a new connection for it."""

    code = "another_account"


class ConnectionTrials(ConnectionStatuses):
    """Trying connections, saved or not."""

    async def test(self, actor: Actor, connection_id: UUID) -> ConnectionTest:
        """Try a saved connection. What it shows becomes the connection's status. Raises ConnectionNotFound."""
        actor.require(Permission.MANAGE_CONNECTIONS)
        actor.require(Permission.READ_CONNECTIONS)  # the answer shows the account
        found = await repository.get_with_credentials(actor.scope, connection_id)
        if found is None or found[0].deleted_at is not None:
            raise ConnectionNotFound
        connection, sealed = found
        try:
            values = {**connection.settings, **self.vault.open(sealed)}
            log = StoredCallLog(actor.scope, connection_id, connection.provider)
            result = await self._try(self.registry[connection.provider], values, log, known=connection.account)
        except CredentialsUnreadable as error:
            result = _failure(error, 0.0)
        except InvalidInput as error:
            result = _failure(InvalidInput(f"These settings must be completed first: {', '.join(error.fields)}."), 0.0)
        return await self._keep_result(actor, connection, result)

    async def test_settings(
        self,
        actor: Actor,
        provider: str,
        settings: Mapping[str, Any],
        credentials: Mapping[str, Any],
        *,
        mode: str = "live",
        connection_id: UUID | None = None,
    ) -> ConnectionTest:
        """Try settings before they are saved; with `connection_id`, as changes to that connection. Raises InvalidInput."""
        actor.require(Permission.MANAGE_CONNECTIONS)
        connector, known = self.connector(provider), None
        rules.check_places(connector, settings, credentials)
        values = {**settings, **credentials}
        if connection_id is not None:
            connection, values = await self._with_changes(actor, connection_id, settings, credentials)
            connector, mode, known = self.connector(connection.provider), connection.mode, connection.account
        log = StoredCallLog(actor.scope, connection_id, connector.provider)
        self.decode(connector, values, rules.mode(mode))
        result = await self._try(connector, values, log, known=known)
        async with transaction(actor.scope):
            data = {"provider": connector.provider, "ok": result.ok, "code": result.code}
            await self.audit.add(actor, "connection.settings_tested", connection_id, data)
        return result

    async def check_account(self, connector: Connector, session: Session) -> None:
        """Whether the key still leads to the account that was tested. Raises AnotherAccount, ConnectorError."""
        found = await connector.check(session)
        if session.account is not None and (problem := rules.difference(session.account, found)):
            raise AnotherAccount(problem)

    def connector(self, provider: str) -> Connector:
        """Raises InvalidInput."""
        found = self.registry.get(provider)
        if found is None:
            raise InvalidInput(fields={"provider": f"Choose one of: {', '.join(sorted(self.registry))}."})
        return found

    def decode(self, connector: Connector, values: Mapping[str, Any], mode: ConnectionMode) -> tuple[dict[str, Any], dict[str, str]]:
        """(settings, secrets) that this deployment allows. Raises InvalidInput."""
        shown, secrets = rules.split(connector, rules.decode_settings(connector, values))
        allowed = {"sandboxes": self.settings.sandboxes, "sandbox_urls": self.settings.sandbox_urls}
        rules.check_mode(connector, shown, mode, **allowed)  # type: ignore[arg-type]  # mypy does not follow names in a dict
        return shown, secrets

    async def _with_changes(
        self, actor: Actor, connection_id: UUID, settings: Mapping[str, Any], credentials: Mapping[str, Any]
    ) -> tuple[Connection, dict[str, Any]]:
        """A connection, and all its values after a change: what is not given stays, None is the connector's default.

        Kept secrets are never sent to a new address: whoever changes it must know them.
        """
        found = await repository.get_with_credentials(actor.scope, connection_id)
        if found is None or found[0].deleted_at is not None:
            raise ConnectionNotFound
        connection, sealed = found
        connector = self.connector(connection.provider)
        rules.check_places(connector, settings, credentials)
        changed = {**connection.settings, **settings}
        given = {name: secret for name, secret in credentials.items() if secret}
        kept = set(connection.credential_hints) - set(given)
        if kept and _endpoints_of(connector, changed) != _endpoints_of(connector, connection.settings):
            words = "Enter this again: it would be sent to a new address."
            raise InvalidInput(fields=dict.fromkeys(sorted(kept), words))
        secrets = self.vault.open(sealed) if kept else {}
        return connection, {**changed, **secrets, **given}

    async def _try(self, connector: Connector, values: Mapping[str, Any], log: StoredCallLog, *, known: Account | None) -> ConnectionTest:
        """One real exchange with the provider."""
        settings = rules.decode_settings(connector, values)
        started = time.perf_counter()
        try:
            async with self.sessions.make(connector, settings, known, log, "decision") as session:
                account = await connector.check(session)
            if known is not None and (problem := rules.difference(known, account)):
                raise AnotherAccount(problem)
        except ConnectorError as error:
            return _failure(error, _since(started))
        milliseconds = _since(started)
        message = f"{connector.title} answered as {account.name} in {milliseconds:.0f} ms."
        return ConnectionTest(True, message, milliseconds, account)

    async def _keep_result(self, actor: Actor, connection: Connection, result: ConnectionTest) -> ConnectionTest:
        async with transaction(actor.scope):
            current = await self._locked(actor.scope, connection.id)
            if current.version != connection.version:
                # What was tested is not what the connection is now; its status stays what it was.
                result = replace(result, message=f"{result.message} The connection was changed meanwhile; test it again.")
            else:
                await self._take_over(actor, current, result)
            data = {"ok": result.ok, "code": result.code, "duration_ms": result.duration_ms}
            await self.audit.add(actor, "connection.tested", connection.id, data)
        return result

    async def _take_over(self, actor: Actor, connection: Connection, result: ConnectionTest) -> None:
        scope, status = actor.scope, connection.status
        if result.account is not None:
            await repository.set_tested(scope, connection.id, result.account, self.now())
            if status in (ConnectionStatus.UNTESTED, ConnectionStatus.NEEDS_ATTENTION):
                await self._set_status(scope, connection.id, ConnectionStatus.ACTIVE)
        elif result.fix_by is FixBy.CUSTOMER and status is not ConnectionStatus.DISABLED:
            await self._set_status(scope, connection.id, ConnectionStatus.NEEDS_ATTENTION, result.message)


def _endpoints_of(connector: Connector, settings: Mapping[str, Any]) -> dict[str, tuple[str, int]]:
    return rules.endpoints(connector, settings)


def _since(started: float) -> float:
    return round((time.perf_counter() - started) * 1000, 1)


def _failure(error: HubError, milliseconds: float) -> ConnectionTest:
    return ConnectionTest(False, error.message, milliseconds, code=error.code, fix_by=error.fix_by)
