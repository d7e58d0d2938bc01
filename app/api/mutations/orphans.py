"""Mutations that put away mappings of which one side is gone, and bring them back."""

from typing import Annotated

import strawberry

from app.api.context import Info
from app.api.ids import IdempotencyKey, OfConnection
from app.api.queries.orphans import Chosen, OfKind, choice
from app.api.refusals import GENERAL, answers


@strawberry.type(description="They are put away. Nothing is deleted at any provider, and an object that changes there is back by itself.")
class CleanOrphansSuccess:
    count: int = strawberry.field(description="How many were put away.")


@strawberry.type(description="They are back.")
class RestoreOrphansSuccess:
    count: int = strawberry.field(description="How many were brought back.")


CleanOrphansResult = Annotated[
    CleanOrphansSuccess | GENERAL, strawberry.union("CleanOrphansResult", description="How many were put away, or why none was.")
]
RestoreOrphansResult = Annotated[
    RestoreOrphansSuccess | GENERAL, strawberry.union("RestoreOrphansResult", description="How many are back, or why none is.")
]


@strawberry.type
class OrphanMutations:
    @strawberry.mutation(description="Put away mappings of which one side is gone: those of this choice, all where nothing is chosen.")
    @answers
    async def clean_orphans(
        self,
        info: Info,
        idempotency_key: IdempotencyKey,
        connection_id: OfConnection = None,
        kind: OfKind = None,
        mapping_ids: Chosen = None,
    ) -> CleanOrphansResult:
        chosen = choice(connection_id, kind, mapping_ids)
        return CleanOrphansSuccess(
            count=await info.context.hub.orphans.clean(info.context.actor, **chosen, idempotency_key=idempotency_key)
        )

    @strawberry.mutation(description="Bring back mappings that were put away: those of this choice, all of them where nothing is chosen.")
    @answers
    async def restore_orphans(
        self,
        info: Info,
        idempotency_key: IdempotencyKey,
        connection_id: OfConnection = None,
        kind: OfKind = None,
        mapping_ids: Chosen = None,
    ) -> RestoreOrphansResult:
        chosen = choice(connection_id, kind, mapping_ids)
        return RestoreOrphansSuccess(
            count=await info.context.hub.orphans.restore(info.context.actor, **chosen, idempotency_key=idempotency_key)
        )
