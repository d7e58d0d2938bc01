"""Mutations on conflicts and on what decides them."""

from collections.abc import Mapping
from dataclasses import replace
from enum import Enum
from typing import Annotated, Any
from uuid import UUID

import strawberry
from strawberry.scalars import JSON

from app.actors import Permission
from app.api.context import Info
from app.api.enums import enum
from app.api.ids import ConnectionId, IdempotencyKey, id_text, uuid_of
from app.api.mutations.repeats import remembered
from app.api.refusals import GENERAL, Refusal, answers
from app.api.streams import StreamName, has_times, stream_of
from app.api.types.conflicts import Conflict, ConflictRule, HubDeletions, ProviderDeletions, StreamPolicy
from app.conflicts import models
from app.conflicts.rules import Rule
from app.conflicts.service import ConflictNotFound, ConflictSettled, PolicyChanged
from app.connectors.base import Stream
from app.errors import InvalidInput
from app.idempotency import once
from app.records.entities import ENTITIES

MOST = 100


@enum(
    "How a conflict is to be decided.",
    OURS="Take the hub's value as it is now.",
    THEIRS="Take the provider's value.",
    VALUE="Take another value.",
)
class ConflictChoice(Enum):
    OURS = "ours"
    THEIRS = "theirs"
    VALUE = "value"


@enum("Which side is taken.", OURS="The hub's values as they are now.", THEIRS="The provider's values.")
class ConflictSide(Enum):
    OURS = "ours"
    THEIRS = "theirs"


@strawberry.input(description="What is to decide about one field.")
class FieldRuleInput:
    field: str = strawberry.field(description="The field, as `RecordVersion.data` names it.")
    rule: ConflictRule = strawberry.field(description="What is to decide about it.")


@strawberry.type(name="ConflictSettled", description="The conflict is decided already.")
class ConflictSettledRefusal(Refusal):
    refuses = (ConflictSettled,)


@strawberry.type(name="PolicyChanged", description="Somebody else has changed these rules since; look at them again.")
class PolicyChangedRefusal(Refusal):
    refuses = (PolicyChanged,)


@strawberry.type(description="A conflict that was not decided with the others.")
class RefusedConflict:
    id: strawberry.ID = strawberry.field(description="Its id.")
    message: str = strawberry.field(description="Why, in one sentence.")


@strawberry.type(description="The conflict is decided; where its value is not the provider's, it waits to be pushed.")
class ResolveConflictSuccess:
    conflict: Conflict = strawberry.field(description="The conflict as it is now.")


@strawberry.type(description="Each was decided or not, whatever became of the others.")
class ResolveConflictsSuccess:
    resolved: list[Conflict] = strawberry.field(description="Those that were decided.")
    refused: list[RefusedConflict] = strawberry.field(description="Those that were not, each with the reason.")


@strawberry.type(description="The rule counts from now on, and has decided what was open.")
class AlwaysResolveSuccess:
    policy: StreamPolicy = strawberry.field(description="The stream's policy as it is now.")
    resolved: list[Conflict] = strawberry.field(description="The open conflicts of that field that the rule has decided.")
    refused: list[RefusedConflict] = strawberry.field(description="Those that it could not decide, each with the reason.")


@strawberry.type(description="The policy counts from now on.")
class UpdateStreamPolicySuccess:
    policy: StreamPolicy = strawberry.field(description="The policy as it is now.")


ResolveConflictResult = Annotated[
    ResolveConflictSuccess | ConflictSettledRefusal | GENERAL,
    strawberry.union("ResolveConflictResult", description="The conflict, or why it was not decided."),
]
ResolveConflictsResult = Annotated[
    ResolveConflictsSuccess | GENERAL,
    strawberry.union("ResolveConflictsResult", description="What became of each, or why none was looked at."),
]
AlwaysResolveResult = Annotated[
    AlwaysResolveSuccess | PolicyChangedRefusal | GENERAL,
    strawberry.union("AlwaysResolveResult", description="What the rule has decided, or why there is none."),
]
UpdateStreamPolicyResult = Annotated[
    UpdateStreamPolicySuccess | PolicyChangedRefusal | GENERAL,
    strawberry.union("UpdateStreamPolicyResult", description="The policy, or why it was not changed."),
]


@strawberry.type
class ConflictMutations:
    @strawberry.mutation(description="Decide one field that both sides changed.")
    @answers
    async def resolve_conflict(
        self,
        info: Info,
        id: Annotated[strawberry.ID, strawberry.argument(description="The conflict's id.")],
        resolution: Annotated[ConflictChoice, strawberry.argument(description="Which value is taken.")],
        idempotency_key: IdempotencyKey,
        value: Annotated[JSON | None, strawberry.argument(description="The other value, where that is taken; null empties.")] = None,
    ) -> ResolveConflictResult:
        actor, conflict_id = info.context.actor, uuid_of(id, "Conflict")
        actor.require(Permission.READ_RECORDS)
        resolved = await info.context.hub.conflicts.resolve(
            actor, conflict_id, resolution=resolution.value, value=value, idempotency_key=idempotency_key
        )
        return ResolveConflictSuccess(conflict=Conflict.of(resolved))

    @strawberry.mutation(description="Decide many conflicts alike. One that cannot be decided does not stop the others.")
    @answers
    async def resolve_conflicts(
        self,
        info: Info,
        ids: Annotated[list[strawberry.ID], strawberry.argument(description=f"The conflicts, at most {MOST}.")],
        resolution: Annotated[ConflictSide, strawberry.argument(description="Which side is taken.")],
        idempotency_key: IdempotencyKey,
    ) -> ResolveConflictsResult:
        _require_both(info)
        if not 1 <= len(ids) <= MOST:
            raise InvalidInput(fields={"ids": f"Name 1 to {MOST} conflicts."})
        hub, actor, conflict_ids = info.context.hub, info.context.actor, [uuid_of(id, "Conflict", field="ids") for id in ids]

        if not await hub.conflicts.get_many(actor, conflict_ids):
            raise ConflictNotFound

        async def resolve() -> object:
            return _kept(await hub.conflicts.resolve_many(actor, conflict_ids, resolution=resolution.value))

        done = await remembered(actor, "resolve_conflicts", idempotency_key, [conflict_ids, resolution.value], resolve)
        return ResolveConflictsSuccess(resolved=await _resolved(info, done), refused=_refused(done))

    @strawberry.mutation(
        description="Make a rule of how a conflict is decided: for its field in its stream from now on, and for the open conflicts of that "
        "field, at most 1000 of them."
    )
    @answers
    async def always_resolve(
        self,
        info: Info,
        id: Annotated[strawberry.ID, strawberry.argument(description="A conflict of the field.")],
        rule: Annotated[ConflictRule, strawberry.argument(description="What is to decide; ASK and NEWEST leave open what is open.")],
        idempotency_key: IdempotencyKey,
    ) -> AlwaysResolveResult:
        _require_both(info)
        hub, actor, conflict_id = info.context.hub, info.context.actor, uuid_of(id, "Conflict")
        actor.require(Permission.MANAGE_CONNECTIONS)
        actor.require(Permission.READ_CONNECTIONS)
        conflict = await hub.conflicts.get(actor, conflict_id)
        stream = await stream_of(info, conflict.connection_id, conflict.stream)

        async def decide() -> object:
            _, resolved = await hub.conflicts.always(actor, conflict_id, Rule(rule.value), has_times=has_times(stream))
            return _kept(resolved)

        done = await remembered(actor, "always_resolve", idempotency_key, [conflict_id, rule.value], decide)
        policy = await hub.conflicts.policy(actor, conflict.connection_id, conflict.stream)
        return AlwaysResolveSuccess(policy=StreamPolicy.of(policy), resolved=await _resolved(info, done), refused=_refused(done))

    @strawberry.mutation(description="Change what decides about a stream of a connection: what is given changes, what is left out stays.")
    @answers
    async def update_stream_policy(
        self,
        info: Info,
        connection_id: ConnectionId,
        stream: StreamName,
        version: Annotated[int, strawberry.argument(description="The version that was seen; 0 where nobody has set anything.")],
        idempotency_key: IdempotencyKey,
        conflicts: Annotated[ConflictRule | None, strawberry.argument(description="What decides where no field says otherwise.")] = None,
        field_conflicts: Annotated[
            list[FieldRuleInput] | None, strawberry.argument(description="Field by field, where it differs: all of them.")
        ] = None,
        provider_deletions: Annotated[
            ProviderDeletions | None, strawberry.argument(description="What is done about deletions at the provider.")
        ] = None,
        hub_deletions: Annotated[HubDeletions | None, strawberry.argument(description="What is done about deletions in the hub.")] = None,
        creates_missing: Annotated[
            bool | None, strawberry.argument(description="Whether a push also makes what the provider does not have yet.")
        ] = None,
        brake_share: Annotated[
            float | None, strawberry.argument(description="More deletions at once than this share of what is known are held back, 0 to 1 …")
        ] = None,
        brake_minimum: Annotated[int | None, strawberry.argument(description="… if they are also more than this number.")] = None,
    ) -> UpdateStreamPolicyResult:
        hub, actor = info.context.hub, info.context.actor
        actor.require(Permission.MANAGE_CONNECTIONS)
        connection = uuid_of(connection_id, "Connection", field="connectionId")
        known = await stream_of(info, connection, stream)
        values: dict[str, Any] = {
            "conflicts": Rule(conflicts.value) if conflicts else None,
            "field_conflicts": None if field_conflicts is None else {each.field: Rule(each.rule.value) for each in field_conflicts},
            "provider_deletions": provider_deletions.value if provider_deletions else None,
            "hub_deletions": hub_deletions.value if hub_deletions else None,
            "creates_missing": creates_missing,
            "brake_share": brake_share,
            "brake_minimum": brake_minimum,
        }
        changes = {name: value for name, value in values.items() if value is not None}
        _check(known, changes)
        async with once(actor, "update_stream_policy", idempotency_key, [connection, known.record_stream, version, changes]) as call:
            before = await hub.conflicts.policy(actor, connection, known.record_stream)
            if not call.repeated:
                if before.version != version:
                    raise PolicyChanged
                await hub.conflicts.set_policy(actor, replace(before, **changes), has_times=has_times(known))
                call.result = {}
        return UpdateStreamPolicySuccess(policy=StreamPolicy.of(await hub.conflicts.policy(actor, connection, known.record_stream)))


def _check(stream: Stream, changes: Mapping[str, Any]) -> None:
    """Raises InvalidInput."""
    fields = (*ENTITIES[stream.entity].__struct_fields__, models.DELETED)
    wrong: dict[str, str] = {}
    if unknown := sorted(set(changes.get("field_conflicts", ())) - set(fields)):
        wrong["fieldConflicts"] = f"A {stream.entity.replace('_', ' ')} has no field {unknown[0]!r}."
    if not 0 <= changes.get("brake_share", 0) <= 1:
        wrong["brakeShare"] = "Give a share from 0 to 1."
    if changes.get("brake_minimum", 0) < 0:
        wrong["brakeMinimum"] = "Give a number from 0 on."
    if wrong:
        raise InvalidInput(fields=wrong)


def _require_both(info: Info) -> None:
    """Deciding many answers for each of them, so that nobody is refused each by each. Raises PermissionDenied."""
    info.context.actor.require(Permission.MANAGE_RECORDS)
    info.context.actor.require(Permission.READ_RECORDS)


def _kept(resolved: models.Resolved) -> dict[str, Any]:
    return {"resolved": [str(id) for id in resolved.resolved], "refused": {str(id): why for id, why in resolved.refused.items()}}


async def _resolved(info: Info, kept: Mapping[str, Any]) -> list[Conflict]:
    found = await info.context.hub.conflicts.get_many(info.context.actor, [UUID(id) for id in kept["resolved"]])
    return [Conflict.of(one) for one in found]


def _refused(kept: Mapping[str, Any]) -> list[RefusedConflict]:
    return [RefusedConflict(id=id_text("Conflict", id), message=why) for id, why in kept["refused"].items()]
