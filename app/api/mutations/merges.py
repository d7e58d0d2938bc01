"""Mutations that merge contacts, and part them again."""

from typing import Annotated

import strawberry

from app.actors import Permission
from app.api.context import Info
from app.api.ids import IdempotencyKey, uuid_of
from app.api.mutations.records import RecordChangedRefusal
from app.api.queries.merges import LoserId, SurvivorId
from app.api.refusals import GENERAL, Refusal, answers
from app.api.types.contacts import Contact
from app.api.types.merges import ChangedSinceMerge, MergeSide
from app.records.merging import NotMergeable, NotMerged


@strawberry.input(description="Whose value the merged contact gets in one field.")
class MergeFieldInput:
    field: str = strawberry.field(description="The field, as `RecordVersion.data` names it.")
    take: MergeSide = strawberry.field(description="Whose value is taken.")


@strawberry.type(name="NotMergeable", description="These two cannot be merged, or parted, as they are.")
class NotMergeableRefusal(Refusal):
    refuses = (NotMergeable,)


@strawberry.type(name="NotMerged", description="The contact is not merged into another one, or not any more.")
class NotMergedRefusal(Refusal):
    refuses = (NotMerged,)


@strawberry.type(description="The two are one; quotes, jobs and clients follow the contact that stays.")
class MergeContactsSuccess:
    contact: Contact = strawberry.field(description="The contact that stayed, as it is now.")


@strawberry.type(description="The two are two again.")
class UnmergeContactSuccess:
    survivor: Contact = strawberry.field(description="The contact that had stayed, as it is now.")
    loser: Contact = strawberry.field(description="The contact that had become part of it, as it is now.")
    changed_since: list[ChangedSinceMerge] = strawberry.field(
        description="What somebody changed since the merge and is left as it is; said once, not when the request is repeated."
    )


MergeContactsResult = Annotated[
    MergeContactsSuccess | NotMergeableRefusal | RecordChangedRefusal | GENERAL,
    strawberry.union("MergeContactsResult", description="The merged contact, or why there is none."),
]
UnmergeContactResult = Annotated[
    UnmergeContactSuccess | NotMergedRefusal | NotMergeableRefusal | GENERAL,
    strawberry.union("UnmergeContactResult", description="Both contacts, or why they were not parted."),
]


@strawberry.type
class MergeMutations:
    @strawberry.mutation(
        description="Make one of two contacts part of the other. Its counterparts keep their mappings, and nothing is brought there; "
        "what their providers change reaches the contact that stays. `unmergeContact` takes it back."
    )
    @answers
    async def merge_contacts(
        self,
        info: Info,
        survivor_id: SurvivorId,
        loser_id: LoserId,
        idempotency_key: IdempotencyKey,
        fields: Annotated[
            list[MergeFieldInput] | None,
            strawberry.argument(description="Whose value is taken, field by field; where nothing is said, the survivor's stays."),
        ] = None,
        survivor_version: Annotated[int | None, strawberry.argument(description="The survivor's version that was seen.")] = None,
        loser_version: Annotated[int | None, strawberry.argument(description="The loser's version that was seen.")] = None,
    ) -> MergeContactsResult:
        hub, actor = info.context.hub, info.context.actor
        survivor, loser = uuid_of(survivor_id, "Contact", field="survivorId"), uuid_of(loser_id, "Contact", field="loserId")
        actor.require(Permission.READ_RECORDS)
        seen = {id: version for id, version in ((survivor, survivor_version), (loser, loser_version)) if version is not None}
        taken = {one.field: one.take.value for one in fields or ()}
        merged = await hub.merges.merge(actor, survivor, loser, taken, versions=seen, idempotency_key=idempotency_key)
        return MergeContactsSuccess(contact=Contact.of(merged))

    @strawberry.mutation(description="Part a merged contact from the one that stayed: both become what they were, but for later changes.")
    @answers
    async def unmerge_contact(self, info: Info, loser_id: LoserId, idempotency_key: IdempotencyKey) -> UnmergeContactResult:
        actor, loser = info.context.actor, uuid_of(loser_id, "Contact", field="loserId")
        actor.require(Permission.READ_RECORDS)
        parted = await info.context.hub.merges.unmerge(actor, loser, idempotency_key=idempotency_key)
        return UnmergeContactSuccess(
            survivor=Contact.of(parted.survivor),
            loser=Contact.of(parted.loser),
            changed_since=[ChangedSinceMerge.of(one) for one in parted.changed_since],
        )
