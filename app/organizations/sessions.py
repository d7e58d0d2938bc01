"""Sessions: browsers that are signed in."""

import secrets
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

from app.actors import Actor, Scope
from app.database import transaction
from app.errors import NotSignedIn
from app.ids import new_id
from app.organizations import rules, tokens
from app.organizations import sign_in_repository as repository
from app.organizations.models import Recipient, Session, SignedIn
from app.organizations.part import Part

FORGOTTEN_AFTER = timedelta(days=30)
"""How long an ended session or link is kept."""


class SessionService(Part):
    """Recognising sessions, starting and ending them."""

    async def actor_for_session(self, cookie: str, *, ip: str | None = None, user_agent: str | None = None) -> SignedIn:
        """Who a browser with this cookie acts as. One round trip. Raises NotSignedIn."""
        scope, now = Scope(tokens.parse(cookie)), self.now()
        found = await repository.session(scope, tokens.digest(cookie), now)
        if found is None:
            raise NotSignedIn
        expires_at = found.expires_at
        if now - found.last_seen_at >= rules.SEEN_EVERY:
            expires_at = now + rules.SESSION_LIFETIMES[found.recipient.door]
            async with transaction(scope):
                await repository.touch_session(scope, found.id, now=now, expires_at=expires_at)
        actor = rules.actor_of(found.recipient, scope, ip=ip, user_agent=user_agent)
        return SignedIn(actor, Session(found.id, found.csrf_token, expires_at), found.organization)

    async def start_session(self, recipient: Recipient, scope: Scope, *, ip: str | None, user_agent: str | None) -> str:
        """The cookie of a new session. Inside the caller's transaction, whose scope is the whole organization."""
        cookie, session_id, now = tokens.new_token(scope.organization_id), new_id(), self.now()
        await repository.forget_before(scope, recipient, now - FORGOTTEN_AFTER)
        await repository.add_session(
            scope,
            session_id,
            recipient,
            token_hash=tokens.digest(cookie),
            csrf_token=secrets.token_urlsafe(32),
            ip=ip,
            user_agent=user_agent and user_agent[:500],
            now=now,
            expires_at=now + rules.SESSION_LIFETIMES[recipient.door],
        )
        actor = rules.actor_of(recipient, scope, ip=ip, user_agent=user_agent)
        await self.audit.add(replace(actor, scope=scope), "session.started", session_id, {"door": recipient.door})
        return cookie

    async def sign_out(self, actor: Actor, session_id: UUID) -> None:
        """End one of the actor's own sessions; ending it again does nothing."""
        scope = Scope(actor.organization_id)
        async with transaction(scope):
            if await repository.end_session(scope, session_id, actor.id, self.now()):
                await self.audit.add(replace(actor, scope=scope), "session.ended", session_id, {})
