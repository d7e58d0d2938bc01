"""Queries on the audit log."""

from typing import Annotated

import strawberry

from app.api.context import Info
from app.api.ids import parse
from app.api.pages import After, First, Listing, listing, page_of
from app.api.reads import sources as reads
from app.api.reads.sources import Filter, Key, Page
from app.api.types.audit import AuditEntry


@strawberry.type
class AuditQueries:
    @strawberry.field(description="The audit log, newest entries first. For owners and operators.")
    async def audit_entries(
        self,
        info: Info,
        subject_id: Annotated[
            strawberry.ID | None, strawberry.argument(description="Only entries about this thing, of whatever type it is.")
        ] = None,
        first: First = 50,
        after: After = None,
    ) -> Listing[AuditEntry]:
        page = await info.context.hub.audit.entries(
            info.context.actor, page_of(first, after), subject_id=None if subject_id is None else parse(subject_id)[1]
        )
        return listing(info, page, after, AuditEntry.of)


reads.declare_root(
    "audit_entries",
    Page(
        "AuditEntry",
        (Key("sequence", "bigint", descending=True),),
        filters={"subjectId": Filter("{item}.subject_id = {value}", "uuid", lambda given: parse(given)[1])},
    ),
)
