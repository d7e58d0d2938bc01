"""The organization, who asks, and API tokens, as GraphQL shows them."""

from datetime import datetime
from enum import Enum
from typing import Self
from uuid import UUID

import strawberry
from strawberry import relay

from app import actors
from app.api.enums import enum
from app.api.ids import id_text
from app.organizations import models


@enum(
    "What somebody is in an organization.",
    OWNER="May do everything.",
    OPERATOR="Runs connections, syncs and clients.",
    VIEWER="May look at everything but the audit log.",
    CLIENT_CONTACT="Decides the quotes of one client.",
    SYSTEM="The hub itself.",
)
class Role(Enum):
    OWNER = "owner"
    OPERATOR = "operator"
    VIEWER = "viewer"
    CLIENT_CONTACT = "client_contact"
    SYSTEM = "system"


@enum(
    "What an API token can be for.",
    OWNER="May do everything.",
    OPERATOR="Runs connections, syncs and clients.",
    VIEWER="May look at everything but the audit log.",
)
class TokenRole(Enum):
    OWNER = "owner"
    OPERATOR = "operator"
    VIEWER = "viewer"


@enum(
    "How somebody proved who they are.",
    PERSON="Somebody of the organization, signed in.",
    CLIENT_CONTACT="Somebody of a client, signed in.",
    API_TOKEN="A program with an API token.",
    SYSTEM="The hub itself.",
)
class ActorKind(Enum):
    PERSON = "person"
    CLIENT_CONTACT = "client_contact"
    API_TOKEN = "api_token"
    SYSTEM = "system"


@strawberry.type(description="The organization that everything here belongs to.")
class Organization(relay.Node):
    uuid: relay.NodeID[UUID]
    slug: str = strawberry.field(description="Its part of an address: `/portal/<slug>/…`.")
    name: str = strawberry.field(description="Its name.")
    time_zone: str = strawberry.field(description="Its time zone, like `Europe/Ljubljana`.")
    accent_color: str = strawberry.field(description="The colour of its portal, like `#1f5f5b`.")
    terms: str = strawberry.field(description="What a client agrees to when it approves a quote; may be empty.")
    created_at: datetime = strawberry.field(description="When it was made.")

    @classmethod
    def of(cls, organization: models.Organization) -> Self:
        return cls(
            uuid=organization.id,
            slug=organization.slug,
            name=organization.name,
            time_zone=organization.time_zone,
            accent_color=organization.accent_color,
            terms=organization.terms,
            created_at=organization.created_at,
        )


@strawberry.type(description="Who asks.")
class Viewer:
    kind: ActorKind = strawberry.field(description="How they proved who they are.")
    name: str = strawberry.field(description="Their name, or that of the API token.")
    role: Role = strawberry.field(description="What they are in the organization.")
    permissions: list[str] = strawberry.field(description="What they may do, like `syncs:run`.")

    @classmethod
    def of(cls, actor: actors.Actor) -> Self:
        return cls(
            kind=ActorKind(actor.kind.value),
            name=actor.name,
            role=Role(actor.role.value),
            permissions=sorted(permission.value for permission in actors.Permission if actor.may(permission)),
        )


@strawberry.type(description="A key with which a program proves who it is. Its secret is shown once and never again.")
class ApiToken:
    token_id: strawberry.Private[UUID]
    name: str = strawberry.field(description="What people call it.")
    role: TokenRole = strawberry.field(description="What it may do at most.")
    permissions: list[str] | None = strawberry.field(description="What it is limited to; null: all that its role allows.")
    last_four: str = strawberry.field(description="The last four characters of its secret.")
    created_at: datetime = strawberry.field(description="When it was made.")
    last_used_at: datetime | None = strawberry.field(description="When it was last used, to the minute or so.")
    expires_at: datetime | None = strawberry.field(description="When it stops working.")
    revoked_at: datetime | None = strawberry.field(description="When somebody revoked it.")

    @strawberry.field(description="Its id, for `revokeApiToken`.")
    def id(self) -> strawberry.ID:
        return id_text("ApiToken", self.token_id)

    @classmethod
    def of(cls, token: models.ApiToken) -> Self:
        return cls(
            token_id=token.id,
            name=token.name,
            role=TokenRole(token.role.value),
            permissions=None if token.permissions is None else sorted(permission.value for permission in token.permissions),
            last_four=token.last_four,
            created_at=token.created_at,
            last_used_at=token.last_used_at,
            expires_at=token.expires_at,
            revoked_at=token.revoked_at,
        )
