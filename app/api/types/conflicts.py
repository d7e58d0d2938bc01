"""Conflicts and the rules that decide them, as GraphQL shows them."""

from datetime import datetime
from enum import Enum
from typing import Self
from uuid import UUID

import strawberry
from strawberry import relay
from strawberry.scalars import JSON

from app.actors import Permission
from app.api.context import Info
from app.api.enums import enum
from app.api.reads import sources as reads
from app.api.reads.sources import One, Shape
from app.api.types.connections import Connection
from app.api.types.records import AnyRecord, record_of
from app.api.types.sync_runs import SyncRun
from app.conflicts import models


@enum(
    "How a conflict was decided.",
    OURS="The hub's value was taken.",
    THEIRS="The provider's value was taken.",
    VALUE="Another value was taken.",
    AGREED="Both sides came to show the same; nobody had to decide.",
)
class ConflictResolution(Enum):
    OURS = "ours"
    THEIRS = "theirs"
    VALUE = "value"
    AGREED = "agreed"


@enum(
    "What decides where both sides changed the same field differently.",
    ASK="Somebody: it becomes a conflict.",
    PROVIDER_WINS="The provider's value is taken.",
    HUB_WINS="The hub's value is taken.",
    NEWEST="The later change is taken, where the provider says when it was; else somebody is asked.",
)
class ConflictRule(Enum):
    ASK = "ask"
    PROVIDER_WINS = "provider_wins"
    HUB_WINS = "hub_wins"
    NEWEST = "newest"


@enum(
    "What becomes of a record whose counterpart was deleted at the provider.",
    PROPAGATE="It is deleted here and at the other connections.",
    TOMBSTONE="It is deleted here only.",
    IGNORE="Nothing.",
)
class ProviderDeletions(Enum):
    PROPAGATE = "propagate"
    TOMBSTONE = "tombstone"
    IGNORE = "ignore"


@enum(
    "What becomes of the counterpart of a record that was deleted in the hub.",
    PROPAGATE="It is deleted at the provider, or deactivated where the provider cannot delete.",
    DEACTIVATE="It is deactivated, where the provider can do that.",
    TOMBSTONE="Nothing; the hub alone has deleted it.",
    IGNORE="Nothing.",
)
class HubDeletions(Enum):
    PROPAGATE = "propagate"
    DEACTIVATE = "deactivate"
    TOMBSTONE = "tombstone"
    IGNORE = "ignore"


@strawberry.type(
    description="One field that hub and provider changed differently since they last agreed. While it is open the hub's value stays, "
    "and is not pushed."
)
class Conflict(relay.Node):
    uuid: relay.NodeID[UUID]
    connection_id: strawberry.Private[UUID]
    record_id: strawberry.Private[UUID]
    run_id: strawberry.Private[UUID | None]
    stream: str = strawberry.field(description="The stream of the counterpart.")
    external_id: str = strawberry.field(description="The provider's id of the counterpart.")
    field: str = strawberry.field(description="The field, as `RecordVersion.data` names it; `deleted` where one side deleted all of it.")
    base: JSON | None = strawberry.field(description="What both had; null where it was empty or nothing is known of that.")
    ours: JSON | None = strawberry.field(description="What the hub has.")
    theirs: JSON | None = strawberry.field(description="What the provider has.")
    resolution: ConflictResolution | None = strawberry.field(description="How it was decided; null while it is open.")
    value: JSON | None = strawberry.field(description="The other value that was taken.")
    resolved_by: str | None = strawberry.field(description="The name of whoever decided.")
    resolved_at: datetime | None = strawberry.field(description="When it was decided.")
    created_at: datetime = strawberry.field(description="When it was found.")
    updated_at: datetime = strawberry.field(description="When one of its sides last changed, or it was decided.")

    @strawberry.field(description="The connection that has the other value.")
    async def connection(self, info: Info) -> Connection | None:
        return await info.context.loaders.connection.load(self.connection_id)

    @strawberry.field(description="The record whose field it is.")
    async def record(self, info: Info) -> AnyRecord | None:
        found = await info.context.loaders.record.load(self.record_id)
        return None if found is None else record_of(found)

    @strawberry.field(description="The run that found it; null where a single write did.")
    async def run(self, info: Info) -> SyncRun | None:
        return None if self.run_id is None else await info.context.loaders.sync_run.load(self.run_id)

    @classmethod
    def of(cls, conflict: models.Conflict) -> Self:
        return cls(
            uuid=conflict.id,
            connection_id=conflict.connection_id,
            record_id=conflict.record_id,
            run_id=conflict.sync_run_id,
            stream=conflict.stream,
            external_id=conflict.external_id,
            field=conflict.field,
            base=conflict.base,
            ours=conflict.ours,
            theirs=conflict.theirs,
            resolution=ConflictResolution(conflict.resolution) if conflict.resolution else None,
            value=conflict.value,
            resolved_by=conflict.resolved_by,
            resolved_at=conflict.resolved_at,
            created_at=conflict.created_at,
            updated_at=conflict.updated_at,
        )


@strawberry.type(description="What decides about one field.")
class FieldRule:
    field: str = strawberry.field(description="The field, as `RecordVersion.data` names it.")
    rule: ConflictRule = strawberry.field(description="What decides about it.")


@strawberry.type(description="What is done about a stream of a connection when both sides changed, or one side deleted.")
class StreamPolicy:
    connection_id: strawberry.Private[UUID]
    stream: str = strawberry.field(description="The stream.")
    conflicts: ConflictRule = strawberry.field(description="What decides where both sides changed the same field differently.")
    field_conflicts: list[FieldRule] = strawberry.field(description="Field by field, where it differs.")
    provider_deletions: ProviderDeletions = strawberry.field(description="What is done about deletions at the provider.")
    hub_deletions: HubDeletions = strawberry.field(description="What is done about deletions in the hub.")
    creates_missing: bool = strawberry.field(description="Whether a push also makes what the provider does not have yet.")
    brake_share: float = strawberry.field(description="More deletions at once than this share of what is known are held back …")
    brake_minimum: int = strawberry.field(description="… if they are also more than this number.")
    version: int = strawberry.field(description="Counts up with every change; 0: nobody has set anything.")
    updated_by: str = strawberry.field(description="The name of whoever set it; empty: nobody.")
    updated_at: datetime | None = strawberry.field(description="When it was set.")

    @strawberry.field(description="The connection.")
    async def connection(self, info: Info) -> Connection | None:
        return await info.context.loaders.connection.load(self.connection_id)

    @classmethod
    def of(cls, policy: models.StreamPolicy) -> Self:
        return cls(
            connection_id=policy.connection_id,
            stream=policy.stream,
            conflicts=ConflictRule(policy.conflicts.value),
            field_conflicts=[FieldRule(field=name, rule=ConflictRule(rule.value)) for name, rule in sorted(policy.field_conflicts.items())],
            provider_deletions=ProviderDeletions(policy.provider_deletions),
            hub_deletions=HubDeletions(policy.hub_deletions),
            creates_missing=policy.creates_missing,
            brake_share=policy.brake_share,
            brake_minimum=policy.brake_minimum,
            version=policy.version,
            updated_by=policy.updated_by,
            updated_at=policy.updated_at,
        )


reads.declare(
    "Conflict",
    Shape(
        {
            "id": reads.global_id("Conflict"),
            "connection": One("Connection", "{item}.id = {row}.connection_id"),
            "record": One("Record", "{item}.id = {row}.record_id"),
            "run": One("SyncRun", "{item}.id = {row}.sync_run_id"),
        },
        table="conflict",
        permission=Permission.READ_RECORDS,
    ),
)
