"""Clients of the organization, the people who decide for them, and their sites."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import UUID

from app.actors import Actor, Permission, Scope
from app.audit.service import AuditService
from app.clients import repository
from app.clients.models import Client, ClientContact, Site
from app.database import transaction
from app.errors import InvalidInput, NotFound, Refusal
from app.idempotency import once
from app.mail import texts
from app.organizations import rules
from app.organizations.service import OrganizationService
from app.paging import PageRequest, ResultPage
from app.plain_text import is_storable

if TYPE_CHECKING:
    from app.mail.service import MailService

AssignClient = Callable[[Scope, UUID, UUID], Awaitable[object]]
"""(scope, client, contact record): gives the client the quotes that are for the contact; QuoteService.assign_client."""


class ClientNotFound(NotFound):
    """This client does not exist, or you may not see it."""

    code = "client_not_found"


class ContactRecordNotFound(NotFound):
    """This contact does not exist (any more), so nobody can be invited for it."""

    code = "contact_record_not_found"


class ClientContactNotFound(NotFound):
    """This contact of a client does not exist."""

    code = "client_contact_not_found"


class AddressInUse(Refusal):
    """This address belongs to a contact of another client; one address signs in for one client."""

    code = "address_in_use"


@dataclass(eq=False)
class ClientService:
    """What one can ask for about clients."""

    organizations: OrganizationService
    mail: "MailService"
    audit: AuditService
    assign_client: AssignClient

    async def clients(self, actor: Actor, page: PageRequest) -> ResultPage[Client]:
        """By name, with their contacts and sites."""
        actor.require(Permission.READ_CLIENTS)
        found = await repository.page(actor.scope, first=page.first, after=page.key(tuple[str, UUID]))
        return ResultPage.cut(found, page.first, lambda client: (client.name, client.id))

    async def client(self, actor: Actor, client_id: UUID) -> Client:
        """Raises ClientNotFound."""
        for client in await self.get_many(actor, [client_id]):
            return client
        raise ClientNotFound

    async def get_many(self, actor: Actor, client_ids: Sequence[UUID]) -> list[Client]:
        """Those of the clients that exist, in any order."""
        actor.require(Permission.READ_CLIENTS)
        return await repository.get_many(actor.scope, client_ids)

    async def contact(self, actor: Actor, contact_id: UUID) -> ClientContact:
        """Raises ClientContactNotFound."""
        actor.require(Permission.READ_CLIENTS)
        contact = await repository.contact(actor.scope, contact_id)
        if contact is None:
            raise ClientContactNotFound
        return contact

    async def invite(
        self, actor: Actor, *, contact_record_id: UUID, email: str, name: str, idempotency_key: str | None = None
    ) -> ClientContact:
        """Let somebody see and decide the quotes for a contact record; a link comes by mail. Again: a new link.

        The client is made if needed, and is given the quotes that were read for it already.
        Raises ContactRecordNotFound, AddressInUse, InvalidInput.
        """
        actor.require(Permission.MANAGE_CLIENTS)
        email, name = rules.email_address(email), rules.name(name)
        async with once(actor, "invite_client_contact", idempotency_key, [contact_record_id, email, name]) as call:
            if call.repeated:
                return await self.contact(actor, call.id())
            client_id = await self._client_for(actor, contact_record_id)
            contact = await repository.add_contact(actor.scope, client_id, email=email, name=name)
            if contact is None:
                raise AddressInUse
            await self._send_invitation(actor, client_id, contact)
            await self.audit.add(actor, "client_contact.invited", contact.id, {"client_id": str(client_id), "email": email})
            call.result = {"id": str(contact.id)}
            return contact

    async def _client_for(self, actor: Actor, contact_record_id: UUID) -> UUID:
        client_name = await repository.contact_record_name(actor.scope, contact_record_id)
        if client_name is None:
            raise ContactRecordNotFound
        client_id = await repository.client_for(actor.scope, contact_record_id, client_name)
        await self.assign_client(actor.scope, client_id, contact_record_id)
        return client_id

    async def _send_invitation(self, actor: Actor, client_id: UUID, contact: ClientContact) -> None:
        organization, client = await self.organizations.get(actor), await self.client(actor, client_id)
        url = await self.organizations.make_link(actor, client_contact_id=contact.id)
        subject, body = texts.invitation(contact.name, organization.name, client.name, url, rules.INVITATION_LIFETIME)
        await self.mail.add(actor.scope, recipient=contact.email, subject=subject, body=body, purpose=f"invitation:{contact.id}")

    async def disable_contact(self, actor: Actor, contact_id: UUID) -> ClientContact:
        """Shut a contact out at once; decisions stay. Raises ClientContactNotFound."""
        actor.require(Permission.MANAGE_CLIENTS)
        async with transaction(actor.scope):
            contact = await repository.disable_contact(actor.scope, contact_id)
            if contact is None:
                raise ClientContactNotFound
            await self.audit.add(actor, "client_contact.disabled", contact_id, {"email": contact.email})
        return contact

    async def add_site(self, actor: Actor, client_id: UUID, *, name: str, address: str = "") -> Site:
        """Raises ClientNotFound, InvalidInput."""
        actor.require(Permission.MANAGE_CLIENTS)
        name = rules.name(name)
        if len(address) > 1000 or not is_storable(address):
            raise InvalidInput(fields={"address": "Write at most 1000 characters."})
        async with transaction(actor.scope):
            site = await repository.add_site(actor.scope, client_id, name=name, address=address.strip())
            if site is None:
                raise ClientNotFound
            await self.audit.add(actor, "site.added", site.id, {"client_id": str(client_id), "name": name})
        return site
