"""Standing syncs: what is to be synced, and when it is due."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, fields, replace
from datetime import datetime
from itertools import islice
from uuid import UUID

import asyncpg
import structlog

from app.actors import Actor, Permission, Scope, system_actor
from app.audit.service import AuditService
from app.connections.service import ConnectionService
from app.connectors.base import Connector, Stream
from app.database import execute, fetch, fetch_row, new_id, transaction
from app.errors import HubError, InvalidInput, NotFound
from app.syncs import rules
from app.syncs.clock_changes import Occurrence, occurrences
from app.syncs.models import Sync, SyncRun
from app.syncs.service import SyncService


class SyncNotFound(NotFound):
    """This sync does not exist, or you may not see it."""

    code = "sync_not_found"


_COLUMNS = ", ".join(field.name for field in fields(Sync))
JITTER_SECONDS = 60
"""Syncs of the same schedule begin within so many seconds, where nothing else is asked for."""
MAXIMUM_JITTER_SECONDS = 3600
MAXIMUM_PREVIEW = 50
_DATABASE_ERRORS = (asyncpg.PostgresError, asyncpg.InterfaceError, OSError)
_OUR_FAULT = "Something went wrong on our side; it was logged and we will look into it."

logger = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Wish:
    """What somebody chooses of a standing sync."""

    name: str
    streams: Sequence[str]
    direction: str
    mode: str
    schedule: str | None
    time_zone: str
    jitter_seconds: int
    enabled: bool = True

    @property
    def timing(self) -> tuple[object, ...]:
        """What decides when it is due."""
        return self.schedule, self.time_zone, self.jitter_seconds, self.enabled


_WISHES = [field.name for field in fields(_Wish)]


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
        return await self._get(actor.scope, sync_id)

    async def _get(self, scope: Scope, sync_id: UUID, *, lock: bool = False) -> Sync:
        row = await fetch_row(
            scope,
            f"""
            SELECT {_COLUMNS} FROM sync WHERE organization_id = $1 AND id = $2 AND deleted_at IS NULL
            {"FOR NO KEY UPDATE" if lock else ""}
            """,
            scope.organization_id,
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

    def preview(self, actor: Actor, schedule: str, time_zone: str, *, after: datetime | None = None, count: int = 5) -> list[Occurrence]:
        """The next times of a schedule, in its zone; a sync begins at each of them or up to its jitter later. Raises InvalidInput."""
        actor.require(Permission.READ_SYNCS)
        if not 1 <= count <= MAXIMUM_PREVIEW:
            raise InvalidInput(fields={"first": f"Ask for 1 to {MAXIMUM_PREVIEW} times."})
        moment = after or self._now()
        return occurrences(schedule, list(islice(rules.times(schedule, time_zone, moment), count + 1)), moment)

    def next_starts(self, sync: Sync, *, count: int = 5) -> list[datetime]:
        """When a sync will begin, its jitter included; none where it is switched off, on demand, or cannot be followed.

        Raises InvalidInput.
        """
        if not 1 <= count <= MAXIMUM_PREVIEW:
            raise InvalidInput(fields={"first": f"Ask for 1 to {MAXIMUM_PREVIEW} times."})
        if not sync.enabled or sync.schedule is None or sync.next_due_at is None:
            return []
        delay = rules.spread(sync.id, sync.jitter_seconds)
        later = rules.times(sync.schedule, sync.time_zone, max(sync.next_due_at, self._now()) - delay)
        return [sync.next_due_at, *(time + delay for time in islice(later, count - 1))]

    async def create(
        self,
        actor: Actor,
        connection_id: UUID,
        *,
        name: str,
        streams: Sequence[str],
        direction: str = "pull",
        mode: str = "incremental",
        schedule: str | None = None,
        time_zone: str = "UTC",
        jitter_seconds: int = JITTER_SECONDS,
    ) -> Sync:
        """A standing sync; without a schedule it is started on demand. Raises InvalidInput."""
        actor.require(Permission.MANAGE_CONNECTIONS)
        connection = await self._connections.get(actor, connection_id)
        wish = _Wish(name, list(streams), direction, mode, schedule, time_zone, jitter_seconds)
        self._check(connection.provider, wish)
        sync_id = new_id()
        async with transaction(actor.scope):
            await execute(
                actor.scope,
                f"""
                INSERT INTO sync (id, organization_id, connection_id, next_due_at, {", ".join(_WISHES)})
                VALUES ($1, $2, $3, $4, {", ".join(f"${place}" for place in range(5, 5 + len(_WISHES)))})
                """,
                sync_id,
                actor.organization_id,
                connection_id,
                self._next_due(sync_id, wish),
                *asdict(wish).values(),
            )
            await self._audit.add(actor, "sync.created", sync_id, asdict(wish))
        return await self.get(actor, sync_id)

    def _check(self, provider: str, wish: _Wish) -> None:
        wrong: dict[str, str] = {}
        offered = self._connectors[provider].streams
        if not 1 <= len(wish.name.strip()) <= 100:
            wrong["name"] = "Give the sync a name of 1 to 100 characters."
        if wish.mode not in ("incremental", "full"):
            wrong["mode"] = "The mode is incremental or full."
        if not 0 <= wish.jitter_seconds <= MAXIMUM_JITTER_SECONDS:
            wrong["jitterSeconds"] = f"Choose 0 to {MAXIMUM_JITTER_SECONDS} seconds."
        if not wish.streams or any(stream not in offered for stream in wish.streams):
            wrong["streams"] = f"Choose from {', '.join(offered)}."
        elif wish.direction not in (allowed := _directions(offered[name] for name in wish.streams)):
            wrong["direction"] = f"These streams can be synced in the direction {' or '.join(allowed)}."
        if wrong:
            raise InvalidInput(fields=wrong)

    def _next_due(self, sync_id: UUID, wish: _Wish | Sync) -> datetime | None:
        return rules.next_due(wish.schedule, wish.time_zone, self._now(), rules.spread(sync_id, wish.jitter_seconds))

    async def update(
        self,
        actor: Actor,
        sync_id: UUID,
        *,
        name: str | None = None,
        streams: Sequence[str] | None = None,
        direction: str | None = None,
        mode: str | None = None,
        schedule: str | None = None,
        on_demand: bool = False,
        time_zone: str | None = None,
        jitter_seconds: int | None = None,
        enabled: bool | None = None,
    ) -> Sync:
        """Change what is given; `on_demand` takes the schedule away. A time that has come stays due unless its timing changes.

        Raises SyncNotFound, InvalidInput.
        """
        actor.require(Permission.MANAGE_CONNECTIONS)
        given: dict[str, object] = {"name": name, "streams": streams, "direction": direction, "mode": mode, "schedule": schedule}
        given |= {"time_zone": time_zone, "jitter_seconds": jitter_seconds, "enabled": enabled}
        changes = {key: value for key, value in given.items() if value is not None} | ({"schedule": None} if on_demand else {})
        async with transaction(actor.scope):
            sync = await self._get(actor.scope, sync_id, lock=True)
            before = _Wish(*(getattr(sync, name) for name in _WISHES))
            await self._change(actor, sync, before, replace(before, **changes))  # type: ignore[arg-type]  # each goes to its own field
        return await self.get(actor, sync_id)

    async def _change(self, actor: Actor, sync: Sync, before: _Wish, after: _Wish) -> None:
        self._check((await self._connections.get(actor, sync.connection_id)).provider, after)
        due = self._next_due(sync.id, after)
        await execute(
            actor.scope,
            f"""
            UPDATE sync SET updated_at = now(), next_due_at = $3,
                {", ".join(f"{name} = ${place}" for place, name in enumerate(_WISHES, 4))}
            WHERE organization_id = $1 AND id = $2
            """,
            actor.organization_id,
            sync.id,
            sync.next_due_at if after.timing == before.timing else due,
            *asdict(after).values(),
        )
        await self._audit.add(actor, "sync.updated", sync.id, asdict(after))

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
        """Start a sync that is due, once however many of its times were missed, and note when it is due next.

        None when it is not due any more, or cannot be started now: then it waits for its next time, and says why.
        """
        actor = system_actor(organization_id, "Schedule")
        async with transaction(actor.scope):
            sync = await self._take_due(actor.scope, sync_id)
            if sync is None:
                return None
            try:
                await self._set_next(actor.scope, sync, self._next_due(sync.id, sync))
                await self._tell_of_passed(actor.scope, sync)
                return await self._syncs.start(
                    actor, sync.connection_id, streams=sync.streams, mode=sync.mode, direction=sync.direction, sync_id=sync.id
                )
            except _DATABASE_ERRORS:
                raise  # nothing is committed: it stays due and is tried again
            except Exception as error:
                await self._skip(actor.scope, sync, error)
                return None

    async def _take_due(self, scope: Scope, sync_id: UUID) -> Sync | None:
        row = await fetch_row(
            scope,
            f"""
            SELECT {_COLUMNS} FROM sync
            WHERE organization_id = $1 AND id = $2 AND enabled AND deleted_at IS NULL AND next_due_at <= $3
            FOR NO KEY UPDATE SKIP LOCKED
            """,
            scope.organization_id,
            sync_id,
            self._now(),
        )
        return _sync(row) if row else None

    async def _set_next(self, scope: Scope, sync: Sync, due: datetime | None) -> None:
        await execute(scope, "UPDATE sync SET next_due_at = $3 WHERE organization_id = $1 AND id = $2", scope.organization_id, sync.id, due)

    async def _tell_of_passed(self, scope: Scope, sync: Sync) -> None:
        """Say so where more than one of its times came while no worker was there."""
        assert sync.schedule is not None
        assert sync.next_due_at is not None
        delay = rules.spread(sync.id, sync.jitter_seconds)
        if passed := rules.passed(sync.schedule, sync.time_zone, sync.next_due_at, self._now(), delay):
            more = "at least " if passed == rules.MAXIMUM_PASSED else ""
            times = "time" if passed == 1 else "times"
            await self._note(scope, sync, f"No worker was there for {more}{passed} more of its {times}; they came to one run.")

    async def _skip(self, scope: Scope, sync: Sync, error: Exception) -> None:
        """It is running already, its connection waits for somebody, or it cannot be carried out as it is."""
        if not isinstance(error, HubError):
            logger.error("a standing sync could not be started", sync_id=str(sync.id), exc_info=error)
        await self._note(scope, sync, str(error) if isinstance(error, HubError) else _OUR_FAULT)

    async def _note(self, scope: Scope, sync: Sync, reason: str) -> None:
        await execute(
            scope,
            """
            UPDATE sync SET last_skipped_at = $3, last_skipped_reason = $4, next_due_at = nullif(next_due_at, $5)
            WHERE organization_id = $1 AND id = $2
            """,
            scope.organization_id,
            sync.id,
            self._now(),
            reason,
            sync.next_due_at,  # still there: it has no next time, for its schedule cannot be read any more
        )


def _directions(streams: Iterable[Stream]) -> list[str]:
    """Those in which these streams can be synced together."""
    ordered, found = rules.order(streams), []
    for direction in rules.DIRECTIONS:
        with suppress(InvalidInput):
            rules.walks(ordered, direction, named=True)
            found.append(direction)
    return found


def _sync(row: asyncpg.Record) -> Sync:
    return Sync(**row)
