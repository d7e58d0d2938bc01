"""Re-maps: what is stored is translated again by the field mapping that counts now. The provider is not asked.

An object that is only translated otherwise has not changed at its provider: what the hub has changed stays, and open conflicts stay
open. Of a field that was not mapped before nothing is known that both had; where both sides have something else in it, the stream's
policy decides as it does of a conflict.
"""

import time
from collections.abc import Mapping
from uuid import UUID

from app.connectors.base import Connector, Item, Page
from app.database import transaction
from app.mappings import field_repository
from app.syncs import walks
from app.syncs.leases import Lease
from app.syncs.models import SyncRun
from app.syncs.sources import Source
from app.syncs.walker import StreamWalker

PAGE_SIZE = 500
"""Stored objects that are translated again at once."""


class Remapper:
    """Walks the streams of a re-map run; app/syncs/engine.py advances it as any other."""

    def __init__(self, walker: StreamWalker, connectors: Mapping[str, Connector]) -> None:
        self._walker = walker
        self._connectors = connectors

    async def walk(self, lease: Lease, run: SyncRun, deadline: float) -> bool:
        """True when all streams have ended; False when the slice is over first. Raises FieldMappingUnusable, LeaseLost."""
        connection = await field_repository.connection(lease.scope, lease.connection_id)
        assert connection is not None  # the run's foreign key
        for row in run.streams:
            stream = self._connectors[connection.provider].streams[row.stream]
            source = await self._walker.source_of(lease, connection.provider, stream, connection.account)
            if row.status != "completed" and not await self._walk_stream(lease, source, deadline):
                return False
        return True

    async def _walk_stream(self, lease: Lease, source: Source, deadline: float) -> bool:
        scope, name = lease.scope, source.stream.name
        if await walks.resume_state(scope, lease.run_id, name) is None:
            await self._begin(lease, source)
        while await self._take_page(lease, source):
            if time.monotonic() > deadline:
                return False
        async with transaction(scope):
            await walks.finish_stream(lease, name, keep_state=False)
            await self._walker.checkpoint(lease, f"{source.stream.title}: translated again")
        return True

    async def _begin(self, lease: Lease, source: Source) -> None:
        """Note that it begins; what could not be taken over may be now."""
        expected = await field_repository.record_count(lease.scope, lease.connection_id, source.stream.name)
        async with transaction(lease.scope):
            await walks.begin_stream(lease, source.stream.name, expected or None)
            await self._walker.checkpoint(lease, f"{source.stream.title}: translating again", forgive=False)
        await self._walker.retry_open(source)

    async def _take_page(self, lease: Lease, source: Source) -> bool:
        """Translate the next page and write it, with its checkpoint. False when there is none.

        It is looked for under the lock under which it is written: what somebody brings meanwhile is translated as it is then, or not yet.
        """
        scope, name = lease.scope, source.stream.name
        async with transaction(scope):
            await walks.lock_records_of(scope, lease.connection_id, name)
            state = await walks.resume_state(scope, lease.run_id, name)
            after = UUID(state["after"]) if state else None
            found = await field_repository.following(scope, lease.connection_id, name, after, PAGE_SIZE)
            if found:
                items = [Item(one.external_id, one.payload, one.version) for one in found]
                page = Page(state={"after": str(found[-1].id)}, items=items)
                counts, external_ids = await self._walker.pages.write(source, page)
                await walks.add_page(lease, name, external_ids=external_ids, state=page.state, counts=counts, expected=None)
                await self._walker.checkpoint(lease, "")
        return bool(found)
