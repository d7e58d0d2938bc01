"""Standing syncs: what is to be synced, and when it is due."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, replace
from datetime import datetime
from itertools import islice
from uuid import UUID

import asyncpg
import structlog

from app.actors import Actor, Permission, Scope, system_actor
from app.audit.service import AuditService
from app.connections.service import ConnectionService
from app.connectors.base import Connector, Stream
from app.database import transaction
from app.errors import HubError, InvalidInput, NotFound
from app.ids import new_id
from app.syncs import rules, schedule_store
from app.syncs.clock_changes import Occurrence, occurrences
from app.syncs.models import Sync, SyncRun
from app.syncs.schedule_store import TERMS, Terms
from app.syncs.service import SyncService


class SyncNotFound(NotFound):
    """This sync does not exist, or you may not see it."""

    code = "sync_not_found"


JITTER_SECONDS = 60
"""Syncs of the same schedule begin within so many seconds, where nothing else is asked for."""
MAXIMUM_JITTER_SECONDS = 3600
MAXIMUM_PREVIEW = 50
_DATABASE_ERRORS = (asyncpg.PostgresError, asyncpg.InterfaceError, OSError)
_OUR_FAULT = "Something went wrong on our side; it was logged and we will look into it."

logger = structlog.get_logger(__name__)


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
        return await schedule_store.of_connection(actor.scope, connection_id)

    async def get(self, actor: Actor, sync_id: UUID) -> Sync:
        """Raises SyncNotFound."""
        actor.require(Permission.READ_SYNCS)
        return _there(await schedule_store.get(actor.scope, sync_id))

    async def get_many(self, actor: Actor, sync_ids: Sequence[UUID]) -> list[Sync]:
        """Those of the syncs that exist, in any order."""
        actor.require(Permission.READ_SYNCS)
        return await schedule_store.get_many(actor.scope, sync_ids)

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
        terms = Terms(name, list(streams), direction, mode, schedule, time_zone, jitter_seconds)
        self._check(connection.provider, terms)
        sync_id = new_id()
        async with transaction(actor.scope):
            await schedule_store.add(actor.scope, sync_id, connection_id, terms, self._next_due(sync_id, terms))
            await self._audit.add(actor, "sync.created", sync_id, asdict(terms))
        return await self.get(actor, sync_id)

    def _check(self, provider: str, terms: Terms) -> None:
        wrong: dict[str, str] = {}
        offered = self._connectors[provider].streams
        if not 1 <= len(terms.name.strip()) <= 100:
            wrong["name"] = "Give the sync a name of 1 to 100 characters."
        if terms.mode not in ("incremental", "full"):
            wrong["mode"] = "The mode is incremental or full."
        if not 0 <= terms.jitter_seconds <= MAXIMUM_JITTER_SECONDS:
            wrong["jitterSeconds"] = f"Choose 0 to {MAXIMUM_JITTER_SECONDS} seconds."
        if not terms.streams or any(stream not in offered for stream in terms.streams):
            wrong["streams"] = f"Choose from {', '.join(offered)}."
        elif terms.direction not in (allowed := _directions(offered[name] for name in terms.streams)):
            wrong["direction"] = f"These streams can be synced in the direction {' or '.join(allowed)}."
        if wrong:
            raise InvalidInput(fields=wrong)

    def _next_due(self, sync_id: UUID, terms: Terms | Sync) -> datetime | None:
        return rules.next_due(terms.schedule, terms.time_zone, self._now(), rules.spread(sync_id, terms.jitter_seconds))

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
            sync = _there(await schedule_store.get(actor.scope, sync_id, lock=True))
            before = Terms(*(getattr(sync, name) for name in TERMS))
            await self._change(actor, sync, before, replace(before, **changes))  # type: ignore[arg-type]  # each goes to its own field
        return await self.get(actor, sync_id)

    async def _change(self, actor: Actor, sync: Sync, before: Terms, after: Terms) -> None:
        self._check((await self._connections.get(actor, sync.connection_id)).provider, after)
        due = self._next_due(sync.id, after)
        await schedule_store.change(actor.scope, sync.id, after, sync.next_due_at if after.timing == before.timing else due)
        await self._audit.add(actor, "sync.updated", sync.id, asdict(after))

    async def delete(self, actor: Actor, sync_id: UUID) -> None:
        """The sync is gone; its runs stay. Raises SyncNotFound."""
        actor.require(Permission.MANAGE_CONNECTIONS)
        await self.get(actor, sync_id)
        async with transaction(actor.scope):
            await schedule_store.delete(actor.scope, sync_id)
            await self._audit.add(actor, "sync.deleted", sync_id, {})

    async def start_due(self, organization_id: UUID, sync_id: UUID) -> SyncRun | None:
        """Start a sync that is due, once however many of its times were missed, and note when it is due next.

        None when it is not due any more, or cannot be started now: then it waits for its next time, and says why.
        """
        actor = system_actor(organization_id, "Schedule")
        async with transaction(actor.scope):
            sync = await schedule_store.take_due(actor.scope, sync_id, self._now())
            if sync is None:
                return None
            try:
                await schedule_store.set_next(actor.scope, sync.id, self._next_due(sync.id, sync))
                await self._tell_of_passed(actor.scope, sync)
                return await self._syncs.start(
                    actor, sync.connection_id, streams=sync.streams, mode=sync.mode, direction=sync.direction, sync_id=sync.id
                )
            except _DATABASE_ERRORS:
                raise  # nothing is committed: it stays due and is tried again
            except Exception as error:
                await self._skip(actor.scope, sync, error)
                return None

    async def _tell_of_passed(self, scope: Scope, sync: Sync) -> None:
        """Say so where more than one of its times came while no worker was there."""
        assert sync.schedule is not None
        assert sync.next_due_at is not None
        delay = rules.spread(sync.id, sync.jitter_seconds)
        if passed := rules.passed(sync.schedule, sync.time_zone, sync.next_due_at, self._now(), delay):
            more = "at least " if passed == rules.MAXIMUM_PASSED else ""
            times = "time" if passed == 1 else "times"
            await schedule_store.note_skipped(
                scope, sync, self._now(), f"No worker was there for {more}{passed} more of its {times}; they came to one run."
            )

    async def _skip(self, scope: Scope, sync: Sync, error: Exception) -> None:
        """It is running already, its connection waits for somebody, or it cannot be carried out as it is."""
        if not isinstance(error, HubError):
            logger.error("a standing sync could not be started", sync_id=str(sync.id), exc_info=error)
        reason = str(error) if isinstance(error, HubError) else _OUR_FAULT
        await schedule_store.note_skipped(scope, sync, self._now(), reason)


def _directions(streams: Iterable[Stream]) -> list[str]:
    """Those in which these streams can be synced together."""
    ordered, found = rules.order(streams), []
    for direction in rules.DIRECTIONS:
        with suppress(InvalidInput):
            rules.walks(ordered, direction, named=True)
            found.append(direction)
    return found


def _there(sync: Sync | None) -> Sync:
    if sync is None:
        raise SyncNotFound
    return sync
