"""Mutations on connections. Credentials go in and never come out."""

from typing import Annotated, Any

import strawberry
from strawberry.scalars import JSON

from app.api.context import Info
from app.api.ids import ConnectionId, IdempotencyKey, OfConnection, optional_uuid, uuid_of
from app.api.refusals import GENERAL, Refusal, answers, common
from app.api.types.connections import Connection, ConnectionMode, ConnectionTest
from app.connections import models
from app.connections.service import ConnectionBusy, ConnectionChanged, ConnectionNameTaken
from app.errors import InvalidInput
from app.idempotency import remembered

Settings = Annotated[
    JSON | None,
    strawberry.argument(description='Settings by name, as `connectors` describes them, like `{"timeout_seconds": 30}`.'),
]
Credentials = Annotated[
    JSON | None,
    strawberry.argument(description='Secrets by name, like `{"api_key": "…"}`. They are sealed and never shown again.'),
]
Version = Annotated[
    int | None,
    strawberry.argument(description="The `version` that was seen: the connection is left alone if somebody changed it since."),
]


@strawberry.type(name="ConnectionNameTaken", description="Another connection has this name.")
class ConnectionNameTakenRefusal(Refusal):
    refuses = (ConnectionNameTaken,)


@strawberry.type(name="ConnectionBusy", description="A sync or a decision is under way on this connection.")
class ConnectionBusyRefusal(Refusal):
    refuses = (ConnectionBusy,)


@strawberry.type(name="ConnectionChanged", description="Somebody changed this connection meanwhile.")
class ConnectionChangedRefusal(Refusal):
    refuses = (ConnectionChanged,)

    current_version: int = strawberry.field(description="The version that it has now.")

    @classmethod
    def of(cls, error: ConnectionChanged) -> "ConnectionChangedRefusal":
        return cls(**common(error), current_version=error.current_version)


@strawberry.type(description="The connection was made; test it next.")
class CreateConnectionSuccess:
    connection: Connection = strawberry.field(description="The new connection.")


@strawberry.type(description="The connection was changed.")
class UpdateConnectionSuccess:
    connection: Connection = strawberry.field(description="The connection as it is now.")


@strawberry.type(description="The connection is deleted: its credentials are gone, its records and logs stay.")
class DeleteConnectionSuccess:
    connection: Connection = strawberry.field(description="The connection as it is now.")


@strawberry.type(description="The connection is back; its credentials must be entered again.")
class RestoreConnectionSuccess:
    connection: Connection = strawberry.field(description="The connection as it is now.")


@strawberry.type(description="The connection was tried with a real exchange, which may have failed.")
class TestConnectionSuccess:
    test: ConnectionTest = strawberry.field(description="What the exchange showed.")
    connection: Connection = strawberry.field(description="The connection as it is now.")


@strawberry.type(description="The settings were tried with a real exchange, which may have failed.")
class TestConnectionSettingsSuccess:
    test: ConnectionTest = strawberry.field(description="What the exchange showed.")


CreateConnectionResult = Annotated[
    CreateConnectionSuccess | ConnectionNameTakenRefusal | GENERAL,
    strawberry.union("CreateConnectionResult", description="The new connection, or why there is none."),
]
UpdateConnectionResult = Annotated[
    UpdateConnectionSuccess | ConnectionNameTakenRefusal | ConnectionChangedRefusal | GENERAL,
    strawberry.union("UpdateConnectionResult", description="The connection, or why it was not changed."),
]
DeleteConnectionResult = Annotated[
    DeleteConnectionSuccess | ConnectionBusyRefusal | ConnectionChangedRefusal | GENERAL,
    strawberry.union("DeleteConnectionResult", description="The connection, or why it was not deleted."),
]
RestoreConnectionResult = Annotated[
    RestoreConnectionSuccess | ConnectionNameTakenRefusal | GENERAL,
    strawberry.union("RestoreConnectionResult", description="The connection, or why it was not restored."),
]
TestConnectionResult = Annotated[
    TestConnectionSuccess | GENERAL,
    strawberry.union("TestConnectionResult", description="What a test showed, or why there was none."),
]
TestConnectionSettingsResult = Annotated[
    TestConnectionSettingsSuccess | GENERAL,
    strawberry.union("TestConnectionSettingsResult", description="What a test showed, or why there was none."),
]


@strawberry.type
class ConnectionMutations:
    @strawberry.mutation(description="Connect an account at a provider.")
    @answers
    async def create_connection(
        self,
        info: Info,
        provider: Annotated[str, strawberry.argument(description="The provider, as `connectors` names it.")],
        name: Annotated[str, strawberry.argument(description="What people will call the connection.")],
        idempotency_key: IdempotencyKey,
        settings: Settings = None,
        credentials: Credentials = None,
        mode: Annotated[ConnectionMode, strawberry.argument(description="Whether it reaches a real account.")] = ConnectionMode.LIVE,
    ) -> CreateConnectionResult:
        connection = await info.context.hub.connections.create(
            info.context.actor,
            provider=provider,
            name=name,
            mode=mode.value,
            settings=_object(settings, "settings"),
            credentials=_object(credentials, "credentials"),
            idempotency_key=idempotency_key,
        )
        return CreateConnectionSuccess(connection=Connection.of(connection))

    @strawberry.mutation(description="Change a connection: what is given changes, what is left out stays, secrets too.")
    @answers
    async def update_connection(
        self,
        info: Info,
        id: ConnectionId,
        idempotency_key: IdempotencyKey,
        name: Annotated[str | None, strawberry.argument(description="What people call it.")] = None,
        settings: Settings = None,
        credentials: Credentials = None,
        enabled: Annotated[bool | None, strawberry.argument(description="Whether it may be used.")] = None,
        version: Version = None,
    ) -> UpdateConnectionResult:
        connection = await info.context.hub.connections.update(
            info.context.actor,
            uuid_of(id, "Connection"),
            name=name,
            settings=_object(settings, "settings"),
            credentials=_object(credentials, "credentials"),
            enabled=enabled,
            version=version,
            idempotency_key=idempotency_key,
        )
        return UpdateConnectionSuccess(connection=Connection.of(connection))

    @strawberry.mutation(description="Delete a connection. It can be restored; its credentials cannot.")
    @answers
    async def delete_connection(
        self,
        info: Info,
        id: ConnectionId,
        idempotency_key: IdempotencyKey,
        cancel_running: Annotated[bool, strawberry.argument(description="Also when something is under way; it is cancelled.")] = False,
        version: Version = None,
    ) -> DeleteConnectionResult:
        connection = await info.context.hub.connections.delete(
            info.context.actor,
            uuid_of(id, "Connection"),
            cancel_running=cancel_running,
            version=version,
            idempotency_key=idempotency_key,
        )
        return DeleteConnectionSuccess(connection=Connection.of(connection))

    @strawberry.mutation(description="Bring a deleted connection back, with its records and settings but without credentials.")
    @answers
    async def restore_connection(self, info: Info, id: ConnectionId, idempotency_key: IdempotencyKey) -> RestoreConnectionResult:
        connection = await info.context.hub.connections.restore(
            info.context.actor, uuid_of(id, "Connection"), idempotency_key=idempotency_key
        )
        return RestoreConnectionSuccess(connection=Connection.of(connection))

    @strawberry.mutation(description="Try a connection with a real exchange. What it shows becomes the connection's status.")
    @answers
    async def test_connection(self, info: Info, id: ConnectionId, idempotency_key: IdempotencyKey) -> TestConnectionResult:
        hub, actor, connection_id = info.context.hub, info.context.actor, uuid_of(id, "Connection")

        async def test() -> models.ConnectionTest:
            return await hub.connections.test(actor, connection_id)

        result = await remembered(actor, "test_connection", idempotency_key, [connection_id], test, models.ConnectionTest)
        connection = await hub.connections.get(actor, connection_id)
        return TestConnectionSuccess(test=ConnectionTest.of(result), connection=Connection.of(connection))

    @strawberry.mutation(description="Try settings with a real exchange before they are saved.")
    @answers
    async def test_connection_settings(
        self,
        info: Info,
        provider: Annotated[str, strawberry.argument(description="The provider, as `connectors` names it.")],
        idempotency_key: IdempotencyKey,
        settings: Settings = None,
        credentials: Credentials = None,
        mode: Annotated[ConnectionMode, strawberry.argument(description="Whether it reaches a real account.")] = ConnectionMode.LIVE,
        connection_id: OfConnection = None,
    ) -> TestConnectionSettingsResult:
        hub, actor = info.context.hub, info.context.actor
        known = optional_uuid(connection_id, "Connection")
        given, secrets = _object(settings, "settings"), _object(credentials, "credentials")

        async def test() -> models.ConnectionTest:
            return await hub.connections.test_settings(actor, provider, given, secrets, mode=mode.value, connection_id=known)

        fingerprint = hub.vault.fingerprint({name: str(secret) for name, secret in secrets.items()})
        request = [provider, given, fingerprint, mode.value, known]
        result = await remembered(actor, "test_connection_settings", idempotency_key, request, test, models.ConnectionTest)
        return TestConnectionSettingsSuccess(test=ConnectionTest.of(result))


def _object(value: Any, field: str) -> dict[str, Any]:
    """Raises InvalidInput for JSON that is no object."""
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise InvalidInput(fields={field: "This must be a JSON object."})
    return value
