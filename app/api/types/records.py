"""Contacts and jobs, as GraphQL shows them. A record's fields are those of app/records/entities.py."""

from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from typing import Annotated, Any, Self
from uuid import UUID

import msgspec
import strawberry
from strawberry import relay
from strawberry.scalars import JSON

from app.actors import Permission
from app.api.context import Info
from app.api.enums import enum
from app.api.pages import NEWEST_FIRST, After, First, Listing, listing, page_of
from app.api.reads import sources as reads
from app.api.reads.sources import Expression, One, Page, Shape, Source
from app.api.types.connections import Connection
from app.records import entities
from app.records.models import Record
from app.records.repository import OF_CONTACT


@enum(
    "Where a job stands at the provider.",
    QUOTE="It is offered.",
    WORK_ORDER="It is ordered.",
    COMPLETED="It is done.",
    UNSUCCESSFUL="The offer was not taken.",
)
class JobStatus(Enum):
    QUOTE = "quote"
    WORK_ORDER = "work_order"
    COMPLETED = "completed"
    UNSUCCESSFUL = "unsuccessful"


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
class Contact(relay.Node):
    uuid: relay.NodeID[UUID]
    connection_id: strawberry.Private[UUID | None]
    external_id: str | None = strawberry.field(description="The provider's id.")
    name: str = strawberry.field(description="Its name.")
    email: str = strawberry.field(description="E-mail address.")
    phone: str = strawberry.field(description="Phone number.")
    website: str = strawberry.field(description="Website.")
    tax_number: str = strawberry.field(description="Tax or company number.")
    is_individual: bool = strawberry.field(description="Whether it is a private person.")
    address: Address = strawberry.field(description="Where it is.")
    billing_address: Address = strawberry.field(description="Where invoices go.")
    people: list[ContactPerson] = strawberry.field(description="Whom to speak to.")
    custom: JSON = strawberry.field(description="The provider's own fields that the hub does not know.")
    version: int = strawberry.field(description="Counts up with every change.")
    created_at: datetime = strawberry.field(description="When the hub first saw it.")
    updated_at: datetime = strawberry.field(description="When the hub last saw it change.")
    deleted_at: datetime | None = strawberry.field(description="When the hub saw that it is gone at the provider.")

    @strawberry.field(description="The connection that it was read from.")
    async def connection(self, info: Info) -> Connection | None:
        return None if self.connection_id is None else await info.context.loaders.connection.load(self.connection_id)

    @strawberry.field(description="Its jobs, newest first, page by page.")
    async def jobs(self, info: Info, first: First = 50, after: After = None) -> Listing["Job"]:
        page = await info.context.hub.records.jobs(info.context.actor, page_of(first, after), contact_id=self.uuid)
        return listing(info, page, after, Job.of, of=self.uuid)

    @classmethod
    def of(cls, record: Record) -> Self:
        contact = msgspec.convert(record.data, entities.Contact, strict=False)
        return cls(
            **_common(record),
            name=contact.name,
            email=contact.email,
            phone=contact.phone,
            website=contact.website,
            tax_number=contact.tax_number,
            is_individual=contact.is_individual,
            address=Address.of(contact.address),
            billing_address=Address.of(contact.billing_address),
            people=[ContactPerson.of(person) for person in contact.people],
            custom=JSON(contact.custom),
        )


@strawberry.type(description="A line of a job: material, labour or anything else that is quoted or invoiced.")
class JobLine:
    external_id: str = strawberry.field(description="The provider's id.")
    position: int = strawberry.field(description="Its place in the list.")
    description: str = strawberry.field(description="What it is.")
    quantity: Decimal = strawberry.field(description="How many.")
    unit_price: Decimal = strawberry.field(description="The price of one, before tax, with the provider's digits.")
    tax_rate: Decimal = strawberry.field(description="The tax rate in percent.")

    @classmethod
    def of(cls, line: entities.JobLine) -> Self:
        return cls(
            external_id=line.external_id,
            position=line.position,
            description=line.description,
            quantity=line.quantity,
            unit_price=line.unit_price,
            tax_rate=line.tax_rate,
        )


@strawberry.type(description="A piece of work for a contact. While it is offered it is a quote as well.")
class Job(relay.Node):
    uuid: relay.NodeID[UUID]
    connection_id: strawberry.Private[UUID | None]
    external_id: str | None = strawberry.field(description="The provider's id.")
    contact_external_id: str | None = strawberry.field(description="The provider's id of the contact that it is for.")
    number: str = strawberry.field(description="The number that people see.")
    status: JobStatus = strawberry.field(description="Where it stands at the provider.")
    title: str = strawberry.field(description="What is to be done.")
    site_address: str = strawberry.field(description="Where it is to be done.")
    purchase_order_number: str = strawberry.field(description="The contact's own number for it.")
    scheduled_on: date | None = strawberry.field(description="The day it is planned for.")
    quoted_at: datetime | None = strawberry.field(description="When it was offered.")
    ordered_at: datetime | None = strawberry.field(description="When it was ordered.")
    completed_at: datetime | None = strawberry.field(description="When it was done.")
    total: Decimal | None = strawberry.field(description="The sum as the provider computes it, tax included.")
    lines: list[JobLine] = strawberry.field(description="Its lines, in order.")
    custom: JSON = strawberry.field(description="The provider's own fields that the hub does not know.")
    version: int = strawberry.field(description="Counts up with every change.")
    created_at: datetime = strawberry.field(description="When the hub first saw it.")
    updated_at: datetime = strawberry.field(description="When the hub last saw it change.")
    deleted_at: datetime | None = strawberry.field(description="When the hub saw that it is gone at the provider.")

    @strawberry.field(description="The connection that it was read from.")
    async def connection(self, info: Info) -> Connection | None:
        return None if self.connection_id is None else await info.context.loaders.connection.load(self.connection_id)

    @classmethod
    def of(cls, record: Record) -> Self:
        job = msgspec.convert(record.data, entities.Job, strict=False)
        return cls(
            **_common(record),
            contact_external_id=job.contact_external_id,
            number=job.number,
            status=JobStatus(job.status),
            title=job.title,
            site_address=job.site_address,
            purchase_order_number=job.purchase_order_number,
            scheduled_on=job.scheduled_on,
            quoted_at=job.quoted_at,
            ordered_at=job.ordered_at,
            completed_at=job.completed_at,
            total=job.total,
            lines=[JobLine.of(line) for line in job.lines],
            custom=JSON(job.custom),
        )


def _common(record: Record) -> dict[str, Any]:
    return {
        "uuid": record.id,
        "connection_id": record.connection_id,
        "external_id": record.external_id,
        "version": record.version,
        "created_at": record.created_at,
        "updated_at": record.updated_at,
        "deleted_at": record.deleted_at,
    }


AnyRecord = Annotated[
    Contact | Job, strawberry.union("Record", description="One item in the hub's own shape, whatever provider it came from.")
]


def record_of(record: Record) -> Contact | Job | None:
    """None for an entity that has no GraphQL type yet."""
    if record.entity == "contact":
        return Contact.of(record)
    return Job.of(record) if record.entity == "job" else None


_EXTERNAL_ID = Expression(
    "(SELECT m.external_id FROM mapping AS m WHERE m.organization_id = {row}.organization_id AND m.record_id = {row}.id"
    " AND m.connection_id = {row}.connection_id ORDER BY m.id LIMIT 1)"
)


def _record_shape(type_name: str, entity: type[msgspec.Struct], **more: Source) -> Shape:
    fields = reads.struct_fields(entity) | {
        "id": reads.global_id(type_name),
        "external_id": _EXTERNAL_ID,
        "connection": One("Connection", "{item}.id = {row}.connection_id"),
    }
    return Shape(fields | more, table="record", permission=Permission.READ_RECORDS, where=f"{{item}}.entity = '{type_name.lower()}'")


_OF_ROW = OF_CONTACT.replace("{contact}", "{row}.id")
_JOBS = Page("Job", NEWEST_FIRST, where=f"{{item}}.deleted_at IS NULL AND {_OF_ROW}")

reads.declare("Contact", _record_shape("Contact", entities.Contact, jobs=_JOBS))
reads.declare("Job", _record_shape("Job", entities.Job))
reads.declare(
    "Record",
    Shape(table="record", permission=Permission.READ_RECORDS, kind="{row}.entity", variants={"contact": "Contact", "job": "Job"}),
)
