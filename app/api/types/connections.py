"""Connections and calls to providers, as GraphQL shows them. No secret has a field here."""

from datetime import datetime
from enum import Enum
from typing import TYPE_CHECKING, Annotated, Self
from uuid import UUID

import strawberry
from strawberry import relay
from strawberry.scalars import JSON

from app.actors import Permission
from app.api.context import Info
from app.api.enums import enum
from app.api.ids import id_text
from app.api.pages import NEWEST_FIRST, After, First, Listing, listing, nothing, page_of
from app.api.reads import sources as reads
from app.api.reads.sources import Expression, Inline, Items, Many, Page, Resolved, Shape
from app.api.refusals import FixBy
from app.api.types.connectors import Connector
from app.connections import models, repository
from app.connectors import base

if TYPE_CHECKING:
    from app.api.types.sync_runs import SyncRun


@enum(
    "Whether a connection reaches a real account.",
    LIVE="A real account at the provider.",
    SANDBOX="An imitation of the provider; never mixed with real data.",
)
class ConnectionMode(Enum):
    LIVE = "live"
    SANDBOX = "sandbox"


@enum(
    "Whether a connection can be used.",
    UNTESTED="Nobody tested it with its present settings.",
    ACTIVE="It works.",
    NEEDS_ATTENTION="Somebody has to correct its settings and test it.",
    PAUSED="The provider asked for a pause; it goes on by itself.",
    DISABLED="Somebody switched it off.",
)
class ConnectionStatus(Enum):
    UNTESTED = "untested"
    ACTIVE = "active"
    NEEDS_ATTENTION = "needs_attention"
    PAUSED = "paused"
    DISABLED = "disabled"


@strawberry.type(description="What may be known of a secret that was given.")
class CredentialHint:
    name: str = strawberry.field(description="The setting that it is, like `api_key`.")
    last_four: str = strawberry.field(description="Its last four characters; empty for a short one.")
    set_at: datetime = strawberry.field(description="When it was given.")


@strawberry.type(description="What the provider says of the account behind a connection.")
class Account:
    external_id: str = strawberry.field(description="The provider's id of the account.")
    name: str = strawberry.field(description="What the account is called there.")
    currency: str = strawberry.field(description="Its currency as ISO 4217; `XXX` where the provider has none.")
    time_zone: str = strawberry.field(description="Its time zone, like `Australia/Perth`.")

    @classmethod
    def of(cls, account: base.Account) -> Self:
        return cls(external_id=account.id, name=account.name, currency=account.currency, time_zone=account.time_zone)


@strawberry.type(description="One authorised account at a provider.")
class Connection(relay.Node):
    uuid: relay.NodeID[UUID]
    provider: str = strawberry.field(description="The provider's name, like `servicem8`.")
    name: str = strawberry.field(description="What people call it.")
    mode: ConnectionMode = strawberry.field(description="Whether it reaches a real account.")
    settings: JSON = strawberry.field(description="Its settings without any secret.")
    credential_hints: list[CredentialHint] = strawberry.field(description="Which secrets were given, and when.")
    account: Account | None = strawberry.field(description="The account behind it; null before the first successful test.")
    status: ConnectionStatus = strawberry.field(description="Whether it can be used.")
    status_message: str | None = strawberry.field(description="Why it cannot be used, in one sentence.")
    paused_until: datetime | None = strawberry.field(description="When a pause ends.")
    tested_at: datetime | None = strawberry.field(description="When it was last tested.")
    last_synced_at: datetime | None = strawberry.field(description="When a run of it last completed.")
    version: int = strawberry.field(description="Counts up with every change of its settings; `updateConnection` names the one it saw.")
    created_at: datetime = strawberry.field(description="When it was made.")
    updated_at: datetime = strawberry.field(description="When it was last changed.")
    deleted_at: datetime | None = strawberry.field(description="When it was deleted; it can be restored.")

    @strawberry.field(description="What the hub can do with its provider; null when this hub has lost the connector.")
    def connector(self, info: Info) -> Connector | None:
        connector = info.context.hub.connectors.get(self.provider)
        return None if connector is None else Connector.of(connector)

    @strawberry.field(description="Its latest sync runs, newest first.")
    async def latest_runs(self, info: Info, first: First = 5) -> list[Annotated["SyncRun", strawberry.lazy("app.api.types.sync_runs")]]:
        return await info.context.loaders.latest_runs.load((self.uuid, first)) or []

    @strawberry.field(description="Its sync runs, newest first, page by page.")
    async def sync_runs(
        self, info: Info, first: First = 50, after: After = None
    ) -> Listing[Annotated["SyncRun", strawberry.lazy("app.api.types.sync_runs")]]:
        from app.api.types.sync_runs import SyncRun

        if not info.context.actor.may(Permission.READ_SYNCS):
            return nothing(info, after, of=self.uuid)
        page = await info.context.hub.syncs.runs(info.context.actor, page_of(first, after), connection_id=self.uuid)
        return listing(info, page, after, SyncRun.of, of=self.uuid)

    @classmethod
    def of(cls, connection: models.Connection) -> Self:
        return cls(
            uuid=connection.id,
            provider=connection.provider,
            name=connection.name,
            mode=ConnectionMode(connection.mode.value),
            settings=JSON(connection.settings),
            credential_hints=[
                CredentialHint(name=name, last_four=hint.last_four, set_at=hint.set_at)
                for name, hint in connection.credential_hints.items()
            ],
            account=None if connection.account is None else Account.of(connection.account),
            status=ConnectionStatus(connection.status.value),
            status_message=connection.status_message,
            paused_until=connection.paused_until,
            tested_at=connection.tested_at,
            last_synced_at=connection.last_synced_at,
            version=connection.version,
            created_at=connection.created_at,
            updated_at=connection.updated_at,
            deleted_at=connection.deleted_at,
        )


@strawberry.type(description="What a real exchange with the provider showed.")
class ConnectionTest:
    ok: bool = strawberry.field(description="Whether the provider accepted the credentials.")
    message: str = strawberry.field(description="What happened, in one sentence.")
    duration_ms: float = strawberry.field(description="How long the provider took, in milliseconds.")
    account: Account | None = strawberry.field(description="The account that the provider named.")
    code: str | None = strawberry.field(description="Why it did not work, for programs.")
    fix_by: FixBy | None = strawberry.field(description="Who can fix it, when it did not work.")

    @classmethod
    def of(cls, test: models.ConnectionTest) -> Self:
        return cls(
            ok=test.ok,
            message=test.message,
            duration_ms=test.duration_ms,
            account=None if test.account is None else Account.of(test.account),
            code=test.code,
            fix_by=FixBy(test.fix_by.value) if test.fix_by else None,
        )


@strawberry.type(description="One request to a provider, as it was sent. No secret is in it.")
class ProviderCall:
    call_id: strawberry.Private[UUID]
    method: str = strawberry.field(description="The HTTP method.")
    url: str = strawberry.field(description="The address without secrets.")
    status: int | None = strawberry.field(description="The HTTP status; null: no answer came.")
    attempt: int = strawberry.field(description="1 for the first try.")
    duration_ms: float = strawberry.field(description="How long the provider took, in milliseconds.")
    waited_ms: float = strawberry.field(description="How long the request waited for the rate limit before, in milliseconds.")
    bytes_received: int = strawberry.field(description="How much came back.")
    error: str | None = strawberry.field(description="What went wrong, in words.")
    called_at: datetime = strawberry.field(description="When it was sent.")

    @strawberry.field(description="Its id.")
    def id(self) -> strawberry.ID:
        return id_text("ProviderCall", self.call_id)

    @classmethod
    def of(cls, call: models.LoggedCall) -> Self:
        return cls(
            call_id=call.id,
            method=call.method,
            url=call.url,
            status=call.status,
            attempt=call.attempt,
            duration_ms=call.duration_ms,
            waited_ms=call.waited_ms,
            bytes_received=call.bytes_received,
            error=call.error,
            called_at=call.called_at,
        )


reads.declare(
    "Connection",
    Shape(
        {
            "id": reads.global_id("Connection"),
            "credential_hints": Items(
                Shape({"name": reads.json_text("name"), "last_four": reads.json_text("last_four"), "set_at": reads.json_text("set_at")}),
                "(SELECT coalesce(jsonb_agg(value || jsonb_build_object('name', key)), '[]') FROM jsonb_each({row}.credential_hints))",
            ),
            "account": Inline(
                Shape(
                    {
                        "external_id": reads.json_text("id", column="account"),
                        "name": reads.json_text("name", column="account"),
                        "currency": reads.json_text("currency", column="account"),
                        "time_zone": reads.json_text("time_zone", column="account"),
                    }
                ),
                when="{row}.account <> '{}'",
            ),
            "connector": Resolved(),
            "status": Expression(repository.STATUS.format(connection="{row}")),
            "status_message": Expression(repository.STATUS_MESSAGE.format(connection="{row}")),
            "paused_until": Expression(repository.PAUSED_UNTIL.format(connection="{row}")),
            "latest_runs": Many("SyncRun", "{item}.connection_id = {row}.id", "{item}.id DESC"),
            "sync_runs": Page("SyncRun", NEWEST_FIRST, where="{item}.connection_id = {row}.id"),
        },
        table="connection",
        permission=Permission.READ_CONNECTIONS,
    ),
)
reads.declare("ProviderCall", Shape({"id": reads.global_id("ProviderCall")}, table="provider_call", permission=Permission.READ_CONNECTIONS))
