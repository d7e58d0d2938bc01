"""Queries on mappings of which one side is gone."""

from collections.abc import Sequence
from typing import Annotated, Any
from uuid import UUID

import strawberry

from app.api.context import Info
from app.api.ids import OfConnection, optional_uuid, uuid_of
from app.api.pages import After, First, page_of
from app.api.types.orphans import OrphanCount, OrphanedMappings, OrphanKind
from app.records import orphan_store

OfKind = Annotated[OrphanKind | None, strawberry.argument(description="Only those of which this side is gone.")]
Cleaned = Annotated[bool, strawberry.argument(description="Those that were cleaned up instead of those that are there.")]
Chosen = Annotated[list[strawberry.ID] | None, strawberry.argument(description="Only these mappings.")]


def choice(connection_id: str | None, kind: OrphanKind | None, mapping_ids: Sequence[str] | None) -> dict[str, Any]:
    """Which orphans are meant. Raises InvalidInput."""
    ids: list[UUID] | None = None if mapping_ids is None else [uuid_of(id, "Mapping", field="mappingIds") for id in mapping_ids]
    return {"connection_id": optional_uuid(connection_id, "Connection"), "kind": kind_of(kind), "mapping_ids": ids}


def kind_of(kind: OrphanKind | None) -> orphan_store.OrphanKind | None:
    return orphan_store.OrphanKind(kind.value) if kind else None


@strawberry.type
class OrphanQueries:
    @strawberry.field(description="Mappings of which one side is gone, the latest first.")
    async def orphaned_mappings(
        self,
        info: Info,
        connection_id: OfConnection = None,
        kind: OfKind = None,
        cleaned: Cleaned = False,
        first: First = 50,
        after: After = None,
    ) -> OrphanedMappings:
        connection = optional_uuid(connection_id, "Connection")
        page = await info.context.hub.orphans.orphans(
            info.context.actor, page_of(first, after), connection_id=connection, kind=kind_of(kind), cleaned=cleaned
        )
        return OrphanedMappings.of(page, after)

    @strawberry.field(
        description="How many there are, by kind, connection and stream: what `cleanOrphans` with the same choice would put away, and with "
        "`cleaned` what `restoreOrphans` would bring back."
    )
    async def orphan_counts(
        self, info: Info, connection_id: OfConnection = None, kind: OfKind = None, mapping_ids: Chosen = None, cleaned: Cleaned = False
    ) -> list[OrphanCount]:
        chosen = choice(connection_id, kind, mapping_ids)
        return [OrphanCount.of(one) for one in await info.context.hub.orphans.preview(info.context.actor, **chosen, cleaned=cleaned)]
