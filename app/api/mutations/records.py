"""Mutations on contacts and sales documents: what people and programs change in the hub, and what is pushed from there."""

from collections.abc import Mapping
from typing import Annotated, Any
from uuid import UUID

import strawberry

from app.actors import Permission
from app.api.context import Info
from app.api.ids import IdempotencyKey, record_uuid, uuid_of
from app.api.refusals import GENERAL, Refusal, answers
from app.api.types.contacts import Contact
from app.api.types.record_inputs import (
    CreateContactInput,
    CreateSalesDocumentInput,
    UpdateContactInput,
    UpdateSalesDocumentInput,
    given_fields,
)
from app.api.types.records import AnyRecord, record_of
from app.api.types.sales_documents import SalesDocument
from app.records.editing import RecordChanged
from app.records.models import Record
from app.records.service import RecordNotFound

Version = Annotated[int, strawberry.argument(description="The version that was seen; a record that has changed since is left alone.")]
ContactId = Annotated[strawberry.ID, strawberry.argument(description="The contact's id.")]
DocumentId = Annotated[strawberry.ID, strawberry.argument(description="The document's id.")]


@strawberry.type(name="RecordChanged", description="Somebody else has changed the record since; look at it again.")
class RecordChangedRefusal(Refusal):
    refuses = (RecordChanged,)


@strawberry.type(description="The contact is in the hub; a push brings it to providers.")
class CreateContactSuccess:
    contact: Contact = strawberry.field(description="The new contact.")


@strawberry.type(description="The contact was changed; it waits to be pushed to whoever has it.")
class UpdateContactSuccess:
    contact: Contact = strawberry.field(description="The contact as it is now.")


@strawberry.type(description="The contact is gone; what becomes of its counterparts is the policy of their streams.")
class DeleteContactSuccess:
    contact: Contact = strawberry.field(description="The contact as it was, with `deletedAt`.")


@strawberry.type(description="The sales document is in the hub; a push brings it to a provider.")
class CreateSalesDocumentSuccess:
    sales_document: SalesDocument = strawberry.field(description="The new document.")


@strawberry.type(description="The sales document was changed; it waits to be pushed to whoever has it.")
class UpdateSalesDocumentSuccess:
    sales_document: SalesDocument = strawberry.field(description="The document as it is now.")


@strawberry.type(description="The sales document is gone; what becomes of its counterparts is the policy of their streams.")
class DeleteSalesDocumentSuccess:
    sales_document: SalesDocument = strawberry.field(description="The document as it was, with `deletedAt`.")


@strawberry.type(description="The record is again what it was; that is its next version, and waits to be pushed.")
class RestoreRecordSuccess:
    record: AnyRecord = strawberry.field(description="The record as it is now.")


CreateContactResult = Annotated[
    CreateContactSuccess | GENERAL, strawberry.union("CreateContactResult", description="The new contact, or why there is none.")
]
UpdateContactResult = Annotated[
    UpdateContactSuccess | RecordChangedRefusal | GENERAL,
    strawberry.union("UpdateContactResult", description="The contact, or why it was not changed."),
]
DeleteContactResult = Annotated[
    DeleteContactSuccess | RecordChangedRefusal | GENERAL,
    strawberry.union("DeleteContactResult", description="The contact that is gone, or why it is not."),
]
CreateSalesDocumentResult = Annotated[
    CreateSalesDocumentSuccess | GENERAL,
    strawberry.union("CreateSalesDocumentResult", description="The new document, or why there is none."),
]
UpdateSalesDocumentResult = Annotated[
    UpdateSalesDocumentSuccess | RecordChangedRefusal | GENERAL,
    strawberry.union("UpdateSalesDocumentResult", description="The document, or why it was not changed."),
]
DeleteSalesDocumentResult = Annotated[
    DeleteSalesDocumentSuccess | RecordChangedRefusal | GENERAL,
    strawberry.union("DeleteSalesDocumentResult", description="The document that is gone, or why it is not."),
]
RestoreRecordResult = Annotated[
    RestoreRecordSuccess | RecordChangedRefusal | GENERAL,
    strawberry.union("RestoreRecordResult", description="The record, or why it is not what it was."),
]


@strawberry.type
class RecordMutations:
    @strawberry.mutation(description="Make a contact. It is in the hub alone until it is pushed.")
    @answers
    async def create_contact(
        self,
        info: Info,
        input: Annotated[CreateContactInput, strawberry.argument(description="The contact.")],
        idempotency_key: IdempotencyKey,
    ) -> CreateContactResult:
        return CreateContactSuccess(contact=Contact.of(await _create(info, "contact", input, idempotency_key)))

    @strawberry.mutation(description="Change a contact, as seen at a version.")
    @answers
    async def update_contact(
        self,
        info: Info,
        id: ContactId,
        version: Version,
        changes: Annotated[UpdateContactInput, strawberry.argument(description="What is to change.")],
        idempotency_key: IdempotencyKey,
    ) -> UpdateContactResult:
        changed = await _update(info, "contact", uuid_of(id, "Contact"), version, changes, idempotency_key)
        return UpdateContactSuccess(contact=Contact.of(changed))

    @strawberry.mutation(description="Delete a contact, as seen at a version. Its history stays, and `restoreRecord` brings it back.")
    @answers
    async def delete_contact(self, info: Info, id: ContactId, version: Version, idempotency_key: IdempotencyKey) -> DeleteContactResult:
        gone = await _delete(info, "contact", uuid_of(id, "Contact"), version, idempotency_key)
        return DeleteContactSuccess(contact=Contact.of(gone))

    @strawberry.mutation(description="Make an offer, order or invoice. It is in the hub alone until it is pushed.")
    @answers
    async def create_sales_document(
        self,
        info: Info,
        input: Annotated[CreateSalesDocumentInput, strawberry.argument(description="The document.")],
        idempotency_key: IdempotencyKey,
    ) -> CreateSalesDocumentResult:
        made = await _create(info, "sales_document", input, idempotency_key)
        return CreateSalesDocumentSuccess(sales_document=SalesDocument.of(made))

    @strawberry.mutation(description="Change an offer, order or invoice, as seen at a version.")
    @answers
    async def update_sales_document(
        self,
        info: Info,
        id: DocumentId,
        version: Version,
        changes: Annotated[UpdateSalesDocumentInput, strawberry.argument(description="What is to change.")],
        idempotency_key: IdempotencyKey,
    ) -> UpdateSalesDocumentResult:
        changed = await _update(info, "sales_document", uuid_of(id, "SalesDocument"), version, changes, idempotency_key)
        return UpdateSalesDocumentSuccess(sales_document=SalesDocument.of(changed))

    @strawberry.mutation(description="Delete an offer, order or invoice, as seen at a version. `restoreRecord` brings it back.")
    @answers
    async def delete_sales_document(
        self, info: Info, id: DocumentId, version: Version, idempotency_key: IdempotencyKey
    ) -> DeleteSalesDocumentResult:
        gone = await _delete(info, "sales_document", uuid_of(id, "SalesDocument"), version, idempotency_key)
        return DeleteSalesDocumentSuccess(sales_document=SalesDocument.of(gone))

    @strawberry.mutation(description="Make a contact or sales document what it was at an earlier version; a deleted one is back.")
    @answers
    async def restore_record(
        self,
        info: Info,
        id: Annotated[strawberry.ID, strawberry.argument(description="The record's id.")],
        version: Version,
        to_version: Annotated[int, strawberry.argument(description="The version that it is to be again.")],
        idempotency_key: IdempotencyKey,
    ) -> RestoreRecordResult:
        hub, actor, record_id = info.context.hub, info.context.actor, record_uuid(id, field="id")
        actor.require(Permission.READ_RECORDS)
        restored = record_of(
            await hub.edits.restore(actor, record_id, version=version, to_version=to_version, idempotency_key=idempotency_key)
        )
        assert restored is not None
        return RestoreRecordSuccess(record=restored)


async def _create(info: Info, entity: str, given: Any, key: str) -> Record:
    actor = info.context.actor
    actor.require(Permission.READ_RECORDS)  # the answer is the record, so it is not made for whoever may not see it
    return await info.context.hub.edits.create(actor, entity, given_fields(entity, given), idempotency_key=key)


async def _update(info: Info, entity: str, record_id: UUID, version: int, given: Any, key: str) -> Record:
    await _require(info, entity, record_id)
    changes: Mapping[str, Any] = given_fields(entity, given)
    return await info.context.hub.edits.update(info.context.actor, record_id, version=version, changes=changes, idempotency_key=key)


async def _delete(info: Info, entity: str, record_id: UUID, version: int, key: str) -> Record:
    await _require(info, entity, record_id)
    return await info.context.hub.edits.delete(info.context.actor, record_id, version=version, idempotency_key=key)


async def _require(info: Info, entity: str, record_id: UUID) -> None:
    """Raises PermissionDenied, and RecordNotFound for a record of another kind as well."""
    actor = info.context.actor
    actor.require(Permission.MANAGE_RECORDS)
    if (await info.context.hub.records.get(actor, record_id)).entity != entity:
        raise RecordNotFound
