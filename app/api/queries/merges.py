"""Queries on contacts that are one, or may be."""

from typing import Annotated

import strawberry

from app.api.context import Info
from app.api.ids import optional_uuid, uuid_of
from app.api.pages import After, First, page_of
from app.api.queries.missing import or_null
from app.api.types.merges import ContactMerge, ContactMerges, DuplicatesBy, DuplicatesPage, MergePreview

SurvivorId = Annotated[strawberry.ID, strawberry.argument(description="The id of the contact that stays.")]
LoserId = Annotated[strawberry.ID, strawberry.argument(description="The id of the contact that becomes part of it.")]


@strawberry.type
class MergeQueries:
    @strawberry.field(description="Contacts that may be one, because they share a tax number, an e-mail address or a name.")
    async def duplicates(
        self,
        info: Info,
        connection_id: Annotated[
            strawberry.ID | None, strawberry.argument(description="Only groups with a contact that came from this connection.")
        ] = None,
        by: Annotated[DuplicatesBy | None, strawberry.argument(description="Only those that share this.")] = None,
        first: First = 20,
        after: After = None,
    ) -> DuplicatesPage:
        page = await info.context.hub.duplicates.duplicates(
            info.context.actor,
            page_of(first, after),
            connection_id=optional_uuid(connection_id, "Connection"),
            by=by.value if by else None,
        )
        return DuplicatesPage.of(page, after)

    @strawberry.field(description="What merging two contacts would come to; null when one of them does not exist.")
    @or_null
    async def merge_preview(self, info: Info, survivor_id: SurvivorId, loser_id: LoserId) -> MergePreview | None:
        survivor, loser = uuid_of(survivor_id, "Contact", field="survivorId"), uuid_of(loser_id, "Contact", field="loserId")
        return MergePreview.of(await info.context.hub.merges.preview(info.context.actor, survivor, loser))

    @strawberry.field(description="The merges that a contact takes part in; null when it does not exist.")
    @or_null
    async def contact_merges(
        self, info: Info, contact_id: Annotated[strawberry.ID, strawberry.argument(description="The contact's id.")]
    ) -> ContactMerges | None:
        hub, actor, contact = info.context.hub, info.context.actor, uuid_of(contact_id, "Contact", field="contactId")
        await hub.records.get(actor, contact)
        lost = await hub.merges.lost_in(actor, contact)
        merged = [ContactMerge.of(one) for one in await hub.merges.merged_into(actor, contact)]
        return ContactMerges(merged=merged, merged_into=ContactMerge.of(lost) if lost else None)
