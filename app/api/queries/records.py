"""Queries on records and mappings."""

from dataclasses import replace
from typing import Annotated

import strawberry

from app.api.context import Info
from app.api.ids import OfConnection, OfRecord, optional_record, optional_uuid, same_id, same_record, uuid_of
from app.api.pages import EITHER_WAY, NEWEST_FIRST, After, First, Listing, ListOrder, Order, has_status, listing, page_of
from app.api.queries.missing import or_null
from app.api.reads import sources as reads
from app.api.reads.sources import ById, Filter, Key, Page
from app.api.types.contacts import Contact
from app.api.types.goods import InventoryLevel, Product
from app.api.types.jobs import Job, JobStatus
from app.api.types.mappings import Mapping, MappingStatus
from app.api.types.record_parts import BY_CONTACT, DOCUMENTS, JOBS, THERE
from app.api.types.sales_documents import SalesDocument, SalesDocumentKind
from app.records.lists import NAME_BEGINS

Search = Annotated[str | None, strawberry.argument(description="Only those whose name begins like this.")]
OfContact = Annotated[strawberry.ID | None, strawberry.argument(description="Only those of this contact, at whatever connections.")]


@strawberry.type
class RecordQueries:
    @strawberry.field(description="Contacts by name.")
    async def contacts(
        self,
        info: Info,
        connection_id: OfConnection = None,
        search: Search = None,
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
        contact_id: OfContact = None,
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

    @strawberry.field(description="Offers, orders and invoices, newest first; with `contactId` those of one company.")
    async def sales_documents(
        self,
        info: Info,
        contact_id: OfContact = None,
        connection_id: OfConnection = None,
        kind: Annotated[SalesDocumentKind | None, strawberry.argument(description="Only those of this kind.")] = None,
        provider_status: Annotated[str | None, strawberry.argument(description="Only those with this status.")] = None,
        order: Order = ListOrder.NEWEST_FIRST,
        first: First = 50,
        after: After = None,
    ) -> Listing[SalesDocument]:
        page = await info.context.hub.records.sales_documents(
            info.context.actor,
            page_of(first, after),
            connection_id=optional_uuid(connection_id, "Connection"),
            contact_id=optional_uuid(contact_id, "Contact"),
            kind=kind.value if kind else None,
            status=provider_status,
            oldest_first=order is ListOrder.OLDEST_FIRST,
        )
        return listing(info, page, after, SalesDocument.of)

    @strawberry.field(description="One offer, order or invoice; null when it does not exist.")
    @or_null
    async def sales_document(
        self, info: Info, id: Annotated[strawberry.ID, strawberry.argument(description="The document's id.")]
    ) -> SalesDocument | None:
        record = await info.context.hub.records.get(info.context.actor, uuid_of(id, "SalesDocument"))
        return SalesDocument.of(record) if record.entity == "sales_document" else None

    @strawberry.field(description="Products by name.")
    async def products(
        self, info: Info, connection_id: OfConnection = None, search: Search = None, first: First = 50, after: After = None
    ) -> Listing[Product]:
        connection = optional_uuid(connection_id, "Connection")
        page = await info.context.hub.records.products(info.context.actor, page_of(first, after), connection_id=connection, search=search)
        return listing(info, page, after, Product.of)

    @strawberry.field(description="How much of each product lies in each place, by the names of the products.")
    async def inventory_levels(
        self, info: Info, connection_id: OfConnection = None, first: First = 50, after: After = None
    ) -> Listing[InventoryLevel]:
        connection = optional_uuid(connection_id, "Connection")
        page = await info.context.hub.records.inventory_levels(info.context.actor, page_of(first, after), connection_id=connection)
        return listing(info, page, after, InventoryLevel.of)

    @strawberry.field(description="The links between records and their counterparts at providers, newest first.")
    async def mappings(
        self,
        info: Info,
        connection_id: OfConnection = None,
        contact_id: Annotated[strawberry.ID | None, strawberry.argument(description="Only those of this contact.")] = None,
        job_id: Annotated[strawberry.ID | None, strawberry.argument(description="Only those of this job.")] = None,
        record_id: OfRecord = None,
        external_id: Annotated[
            str | None, strawberry.argument(description="Only those whose counterpart has this id at its provider.")
        ] = None,
        status: Annotated[MappingStatus | None, strawberry.argument(description="Only those that stand here.")] = None,
        first: First = 50,
        after: After = None,
    ) -> Listing[Mapping]:
        contact, job, record = optional_uuid(contact_id, "Contact"), optional_uuid(job_id, "Job"), optional_record(record_id)
        page = await info.context.hub.records.mappings(
            info.context.actor,
            page_of(first, after),
            connection_id=optional_uuid(connection_id, "Connection"),
            record_id=contact or job or record,
            external_id=external_id,
            status=status.value if status else None,
        )
        return listing(info, page, after, Mapping.of)


_CONNECTION = same_id("Connection", "connection_id")
_BY_NAME = (Key("name_folded", "text"), Key("id", "uuid"))
_OF_CONTACT = Filter(BY_CONTACT, "uuid", lambda given: uuid_of(given, "Contact", field="contactId"))

reads.declare_root("contact", ById("Contact"))
reads.declare_root(
    "contacts",
    Page(
        "Contact",
        _BY_NAME,
        where=THERE,
        filters={"connectionId": _CONNECTION, "search": Filter(NAME_BEGINS)},
    ),
)
reads.declare_root(
    "jobs",
    Page(
        "Job",
        NEWEST_FIRST,
        orders=EITHER_WAY,
        where=JOBS,
        filters={"connectionId": _CONNECTION, "contactId": _OF_CONTACT, "status": Filter(has_status)},
    ),
)
reads.declare_root("sales_document", ById("SalesDocument"))
reads.declare_root(
    "sales_documents",
    Page(
        "SalesDocument",
        NEWEST_FIRST,
        orders=EITHER_WAY,
        where=DOCUMENTS,
        filters={
            "connectionId": _CONNECTION,
            "contactId": _OF_CONTACT,
            "kind": Filter(lambda kind: f"{{item}}.kind = '{kind.value}'"),
            "providerStatus": Filter("{item}.status = {value}"),
        },
    ),
)
reads.declare_root("products", Page("Product", _BY_NAME, where=THERE, filters={"connectionId": _CONNECTION, "search": Filter(NAME_BEGINS)}))
reads.declare_root("inventory_levels", Page("InventoryLevel", _BY_NAME, where=THERE, filters={"connectionId": _CONNECTION}))

reads.declare_root(
    "mappings",
    Page(
        "Mapping",
        NEWEST_FIRST,
        filters={
            "connectionId": _CONNECTION,
            "contactId": same_id("Contact", "record_id"),
            "jobId": replace(same_id("Job", "record_id"), unless=["contactId"]),
            "recordId": replace(same_record(), unless=["contactId", "jobId"]),
            "externalId": Filter("{item}.external_id = {value}"),
            "status": Filter(has_status),
        },
    ),
)
