"""Standing syncs, as GraphQL shows them."""

from datetime import datetime
from enum import Enum
from typing import TYPE_CHECKING, Annotated, Self
from uuid import UUID

import strawberry
from strawberry import relay

from app.actors import Permission
from app.api.context import Info
from app.api.enums import enum
from app.api.reads import sources as reads
from app.api.reads.sources import One, Resolved, Shape
from app.syncs import models

if TYPE_CHECKING:
    from app.api.types.connections import Connection


@enum(
    "How much a sync reads.",
    INCREMENTAL="What changed since the last completed run.",
    FULL="Everything, compared with what the hub has.",
    REMAP="What was read before, translated again by the field mapping that counts now; the provider is not asked. Not for standing syncs.",
)
class SyncMode(Enum):
    INCREMENTAL = "incremental"
    FULL = "full"
    REMAP = "remap"


@enum(
    "Which way a sync goes.",
    PULL="From the provider to the hub.",
    PUSH="From the hub to the provider.",
    TWO_WAY="Both ways: it pulls and merges, then it pushes what the provider lacks.",
)
class SyncDirection(Enum):
    PULL = "pull"
    PUSH = "push"
    TWO_WAY = "two_way"


@strawberry.type(description="A standing wish: which streams of a connection to sync, how, and when.")
class Sync(relay.Node):
    uuid: relay.NodeID[UUID]
    connection_id: strawberry.Private[UUID]
    model: strawberry.Private[models.Sync]
    name: str = strawberry.field(description="What people call it.")
    streams: list[str] = strawberry.field(description="The streams that it syncs.")
    direction: SyncDirection = strawberry.field(description="Which way it goes.")
    mode: SyncMode = strawberry.field(description="How much it reads.")
    schedule: str | None = strawberry.field(description="Five cron fields in `timeZone`; null: it is started on demand.")
    time_zone: str = strawberry.field(description="The time zone of the schedule, like `Europe/Ljubljana`.")
    jitter_seconds: int = strawberry.field(description="It starts up to so many seconds after its time, always the same for one sync.")
    next_due_at: datetime | None = strawberry.field(description="When it will start next.")
    last_skipped_at: datetime | None = strawberry.field(description="When it was due and could not be started; null: never.")
    last_skipped_reason: str | None = strawberry.field(description="Why it could not be started, in one sentence.")
    enabled: bool = strawberry.field(description="Whether its schedule is followed.")
    created_at: datetime = strawberry.field(description="When it was made.")
    updated_at: datetime = strawberry.field(description="When it was last changed.")

    @strawberry.field(
        description="When it will start next, time after time; nothing where it is switched off or on demand. Times that nobody was "
        "there to start come to one."
    )
    def next_starts(
        self, info: Info, first: Annotated[int, strawberry.argument(description="How many times to tell: 1 to 50.")]
    ) -> list[datetime]:
        return info.context.hub.schedules.next_starts(self.model, count=first)

    @strawberry.field(description="The connection that it syncs.")
    async def connection(self, info: Info) -> Annotated["Connection", strawberry.lazy("app.api.types.connections")] | None:
        return await info.context.loaders.connection.load(self.connection_id)

    @classmethod
    def of(cls, sync: models.Sync) -> Self:
        return cls(
            uuid=sync.id,
            connection_id=sync.connection_id,
            model=sync,
            name=sync.name,
            streams=list(sync.streams),
            direction=SyncDirection(sync.direction),
            mode=SyncMode(sync.mode),
            schedule=sync.schedule,
            time_zone=sync.time_zone,
            jitter_seconds=sync.jitter_seconds,
            next_due_at=sync.next_due_at,
            last_skipped_at=sync.last_skipped_at,
            last_skipped_reason=sync.last_skipped_reason,
            enabled=sync.enabled,
            created_at=sync.created_at,
            updated_at=sync.updated_at,
        )


reads.declare(
    "Sync",
    Shape(
        {
            "id": reads.global_id("Sync"),
            "next_starts": Resolved(),
            "connection": One("Connection", "{item}.id = {row}.connection_id"),
        },
        table="sync",
        permission=Permission.READ_SYNCS,
        where="{item}.deleted_at IS NULL",
    ),
)
