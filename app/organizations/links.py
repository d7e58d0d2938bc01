"""Sign-in links: a mail with a link instead of a password.

Opening a link changes nothing, for mail scanners open links; pressing the button on its page uses it.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from uuid import UUID

from app.actors import Actor, Permission, Scope
from app.database import transaction
from app.errors import InvalidInput, NotFound, NotSignedIn, Refusal
from app.ids import new_id
from app.mail import texts
from app.organizations import repository, rules, tokens
from app.organizations import sign_in_repository as sign_in
from app.organizations.limits import PER_ADDRESS, count_request
from app.organizations.models import Door, LinkView, Organization, Recipient, SignInResult
from app.organizations.sessions import SessionService
from app.organizations.sign_in_repository import FoundLink

ANSWER_SECONDS = 0.25
"""Asking for a link takes at least this long, whether the address is known or not."""


class OrganizationNotFound(NotFound):
    """There is no organization at this address."""

    code = "organization_not_found"


class RecipientNotFound(NotFound):
    """This person or contact does not exist or may not sign in."""

    code = "recipient_not_found"


class LinkUnknown(NotFound):
    """This is not one of our links; ask for a new one."""

    code = "link_unknown"


class LinkExpired(Refusal):
    """This link is too old; ask for a new one."""

    code = "link_expired"


class LinkUsed(Refusal):
    """This link was used already; ask for a new one."""

    code = "link_used"


class LinkService(SessionService):
    """Making, sending and using sign-in links."""

    async def by_slug(self, slug: str) -> Organization:
        """The organization at this address. Raises OrganizationNotFound."""
        organization_id = await repository.organization_id_across_organizations(slug)
        organization = organization_id and await repository.organization(Scope(organization_id))
        if not organization:
            raise OrganizationNotFound
        return organization

    async def ask_for_link(self, slug: str, email: str, *, door: str, ip: str | None, next_path: str | None = None) -> None:
        """Mail a link to the address if it may sign in. The answer and its time are the same if it may not.

        Raises OrganizationNotFound, InvalidInput, TooManyRequests.
        """
        email, door = rules.email_address(email), Door(door)
        async with _at_least(ANSWER_SECONDS):
            organization = await self.by_slug(slug)
            await count_request(self.redis, organization.id, email, ip)
            await self._send_link(organization, door, email, rules.safe_next_path(door, next_path))

    async def _send_link(self, organization: Organization, door: Door, email: str, next_path: str | None) -> None:
        scope = Scope(organization.id)
        async with transaction(scope):
            recipient = await sign_in.recipient_by_email(scope, door, email)
            # Holds while Redis is away; silent, because a refusal would tell that the address is known.
            if recipient is None or await self._has_enough_links(scope, recipient):
                return
            lifetime = rules.LINK_LIFETIMES[door]
            url = await self._add_link(organization, recipient, lifetime=lifetime, next_path=next_path)
            subject, body = texts.sign_in(recipient.name, organization.name, url, lifetime)
            await self.mail.add(scope, recipient=recipient.email, subject=subject, body=body, purpose=f"sign_in:{recipient.id}")

    async def _has_enough_links(self, scope: Scope, recipient: Recipient) -> bool:
        since = self.now() - timedelta(seconds=PER_ADDRESS.seconds)
        return await sign_in.links_since(scope, recipient, since) >= PER_ADDRESS.requests

    async def make_link(
        self,
        actor: Actor,
        *,
        person_id: UUID | None = None,
        client_contact_id: UUID | None = None,
        reusable: bool = False,
        lifetime: timedelta | None = None,
        next_path: str | None = None,
    ) -> str:
        """The whole address of a new link for one person or contact, to be handed over by other means than our mail.

        Raises RecipientNotFound, InvalidInput.
        """
        door, recipient_id = _door_and_id(person_id, client_contact_id)
        actor.require(Permission.MANAGE_PEOPLE if door is Door.CONSOLE or reusable else Permission.MANAGE_CLIENTS)
        async with transaction(actor.scope):
            recipient = await sign_in.recipient_by_id(actor.scope, door, recipient_id)
            organization = await repository.organization(actor.scope)
            if recipient is None or organization is None:
                raise RecipientNotFound
            rules.check_grant(actor, recipient.role)
            chosen = lifetime or (rules.LINK_LIFETIMES[door] if door is Door.CONSOLE else rules.INVITATION_LIFETIME)
            path = rules.safe_next_path(door, next_path)
            url = await self._add_link(organization, recipient, lifetime=chosen, next_path=path, reusable=reusable)
            await self.audit.add(actor, "sign_in_link.made", recipient.id, {"door": door, "reusable": reusable})
        return url

    async def _add_link(
        self, organization: Organization, recipient: Recipient, *, lifetime: timedelta, next_path: str | None, reusable: bool = False
    ) -> str:
        token, now = tokens.new_token(organization.id), self.now()
        await sign_in.add_link(
            Scope(organization.id),
            new_id(),
            recipient,
            token_hash=tokens.digest(token),
            reusable=reusable,
            next_path=next_path,
            now=now,
            expires_at=now + lifetime,
        )
        return f"{self.settings.public_url.rstrip('/')}/{recipient.door}/{organization.slug}/sign-in/{token}"

    async def look_at_link(self, token: str) -> LinkView:
        """What the link is; changes nothing. Raises LinkUnknown."""
        scope = _scope_of(token)
        found, organization = await sign_in.link(scope, tokens.digest(token)), await repository.organization(scope)
        if found is None or organization is None:
            raise LinkUnknown
        reason = self._problem(found)
        return LinkView(organization, found.recipient.name, found.recipient.door, reason is None, reason)

    async def use_link(self, token: str, *, ip: str | None = None, user_agent: str | None = None) -> SignInResult:
        """Sign in with the link. Of two who use it at once, one is let in. Raises LinkUnknown, LinkExpired, LinkUsed."""
        scope = _scope_of(token)
        async with transaction(scope):
            found = await sign_in.link(scope, tokens.digest(token), lock=True)
            if found is None:
                raise LinkUnknown
            if problem := self._problem(found):
                raise {"used": LinkUsed, "expired": LinkExpired}.get(problem, LinkUnknown)
            await sign_in.use_link(scope, found.id, self.now())
            cookie = await self.start_session(found.recipient, scope, ip=ip, user_agent=user_agent)
        return SignInResult(cookie, found.next_path, found.recipient.door)

    def _problem(self, found: FoundLink) -> str | None:
        used = found.used_at is not None and not found.reusable
        return rules.link_problem(now=self.now(), expires_at=found.expires_at, used=used, disabled=found.disabled)


@asynccontextmanager
async def _at_least(seconds: float) -> AsyncIterator[None]:
    loop = asyncio.get_running_loop()
    until = loop.time() + seconds
    try:
        yield
    finally:
        await asyncio.sleep(until - loop.time())


def _scope_of(token: str) -> Scope:
    try:
        return Scope(tokens.parse(token))
    except NotSignedIn:
        raise LinkUnknown from None


def _door_and_id(person_id: UUID | None, client_contact_id: UUID | None) -> tuple[Door, UUID]:
    if person_id is not None and client_contact_id is None:
        return Door.CONSOLE, person_id
    if client_contact_id is not None and person_id is None:
        return Door.PORTAL, client_contact_id
    raise InvalidInput("Name one person or one client's contact.")
