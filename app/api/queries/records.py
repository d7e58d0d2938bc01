"""Queries on contacts, jobs and mappings."""

from dataclasses import replace
from typing import Annotated

import strawberry

from app.api.context import Info
from app.api.ids import OfConnection, optional_uuid, same_id, uuid_of
from app.api.pages import EITHER_WAY, NEWEST_FIRST, After, First, Listing, ListOrder, Order, has_status, listing, page_of
from app.api.queries.missing import or_null
from app.api.reads import sources as reads
from app.api.reads.sources import ById, Filter, Key, Page
from app.api.types.mappings import Mapping, MappingStatus
from app.api.types.records import Contact, Job, JobStatus
from app.records.repository import NAME_BEGINS, OF_CONTACT


@strawberry.type
class RecordQueries:
    @strawberry.field(description="Contacts by name.")
    async def contacts(
        self,
        info: Info,
        connection_id: OfConnection = None,
        search: Annotated[str | None, strawberry.argument(description="Only those whose name begins like this.")] = None,
        first: First = 50,
        after: After = None,
    ) -> Listing[Contact]:
        page = await info.context.hub.records.contacts(
            info.context.actor,
            page_of(first, after),
            connection_id=optional_uuid(connection_id, "Connection"),
            search=search,
        )
        return listing(info, page, after, Contact.of)

    @strawberry.field(description="One contact; null when it does not exist.")
    @or_null
    async def contact(
        self, info: Info, id: Annotated[strawberry.ID, strawberry.argument(description="The contact's id.")]
    ) -> Contact | None:
        record = await info.context.hub.records.get(info.context.actor, uuid_of(id, "Contact"))
        return Contact.of(record) if record.entity == "contact" else None

    @strawberry.field(description="Jobs, newest first; with `contactId` the jobs of one company.")
    async def jobs(
        self,
        info: Info,
        contact_id: Annotated[strawberry.ID | None, strawberry.argument(description="Only those of this contact.")] = None,
        connection_id: OfConnection = None,
        status: Annotated[JobStatus | None, strawberry.argument(description="Only those that stand here.")] = None,
        order: Order = ListOrder.NEWEST_FIRST,
        first: First = 50,
        after: After = None,
    ) -> Listing[Job]:
        page = await info.context.hub.records.jobs(
            info.context.actor,
            page_of(first, after),
            connection_id=optional_uuid(connection_id, "Connection"),
            contact_id=optional_uuid(contact_id, "Contact"),
            status=status.value if status else None,
            oldest_first=order is ListOrder.OLDEST_FIRST,
        )
        return listing(info, page, after, Job.of)

    @strawberry.field(description="The links between records and their counterparts at providers, newest first.")
    async def mappings(
        self,
        info: Info,
        connection_id: OfConnection = None,
        contact_id: Annotated[strawberry.ID | None, strawberry.argument(description="Only those of this contact.")] = None,
        job_id: Annotated[strawberry.ID | None, strawberry.argument(description="Only those of this job.")] = None,
        status: Annotated[MappingStatus | None, strawberry.argument(description="Only those that stand here.")] = None,
        first: First = 50,
        after: After = None,
    ) -> Listing[Mapping]:
        contact, job = optional_uuid(contact_id, "Contact"), optional_uuid(job_id, "Job")
        page = await info.context.hub.records.mappings(
            info.context.actor,
            page_of(first, after),
            connection_id=optional_uuid(connection_id, "Connection"),
            record_id=contact or job,
            status=status.value if status else None,
        )
        return listing(info, page, after, Mapping.of)


_CONNECTION = same_id("Connection", "connection_id")
_BY_NAME = (Key("name_folded", "text"), Key("id", "uuid"))
_OF_CONTACT = OF_CONTACT.replace("{contact}", "{value}")

reads.declare_root("contact", ById("Contact"))
reads.declare_root(
    "contacts",
    Page(
        "Contact",
        _BY_NAME,
        where="{item}.deleted_at IS NULL",
        filters={"connectionId": _CONNECTION, "search": Filter(NAME_BEGINS)},
    ),
)
reads.declare_root(
    "jobs",
    Page(
        "Job",
        NEWEST_FIRST,
        orders=EITHER_WAY,
        where="{item}.deleted_at IS NULL",
        filters={
            "connectionId": _CONNECTION,
            "contactId": Filter(_OF_CONTACT, "uuid", lambda given: uuid_of(given, "Contact", field="contactId")),
            "status": Filter(has_status),
        },
    ),
)

reads.declare_root(
    "mappings",
    Page(
        "Mapping",
        NEWEST_FIRST,
        filters={
            "connectionId": _CONNECTION,
            "contactId": same_id("Contact", "record_id"),
            "jobId": replace(same_id("Job", "record_id"), unless="contactId"),
            "status": Filter(has_status),
        },
    ),
)
