"""Standing syncs: what is to be synced, and when it is due."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg

from app.actors import Actor, Permission, Scope, system_actor
from app.audit.service import AuditService
from app.connections.service import ConnectionService
from app.connectors.base import Connector
from app.database import execute, fetch, fetch_row, new_id, transaction
from app.errors import InvalidInput, NotFound, Refusal
from app.syncs import rules
from app.syncs.models import Sync, SyncRun
from app.syncs.service import SyncService


class SyncNotFound(NotFound):
    """This sync does not exist, or you may not see it."""

    code = "sync_not_found"


_COLUMNS = ", ".join(field.name for field in fields(Sync))


class ScheduleService:
    """Making, changing and starting standing syncs."""

    def __init__(
        self,
        *,
        syncs: SyncService,
        connections: ConnectionService,
        connectors: Mapping[str, Connector],
        audit: AuditService,
        now: Callable[[], datetime],
    ) -> None:
        self._syncs = syncs
        self._connections = connections
        self._connectors = connectors
        self._audit = audit
        self._now = now

    async def syncs(self, actor: Actor, connection_id: UUID) -> list[Sync]:
        """The standing syncs of a connection, oldest first."""
        actor.require(Permission.READ_SYNCS)
        rows = await fetch(
            actor.scope,
            f"SELECT {_COLUMNS} FROM sync WHERE organization_id = $1 AND connection_id = $2 AND deleted_at IS NULL ORDER BY id",
            actor.organization_id,
            connection_id,
        )
        return [_sync(row) for row in rows]

    async def get(self, actor: Actor, sync_id: UUID) -> Sync:
        """Raises SyncNotFound."""
        actor.require(Permission.READ_SYNCS)
        row = await fetch_row(
            actor.scope,
            f"SELECT {_COLUMNS} FROM sync WHERE organization_id = $1 AND id = $2 AND deleted_at IS NULL",
            actor.organization_id,
            sync_id,
        )
        if row is None:
            raise SyncNotFound
        return _sync(row)

    async def get_many(self, actor: Actor, sync_ids: Sequence[UUID]) -> list[Sync]:
        """Those of the syncs that exist, in any order."""
        actor.require(Permission.READ_SYNCS)
        rows = await fetch(
            actor.scope,
            f"SELECT {_COLUMNS} FROM sync WHERE organization_id = $1 AND id = ANY($2::uuid[]) AND deleted_at IS NULL",
            actor.organization_id,
            list(sync_ids),
        )
        return [_sync(row) for row in rows]

    async def create(
        self,
        actor: Actor,
        connection_id: UUID,
        *,
        name: str,
        streams: Sequence[str],
        mode: str = "incremental",
        schedule: str | None = None,
        time_zone: str = "UTC",
    ) -> Sync:
        """A standing sync; without a schedule it is started on demand. Raises InvalidInput."""
        actor.require(Permission.MANAGE_CONNECTIONS)
        connection = await self._connections.get(actor, connection_id)
        self._check(connection.provider, name, streams, mode)
        due, sync_id = rules.next_due(schedule, time_zone, self._now()), new_id()
        async with transaction(actor.scope):
            await execute(
                actor.scope,
                """
                INSERT INTO sync (id, organization_id, connection_id, name, streams, mode, schedule, time_zone, next_due_at)
                VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
                """,
                sync_id,
                actor.organization_id,
                connection_id,
                name,
                list(streams),
                mode,
                schedule,
                time_zone,
                due,
            )
            await self._audit.add(actor, "sync.created", sync_id, {"name": name, "streams": list(streams), "schedule": schedule})
        return await self.get(actor, sync_id)

    def _check(self, provider: str, name: str, streams: Sequence[str], mode: str) -> None:
        wrong: dict[str, str] = {}
        offered = self._connectors[provider].streams
        if not 1 <= len(name.strip()) <= 100:
            wrong["name"] = "Give the sync a name of 1 to 100 characters."
        if not streams or any(stream not in offered for stream in streams):
            wrong["streams"] = f"Choose from {', '.join(offered)}."
        if mode not in ("incremental", "full"):
            wrong["mode"] = "The mode is incremental or full."
        if wrong:
            raise InvalidInput(fields=wrong)

    async def update(
        self,
        actor: Actor,
        sync_id: UUID,
        *,
        name: str | None = None,
        streams: Sequence[str] | None = None,
        mode: str | None = None,
        schedule: str | None = None,
        on_demand: bool = False,
        time_zone: str | None = None,
        enabled: bool | None = None,
    ) -> Sync:
        """Change what is given; `on_demand` takes the schedule away. Raises SyncNotFound, InvalidInput."""
        actor.require(Permission.MANAGE_CONNECTIONS)
        before = await self.get(actor, sync_id)
        after: dict[str, Any] = {
            "name": before.name if name is None else name,
            "streams": list(before.streams if streams is None else streams),
            "mode": before.mode if mode is None else mode,
            "schedule": None if on_demand else before.schedule if schedule is None else schedule,
            "time_zone": before.time_zone if time_zone is None else time_zone,
            "enabled": before.enabled if enabled is None else enabled,
        }
        connection = await self._connections.get(actor, before.connection_id)
        self._check(connection.provider, after["name"], after["streams"], after["mode"])
        due = rules.next_due(after["schedule"], after["time_zone"], self._now())
        async with transaction(actor.scope):
            await execute(
                actor.scope,
                """
                UPDATE sync SET name = $3, streams = $4, mode = $5, schedule = $6, time_zone = $7, enabled = $8, next_due_at = $9,
                    updated_at = now()
                WHERE organization_id = $1 AND id = $2
                """,
                actor.organization_id,
                sync_id,
                *after.values(),
                due,
            )
            await self._audit.add(actor, "sync.updated", sync_id, after)
        return await self.get(actor, sync_id)

    async def delete(self, actor: Actor, sync_id: UUID) -> None:
        """The sync is gone; its runs stay. Raises SyncNotFound."""
        actor.require(Permission.MANAGE_CONNECTIONS)
        await self.get(actor, sync_id)
        async with transaction(actor.scope):
            await execute(
                actor.scope,
                "UPDATE sync SET deleted_at = now(), enabled = false WHERE organization_id = $1 AND id = $2",
                actor.organization_id,
                sync_id,
            )
            await self._audit.add(actor, "sync.deleted", sync_id, {})

    async def start_due(self, organization_id: UUID, sync_id: UUID) -> SyncRun | None:
        """Start a sync that is due and note when it is due next; missed times and overlaps coalesce into one run."""
        actor = system_actor(organization_id, "Schedule")
        async with transaction(actor.scope):
            sync = await self._take_due(actor.scope, sync_id)
        if sync is None:
            return None
        try:
            return await self._syncs.start(actor, sync.connection_id, streams=sync.streams, mode=sync.mode, sync_id=sync.id)
        except Refusal:
            return None  # it is running, or its connection waits for somebody: the next time will come

    async def _take_due(self, scope: Scope, sync_id: UUID) -> Sync | None:
        row = await fetch_row(
            scope,
            f"""
            SELECT {_COLUMNS} FROM sync
            WHERE organization_id = $1 AND id = $2 AND enabled AND deleted_at IS NULL AND next_due_at <= $3
            FOR UPDATE SKIP LOCKED
            """,
            scope.organization_id,
            sync_id,
            self._now(),
        )
        if row is None:
            return None
        sync = _sync(row)
        await execute(
            scope,
            "UPDATE sync SET next_due_at = $3 WHERE organization_id = $1 AND id = $2",
            scope.organization_id,
            sync_id,
            rules.next_due(sync.schedule, sync.time_zone, self._now()),
        )
        return sync


def _sync(row: asyncpg.Record) -> Sync:
    return Sync(**row)
