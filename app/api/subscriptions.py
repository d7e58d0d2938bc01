"""Live streams. Each event of the feed arrives once, also across connections that were cut: give its cursor as `after`."""

from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import Annotated, Any
from uuid import UUID

import strawberry

from app.actors import Permission
from app.api.context import Context, Info
from app.api.ids import optional_uuid, uuid_of
from app.api.live.followed import Place, cursor, followed
from app.api.types.changes import ConnectionChange, QuoteChange, RecordChange, RecordEntity, SyncRunProgress
from app.api.types.sync_runs import SyncRun
from app.feed.models import Event
from app.records.events import topic_of
from app.syncs.models import ACTIVE_STATUSES

Cursor = Annotated[
    str | None,
    strawberry.argument(description="The `cursor` of the last event that was seen; left out: begin with how things are now."),
]
Behind = Annotated[
    str | None,
    strawberry.argument(description="The `cursor` of the last event that was seen; left out: begin with what comes."),
]


@dataclass(frozen=True, slots=True)
class _RunMoves:
    """It ends when the run has ended."""

    subject_id: UUID
    permission = Permission.READ_SYNCS
    topics = frozenset({"sync_run"})

    async def revision(self, context: Context) -> int:
        return (await context.hub.syncs.run(context.actor, self.subject_id)).revision

    async def payload(self, context: Context, event: Event) -> SyncRunProgress:
        run = SyncRun.of(await context.hub.syncs.run(context.actor, self.subject_id))
        return SyncRunProgress(loaded=run, cursor=cursor(event), revision=event.revision, missed=event.missed)

    def is_last(self, event: Event, payload: SyncRunProgress) -> bool:
        return payload.loaded.status.value not in ACTIVE_STATUSES and event.revision >= payload.loaded.revision


@dataclass(frozen=True, slots=True)
class _QuotesChange:
    subject_id: UUID | None
    permission = Permission.READ_QUOTES
    topics = frozenset({"quote"})

    async def revision(self, context: Context) -> int | None:
        return None if self.subject_id is None else (await context.hub.quotes.quote(context.actor, self.subject_id)).revision

    async def payload(self, context: Context, event: Event) -> QuoteChange:
        return QuoteChange(quote_id=event.subject_id, cursor=cursor(event), revision=event.revision, missed=event.missed)

    def is_last(self, event: Event, payload: Any) -> bool:
        return False


@dataclass(frozen=True, slots=True)
class _ConnectionsChange:
    subject_id: UUID | None
    permission = Permission.READ_CONNECTIONS
    topics = frozenset({"connection"})

    async def revision(self, context: Context) -> int | None:
        return None if self.subject_id is None else (await context.hub.connections.get(context.actor, self.subject_id)).revision

    async def payload(self, context: Context, event: Event) -> ConnectionChange:
        return ConnectionChange(connection_id=event.subject_id, cursor=cursor(event), revision=event.revision, missed=event.missed)

    def is_last(self, event: Event, payload: Any) -> bool:
        return False


@dataclass(frozen=True, slots=True)
class _RecordsChange:
    """Pages have no revisions: it begins with what comes, and the sequence alone says where a subscriber is."""

    subject_id: UUID | None
    topics: frozenset[str]
    permission = Permission.READ_RECORDS

    async def revision(self, context: Context) -> None:
        if self.subject_id is not None:
            await context.hub.connections.get(context.actor, self.subject_id)

    async def payload(self, context: Context, event: Event) -> RecordChange:
        return RecordChange.of(event)

    def is_last(self, event: Event, payload: Any) -> bool:
        return False


@strawberry.type
class LiveQueries:
    @strawberry.field(
        description="Where the feed ends now: load what is to be shown together with this, then subscribe with it as `after`, "
        "and nothing is missed in between."
    )
    async def live_cursor(self, info: Info) -> str:
        return str(Place(await info.context.hub.feed.head(info.context.actor.scope)))


@strawberry.type(description="What can be watched.")
class Subscription:
    @strawberry.subscription(
        description="How a sync run moves. It begins with how things are now, or after `after`, and ends when the run has ended."
    )
    async def sync_run_progress(
        self,
        info: Info,
        run_id: Annotated[strawberry.ID, strawberry.argument(description="The run's id.")],
        after: Cursor = None,
    ) -> AsyncGenerator[SyncRunProgress, None]:
        async for event in followed(info, _RunMoves(uuid_of(run_id, "SyncRun", field="runId")), after):
            yield event

    @strawberry.subscription(description="Quotes that change: one, or all that whoever asks may see. It does not end by itself.")
    async def quote_changed(
        self,
        info: Info,
        quote_id: Annotated[strawberry.ID | None, strawberry.argument(description="Only this quote.")] = None,
        after: Cursor = None,
    ) -> AsyncGenerator[QuoteChange, None]:
        async for event in followed(info, _QuotesChange(optional_uuid(quote_id, "Quote")), after):
            yield event

    @strawberry.subscription(description="Connections that change: one, or all. It does not end by itself.")
    async def connection_changed(
        self,
        info: Info,
        connection_id: Annotated[strawberry.ID | None, strawberry.argument(description="Only this connection.")] = None,
        after: Cursor = None,
    ) -> AsyncGenerator[ConnectionChange, None]:
        subject = _ConnectionsChange(optional_uuid(connection_id, "Connection"))
        async for event in followed(info, subject, after):
            yield event

    @strawberry.subscription(description="Records that a sync has taken over, page by page. It does not end by itself.")
    async def records_changed(
        self,
        info: Info,
        connection_id: Annotated[strawberry.ID | None, strawberry.argument(description="Only those of this connection.")] = None,
        entities: Annotated[list[RecordEntity] | None, strawberry.argument(description="Only records of these kinds.")] = None,
        after: Behind = None,
    ) -> AsyncGenerator[RecordChange, None]:
        topics = frozenset(topic_of(entity.value) for entity in entities or RecordEntity)
        async for event in followed(info, _RecordsChange(optional_uuid(connection_id, "Connection"), topics), after):
            yield event
