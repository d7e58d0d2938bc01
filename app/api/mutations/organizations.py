"""Mutations on API tokens."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

import strawberry

from app.api.context import Info
from app.api.ids import IdempotencyKey, uuid_of
from app.api.refusals import GENERAL, answers
from app.api.types.organizations import ApiToken, TokenRole
from app.idempotency import once


@strawberry.type(description="The token was made.")
class CreateApiTokenSuccess:
    token: ApiToken = strawberry.field(description="The new token.")
    secret: str | None = strawberry.field(
        description="The secret, to be sent as `Authorization: Bearer …`. It is shown this once; null for a repeated key."
    )


@strawberry.type(description="The token does not work any more.")
class RevokeApiTokenSuccess:
    token: ApiToken = strawberry.field(description="The token as it is now.")


CreateApiTokenResult = Annotated[
    CreateApiTokenSuccess | GENERAL,
    strawberry.union("CreateApiTokenResult", description="The new token, or why there is none."),
]
RevokeApiTokenResult = Annotated[
    RevokeApiTokenSuccess | GENERAL,
    strawberry.union("RevokeApiTokenResult", description="The token, or why it was not revoked."),
]


@strawberry.type
class OrganizationMutations:
    @strawberry.mutation(description="Make an API token. Nobody can hand out more than they may do themselves.")
    @answers
    async def create_api_token(
        self,
        info: Info,
        name: Annotated[str, strawberry.argument(description="What people will call it.")],
        role: Annotated[TokenRole, strawberry.argument(description="What it may do at most.")],
        idempotency_key: IdempotencyKey,
        permissions: Annotated[
            list[str] | None, strawberry.argument(description="Limit it to these, like `syncs:run`; left out: all of its role.")
        ] = None,
        expires_at: Annotated[datetime | None, strawberry.argument(description="When it stops working; left out: never.")] = None,
    ) -> CreateApiTokenResult:
        hub, actor = info.context.hub, info.context.actor
        request = [name, role.value, permissions, expires_at]
        async with once(actor, "create_api_token", idempotency_key, request) as call:
            if call.repeated:
                return CreateApiTokenSuccess(token=await _token(info, call.id()), secret=None)
            token, secret = await hub.organizations.create_token(
                actor, name=name, role=role.value, permissions=permissions, expires_at=expires_at
            )
            call.result = {"id": str(token.id)}
        return CreateApiTokenSuccess(token=ApiToken.of(token), secret=secret)

    @strawberry.mutation(description="Revoke an API token. It stops working at once, on open streams within seconds.")
    @answers
    async def revoke_api_token(
        self,
        info: Info,
        id: Annotated[strawberry.ID, strawberry.argument(description="The token's id.")],
        idempotency_key: IdempotencyKey,
    ) -> RevokeApiTokenResult:
        actor, token_id = info.context.actor, uuid_of(id, "ApiToken")
        async with once(actor, "revoke_api_token", idempotency_key, [token_id]) as call:
            if call.repeated:
                return RevokeApiTokenSuccess(token=await _token(info, token_id))
            token = await info.context.hub.organizations.revoke_token(actor, token_id)
            call.result = {}
        return RevokeApiTokenSuccess(token=ApiToken.of(token))


async def _token(info: Info, token_id: UUID) -> ApiToken:
    tokens = await info.context.hub.organizations.tokens(info.context.actor)
    return ApiToken.of(next(token for token in tokens if token.id == token_id))
