"""The conflict inbox, and the policies that keep it short."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

from app.actors import Actor, Permission
from app.audit.service import AuditService
from app.conflicts import policies, repository
from app.conflicts.models import DELETED, Conflict, Resolved, StreamPolicy
from app.conflicts.rules import Rule
from app.connectors.base import Stream
from app.database import transaction
from app.errors import InvalidInput, NotFound, Refusal
from app.idempotency import once, remembered
from app.mappings import links
from app.paging import PageRequest, ResultPage
from app.records import repository as records
from app.records.editing import Edit, RecordEditor, checked
from app.records.models import Record


class ConflictNotFound(NotFound):
    """This conflict does not exist, or you may not see it."""

    code = "conflict_not_found"


class ConflictSettled(Refusal):
    """This conflict is resolved already."""

    code = "conflict_settled"


class PolicyChanged(Refusal):
    """Somebody else has changed these rules meanwhile; look at them again."""

    code = "policy_changed"


class ConflictService:
    """Reading and resolving conflicts; setting what decides them."""

    def __init__(self, editor: RecordEditor, audit: AuditService) -> None:
        self._editor = editor
        self._audit = audit

    async def conflicts(
        self,
        actor: Actor,
        page: PageRequest,
        *,
        connection_id: UUID | None = None,
        record_id: UUID | None = None,
        field: str | None = None,
        open_only: bool = True,
    ) -> ResultPage[Conflict]:
        """Conflicts, newest first."""
        actor.require(Permission.READ_RECORDS)
        found = await repository.page(
            actor.scope,
            first=page.first,
            after=page.key(UUID),
            connection_id=connection_id,
            record_id=record_id,
            field=field,
            open_only=open_only,
        )
        return ResultPage.cut(found, page.first, lambda conflict: conflict.id)

    async def count_open(self, actor: Actor, most: int, *, connection_id: UUID | None = None) -> int:
        """How many wait for a decision; beyond `most` they are not counted."""
        actor.require(Permission.READ_RECORDS)
        return await repository.count_open(actor.scope, most + 1, connection_id)

    async def open_fields(self, actor: Actor) -> list[str]:
        """The fields that conflicts wait in."""
        actor.require(Permission.READ_RECORDS)
        return await repository.fields_waiting(actor.scope)

    async def get(self, actor: Actor, conflict_id: UUID) -> Conflict:
        """Raises ConflictNotFound."""
        actor.require(Permission.READ_RECORDS)
        found = await repository.get(actor.scope, conflict_id)
        if found is None:
            raise ConflictNotFound
        return found

    async def get_many(self, actor: Actor, conflict_ids: Sequence[UUID]) -> list[Conflict]:
        """Those of the conflicts that exist, newest first."""
        actor.require(Permission.READ_RECORDS)
        return await repository.get_many(actor.scope, conflict_ids)

    async def resolve(
        self, actor: Actor, conflict_id: UUID, *, resolution: str, value: Any = None, idempotency_key: str | None = None
    ) -> Conflict:
        """Decide one field: `ours` (the hub's value as it is now), `theirs`, or `value` (another one). The outcome waits to be pushed.

        Raises ConflictNotFound, ConflictSettled, InvalidInput.
        """
        actor.require(Permission.MANAGE_RECORDS)
        if resolution not in ("ours", "theirs", "value"):
            raise InvalidInput(fields={"resolution": "Choose ours, theirs or value."})
        request = {"conflict_id": conflict_id, "resolution": resolution, "value": value}
        async with once(actor, "resolve_conflict", idempotency_key, request) as call:
            if not call.repeated:
                await self._resolve(actor, conflict_id, resolution, value)
                call.result = {"id": str(conflict_id)}
        return await self.get(actor, conflict_id)

    async def resolve_many(
        self, actor: Actor, conflict_ids: Sequence[UUID], *, resolution: str, idempotency_key: str | None = None
    ) -> Resolved:
        """Decide many alike; one that cannot be decided does not stop the others."""
        actor.require(Permission.MANAGE_RECORDS)
        ids = list(dict.fromkeys(conflict_ids))
        request = {"conflict_ids": ids, "resolution": resolution}
        return await remembered(
            actor, "resolve_conflicts", idempotency_key, request, lambda: self._resolve_each(actor, ids, resolution=resolution), Resolved
        )

    async def _resolve_each(self, actor: Actor, conflict_ids: Sequence[UUID], *, resolution: str) -> Resolved:
        done: list[UUID] = []
        refused: dict[UUID, str] = {}
        for conflict_id in conflict_ids:
            try:
                await self.resolve(actor, conflict_id, resolution=resolution)
                done.append(conflict_id)
            except Refusal as refusal:
                refused[conflict_id] = refusal.message
        return Resolved(done, refused)

    async def _resolve(self, actor: Actor, conflict_id: UUID, resolution: str, value: Any) -> None:
        scope = actor.scope
        seen = await self.get(actor, conflict_id)
        # First the record, then its conflict: the order in which a page takes them.
        await records.hold_many(scope, [seen.record_id])
        conflict = await repository.get(scope, conflict_id, lock=True)
        record = await records.get(scope, seen.record_id)
        if conflict is None or record is None:
            raise ConflictNotFound
        if conflict.resolved_at is not None:
            raise ConflictSettled
        ours = conflict.ours if conflict.field == DELETED else record.data.get(conflict.field)
        await repository.resolve(scope, conflict_id, resolution=resolution, value=value, ours=ours, by=actor.name)
        await self._apply(actor, conflict, record, resolution, value)
        await self._settle_mapping(actor, conflict)
        await self._audit.add(actor, "conflict.resolved", conflict_id, {"record_id": record.id, "field": conflict.field, "as": resolution})

    async def _apply(self, actor: Actor, conflict: Conflict, record: Record, resolution: str, value: Any) -> None:
        if conflict.field == DELETED:
            data = self._undeleted(conflict, record, resolution)
        else:
            chosen = conflict.theirs if resolution == "theirs" else value if resolution == "value" else record.data.get(conflict.field)
            data = with_value(record, conflict.field, chosen)
        current = None if record.deleted_at else dict(record.data)
        if data != current:
            await self._editor.write(actor.scope, [Edit(record, data)], actor.name)

    def _undeleted(self, conflict: Conflict, record: Record, resolution: str) -> dict[str, Any] | None:
        """One side deleted it: does it live, and as which side had it?"""
        if resolution == "value":
            raise InvalidInput(fields={"resolution": "Keep it (the side that changed it) or delete it (the side that deleted it)."})
        if resolution == "ours":
            return None if conflict.ours is None else dict(record.data)
        return None if conflict.theirs is None else {**record.data, **conflict.theirs}

    async def _settle_mapping(self, actor: Actor, conflict: Conflict) -> None:
        """The field waits to be pushed now; a push that finds nothing to bring settles the mapping by itself."""
        scope = actor.scope
        link = await links.link(scope, conflict.connection_id, conflict.stream, conflict.record_id)
        left = await repository.open_fields(scope, conflict.connection_id, conflict.stream, [conflict.record_id])
        if link is None or left:
            return
        gone = conflict.field == DELETED and conflict.theirs is None
        await links.settle(scope, link.id, "deleted" if gone else "synced")
        await self._editor.wait(scope, [conflict.record_id])

    async def policy(self, actor: Actor, connection_id: UUID, stream: str) -> StreamPolicy:
        """What counts for a stream of a connection."""
        actor.require(Permission.READ_CONNECTIONS)
        return await repository.policy(actor.scope, connection_id, stream)

    async def set_policy(self, actor: Actor, policy: StreamPolicy, stream: Stream) -> StreamPolicy:
        """Set what counts for this stream, made from the version that was seen. Raises PolicyChanged, InvalidInput."""
        actor.require(Permission.MANAGE_CONNECTIONS)
        policies.check(policy, stream)
        async with transaction(actor.scope):
            if not await repository.put_policy(actor.scope, replace(policy, updated_by=actor.name)):
                raise PolicyChanged
            data = {"stream": policy.stream, "conflicts": policy.conflicts, "fields": dict(policy.field_conflicts)}
            await self._audit.add(actor, "stream_policy.changed", policy.connection_id, data)
        return await self.policy(actor, policy.connection_id, policy.stream)

    async def always(
        self, actor: Actor, conflict_id: UUID, rule: Rule, stream: Stream, *, idempotency_key: str | None = None
    ) -> tuple[StreamPolicy, Resolved]:
        """Make a rule of how a conflict is decided, for its field, and decide the open ones of that field by it."""
        actor.require(Permission.MANAGE_CONNECTIONS)
        conflict = await self.get(actor, conflict_id)
        request = {"conflict_id": conflict_id, "rule": rule}
        resolved = await remembered(
            actor, "always_resolve", idempotency_key, request, lambda: self._always(actor, conflict_id, rule, stream), Resolved
        )
        return await self.policy(actor, conflict.connection_id, conflict.stream), resolved

    async def _always(self, actor: Actor, conflict_id: UUID, rule: Rule, stream: Stream) -> Resolved:
        conflict = await self.get(actor, conflict_id)
        before = await self.policy(actor, conflict.connection_id, conflict.stream)
        fields: Mapping[str, Rule] = {**before.field_conflicts, conflict.field: rule}
        await self.set_policy(actor, replace(before, field_conflicts=fields), stream)
        alike = await self.alike(actor, conflict)
        if rule not in (Rule.PROVIDER_WINS, Rule.HUB_WINS):
            return Resolved([], {})
        resolution = "theirs" if rule is Rule.PROVIDER_WINS else "ours"
        return await self._resolve_each(actor, [one.id for one in alike], resolution=resolution)

    async def alike(self, actor: Actor, conflict: Conflict, limit: int = 1000) -> list[Conflict]:
        """The open conflicts of the same field of the same stream: what a rule would have decided."""
        actor.require(Permission.READ_RECORDS)
        return (
            await repository.page(
                actor.scope, first=limit, after=None, connection_id=conflict.connection_id, stream=conflict.stream, field=conflict.field
            )
        )[:limit]


def with_value(record: Record, field: str, value: Any) -> dict[str, Any]:
    """The record with another value in a field, checked; nothing leaves the field out."""
    data = {name: kept for name, kept in record.data.items() if name != field}
    return checked(record.entity, data if value is None else {**data, field: value})
