"""What one side has and the other has not, and what became of objects that were taken over, as GraphQL shows them."""

from collections.abc import Sequence
from datetime import datetime
from enum import Enum
from typing import Self
from uuid import UUID

import strawberry

from app.api.context import Info
from app.api.enums import enum
from app.api.ids import id_text
from app.api.pages import PageInfo, place_of
from app.api.types.records import AnyRecord, record_of
from app.paging import ResultPage
from app.records.models import Record
from app.syncs import importing, unsynced


@enum(
    "What became of an object that was to be taken over.",
    CREATED="It is a new record.",
    UPDATED="Its record was brought up to date.",
    UNCHANGED="Its record was as it should be.",
    MISSING="The provider does not have it.",
    FAILED="It could not be taken over.",
)
class ImportOutcome(Enum):
    CREATED = "created"
    UPDATED = "updated"
    UNCHANGED = "unchanged"
    MISSING = "missing"
    FAILED = "failed"


@strawberry.type(description="One object of a provider, and what became of it.")
class ImportedObject:
    record_uuid: strawberry.Private[UUID | None]
    external_id: str = strawberry.field(description="The provider's id.")
    outcome: ImportOutcome = strawberry.field(description="What became of it.")
    mapping_id: strawberry.ID | None = strawberry.field(description="The id of the link between record and object.")
    failed_record_id: strawberry.ID | None = strawberry.field(description="The failed record, where it could not be taken over.")
    message: str | None = strawberry.field(description="Why it failed or is missing, in one sentence.")

    @strawberry.field(description="The record that it is.")
    async def record(self, info: Info) -> AnyRecord | None:
        found = None if self.record_uuid is None else await info.context.loaders.record.load(self.record_uuid)
        return None if found is None else record_of(found)

    @classmethod
    def of(cls, imported: importing.Imported) -> Self:
        return cls(
            record_uuid=imported.record_id,
            external_id=imported.external_id,
            outcome=ImportOutcome(imported.outcome.value),
            mapping_id=id_text("Mapping", imported.mapping_id) if imported.mapping_id else None,
            failed_record_id=id_text("FailedRecord", imported.failed_record_id) if imported.failed_record_id else None,
            message=imported.message,
        )


@strawberry.type(description="An object at the provider that the hub has no record of.")
class UnsyncedObject:
    external_id: str = strawberry.field(description="The provider's id; `importRecord` takes it over.")
    failed_record_id: strawberry.ID | None = strawberry.field(description="The failed record, where it could not be taken over.")
    message: str | None = strawberry.field(description="Why not, in one sentence.")

    @classmethod
    def of(cls, found: unsynced.UnsyncedObject) -> Self:
        failed = id_text("FailedRecord", found.failed_record_id) if found.failed_record_id else None
        return cls(external_id=found.external_id, failed_record_id=failed, message=found.message)


@strawberry.type(description="A page of what the provider had at the last complete scan and the hub has no record of.")
class UnsyncedObjects:
    scanned_at: datetime | None = strawberry.field(description="When that scan ended; null: there was none, so nothing is known.")
    nodes: list[UnsyncedObject] = strawberry.field(description="The objects of this page, by their ids.")
    page_info: PageInfo = strawberry.field(description="Where this page lies in the list.")

    @classmethod
    def of(cls, found: unsynced.UnsyncedObjects, after: str | None) -> Self:
        nodes = [UnsyncedObject.of(one) for one in found.page.items]
        return cls(scanned_at=found.scan.finished_at if found.scan else None, nodes=nodes, page_info=place_of(found.page, after))


@strawberry.type(description="A page of the hub's records that a connection does not have.")
class UnsyncedRecords:
    nodes: list[AnyRecord] = strawberry.field(description="The records of this page, oldest first.")
    page_info: PageInfo = strawberry.field(description="Where this page lies in the list.")

    @classmethod
    def of(cls, page: ResultPage[Record], after: str | None) -> Self:
        shown: Sequence[AnyRecord | None] = [record_of(record) for record in page.items]
        return cls(nodes=[one for one in shown if one is not None], page_info=place_of(page, after))
