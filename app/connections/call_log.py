"""Writes the calls to a provider down, in batches: a crash may lose the last lines of the log, and nothing else."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID

import asyncpg
import structlog

from app.actors import Scope
from app.connections.models import LoggedCall
from app.connectors.calls import ProviderCall
from app.database import execute, fetch, transaction
from app.ids import new_id

BATCH = 50
_log = structlog.get_logger("crosswalk.provider_call")


@dataclass(slots=True)
class StoredCallLog:
    """The call log of one piece of work on a connection (None: settings that are tried out)."""

    scope: Scope
    connection_id: UUID | None
    provider: str
    sync_run_id: UUID | None = None
    delivery_id: UUID | None = None
    _waiting: list[tuple[UUID, ProviderCall]] = field(default_factory=list)

    async def add(self, call: ProviderCall) -> None:
        self._waiting.append((new_id(), call))
        _log.info(
            "provider call",
            organization_id=str(self.scope.organization_id),
            connection_id=str(self.connection_id) if self.connection_id else None,
            provider=self.provider,
            method=call.method,
            url=call.url,
            status=call.status,
            attempt=call.attempt,
            duration_ms=call.duration_ms,
            error=call.error,
        )
        if len(self._waiting) >= BATCH:
            await self.flush()

    async def flush(self) -> None:
        """Store what was added. A database that is away costs log lines, not the work that they are about."""
        calls, self._waiting = self._waiting, []
        if not calls:
            return
        try:
            async with transaction(self.scope):
                await self._store(calls)
        except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError, TimeoutError) as error:
            _log.warning("provider calls were not stored", calls=len(calls), error=type(error).__name__)

    async def close(self) -> None:
        """Store the rest, also while the work is being cancelled."""
        await asyncio.shield(self.flush())

    async def _store(self, calls: Sequence[tuple[UUID, ProviderCall]]) -> None:
        await execute(
            self.scope,
            """
            INSERT INTO provider_call (id, organization_id, connection_id, sync_run_id, delivery_id, method, url, status, attempt,
                duration_ms, waited_ms, bytes_received, error, called_at)
            SELECT given.id, $1, $2, $3, $4, given.method, given.url, given.status, given.attempt,
                given.duration_ms, given.waited_ms, given.bytes_received, given.error, given.called_at
            FROM unnest($5::uuid[], $6::text[], $7::text[], $8::int[], $9::int[], $10::float8[], $11::float8[], $12::int[],
                $13::text[], $14::timestamptz[])
                AS given (id, method, url, status, attempt, duration_ms, waited_ms, bytes_received, error, called_at)
            """,
            self.scope.organization_id,
            self.connection_id,
            self.sync_run_id,
            self.delivery_id,
            [call_id for call_id, _ in calls],
            *(
                [getattr(call, column) for _, call in calls]
                for column in (*("method", "url", "status", "attempt", "duration_ms", "waited_ms", "bytes_received", "error", "called_at"),)
            ),
        )


async def logged_calls(scope: Scope, connection_id: UUID, *, first: int, after: UUID | None, sync_run_id: UUID | None) -> list[LoggedCall]:
    """Newest first; one more than `first`, to see whether there are more."""
    rows = await fetch(
        scope,
        """
        SELECT id, connection_id, sync_run_id, delivery_id, method, url, status, attempt, duration_ms, waited_ms,
            bytes_received, error, called_at
        FROM provider_call
        WHERE organization_id = $1 AND connection_id = $2 AND ($3::uuid IS NULL OR id < $3)
          AND ($4::uuid IS NULL OR sync_run_id = $4)
        ORDER BY id DESC LIMIT $5
        """,
        scope.organization_id,
        connection_id,
        after,
        sync_run_id,
        first + 1,
    )
    return [LoggedCall(**row) for row in rows]
