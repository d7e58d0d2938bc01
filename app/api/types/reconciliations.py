"""What complete scans came to, as GraphQL shows it."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Self
from uuid import UUID

import strawberry

from app.actors import Permission
from app.api.context import Info
from app.api.reads import sources as reads
from app.api.reads.sources import Expression, Inline, One, Shape
from app.syncs import reconciliation

if TYPE_CHECKING:
    from app.api.types.connections import Connection
    from app.api.types.sync_runs import SyncRun

_KINDS = ("missing_here", "missing_there", "different")


@strawberry.type(description="Some of the objects that are out of step, by the provider's ids: at most 10 of each kind.")
class DriftExamples:
    missing_here: list[str] = strawberry.field(description="Objects that the hub lacks.")
    missing_there: list[str] = strawberry.field(description="Objects that the provider lacks.")
    different: list[str] = strawberry.field(description="Objects whose record differs.")


@strawberry.type(
    description="What a complete scan of a stream came to: whether hub and provider have the same objects with the same values. Drift is "
    "what no sync put right."
)
class Reconciliation:
    run_id: strawberry.Private[UUID]
    connection_id: strawberry.Private[UUID]
    stream: str = strawberry.field(description="The stream that was scanned.")
    seen: int = strawberry.field(description="Objects that the provider has.")
    mapped: int = strawberry.field(description="Objects that the hub knows as living there.")
    missing_here: int = strawberry.field(description="Drift: objects at the provider that the hub neither has nor failed to take over.")
    missing_there: int = strawberry.field(description="Drift: objects that the hub has and the scan did not find.")
    different: int = strawberry.field(description="Drift: records that are said to be in step and have other values.")
    failed: int = strawberry.field(description="Objects that could not be taken over; they are `failedRecords`.")
    taken_over: int = strawberry.field(description="Objects that were new, changed or gone, in step since this scan: no drift any more.")
    has_drift: bool = strawberry.field(description="Whether anything is out of step.")
    examples: DriftExamples = strawberry.field(description="Some of what is out of step.")
    compared_at: datetime = strawberry.field(description="When the scan ended.")

    @strawberry.field(description="The run that scanned.")
    async def run(self, info: Info) -> Annotated["SyncRun", strawberry.lazy("app.api.types.sync_runs")] | None:
        return await info.context.loaders.sync_run.load(self.run_id)

    @strawberry.field(description="The connection that was scanned.")
    async def connection(self, info: Info) -> Annotated["Connection", strawberry.lazy("app.api.types.connections")] | None:
        return await info.context.loaders.connection.load(self.connection_id)

    @classmethod
    def of(cls, found: reconciliation.Reconciliation) -> Self:
        return cls(
            run_id=found.sync_run_id,
            connection_id=found.connection_id,
            stream=found.stream,
            seen=found.seen,
            mapped=found.mapped,
            missing_here=found.missing_here,
            missing_there=found.missing_there,
            different=found.different,
            failed=found.failed,
            taken_over=found.taken_over,
            has_drift=found.has_drift,
            examples=DriftExamples(**{kind: list(found.examples.get(kind, ())) for kind in _KINDS}),
            compared_at=found.compared_at,
        )


reads.declare(
    "Reconciliation",
    Shape(
        {
            "has_drift": Expression("({row}.missing_here + {row}.missing_there + {row}.different > 0)"),
            "examples": Inline(Shape({kind: reads.json_value(kind, column="examples", default="[]") for kind in _KINDS})),
            "run": One("SyncRun", "{item}.id = {row}.sync_run_id"),
            "connection": One("Connection", "{item}.id = {row}.connection_id"),
        },
        table="reconciliation",
        permission=Permission.READ_SYNCS,
    ),
)
