"""Mutations on the people who decide for clients."""

from typing import Annotated

import strawberry

from app.api.context import Info
from app.api.ids import IdempotencyKey, uuid_of
from app.api.refusals import GENERAL, Refusal, answers
from app.api.types.clients import Client, ClientContact
from app.clients.service import AddressInUse


@strawberry.type(name="AddressInUse", description="The address belongs to a contact of another client.")
class AddressInUseRefusal(Refusal):
    refuses = (AddressInUse,)


@strawberry.type(description="The contact may sign in to the portal; a link is on its way by mail.")
class InviteClientContactSuccess:
    client_contact: ClientContact = strawberry.field(description="Who was invited.")
    client: Client = strawberry.field(description="The client that they decide for.")


InviteClientContactResult = Annotated[
    InviteClientContactSuccess | AddressInUseRefusal | GENERAL,
    strawberry.union("InviteClientContactResult", description="Who was invited, or why nobody was."),
]


@strawberry.type
class ClientMutations:
    @strawberry.mutation(description="Let somebody decide the quotes for a contact. A link comes by mail; asking again sends a new one.")
    @answers
    async def invite_client_contact(
        self,
        info: Info,
        contact_id: Annotated[strawberry.ID, strawberry.argument(description="The contact whose quotes they decide.")],
        email: Annotated[str, strawberry.argument(description="Where the link goes.")],
        name: Annotated[str, strawberry.argument(description="Their name.")],
        idempotency_key: IdempotencyKey,
    ) -> InviteClientContactResult:
        hub, actor = info.context.hub, info.context.actor
        contact = await hub.clients.invite(
            actor,
            contact_record_id=uuid_of(contact_id, "Contact", field="contactId"),
            email=email,
            name=name,
            idempotency_key=idempotency_key,
        )
        client = await hub.clients.client(actor, contact.client_id)
        return InviteClientContactSuccess(client_contact=ClientContact.of(contact), client=Client.of(client))
