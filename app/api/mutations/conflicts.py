"""Mutations on conflicts and on what decides them."""

from collections.abc import Mapping, Sequence
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
from app.api.refusals import GENERAL, Refusal, answers
from app.api.streams import StreamName, stream_of
from app.api.types.conflicts import Conflict, ConflictRule, HubDeletions, ProviderDeletions, StreamPolicy
from app.conflicts.rules import Rule
from app.conflicts.service import ConflictNotFound, ConflictSettled, PolicyChanged
from app.errors import InvalidInput
from app.idempotency import once

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


@strawberry.type(description="Each decision was taken back or not, whatever became of the others.")
class ReopenConflictsSuccess:
    reopened: list[Conflict] = strawberry.field(description="Those that wait for somebody again; the records have what they had before.")
    refused: list[RefusedConflict] = strawberry.field(description="Those that stay decided, each with the reason.")


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
ReopenConflictsResult = Annotated[
    ReopenConflictsSuccess | GENERAL,
    strawberry.union("ReopenConflictsResult", description="What became of each, or why none was looked at."),
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
        hub, actor, conflict_ids = info.context.hub, info.context.actor, await _chosen(info, ids)
        done = await hub.conflicts.resolve_many(actor, conflict_ids, resolution=resolution.value, idempotency_key=idempotency_key)
        return ResolveConflictsSuccess(resolved=await _shown(info, done.resolved), refused=_refused(done.refused))

    @strawberry.mutation(
        description="Take decisions on conflicts back, where nothing else has changed since and the provider does not have them yet."
    )
    @answers
    async def reopen_conflicts(
        self,
        info: Info,
        ids: Annotated[list[strawberry.ID], strawberry.argument(description=f"The conflicts, at most {MOST}.")],
        idempotency_key: IdempotencyKey,
    ) -> ReopenConflictsResult:
        conflict_ids = await _chosen(info, ids)
        done = await info.context.hub.reopenings.reopen_many(info.context.actor, conflict_ids, idempotency_key=idempotency_key)
        return ReopenConflictsSuccess(reopened=await _shown(info, done.reopened), refused=_refused(done.refused))

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

        policy, done = await hub.conflicts.always(actor, conflict_id, Rule(rule.value), stream, idempotency_key=idempotency_key)
        return AlwaysResolveSuccess(
            policy=StreamPolicy.of(policy), resolved=await _shown(info, done.resolved), refused=_refused(done.refused)
        )

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
        async with once(actor, "update_stream_policy", idempotency_key, [connection, known.record_stream, version, changes]) as call:
            before = await hub.conflicts.policy(actor, connection, known.record_stream)
            if not call.repeated:
                if before.version != version:
                    raise PolicyChanged
                await hub.conflicts.set_policy(actor, replace(before, **changes), known)
                call.result = {}
        return UpdateStreamPolicySuccess(policy=StreamPolicy.of(await hub.conflicts.policy(actor, connection, known.record_stream)))


def _require_both(info: Info) -> None:
    """Deciding many answers for each of them, so that nobody is refused each by each. Raises PermissionDenied."""
    info.context.actor.require(Permission.MANAGE_RECORDS)
    info.context.actor.require(Permission.READ_RECORDS)


async def _chosen(info: Info, ids: Sequence[strawberry.ID]) -> list[UUID]:
    """Raises PermissionDenied, InvalidInput, and ConflictNotFound where none of them exists."""
    _require_both(info)
    if not 1 <= len(ids) <= MOST:
        raise InvalidInput(fields={"ids": f"Name 1 to {MOST} conflicts."})
    found = [uuid_of(id, "Conflict", field="ids") for id in ids]
    if not await info.context.hub.conflicts.get_many(info.context.actor, found):
        raise ConflictNotFound
    return found


async def _shown(info: Info, ids: Sequence[UUID]) -> list[Conflict]:
    return [Conflict.of(one) for one in await info.context.hub.conflicts.get_many(info.context.actor, ids)]


def _refused(refused: Mapping[UUID, str]) -> list[RefusedConflict]:
    return [RefusedConflict(id=id_text("Conflict", id), message=why) for id, why in refused.items()]
