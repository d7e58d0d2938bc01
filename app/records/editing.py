"""Changing records in the hub, by people and programs: validated, kept in their history, and waiting to be pushed."""

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import msgspec

from app.actors import Actor, Permission, Scope
from app.audit.service import AuditService
from app.errors import InvalidInput, Refusal
from app.feed.service import FeedService
from app.idempotency import once
from app.ids import new_id
from app.mappings import links
from app.records import repository
from app.records.entities import ENTITIES
from app.records.events import page_event
from app.records.models import Record, RecordChange
from app.records.repository import RecordWrite
from app.records.service import RecordNotFound, RecordService

Data = dict[str, Any]
Project = Callable[[Scope, UUID, Sequence[RecordChange]], Awaitable[object]]
"""Brings what people decide on in step with records of a connection that were changed."""
EDITABLE = ("contact", "sales_document")
"""Entities that people and programs may change here; the others are their provider's, or follow from decisions."""


class RecordChanged(Refusal):
    """This record was changed by somebody else meanwhile; look at it again and repeat your change."""

    code = "record_changed"


@dataclass(frozen=True, slots=True)
class Edit:
    """What a record is to be; None: it is deleted."""

    record: Record
    data: Data | None


class RecordEditor:
    """Writes edits in the caller's transaction, and makes them wait at every stream that can be written."""

    def __init__(self, feed: FeedService, project: Project, pushable: Collection[tuple[str, str]]) -> None:
        self._feed = feed
        self._project = project
        self._pushable = pushable

    async def write(self, scope: Scope, edits: Sequence[Edit], by: str, run_id: UUID | None = None) -> None:
        """Write them all. The records are held by the caller."""
        replaced = [RecordWrite.of(e.record.id, e.data) for e in edits if e.data]
        deleted = [edit.record.id for edit in edits if edit.data is None]
        if replaced:
            await repository.replace_many(scope, replaced, by, run_id)
        if deleted:
            await repository.delete_many(scope, deleted, by, run_id)
        await self.wait(scope, [edit.record.id for edit in edits])
        await self._tell(scope, edits)

    async def wait(self, scope: Scope, record_ids: Sequence[UUID]) -> None:
        """The records wait to be pushed wherever they can be; where there is nothing to bring, that is found then."""
        await links.mark_pending(scope, record_ids, self._pushable)

    async def _tell(self, scope: Scope, edits: Sequence[Edit]) -> None:
        by_connection: dict[UUID, list[RecordChange]] = {}
        for edit in edits:
            record = edit.record
            if record.connection_id is not None:
                before = None if record.deleted_at else record.data
                change = RecordChange(record.id, record.external_id or str(record.id), record.entity, before, edit.data)
                by_connection.setdefault(record.connection_id, []).append(change)
        for connection_id, changes in by_connection.items():
            await self._project(scope, connection_id, changes)
            for entity in sorted({change.entity for change in changes}):
                await self._feed.publish_many(scope, [page_event(connection_id, entity, [c for c in changes if c.entity == entity])])


class RecordEditService:
    """The use cases of changing records."""

    def __init__(self, records: RecordService, editor: RecordEditor, audit: AuditService) -> None:
        self._records = records
        self._editor = editor
        self._audit = audit

    async def create(self, actor: Actor, entity: str, data: Mapping[str, Any], *, idempotency_key: str | None = None) -> Record:
        """A record that only the hub has yet. Raises InvalidInput."""
        actor.require(Permission.MANAGE_RECORDS)
        valid = checked(entity, dict(data))
        async with once(actor, "create_record", idempotency_key, {"entity": entity, "data": dict(data)}) as call:
            if not call.repeated:
                record_id = new_id()
                await repository.add_many(actor.scope, entity, [RecordWrite.of(record_id, valid)])
                await self._audit.add(actor, "record.created", record_id, {"entity": entity})
                call.result = {"id": str(record_id)}
            created = call.id()
        return await self._records.get(actor, created)

    async def update(
        self, actor: Actor, record_id: UUID, *, version: int, changes: Mapping[str, Any], idempotency_key: str | None = None
    ) -> Record:
        """Change fields of the version that was seen. Raises RecordNotFound, RecordChanged, InvalidInput."""
        actor.require(Permission.MANAGE_RECORDS)
        request = {"record_id": record_id, "version": version, "changes": dict(changes)}
        async with once(actor, "update_record", idempotency_key, request) as call:
            if not call.repeated:
                record = await self._held(actor, record_id, version)
                data = checked(record.entity, {**record.data, **changes})
                if data != record.data:
                    await self._editor.write(actor.scope, [Edit(record, data)], actor.name)
                    fields = sorted(name for name in changes if data.get(name) != record.data.get(name))
                    await self._audit.add(actor, "record.updated", record_id, {"fields": fields, "version": version})
                call.result = {"id": str(record_id)}
        return await self._records.get(actor, record_id)

    async def delete(self, actor: Actor, record_id: UUID, *, version: int, idempotency_key: str | None = None) -> Record:
        """Leave a tombstone. What becomes of its counterparts is the policy of their streams. Raises RecordNotFound, RecordChanged."""
        actor.require(Permission.MANAGE_RECORDS)
        async with once(actor, "delete_record", idempotency_key, {"record_id": record_id, "version": version}) as call:
            if not call.repeated:
                record = await self._held(actor, record_id, version)
                await self._editor.write(actor.scope, [Edit(record, None)], actor.name)
                await self._audit.add(actor, "record.deleted", record_id, {"version": version})
                call.result = {"id": str(record_id)}
        return await self._records.get(actor, record_id)

    async def restore(self, actor: Actor, record_id: UUID, *, version: int, to_version: int, idempotency_key: str | None = None) -> Record:
        """Make the record what it was at an earlier version, as its next one. Raises RecordNotFound, RecordChanged, InvalidInput."""
        actor.require(Permission.MANAGE_RECORDS)
        request = {"record_id": record_id, "version": version, "to_version": to_version}
        async with once(actor, "restore_record", idempotency_key, request) as call:
            if not call.repeated:
                await self._restore(actor, await self._held(actor, record_id, version, deleted_too=True), to_version)
                call.result = {}
        return await self._records.get(actor, record_id)

    async def _restore(self, actor: Actor, record: Record, to_version: int) -> None:
        earlier = await repository.at_versions(actor.scope, {record.id: to_version})
        if record.id not in earlier:
            raise InvalidInput(fields={"toVersion": f"The record has no version {to_version}."})
        await self._editor.write(actor.scope, [Edit(record, earlier[record.id])], actor.name)
        await self._audit.add(actor, "record.restored", record.id, {"version": record.version, "to_version": to_version})

    async def _held(self, actor: Actor, record_id: UUID, version: int, *, deleted_too: bool = False) -> Record:
        await repository.hold_many(actor.scope, [record_id])
        record = await repository.get(actor.scope, record_id)
        if record is None or (record.deleted_at and not deleted_too):
            raise RecordNotFound
        if record.merged_into is not None:
            raise InvalidInput(fields={"id": "This contact was merged into another one; take the merge back instead."})
        if record.entity not in EDITABLE:
            raise InvalidInput(fields={"id": f"A {record.entity.replace('_', ' ')} is changed at its provider, not here."})
        if record.version != version:
            raise RecordChanged
        return record


def checked(entity: str, data: Data) -> Data:
    """The data in the entity's own shape, as it is stored. Raises InvalidInput with the field."""
    if entity not in EDITABLE:
        raise InvalidInput(fields={"entity": f"Choose from {', '.join(EDITABLE)}."})
    unknown = sorted(set(data) - set(ENTITIES[entity].__struct_fields__))
    if unknown:
        raise InvalidInput(fields={unknown[0]: f"A {entity.replace('_', ' ')} has no field {unknown[0]!r}."})
    try:
        found: Data = msgspec.json.decode(msgspec.json.encode(msgspec.convert(data, ENTITIES[entity], strict=False)))
    except msgspec.ValidationError as error:
        raise InvalidInput(fields={"data": f"{error}."}) from None
    return found
