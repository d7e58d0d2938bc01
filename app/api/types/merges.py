"""Contacts that are one, or may be, as GraphQL shows them."""

from datetime import datetime
from enum import Enum
from typing import Self
from uuid import UUID

import strawberry
from strawberry.scalars import JSON

from app.api.context import Info
from app.api.enums import enum
from app.api.ids import id_text
from app.api.pages import PageInfo, place_of
from app.api.types.contacts import Contact
from app.api.types.mappings import Mapping
from app.paging import ResultPage
from app.records import merge_models


@enum("Which of two contacts.", SURVIVOR="The one that stays.", LOSER="The one that becomes part of it.")
class MergeSide(Enum):
    SURVIVOR = "survivor"
    LOSER = "loser"


@enum(
    "By what contacts are taken for the same.",
    TAX_NUMBER="Their tax number, whatever its spaces and points.",
    EMAIL="Their e-mail address, whatever the case.",
    NAME="Their name, whatever the case.",
)
class DuplicatesBy(Enum):
    TAX_NUMBER = "tax_number"
    EMAIL = "email"
    NAME = "name"


@strawberry.type(description="Contacts that may be one.")
class Duplicates:
    by: DuplicatesBy = strawberry.field(description="What they share …")
    value: str = strawberry.field(description="… and its value, in lower case; a tax number as letters and digits alone.")
    count: int = strawberry.field(description="How many there are.")
    contacts: list[Contact] = strawberry.field(description="The first 20 of them.")

    @classmethod
    def of(cls, found: merge_models.Duplicates) -> Self:
        contacts = [Contact.of(record) for record in found.contacts]
        return cls(by=DuplicatesBy(found.by), value=found.value, count=found.count, contacts=contacts)


@strawberry.type(description="A page of contacts that may be one.")
class DuplicatesPage:
    nodes: list[Duplicates] = strawberry.field(description="The groups of this page: by tax number, then by e-mail address, then by name.")
    page_info: PageInfo = strawberry.field(description="Where this page lies in the list.")

    @classmethod
    def of(cls, page: ResultPage[merge_models.Duplicates], after: str | None) -> Self:
        return cls(nodes=[Duplicates.of(found) for found in page.items], page_info=place_of(page, after))


@strawberry.type(description="A field in which two contacts differ.")
class MergeChoice:
    field: str = strawberry.field(description="The field, as `RecordVersion.data` names it.")
    survivor: JSON | None = strawberry.field(description="What the one that stays has.")
    loser: JSON | None = strawberry.field(description="What the other one has.")
    suggested: MergeSide = strawberry.field(description="Whose value to take: the survivor's, or the other's where the survivor has none.")

    @classmethod
    def of(cls, one: merge_models.FieldChoice) -> Self:
        return cls(field=one.field, survivor=one.survivor, loser=one.loser, suggested=MergeSide(one.suggested))


@strawberry.type(description="What a merge would come to.")
class MergePreview:
    survivor: Contact = strawberry.field(description="The contact that stays.")
    loser: Contact = strawberry.field(description="The contact that becomes part of it.")
    choices: list[MergeChoice] = strawberry.field(description="The fields in which they differ.")
    counterparts: list[Mapping] = strawberry.field(description="What the loser is at providers; nothing is brought there any more.")
    quotes: int = strawberry.field(description="How many of the loser's quotes go to the survivor.")
    people: int = strawberry.field(description="How many people of the loser's client go to the survivor's.")
    sites: int = strawberry.field(description="How many sites go with them.")
    has_conflicts: bool = strawberry.field(description="Whether the loser has open conflicts, which are decided before it is merged.")

    @classmethod
    def of(cls, preview: merge_models.MergePreview) -> Self:
        return cls(
            survivor=Contact.of(preview.survivor),
            loser=Contact.of(preview.loser),
            choices=[MergeChoice.of(one) for one in preview.choices],
            counterparts=[Mapping.of(link) for link in preview.counterparts],
            quotes=preview.follow.quotes,
            people=preview.follow.people,
            sites=preview.follow.sites,
            has_conflicts=preview.has_conflicts,
        )


@strawberry.type(description="One contact that became part of another; `unmergeContact` parts them again.")
class ContactMerge:
    survivor_uuid: strawberry.Private[UUID]
    loser_uuid: strawberry.Private[UUID]
    fields: list[str] = strawberry.field(description="The fields in which the survivor got the other's value.")
    merged_by: str = strawberry.field(description="The name of whoever merged them.")
    merged_at: datetime = strawberry.field(description="When they were merged.")

    @strawberry.field(description="The contact that stayed.")
    async def survivor(self, info: Info) -> Contact | None:
        return await _contact(info, self.survivor_uuid)

    @strawberry.field(description="The contact that became part of it, as it is now.")
    async def loser(self, info: Info) -> Contact | None:
        return await _contact(info, self.loser_uuid)

    @classmethod
    def of(cls, merge: merge_models.RecordMerge) -> Self:
        return cls(
            survivor_uuid=merge.survivor_id,
            loser_uuid=merge.loser_id,
            fields=sorted(merge.changes),
            merged_by=merge.merged_by,
            merged_at=merge.merged_at,
        )


async def _contact(info: Info, record_id: UUID) -> Contact | None:
    found = await info.context.loaders.record.load(record_id)
    return None if found is None else Contact.of(found)


@strawberry.type(description="The merges that a contact takes part in, without those that were taken back.")
class ContactMerges:
    merged: list[ContactMerge] = strawberry.field(description="What was merged into it, the latest first.")
    merged_into: ContactMerge | None = strawberry.field(description="By which merge it became part of another contact; null: it is itself.")


@strawberry.type(description="A field that somebody changed after a merge. It stays as it is now.")
class ChangedSinceMerge:
    contact_id: strawberry.ID = strawberry.field(description="The contact whose field it is.")
    field: str = strawberry.field(description="The field, as `RecordVersion.data` names it.")
    before: JSON | None = strawberry.field(description="What it was before the merge.")
    now: JSON | None = strawberry.field(description="What it is now.")

    @classmethod
    def of(cls, one: merge_models.ChangedSince) -> Self:
        return cls(contact_id=id_text("Contact", one.record_id), field=one.field, before=one.before, now=one.now)
