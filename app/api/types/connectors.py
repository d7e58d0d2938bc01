"""What the hub can connect, as GraphQL shows it: everything that a form and a client need to know of a connector."""

from enum import Enum
from typing import Self

import strawberry
from strawberry.scalars import JSON

from app.api.enums import enum
from app.connectors import base


@enum(
    "How a form asks for a setting.",
    TEXT="One line of text.",
    SECRET="A secret: given among the credentials, sealed, and never shown.",
    URL="An address that begins with https://.",
    INTEGER="A whole number.",
    SECONDS="A number of seconds.",
    BOOLEAN="Yes or no.",
    CHOICE="One of `choices`.",
)
class SettingKind(Enum):
    TEXT = "text"
    SECRET = "secret"
    URL = "url"
    INTEGER = "integer"
    SECONDS = "seconds"
    BOOLEAN = "boolean"
    CHOICE = "choice"


@strawberry.type(description="One setting of a connector: everything that a form needs to ask for it.")
class ConnectorSetting:
    name: str = strawberry.field(description="Its key in a connection's settings or credentials.")
    title: str = strawberry.field(description="What a form calls it.")
    help: str = strawberry.field(description="Where to find it or what it does.")
    kind: SettingKind = strawberry.field(description="How a form asks for it.")
    required: bool = strawberry.field(description="Whether a connection needs it.")
    default: JSON | None = strawberry.field(description="What it is when nothing is given.")
    choices: list[str] = strawberry.field(description="What can be chosen, for the kind CHOICE.")
    minimum: float | None = strawberry.field(description="The least number, where there is one.")
    maximum: float | None = strawberry.field(description="The greatest number, where there is one.")

    @classmethod
    def of(cls, setting: base.Setting) -> Self:
        return cls(
            name=setting.name,
            title=setting.title,
            help=setting.help,
            kind=SettingKind(setting.kind),
            required=setting.required,
            default=setting.default,
            choices=list(setting.choices),
            minimum=setting.minimum,
            maximum=setting.maximum,
        )


@strawberry.type(description="One kind of record that a connector reads.")
class ConnectorStream:
    name: str = strawberry.field(description="Its name, for `startSync`.")
    title: str = strawberry.field(description="What people call it.")
    entity: str = strawberry.field(description="What its records become in the hub, like `contact`.")
    narrow_by: list[str] = strawberry.field(description="What a run of it can be limited by, like `contact_external_id`.")

    @classmethod
    def of(cls, stream: base.Stream) -> Self:
        return cls(name=stream.name, title=stream.title, entity=stream.entity, narrow_by=list(stream.narrow_by))


@strawberry.type(description="How many requests a provider allows.")
class ConnectorRateLimit:
    name: str = strawberry.field(description="What the limit is called, like `minute`.")
    requests: int = strawberry.field(description="How many requests are allowed.")
    seconds: int = strawberry.field(description="In how many seconds.")
    reserved: int = strawberry.field(description="How many of them only decisions of clients may use.")

    @classmethod
    def of(cls, limit: base.RateLimit) -> Self:
        return cls(name=limit.name, requests=limit.requests, seconds=limit.seconds, reserved=limit.reserved)


@strawberry.type(description="What the hub can do with one provider.")
class Connector:
    provider: str = strawberry.field(description="The provider's name, for `createConnection`.")
    title: str = strawberry.field(description="What people call the provider.")
    description: str = strawberry.field(description="What the connector is for.")
    documentation_url: str = strawberry.field(description="The provider's page about its interface.")
    settings: list[ConnectorSetting] = strawberry.field(description="What a connection must and may be given.")
    streams: list[ConnectorStream] = strawberry.field(description="What it reads.")
    actions: list[str] = strawberry.field(description="What it writes, like `approve_quote`.")
    rate_limits: list[ConnectorRateLimit] = strawberry.field(description="How many requests the provider allows.")
    api_versions: list[str] = strawberry.field(description="The versions of the provider's interface that it uses.")

    @classmethod
    def of(cls, connector: base.Connector) -> Self:
        return cls(
            provider=connector.provider,
            title=connector.title,
            description=connector.description,
            documentation_url=connector.documentation_url,
            settings=[ConnectorSetting.of(setting) for setting in connector.settings],
            streams=[ConnectorStream.of(stream) for stream in connector.streams.values()],
            actions=list(connector.actions),
            rate_limits=[ConnectorRateLimit.of(limit) for limit in connector.rate_limits],
            api_versions=[version.name for version in connector.api_versions],
        )
