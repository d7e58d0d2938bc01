"""Field mappings as versioned data: how a stream of a connection is translated, in both directions.

A version never changes. One is published at a time; without one, the connector's own rows count.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from app.actors import Actor, Permission
from app.audit.service import AuditService
from app.connectors.base import FieldRow
from app.errors import NotFound, Refusal
from app.idempotency import once
from app.mappings import field_repository, field_rules
from app.mappings.field_models import DEFAULT_VERSION, FieldMappingVersion, Publication, RowChange
from app.mappings.field_trials import FieldMappingTrials
from app.mappings.mapped_streams import MappedStream
from app.paging import PageRequest, ResultPage

GREATEST_VERSION = 2**31 - 1


class FieldMappingNotFound(NotFound):
    """There is no such version of this field mapping."""

    code = "field_mapping_not_found"


class FieldMappingRetired(Refusal):
    """Another version took this one's place; roll back to it instead, and it is published again as a new version."""

    code = "field_mapping_retired"


@dataclass(eq=False)
class FieldMappingService(FieldMappingTrials):
    """What one can ask for about field mappings. `FieldMappingTrials` holds what only looks at them."""

    audit: AuditService

    async def effective(self, actor: Actor, connection_id: UUID, stream: str) -> FieldMappingVersion:
        """The version that counts: the published one, or the connector's own. Raises NotFound, InvalidInput."""
        actor.require(Permission.READ_CONNECTIONS)
        return await self.streams.effective_version(await self.streams.find(actor.scope, connection_id, stream))

    async def published(self, actor: Actor, connection_id: UUID) -> dict[str, FieldMappingVersion]:
        """The published versions of a connection, by stream; the connector's own rows count for the others."""
        actor.require(Permission.READ_CONNECTIONS)
        return {version.stream: version for version in await field_repository.published_of(actor.scope, connection_id)}

    async def versions(self, actor: Actor, connection_id: UUID, stream: str, page: PageRequest) -> ResultPage[FieldMappingVersion]:
        """The versions that were saved, newest first. Raises NotFound, InvalidInput."""
        actor.require(Permission.READ_CONNECTIONS)
        mapped = await self.streams.find(actor.scope, connection_id, stream)
        found = await field_repository.page(actor.scope, connection_id, mapped.name, first=page.first, before=page.key(int))
        return ResultPage.cut(found, page.first, lambda version: version.version)

    async def version(self, actor: Actor, connection_id: UUID, stream: str, version: int) -> FieldMappingVersion:
        """One version; DEFAULT_VERSION is the connector's own. Raises NotFound, InvalidInput."""
        actor.require(Permission.READ_CONNECTIONS)
        return await self._version(await self.streams.find(actor.scope, connection_id, stream), version)

    async def diff(self, actor: Actor, connection_id: UUID, stream: str, before: int, after: int) -> list[RowChange]:
        """The rows in which two versions differ. Raises NotFound, InvalidInput."""
        actor.require(Permission.READ_CONNECTIONS)
        mapped = await self.streams.find(actor.scope, connection_id, stream)
        old, new = await self._version(mapped, before), await self._version(mapped, after)
        return field_rules.difference(old.rows, new.rows)

    async def save(
        self,
        actor: Actor,
        connection_id: UUID,
        stream: str,
        rows: Sequence[FieldRow],
        *,
        note: str = "",
        idempotency_key: str | None = None,
    ) -> FieldMappingVersion:
        """A new version, not published yet. Raises NotFound, InvalidInput with what is wrong row by row."""
        actor.require(Permission.MANAGE_CONNECTIONS)
        request = [connection_id, stream, rows, note]
        async with once(actor, "save_field_mapping", idempotency_key, request) as call:
            mapped = await self.streams.find(actor.scope, connection_id, stream, lock=True)
            if call.repeated:
                return await self._version(mapped, call.result["version"])
            await self._check(mapped, rows, note)
            version = await self._add(actor, mapped, rows, note)
            await self._note(actor, "saved", mapped, version)
            call.result = {"version": version}
            return await self._version(mapped, version)

    async def publish(
        self, actor: Actor, connection_id: UUID, stream: str, version: int, *, idempotency_key: str | None = None
    ) -> Publication:
        """Let a saved version count from now on, and say how many records it is about. They are translated again by `remap`.

        Raises NotFound, FieldMappingRetired, InvalidInput when it breaks the round trip of what was read meanwhile.
        """
        actor.require(Permission.MANAGE_CONNECTIONS)
        async with once(actor, "publish_field_mapping", idempotency_key, [connection_id, stream, version]) as call:
            mapped = await self.streams.find(actor.scope, connection_id, stream, lock=True)
            chosen = await self._version(mapped, version)
            if version == DEFAULT_VERSION or (chosen.retired_at is not None and not call.repeated):
                raise FieldMappingRetired
            if chosen.published_at is None:
                await self._check(mapped, chosen.rows, chosen.note)
                await self._publish(actor, mapped, version)
            call.result = {"version": version}
            return await self._publication(mapped, version)

    async def roll_back(
        self, actor: Actor, connection_id: UUID, stream: str, version: int, *, idempotency_key: str | None = None
    ) -> Publication:
        """Publish an older version again, as a new one; DEFAULT_VERSION lets the connector's own rows count again.

        Raises NotFound, InvalidInput.
        """
        actor.require(Permission.MANAGE_CONNECTIONS)
        async with once(actor, "roll_back_field_mapping", idempotency_key, [connection_id, stream, version]) as call:
            mapped = await self.streams.find(actor.scope, connection_id, stream, lock=True)
            if not call.repeated:
                call.result = {"version": await self._roll_back(actor, mapped, version)}
            return await self._publication(mapped, call.result["version"])

    async def _roll_back(self, actor: Actor, mapped: MappedStream, version: int) -> int:
        chosen = await self._version(mapped, version)
        if version == DEFAULT_VERSION:
            await field_repository.retire(actor.scope, mapped.connection_id, mapped.name)
            await self._note(actor, "withdrawn", mapped, version)
            return DEFAULT_VERSION
        await self._check(mapped, chosen.rows, chosen.note)
        again = await self._add(actor, mapped, chosen.rows, f"Version {version} again")
        await self._publish(actor, mapped, again)
        return again

    async def _version(self, mapped: MappedStream, version: int) -> FieldMappingVersion:
        if version == DEFAULT_VERSION:
            return mapped.default()
        known = 0 < version <= GREATEST_VERSION
        found = await field_repository.get(mapped.scope, mapped.connection_id, mapped.name, version) if known else None
        if found is None:
            raise FieldMappingNotFound
        return found

    async def _add(self, actor: Actor, mapped: MappedStream, rows: Sequence[FieldRow], note: str) -> int:
        return await field_repository.add(actor.scope, mapped.connection_id, mapped.name, rows, note, actor.name)

    async def _publish(self, actor: Actor, mapped: MappedStream, version: int) -> None:
        where = (actor.scope, mapped.connection_id, mapped.name)
        replaced = await self.streams.effective_version(mapped)
        await field_repository.retire(*where)
        await field_repository.publish(*where, version, actor.name)
        await self._note(actor, "published", mapped, version, replaces=replaced.version)

    async def _publication(self, mapped: MappedStream, version: int) -> Publication:
        records = await field_repository.record_count(mapped.scope, mapped.connection_id, mapped.name)
        return Publication(await self._version(mapped, version), records)

    async def _note(self, actor: Actor, event: str, mapped: MappedStream, version: int, **more: Any) -> None:
        data = {"stream": mapped.name, "version": version, **more}
        await self.audit.add(actor, f"field_mapping.{event}", mapped.connection_id, data)
