"""Queries on the organization, who asks, and API tokens."""

import strawberry

from app.api.context import Info
from app.api.types.organizations import ApiToken, Organization, Viewer


@strawberry.type
class OrganizationQueries:
    @strawberry.field(description="Who asks, and what they may do.")
    def viewer(self, info: Info) -> Viewer:
        return Viewer.of(info.context.actor)

    @strawberry.field(description="The organization of whoever asks.")
    async def organization(self, info: Info) -> Organization:
        return Organization.of(await info.context.hub.organizations.get(info.context.actor))

    @strawberry.field(description="The API tokens of the organization, newest first, revoked ones too.")
    async def api_tokens(self, info: Info) -> list[ApiToken]:
        return [ApiToken.of(token) for token in await info.context.hub.organizations.tokens(info.context.actor)]
