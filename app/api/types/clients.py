"""Clients, the people who decide for them, and their sites, as GraphQL shows them."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Self
from uuid import UUID

import strawberry
from strawberry import relay

from app.actors import Permission
from app.api.context import Info
from app.api.ids import id_text
from app.api.pages import NEWEST_FIRST, After, First, Listing, listing, nothing, page_of
from app.api.reads import sources as reads
from app.api.reads.sources import Many, One, Page, Shape
from app.api.types.contacts import Contact
from app.api.types.records import record_of
from app.clients import models

if TYPE_CHECKING:
    from app.api.types.quotes import Quote


@strawberry.type(description="Somebody at a client who may see and decide its quotes in the portal.")
class ClientContact:
    contact_id: strawberry.Private[UUID]
    email: str = strawberry.field(description="The address that sign-in links go to.")
    name: str = strawberry.field(description="Their name.")
    created_at: datetime = strawberry.field(description="When they were invited first.")
    disabled_at: datetime | None = strawberry.field(description="Since when they may not sign in any more.")

    @strawberry.field(description="Their id.")
    def id(self) -> strawberry.ID:
        return id_text("ClientContact", self.contact_id)

    @classmethod
    def of(cls, contact: models.ClientContact) -> Self:
        return cls(
            contact_id=contact.id,
            email=contact.email,
            name=contact.name,
            created_at=contact.created_at,
            disabled_at=contact.disabled_at,
        )


@strawberry.type(description="A client's location.")
class Site:
    site_id: strawberry.Private[UUID]
    name: str = strawberry.field(description="What people call it.")
    address: str = strawberry.field(description="Where it is.")

    @strawberry.field(description="Its id.")
    def id(self) -> strawberry.ID:
        return id_text("Site", self.site_id)

    @classmethod
    def of(cls, site: models.Site) -> Self:
        return cls(site_id=site.id, name=site.name, address=site.address)


@strawberry.type(description="A customer of the organization who decides quotes in the portal.")
class Client(relay.Node):
    uuid: relay.NodeID[UUID]
    contact_record_id: strawberry.Private[UUID | None]
    name: str = strawberry.field(description="Its name.")
    contacts: list[ClientContact] = strawberry.field(description="Who may see and decide its quotes.")
    sites: list[Site] = strawberry.field(description="Its locations.")
    created_at: datetime = strawberry.field(description="When somebody of it was invited first.")

    @strawberry.field(description="The contact that it is.")
    async def contact(self, info: Info) -> Contact | None:
        if self.contact_record_id is None:
            return None
        record = await info.context.loaders.record.load(self.contact_record_id)
        found = None if record is None else record_of(record)
        return found if isinstance(found, Contact) else None

    @strawberry.field(description="Its quotes, newest first, page by page.")
    async def quotes(
        self, info: Info, first: First = 50, after: After = None
    ) -> Listing[Annotated["Quote", strawberry.lazy("app.api.types.quotes")]]:
        from app.api.types.quotes import Quote

        if not info.context.actor.may(Permission.READ_QUOTES):
            return nothing(info, after, of=self.uuid)
        page = await info.context.hub.quotes.quotes(info.context.actor, page_of(first, after), client_id=self.uuid)
        return listing(info, page, after, Quote.of, of=self.uuid)

    @classmethod
    def of(cls, client: models.Client) -> Self:
        return cls(
            uuid=client.id,
            contact_record_id=client.contact_record_id,
            name=client.name,
            contacts=[ClientContact.of(contact) for contact in client.contacts],
            sites=[Site.of(site) for site in client.sites],
            created_at=client.created_at,
        )


reads.declare("ClientContact", Shape({"id": reads.global_id("ClientContact")}, table="client_contact", permission=Permission.READ_CLIENTS))
reads.declare("Site", Shape({"id": reads.global_id("Site")}, table="site", permission=Permission.READ_CLIENTS))
reads.declare(
    "Client",
    Shape(
        {
            "id": reads.global_id("Client"),
            "contacts": Many("ClientContact", "{item}.client_id = {row}.id", "{item}.name, {item}.id"),
            "sites": Many("Site", "{item}.client_id = {row}.id", "{item}.name, {item}.id"),
            "contact": One("Contact", "{item}.id = {row}.contact_record_id"),
            "quotes": Page("Quote", NEWEST_FIRST, where="{item}.client_id = {row}.id"),
        },
        table="client",
        permission=Permission.READ_CLIENTS,
    ),
)
