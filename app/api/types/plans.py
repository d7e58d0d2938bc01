"""Plans of sync runs and what is in them, as GraphQL shows them."""

from collections.abc import Mapping
from datetime import datetime
from enum import Enum
from typing import Any, Self
from uuid import UUID

import strawberry
from strawberry import relay
from strawberry.scalars import JSON

from app.actors import Permission
from app.api.context import Info
from app.api.enums import enum
from app.api.ids import id_text
from app.api.reads import sources as reads
from app.api.reads.sources import Expression, Inline, Items, One, Shape
from app.api.refusals import FixBy
from app.api.types.connections import Connection
from app.api.types.records import AnyRecord, record_of
from app.api.types.sync_runs import SyncRun
from app.syncs.plans import models


@enum("What a plan is of.", SYNC="Of a sync run: what it would do.", UNDO="Of taking a finished run back.")
class PlanKind(Enum):
    SYNC = "sync"
    UNDO = "undo"


@enum(
    "Where a plan stands.",
    MAKING="Its run is making it.",
    DRAFTED="It can be looked at and applied; of one that was applied in part, the rest can be.",
    APPLYING="A run applies it.",
    APPLIED="All of it was applied.",
    OUTDATED="The world has moved since it was made, so it is not applied.",
    DISMISSED="Somebody decided not to apply it.",
    FAILED="It could not be made; `error` says why.",
)
class PlanStatus(Enum):
    MAKING = "making"
    DRAFTED = "drafted"
    APPLYING = "applying"
    APPLIED = "applied"
    OUTDATED = "outdated"
    DISMISSED = "dismissed"
    FAILED = "failed"


@enum(
    "What becomes of one record when a plan is applied.",
    CREATE="It is made.",
    UPDATE="Fields of it change.",
    DELETE="It is deleted.",
    RESTORE="It was deleted and comes back.",
    CONFLICT="Both sides changed a field: a conflict waits for somebody. In an undo: a field was changed since the run; it goes back "
    "only if it is selected.",
    FAILURE="It cannot be taken over or written: it becomes a failed record.",
    REFRESH="Only what the hub remembers of the counterpart changes; nobody would see a difference.",
    HOLD="So many deletions at once that the brake holds them back in quarantine.",
    REMAIN="An undo cannot take this back.",
)
class PlanItemKind(Enum):
    CREATE = "create"
    UPDATE = "update"
    DELETE = "delete"
    RESTORE = "restore"
    CONFLICT = "conflict"
    FAILURE = "failure"
    REFRESH = "refresh"
    HOLD = "hold"
    REMAIN = "remain"


@enum("Where a change happens.", HUB="In the hub's record.", PROVIDER="In the provider's object.")
class PlanSide(Enum):
    HUB = "hub"
    PROVIDER = "provider"


@strawberry.type(description="How many items of a kind a plan has.")
class PlanCount:
    kind: PlanItemKind = strawberry.field(description="The kind.")
    items: int = strawberry.field(description="How many there are.")
    selected: int = strawberry.field(description="How many of them go when the plan is applied as it stands.")
    applied: int = strawberry.field(description="How many of them were applied.")


@strawberry.type(description="Why a plan could not be made, why applying it stopped, or why an item of it fails.")
class PlanError:
    code: str = strawberry.field(description="Why, for programs.")
    message: str = strawberry.field(description="Why, in one sentence.")
    fix_by: FixBy = strawberry.field(description="Who can fix it.")

    @classmethod
    def of(cls, error: Mapping[str, Any] | None) -> Self | None:
        return None if error is None else cls(code=error["code"], message=error["message"], fix_by=FixBy(error["fix_by"]))


@strawberry.type(description="Something that is not what a plan saw.")
class MovedItem:
    stream: str = strawberry.field(description="Its stream.")
    key: str = strawberry.field(description="The provider's id of the object, or the plain id of the record; empty: all of the stream.")
    what: str = strawberry.field(
        description="What moved: `record`, `mapping`, `provider`, `outcome` (it came to something else) or `terms` (field mapping, "
        "policy, age of the plan)."
    )


@strawberry.type(description="One field of a planned change; which of its values there are depends on the item's kind.")
class PlannedField:
    field: str = strawberry.field(description="The field, as `RecordVersion.data` names it; as the provider names it in what is written.")
    before: JSON | None = strawberry.field(description="What it is before; null where it is empty.")
    after: JSON | None = strawberry.field(description="What it becomes; null where it is emptied.")
    base: JSON | None = strawberry.field(description="Of a conflict: what both sides had.")
    ours: JSON | None = strawberry.field(description="Of a conflict: what the hub has.")
    theirs: JSON | None = strawberry.field(description="Of a conflict: what the provider has.")
    result: JSON | None = strawberry.field(description="Of a conflict of an undo: what the run made of it.")
    now: JSON | None = strawberry.field(description="Of a conflict of an undo: what it was changed to since.")

    @classmethod
    def of(cls, name: str, values: Mapping[str, Any]) -> Self:
        return cls(field=name, **{side: values.get(side) for side in _SIDES})


_SIDES = ("before", "after", "base", "ours", "theirs", "result", "now")


@strawberry.type(description="What a plan does to one record or object.")
class PlanItem:
    uuid: strawberry.Private[UUID]
    record_id: strawberry.Private[UUID | None]
    stream: str = strawberry.field(description="The stream that it belongs to.")
    kind: PlanItemKind = strawberry.field(description="What becomes of it.")
    side: PlanSide = strawberry.field(description="Where that happens.")
    key: str = strawberry.field(
        description="The provider's id of the object; the plain id of the record where it is written or taken back."
    )
    fields: list[PlannedField] = strawberry.field(description="The fields that change, by name.")
    error: PlanError | None = strawberry.field(description="Why it fails, or cannot be taken back.")
    provider_calls: int = strawberry.field(description="How many requests to the provider it takes.")
    is_selected: bool = strawberry.field(description="Whether it goes when the plan is applied as it stands.")
    is_applied: bool = strawberry.field(description="Whether it was applied.")

    @strawberry.field(description="Its id, for `applyPlan` and `selectPlanItems`.")
    def id(self) -> strawberry.ID:
        return id_text("PlanItem", self.uuid)

    @strawberry.field(description="The record; null where there is none yet.")
    async def record(self, info: Info) -> AnyRecord | None:
        found = None if self.record_id is None else await info.context.loaders.record.load(self.record_id)
        return None if found is None else record_of(found)

    @classmethod
    def of(cls, item: models.PlanItem) -> Self:
        return cls(
            uuid=item.id,
            record_id=item.record_id,
            stream=item.stream,
            kind=PlanItemKind(item.kind),
            side=PlanSide.PROVIDER if item.direction == models.PUSH else PlanSide.HUB,
            key=item.key,
            fields=[PlannedField.of(name, values) for name, values in sorted(item.fields.items())],
            error=PlanError.of(item.error),
            provider_calls=item.calls,
            is_selected=item.is_selected,
            is_applied=item.status == "applied",
        )


@strawberry.type(
    description="What a run would do, or what would take one back, worked out and stored. It is applied as it was shown, or refused "
    "because the world has moved."
)
class Plan(relay.Node):
    uuid: relay.NodeID[UUID]
    model: strawberry.Private[models.Plan]
    kind: PlanKind = strawberry.field(description="What it is of.")
    status: PlanStatus = strawberry.field(description="Where it stands.")
    unchanged: int = strawberry.field(description="Records that are as they should be.")
    provider_calls: int = strawberry.field(description="How many requests to the provider applying all of it takes, about.")
    seconds: float = strawberry.field(description="How many seconds applying all of it takes within the connection's budget, about.")
    error: PlanError | None = strawberry.field(description="Why it could not be made, or why applying it stopped.")
    moved: list[MovedItem] = strawberry.field(description="What had moved when it was refused, at most 20 of it.")
    requested_by: str = strawberry.field(description="The name of whoever asked for it.")
    decided_by: str | None = strawberry.field(description="The name of whoever applied or dismissed it.")
    created_at: datetime = strawberry.field(description="When it was asked for.")
    drafted_at: datetime | None = strawberry.field(description="When it was made.")
    decided_at: datetime | None = strawberry.field(description="When it was applied or dismissed.")

    @strawberry.field(description="How many items of each kind it has, by kind.")
    async def counts(self, info: Info) -> list[PlanCount]:
        found = await info.context.hub.plans.counts(info.context.actor, self.uuid)
        return [PlanCount(kind=PlanItemKind(one.kind), items=one.items, selected=one.selected, applied=one.applied) for one in found]

    @strawberry.field(description="The connection.")
    async def connection(self, info: Info) -> Connection | None:
        return await info.context.loaders.connection.load(self.model.connection_id)

    @strawberry.field(description="The run that makes it: watch it with `syncRunProgress`.")
    async def run(self, info: Info) -> SyncRun | None:
        return await info.context.loaders.sync_run.load(self.model.run_id)

    @strawberry.field(description="The run that applies it; the last one, where it was applied in parts.")
    async def applied_run(self, info: Info) -> SyncRun | None:
        return None if self.model.applied_run_id is None else await info.context.loaders.sync_run.load(self.model.applied_run_id)

    @strawberry.field(description="The run that it takes back.")
    async def undoes_run(self, info: Info) -> SyncRun | None:
        return None if self.model.undoes_run_id is None else await info.context.loaders.sync_run.load(self.model.undoes_run_id)

    @classmethod
    def of(cls, plan: models.Plan) -> Self:
        return cls(
            uuid=plan.id,
            model=plan,
            kind=PlanKind(plan.kind),
            status=PlanStatus(plan.status),
            unchanged=plan.unchanged,
            provider_calls=plan.provider_calls,
            seconds=plan.seconds,
            error=PlanError.of(plan.error),
            moved=[moved_of(one) for one in plan.moved or ()],
            requested_by=plan.requested_by,
            decided_by=plan.decided_by,
            created_at=plan.created_at,
            drafted_at=plan.drafted_at,
            decided_at=plan.decided_at,
        )


def moved_of(one: Mapping[str, Any]) -> MovedItem:
    return MovedItem(stream=one["stream"], key=one["key"], what=one["what"])


def _named(*names: str) -> dict[str, reads.Source]:
    return {name: reads.json_text(name) for name in names}


_ERROR = Inline(
    Shape({name: reads.json_text(name, column="error") for name in ("code", "message", "fix_by")}), when="{row}.error IS NOT NULL"
)
_COUNTS = """
    SELECT jsonb_agg(to_jsonb(counted) ORDER BY counted.kind) FROM (
        SELECT item.kind, count(*) AS items, count(*) FILTER (WHERE item.status = 'applied') AS applied,
            count(*) FILTER (WHERE item.status <> 'applied' AND NOT item.is_optional AND item.kind <> 'remain') AS selected
        FROM plan_item AS item WHERE item.organization_id = {organization} AND item.plan_id = {row}.id GROUP BY item.kind) AS counted
"""
_FIELDS = "SELECT jsonb_agg(value || jsonb_build_object('field', key) ORDER BY key COLLATE \"C\") FROM jsonb_each({row}.fields)"

_VALUES = {side: Expression(f"coalesce({{row}}.data -> '{side}', 'null')") for side in _SIDES}  # `{now}` in a path would be the clock

reads.declare(
    "Plan",
    Shape(
        {
            "id": reads.global_id("Plan"),
            "error": _ERROR,
            "moved": Items(Shape(_named("stream", "key", "what")), "{row}.moved"),
            "counts": Items(Shape(_named("kind", "items", "selected", "applied")), f"({_COUNTS})"),
            "connection": One("Connection", "{item}.id = {row}.connection_id"),
            "run": One("SyncRun", "{item}.id = {row}.run_id"),
            "applied_run": One("SyncRun", "{item}.id = {row}.applied_run_id"),
            "undoes_run": One("SyncRun", "{item}.id = {row}.undoes_run_id"),
        },
        table="plan",
        permission=Permission.READ_SYNCS,
    ),
)
reads.declare(
    "PlanItem",
    Shape(
        {
            "id": reads.global_id("PlanItem"),
            "side": Expression("CASE {row}.direction WHEN 'push' THEN 'provider' ELSE 'hub' END"),
            "fields": Items(Shape({"field": reads.json_text("field")} | _VALUES), f"({_FIELDS})"),
            "error": _ERROR,
            "provider_calls": reads.column("calls"),
            "is_selected": Expression("(NOT {row}.is_optional AND {row}.kind <> 'remain')"),
            "is_applied": Expression("({row}.status = 'applied')"),
            "record": One("Record", "{item}.id = {row}.record_id"),
        },
        table="plan_item",
        permission=Permission.READ_RECORDS,
    ),
)
