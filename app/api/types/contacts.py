"""Contacts, as GraphQL shows them. The fields are those of app/records/entities.py."""

from typing import TYPE_CHECKING, Annotated, Self

import msgspec
import strawberry

from app.api.context import Info
from app.api.pages import After, First, Listing, listing, page_of
from app.api.reads import sources as reads
from app.api.types.record_parts import DOCUMENTS, JOBS, Recorded, common, of_contact, record_shape, same
from app.records import entities
from app.records.models import Record

if TYPE_CHECKING:
    from app.api.types.jobs import Job
    from app.api.types.sales_documents import SalesDocument


@strawberry.type(description="A postal address.")
class Address:
    text: str = strawberry.field(description="The address in one piece, as the provider writes it.")
    street: str = strawberry.field(description="Street and number.")
    city: str = strawberry.field(description="City or town.")
    state: str = strawberry.field(description="State or region.")
    postcode: str = strawberry.field(description="Post code.")
    country: str = strawberry.field(description="Country, as the provider writes it.")

    @classmethod
    def of(cls, address: entities.Address) -> Self:
        return cls(**msgspec.structs.asdict(address))


@strawberry.type(description="Somebody to speak to at a contact.")
class ContactPerson:
    external_id: str = strawberry.field(description="The provider's id of this person.")
    name: str = strawberry.field(description="First and last name.")
    email: str = strawberry.field(description="E-mail address.")
    phone: str = strawberry.field(description="Phone number.")
    mobile: str = strawberry.field(description="Mobile number.")
    role: str = strawberry.field(description="What this person is for, like `BILLING`.")
    is_primary: bool = strawberry.field(description="Whether this is the one to speak to first.")

    @classmethod
    def of(cls, person: entities.ContactPerson) -> Self:
        return cls(**msgspec.structs.asdict(person))


@strawberry.type(description="A company or private person that the organization deals with.")
class Contact(Recorded):
    name: str = strawberry.field(description="Its name.")
    email: str = strawberry.field(description="E-mail address.")
    phone: str = strawberry.field(description="Phone number.")
    mobile: str = strawberry.field(description="Mobile number.")
    website: str = strawberry.field(description="Website.")
    tax_number: str = strawberry.field(description="Tax or company number.")
    registration_number: str = strawberry.field(description="Its number in the register of companies.")
    is_individual: bool = strawberry.field(description="Whether it is a private person.")
    is_customer: bool = strawberry.field(description="Whether it buys.")
    is_supplier: bool = strawberry.field(description="Whether it sells.")
    notes: str = strawberry.field(description="What is noted about it.")
    address: Address = strawberry.field(description="Where it is.")
    billing_address: Address = strawberry.field(description="Where invoices go.")
    people: list[ContactPerson] = strawberry.field(description="Whom to speak to.")

    @strawberry.field(description="Its jobs at all connections that have it, newest first, page by page.")
    async def jobs(
        self, info: Info, first: First = 50, after: After = None
    ) -> Listing[Annotated["Job", strawberry.lazy("app.api.types.jobs")]]:
        from app.api.types.jobs import Job

        page = await info.context.hub.records.jobs(info.context.actor, page_of(first, after), contact_id=self.uuid)
        return listing(info, page, after, Job.of, of=self.uuid)

    @strawberry.field(description="Its sales documents at all connections that have it, newest first, page by page.")
    async def sales_documents(
        self, info: Info, first: First = 50, after: After = None
    ) -> Listing[Annotated["SalesDocument", strawberry.lazy("app.api.types.sales_documents")]]:
        from app.api.types.sales_documents import SalesDocument

        page = await info.context.hub.records.sales_documents(info.context.actor, page_of(first, after), contact_id=self.uuid)
        return listing(info, page, after, SalesDocument.of, of=self.uuid)

    @classmethod
    def of(cls, record: Record) -> Self:
        contact = msgspec.convert(record.data, entities.Contact, strict=False)
        return cls(
            **common(record),
            **same(contact, "parent_external_id", "edited_at", "address", "billing_address", "people"),
            address=Address.of(contact.address),
            billing_address=Address.of(contact.billing_address),
            people=[ContactPerson.of(person) for person in contact.people],
        )


reads.declare(
    "Contact",
    record_shape(
        "Contact", "contact", entities.Contact, jobs=of_contact("Job", JOBS), sales_documents=of_contact("SalesDocument", DOCUMENTS)
    ),
)
