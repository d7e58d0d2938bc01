"""Live streams. Each event of the feed arrives once, also across connections that were cut: give its cursor as `after`."""

from collections.abc import AsyncGenerator
from typing import Annotated
from uuid import UUID

import strawberry

from app.actors import Permission
from app.api.context import Info
from app.api.ids import optional_uuid, uuid_of
from app.api.quote_types import Quote
from app.api.streams import while_allowed
from app.api.sync_types import SyncRun
from app.errors import InvalidInput
from app.syncs import models
from app.syncs.models import ACTIVE_STATUSES

Cursor = Annotated[
    str | None,
    strawberry.argument(description="The `cursor` of the last event that was seen; left out: begin with how things are now."),
]


@strawberry.type(description="A sync run has moved.")
class SyncRunProgress:
    loaded: strawberry.Private[SyncRun]
    cursor: str = strawberry.field(description="Where this event lies in the feed; give it as `after` to go on from here.")
    revision: int = strawberry.field(description="The revision of the run that this event tells of.")
    missed: bool = strawberry.field(default=False, description="Whether earlier events were left out because the reader was far behind.")

    @strawberry.field(description="The run as it is now, which may be later than this event.")
    def run(self) -> SyncRun:
        return self.loaded


@strawberry.type(description="A quote, its decision or its delivery has changed.")
class QuoteChange:
    quote_id: strawberry.Private[UUID]
    cursor: str = strawberry.field(description="Where this event lies in the feed; give it as `after` to go on from here.")
    revision: int = strawberry.field(description="The revision of the quote that this event tells of.")
    missed: bool = strawberry.field(default=False, description="Whether earlier events were left out because the reader was far behind.")

    @strawberry.field(description="The quote as it is now, which may be later than this event.")
    async def quote(self, info: Info) -> Quote | None:
        return await info.context.loaders.quote.load(self.quote_id)


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
        run = uuid_of(run_id, "SyncRun", field="runId")
        info.context.actor.require(Permission.READ_SYNCS)
        async for event in while_allowed(info.context, Permission.READ_SYNCS, _run_events(info, run, after)):
            yield event

    @strawberry.subscription(description="Quotes that change: one, or all that whoever asks may see. It does not end by itself.")
    async def quote_changed(
        self,
        info: Info,
        quote_id: Annotated[strawberry.ID | None, strawberry.argument(description="Only this quote.")] = None,
        after: Cursor = None,
    ) -> AsyncGenerator[QuoteChange, None]:
        quote = optional_uuid(quote_id, "Quote", field="quoteId")
        info.context.actor.require(Permission.READ_QUOTES)
        async for event in while_allowed(info.context, Permission.READ_QUOTES, _quote_events(info, quote, after)):
            yield event


async def _run_events(info: Info, run_id: UUID, after: str | None) -> AsyncGenerator[SyncRunProgress, None]:
    """Ends after the event that tells of the run's end, at once when that one was seen already."""
    hub, actor = info.context.hub, info.context.actor
    position, seen = (await hub.feed.head(actor.scope), 0) if after is None else _place(after)
    run = await hub.syncs.run(actor, run_id)
    if after is None:
        seen = run.revision
        yield _progress(run, position, seen)
    if run.status not in ACTIVE_STATUSES and seen >= run.revision:
        return
    async for event in hub.feed.changes(actor.scope, topics=["sync_run"], subject_id=run_id, after=position):
        if event.revision <= seen:
            continue
        seen, run = event.revision, await hub.syncs.run(actor, run_id)
        yield _progress(run, event.sequence, seen, event.missed)
        if run.status not in ACTIVE_STATUSES and seen >= run.revision:
            return


async def _quote_events(info: Info, quote_id: UUID | None, after: str | None) -> AsyncGenerator[QuoteChange, None]:
    hub, actor = info.context.hub, info.context.actor
    position, seen = (await hub.feed.head(actor.scope), 0) if after is None else _place(after)
    if quote_id is not None:
        quote = await hub.quotes.quote(actor, quote_id)
        if after is None:
            seen = quote.revision
            yield QuoteChange(quote_id=quote_id, cursor=_cursor(position, seen), revision=seen)
    async for event in hub.feed.changes(actor.scope, topics=["quote"], subject_id=quote_id, after=position):
        if quote_id is not None and event.revision <= seen:
            continue
        cursor = _cursor(event.sequence, event.revision)
        yield QuoteChange(quote_id=event.subject_id, cursor=cursor, revision=event.revision, missed=event.missed)


def _progress(run: models.SyncRun, sequence: int, revision: int, missed: bool = False) -> SyncRunProgress:
    cursor = _cursor(sequence, revision)
    return SyncRunProgress(loaded=SyncRun.of(run), cursor=cursor, revision=revision, missed=missed)


def _cursor(sequence: int, revision: int) -> str:
    return f"{sequence}.{revision}"


def _place(cursor: str) -> tuple[int, int]:
    """(sequence in the feed, revision of the subject). Raises InvalidInput."""
    sequence, _, revision = cursor.partition(".")
    if not (sequence.isascii() and sequence.isdigit() and revision.isascii() and revision.isdigit()) or len(cursor) > 36:
        raise InvalidInput(fields={"after": "This cursor is not one of ours; start again without it."})
    return int(sequence), int(revision)
