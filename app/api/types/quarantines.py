"""Held deletions, as GraphQL shows them."""

from datetime import datetime
from enum import Enum
from typing import Self
from uuid import UUID

import strawberry

from app.actors import Permission
from app.api.context import Info
from app.api.enums import enum
from app.api.ids import id_text
from app.api.pages import PageInfo, place_of
from app.api.reads import sources as reads
from app.api.reads.sources import Expression, One, Shape
from app.api.types.connections import Connection
from app.api.types.records import AnyRecord, record_of
from app.api.types.sync_runs import SyncRun
from app.paging import ResultPage
from app.syncs import quarantine_store as models


@enum(
    "Where held deletions stand.",
    HELD="They wait for a decision; nothing was deleted.",
    RELEASING="A worker asks for each once more and deletes what is still missing.",
    RELEASED="What was still missing is deleted.",
    DISMISSED="Nothing (more) is deleted, because somebody or a later scan said so.",
)
class QuarantineStatus(Enum):
    HELD = "held"
    RELEASING = "releasing"
    RELEASED = "released"
    DISMISSED = "dismissed"


@strawberry.type(
    description="Deletions that a complete scan would have caused and the brake held back: they were more than `brakeMinimum`, and more "
    "than the share `brakeShare` of what was known."
)
class Quarantine:
    model: strawberry.Private[models.Quarantine]
    stream: str = strawberry.field(description="The stream that was scanned.")
    status: QuarantineStatus = strawberry.field(description="Where they stand.")
    count: int = strawberry.field(description="How many would be deleted.")
    known: int = strawberry.field(description="How many records were known before the scan.")
    brake_share: float = strawberry.field(description="The share that was passed, 0 to 1.")
    brake_minimum: int = strawberry.field(description="The number that was passed.")
    looked_at: int = strawberry.field(description="Of a release: how many were asked for once more.")
    deleted: int = strawberry.field(description="Of those: how many were deleted.")
    error_message: str | None = strawberry.field(description="Why a release waits, in one sentence.")
    decided_by: str | None = strawberry.field(description="The name of whoever decided.")
    decided_at: datetime | None = strawberry.field(description="When it was decided.")
    finished_at: datetime | None = strawberry.field(description="When nothing was left to do.")
    created_at: datetime = strawberry.field(description="When they were held back.")

    @strawberry.field(description="Its id.")
    def id(self) -> strawberry.ID:
        return id_text("Quarantine", self.model.id)

    @strawberry.field(description="The connection that was scanned.")
    async def connection(self, info: Info) -> Connection | None:
        return await info.context.loaders.connection.load(self.model.connection_id)

    @strawberry.field(description="The run that scanned it.")
    async def run(self, info: Info) -> SyncRun | None:
        return await info.context.loaders.sync_run.load(self.model.sync_run_id)

    @classmethod
    def of(cls, held: models.Quarantine) -> Self:
        return cls(
            model=held,
            stream=held.stream,
            status=QuarantineStatus(held.status),
            count=held.count,
            known=held.known,
            brake_share=held.brake_share,
            brake_minimum=held.brake_minimum,
            looked_at=held.looked_at,
            deleted=held.deleted,
            error_message=held.error_message,
            decided_by=held.decided_by,
            decided_at=held.decided_at,
            finished_at=held.finished_at,
            created_at=held.created_at,
        )


@strawberry.type(description="An object that the scan did not find.")
class QuarantinedDeletion:
    record_uuid: strawberry.Private[UUID | None]
    external_id: str = strawberry.field(description="The provider's id.")
    is_deleted: bool = strawberry.field(description="Whether its deletion is carried out by now.")

    @strawberry.field(description="The record that it is.")
    async def record(self, info: Info) -> AnyRecord | None:
        found = None if self.record_uuid is None else await info.context.loaders.record.load(self.record_uuid)
        return None if found is None else record_of(found)

    @classmethod
    def of(cls, deletion: models.HeldDeletion) -> Self:
        return cls(record_uuid=deletion.record_id, external_id=deletion.external_id, is_deleted=deletion.is_deleted)


@strawberry.type(description="A page of the objects that a scan did not find.")
class QuarantinedDeletions:
    nodes: list[QuarantinedDeletion] = strawberry.field(description="The objects of this page, by their ids.")
    page_info: PageInfo = strawberry.field(description="Where this page lies in the list.")

    @classmethod
    def of(cls, page: ResultPage[models.HeldDeletion], after: str | None) -> Self:
        return cls(nodes=[QuarantinedDeletion.of(one) for one in page.items], page_info=place_of(page, after))


reads.declare(
    "Quarantine",
    Shape(
        {
            "id": reads.global_id("Quarantine"),
            "count": Expression("cardinality({row}.external_ids)"),
            "connection": One("Connection", "{item}.id = {row}.connection_id"),
            "run": One("SyncRun", "{item}.id = {row}.sync_run_id"),
        },
        table="quarantine",
        permission=Permission.READ_SYNCS,
    ),
)
