"""The overview: is everything all right, what needs a person, what runs now, what ran lately."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from app.deliveries.models import DeliveryStatus
from app.paging import PageRequest
from app.quotes.models import QuoteStatus
from app.syncs.models import SyncRun
from portal.console.overview import DAYS, days_of, finding_of, needs_of, sentence_of, sparks_of
from portal.console.pages import all_connections, open_conflicts, open_failures, staff_fragment, staff_page
from portal.console.reconciliation import drifts_of
from portal.formats import number
from portal.live import Message, event_stream, position
from portal.session import actor, hub

LATEST = 6
HISTORY = 100
# The overview may lag behind; a run's own page does not.
PAUSE_SECONDS = 1.0


async def show(request: Request) -> Response:
    who, services = actor(request), hub(request)
    head = await services.feed.head(who.scope)
    connections = await all_connections(request)
    runs = await services.syncs.runs(who, PageRequest(HISTORY))
    held = [one for one in (await services.quarantine.quarantined(who, PageRequest(LATEST))).items if one.status == "held"]
    stuck = await services.deliveries.deliveries(who, PageRequest(HISTORY), status=DeliveryStatus.FAILED)
    conflicts = await open_conflicts(request)
    days = days_of(runs.items, services.now())
    return await staff_page(
        request,
        "home.html",
        "Overview",
        head=head,
        facts=await _facts(request, len(connections)),
        connections=connections,
        names={connection.id: connection.name for connection in connections},
        sentence=sentence_of(connections, conflicts),
        needs=needs_of(connections, stuck.items, conflicts, await open_failures(request), held, await drifts_of(request, connections)),
        sparks=sparks_of(await services.statistics.activity(who, [connection.id for connection in connections], days=DAYS)),
        running=_running(runs.items),
        listed_runs=runs.items[:LATEST],
        days=days if runs.items else [],
        finding=finding_of(days),
    )


async def _facts(request: Request, connections: int) -> list[tuple[str, str, str]]:
    """A few numbers that lead somewhere: (word, number, path)."""
    who, services = actor(request), hub(request)
    waiting = [
        await services.deliveries.deliveries(who, PageRequest(HISTORY), status=status)
        for status in (DeliveryStatus.QUEUED, DeliveryStatus.SENDING)
    ]
    return [
        ("Connections", number(connections), "/connections"),
        ("Quotes that wait for clients", number(await services.quotes.count(who, status=QuoteStatus.OPEN)), "/quotes?status=open"),
        ("Decisions on their way", number(sum(one.quote_id is not None for page in waiting for one in page.items)), ""),
    ]


async def events(request: Request) -> Response:
    return event_stream(_running_now(request))


async def _running_now(request: Request) -> AsyncIterator[Message]:
    """What runs now, after each change of a run."""
    who, services = actor(request), hub(request)
    async for event in services.feed.changes(who.scope, topics=("sync_run",), after=position(request)):
        runs = await services.syncs.runs(who, PageRequest(20))
        names: dict[Any, str] = {connection.id: connection.name for connection in await all_connections(request)}
        yield Message(staff_fragment(request, "home.html", "running", running=_running(runs.items), names=names), event.sequence)
        await asyncio.sleep(PAUSE_SECONDS)


def _running(runs: Sequence[SyncRun]) -> list[SyncRun]:
    return [run for run in runs if run.status.is_active]
