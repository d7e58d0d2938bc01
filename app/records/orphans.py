"""Orphans: mappings of which one side is gone; found, looked at, cleaned up, and brought back."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from app.actors import Actor, Permission
from app.audit.service import AuditService
from app.errors import NotFound
from app.idempotency import once
from app.paging import PageRequest, ResultPage
from app.records import orphan_store
from app.records.orphan_store import Orphan, OrphanFilter, OrphanKind

NAMED = 100
"""How many mappings an entry of the audit log names; it counts all of them."""


class NoSuchOrphans(NotFound):
    """There is no such connection or mapping, or you may not see it."""

    code = "no_such_orphans"


@dataclass(frozen=True, slots=True)
class OrphanCount:
    """How many orphans of a kind a stream of a connection has."""

    kind: OrphanKind
    connection_id: UUID
    stream: str
    count: int


class OrphanService:
    """The use cases of orphans. Cleaning up deletes nothing: the mapping is put away, and an object that changes is back by itself."""

    def __init__(self, audit: AuditService) -> None:
        self._audit = audit

    async def orphans(
        self,
        actor: Actor,
        page: PageRequest,
        *,
        connection_id: UUID | None = None,
        kind: OrphanKind | None = None,
        cleaned: bool = False,
    ) -> ResultPage[Orphan]:
        """Those that are there, or with `cleaned` those that were cleaned up; the latest mapping first."""
        actor.require(Permission.READ_RECORDS)
        wanted = OrphanFilter(connection_id, kind)
        found = await orphan_store.page(actor.scope, wanted, cleaned=cleaned, first=page.first, after=page.key(UUID))
        return ResultPage.cut(found, page.first, lambda orphan: orphan.mapping_id)

    async def preview(
        self,
        actor: Actor,
        *,
        connection_id: UUID | None = None,
        kind: OrphanKind | None = None,
        mapping_ids: Sequence[UUID] | None = None,
        cleaned: bool = False,
    ) -> list[OrphanCount]:
        """What cleaning up with the same choice would put away or, with `cleaned`, what bringing back would bring."""
        actor.require(Permission.READ_RECORDS)
        found = await orphan_store.counts(actor.scope, OrphanFilter(connection_id, kind, mapping_ids), cleaned=cleaned)
        return [OrphanCount(*one) for one in found]

    async def clean(
        self,
        actor: Actor,
        *,
        connection_id: UUID | None = None,
        kind: OrphanKind | None = None,
        mapping_ids: Sequence[UUID] | None = None,
        idempotency_key: str | None = None,
    ) -> int:
        """Put them away: those chosen that are orphans still. Says how many. Raises NoSuchOrphans."""
        return await self._archive(actor, OrphanFilter(connection_id, kind, mapping_ids), True, idempotency_key)

    async def restore(
        self,
        actor: Actor,
        *,
        connection_id: UUID | None = None,
        kind: OrphanKind | None = None,
        mapping_ids: Sequence[UUID] | None = None,
        idempotency_key: str | None = None,
    ) -> int:
        """Bring back those that were cleaned up. Says how many. Raises NoSuchOrphans."""
        return await self._archive(actor, OrphanFilter(connection_id, kind, mapping_ids), False, idempotency_key)

    async def _archive(self, actor: Actor, wanted: OrphanFilter, archived: bool, idempotency_key: str | None) -> int:
        actor.require(Permission.MANAGE_RECORDS)
        if not await orphan_store.exist(actor.scope, wanted):
            raise NoSuchOrphans
        event = "orphans.cleaned" if archived else "orphans.restored"
        async with once(actor, event, idempotency_key, wanted) as call:
            if not call.repeated:
                changed = await orphan_store.set_archived(actor.scope, wanted, archived=archived)
                if changed:
                    data = {"count": len(changed), "mapping_ids": changed[:NAMED], "connection_id": wanted.connection_id}
                    await self._audit.add(actor, event, None, data)
                call.result = len(changed)
            count: int = call.result
        return count
