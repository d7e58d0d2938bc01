"""API tokens: how programs prove who they are."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from app.actors import Actor, ActorKind, Permission, Scope
from app.database import transaction
from app.errors import InvalidInput, NotFound, NotSignedIn
from app.ids import new_id
from app.organizations import api_token_repository as repository
from app.organizations import rules, tokens
from app.organizations.models import ApiToken
from app.organizations.part import Part


class ApiTokenNotFound(NotFound):
    """This API token does not exist."""

    code = "api_token_not_found"


@dataclass(frozen=True, slots=True)
class Proof:
    """An SQL condition; `condition` takes the number of its first parameter."""

    condition: Callable[[int], str]
    values: Sequence[Any]


class ApiTokenService(Part):
    """Making, revoking and recognising API tokens."""

    async def actor_for_token(self, token: str, *, ip: str | None = None, user_agent: str | None = None) -> Actor:
        """Who a request with this token acts as. One round trip. Raises NotSignedIn."""
        scope, now = Scope(tokens.parse(token)), self.now()
        found = await repository.find(scope, tokens.digest(token), now)
        if found is None:
            raise NotSignedIn
        if found.last_used_at is None or now - found.last_used_at >= rules.SEEN_EVERY:
            async with transaction(scope):
                await repository.touch(scope, found.id, now)
        return Actor(scope, ActorKind.API_TOKEN, found.role, found.name, found.id, ip, user_agent, found.permissions)

    def proof(self, token: str, actor: Actor) -> Proof:
        """A condition for a statement of the actor's: that this token still makes that actor of whoever presents it.

        A read that carries it needs no look-up before it, and answers nobody who may no longer ask. It fails as well when
        the token's use is to be written down again; `actor_for_token` does that.
        """
        now = self.now()
        return Proof(repository.standing, repository.standing_values(actor, tokens.digest(token), now, now - rules.SEEN_EVERY))

    async def tokens(self, actor: Actor) -> list[ApiToken]:
        """Newest first; revoked ones too."""
        actor.require(Permission.MANAGE_PEOPLE)
        return await repository.all_of(actor.scope)

    async def create_token(
        self,
        actor: Actor,
        *,
        name: str,
        role: str,
        permissions: Iterable[str] | None = None,
        expires_at: datetime | None = None,
    ) -> tuple[ApiToken, str]:
        """A new token and its secret, which is never shown again. Raises InvalidInput."""
        actor.require(Permission.MANAGE_PEOPLE)
        token_role, title = rules.person_role(role), rules.name(name, maximum=100)
        allowed = rules.permissions_of(token_role, permissions)
        rules.check_grant(actor, token_role, allowed)
        if expires_at is not None and expires_at <= self.now():
            raise InvalidInput(fields={"expires_at": "Choose a time in the future."})
        secret = tokens.new_token(actor.organization_id)
        async with transaction(actor.scope):
            token = await repository.add(
                actor.scope,
                new_id(),
                name=title,
                token_hash=tokens.digest(secret),
                last_four=secret[-4:],
                role=token_role,
                permissions=allowed,
                created_by=actor.id if actor.kind is ActorKind.PERSON else None,
                now=self.now(),
                expires_at=expires_at,
            )
            await self.audit.add(actor, "api_token.created", token.id, {"name": title, "role": token_role})
        return token, secret

    async def revoke_token(self, actor: Actor, token_id: UUID) -> ApiToken:
        """It stops working at once. Raises ApiTokenNotFound."""
        actor.require(Permission.MANAGE_PEOPLE)
        async with transaction(actor.scope):
            token = await repository.revoke(actor.scope, token_id, self.now())
            if token is None:
                raise ApiTokenNotFound
            await self.audit.add(actor, "api_token.revoked", token_id, {"name": token.name})
        return token
