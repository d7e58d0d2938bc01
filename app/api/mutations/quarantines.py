"""Mutations on held deletions."""

from typing import Annotated

import strawberry

from app.api.context import Info
from app.api.ids import IdempotencyKey, uuid_of
from app.api.queries.quarantines import QuarantineId
from app.api.refusals import GENERAL, Refusal, answers
from app.api.types.quarantines import Quarantine
from app.syncs.quarantine import QuarantineSettled


@strawberry.type(name="QuarantineSettled", description="These deletions were released or dismissed already.")
class QuarantineSettledRefusal(Refusal):
    refuses = (QuarantineSettled,)


@strawberry.type(description="A worker carries the deletions out.")
class ReleaseQuarantineSuccess:
    quarantine: Quarantine = strawberry.field(description="The held deletions as they are now.")


@strawberry.type(description="Nothing (more) is deleted.")
class DismissQuarantineSuccess:
    quarantine: Quarantine = strawberry.field(description="The held deletions as they are now.")


ReleaseQuarantineResult = Annotated[
    ReleaseQuarantineSuccess | QuarantineSettledRefusal | GENERAL,
    strawberry.union("ReleaseQuarantineResult", description="The held deletions, or why they were not released."),
]
DismissQuarantineResult = Annotated[
    DismissQuarantineSuccess | QuarantineSettledRefusal | GENERAL,
    strawberry.union("DismissQuarantineResult", description="The held deletions, or why they were not dismissed."),
]


@strawberry.type
class QuarantineMutations:
    @strawberry.mutation(
        description="Delete what the scan did not find. It answers at once; a worker asks the provider for each object once more and "
        "deletes those that are still missing."
    )
    @answers
    async def release_quarantine(self, info: Info, id: QuarantineId, idempotency_key: IdempotencyKey) -> ReleaseQuarantineResult:
        service, actor = info.context.hub.quarantine, info.context.actor
        released = await service.release(actor, uuid_of(id, "Quarantine"), idempotency_key=idempotency_key)
        return ReleaseQuarantineSuccess(quarantine=Quarantine.of(released))

    @strawberry.mutation(description="Keep what the scan did not find; of a release that goes on, what is left of it.")
    @answers
    async def dismiss_quarantine(self, info: Info, id: QuarantineId, idempotency_key: IdempotencyKey) -> DismissQuarantineResult:
        service, actor = info.context.hub.quarantine, info.context.actor
        dismissed = await service.dismiss(actor, uuid_of(id, "Quarantine"), idempotency_key=idempotency_key)
        return DismissQuarantineSuccess(quarantine=Quarantine.of(dismissed))
