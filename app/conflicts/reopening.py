"""Taking decisions on conflicts back: the record has its former value, and both values wait for somebody again."""

from collections.abc import Sequence
from uuid import UUID

from app.actors import Actor, Permission
from app.audit.service import AuditService
from app.conflicts import repository
from app.conflicts.models import DELETED, Conflict, Reopened
from app.conflicts.service import ConflictNotFound, with_value
from app.errors import Refusal
from app.idempotency import once, remembered
from app.mappings import links
from app.mappings.links import Link
from app.records import repository as records
from app.records.editing import Edit, RecordChanged, RecordEditor
from app.records.models import Record


class ConflictOpen(Refusal):
    """This conflict is not decided, so there is no decision to take back."""

    code = "conflict_open"


class DecisionCarriedOut(Refusal):
    """The provider has this decision already; change the record instead."""

    code = "decision_carried_out"


class ReopeningService:
    """The use case of taking decisions on conflicts back."""

    def __init__(self, editor: RecordEditor, audit: AuditService) -> None:
        self._editor = editor
        self._audit = audit

    async def reopen(self, actor: Actor, conflict_id: UUID, *, idempotency_key: str | None = None) -> None:
        """The hub has its former value again, and the conflict is open.

        Raises ConflictNotFound, ConflictOpen, RecordChanged (the field, since), DecisionCarriedOut.
        """
        actor.require(Permission.MANAGE_RECORDS)
        async with once(actor, "reopen_conflict", idempotency_key, {"conflict_id": conflict_id}) as call:
            if not call.repeated:
                await self._reopen(actor, conflict_id)
                call.result = {}

    async def reopen_many(self, actor: Actor, conflict_ids: Sequence[UUID], *, idempotency_key: str | None = None) -> Reopened:
        """Each by itself; one that cannot be taken back does not stop the others."""
        actor.require(Permission.MANAGE_RECORDS)
        ids = list(dict.fromkeys(conflict_ids))
        return await remembered(actor, "reopen_conflicts", idempotency_key, ids, lambda: self._reopen_each(actor, ids), Reopened)

    async def _reopen_each(self, actor: Actor, conflict_ids: Sequence[UUID]) -> Reopened:
        done: list[UUID] = []
        refused: dict[UUID, str] = {}
        for conflict_id in conflict_ids:
            try:
                await self.reopen(actor, conflict_id)
                done.append(conflict_id)
            except Refusal as refusal:
                refused[conflict_id] = refusal.message
        return Reopened(done, refused)

    async def _reopen(self, actor: Actor, conflict_id: UUID) -> None:
        scope = actor.scope
        seen = await repository.get(scope, conflict_id)
        if seen is None:
            raise ConflictNotFound
        # First the record, then its conflict, then its mapping: the order in which a page takes them.
        await records.hold_many(scope, [seen.record_id])
        conflict, record = await repository.get(scope, conflict_id, lock=True), await records.get(scope, seen.record_id)
        if conflict is None or record is None:
            raise ConflictNotFound
        if conflict.resolution in (None, "agreed"):
            raise ConflictOpen
        link = await links.link(scope, conflict.connection_id, conflict.stream, conflict.record_id)
        await self._require_undone_there(actor, conflict, record, link)
        await self._put_back(actor, conflict, record)
        if not await repository.reopen(scope, conflict_id):
            raise RecordChanged
        if link is not None:
            await links.reopen(scope, link.id)
        await self._audit.add(actor, "conflict.reopened", conflict_id, {"record_id": record.id, "field": conflict.field})

    async def _require_undone_there(self, actor: Actor, conflict: Conflict, record: Record, link: Link | None) -> None:
        """The provider must have, as far as the hub knows, what it had when somebody decided."""
        if conflict.field == DELETED:
            carried_out = link is None or (link.status == "deleted" and conflict.theirs is not None)
        else:
            known = await self._base(actor, record, link)
            carried_out = known is None or known.get(conflict.field) != conflict.theirs
        if carried_out:
            raise DecisionCarriedOut

    async def _base(self, actor: Actor, record: Record, link: Link | None) -> dict[str, object] | None:
        if link is None or not link.base_version:
            return None
        if link.base_version == record.version:
            return dict(record.data)
        return (await records.at_versions(actor.scope, {record.id: link.base_version})).get(record.id)

    async def _put_back(self, actor: Actor, conflict: Conflict, record: Record) -> None:
        """Only what the decision wrote, and only where that is still as it was written."""
        if record.merged_into is not None or _differs_from_decision(conflict, record):
            raise RecordChanged
        current = None if record.deleted_at else dict(record.data)
        if conflict.field == DELETED:
            former = None if conflict.ours is None else dict(record.data)
        else:
            former = with_value(record, conflict.field, conflict.ours)
        if former != current:
            await self._editor.write(actor.scope, [Edit(record, former)], actor.name)


def _differs_from_decision(conflict: Conflict, record: Record) -> bool:
    chosen = {"ours": conflict.ours, "theirs": conflict.theirs, "value": conflict.value}[conflict.resolution or "ours"]
    if conflict.field == DELETED:
        return (record.deleted_at is None) != (chosen is not None)
    return record.deleted_at is not None or record.data.get(conflict.field) != chosen
