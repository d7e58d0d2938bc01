"""Jobs, as GraphQL shows them. The fields are those of app/records/entities.py."""

from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from typing import Self

import msgspec
import strawberry

from app.api.enums import enum
from app.api.reads import sources as reads
from app.api.types.record_parts import Recorded, common, record_shape
from app.records import entities
from app.records.models import Record


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
class Job(Recorded):
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

    @classmethod
    def of(cls, record: Record) -> Self:
        job = msgspec.convert(record.data, entities.Job, strict=False)
        return cls(
            **common(record),
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
        )


reads.declare("Job", record_shape("Job", "job", entities.Job))
