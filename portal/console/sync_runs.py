"""Sync runs: the list, and one run that is watched live."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response

from app.actors import Permission
from app.connections.models import LoggedCall
from app.errors import InvalidInput
from app.paging import PageRequest
from app.syncs.models import RunStatus, SyncRun, SyncRunStream
from app.syncs.plans.models import Plan
from app.syncs.plans.rules import not_undoable
from portal.console.causes import causes_of
from portal.console.pages import connection_names, next_page, staff_fragment, staff_page
from portal.console.reconciliation import of_run
from portal.forms import ids, new_key, page_request
from portal.live import DONE, PAUSE_SECONDS, Message, event_stream, position
from portal.session import actor, hub, see_other, visit
from portal.statuses import Step, run_look

SECTION = "Sync runs"
LATEST_CALLS = 25
WAYS = ("pull", "push")
_STOPPED = frozenset({RunStatus.FAILED, RunStatus.CANCELLED})


@dataclass(frozen=True, slots=True)
class Filters:
    connection: str
    status: str


@dataclass(frozen=True, slots=True)
class PlacedCall:
    """A call with its place on the run's time line, in percent of the time that the shown calls took."""

    method: str
    url: str
    status: int | None
    duration_ms: float
    start: float
    width: float


async def index(request: Request) -> Response:
    given = Filters(request.query_params.get("connection", ""), request.query_params.get("status", ""))
    names = await connection_names(request)
    found = await hub(request).syncs.runs(
        actor(request),
        page_request(request),
        connection_id=ids([given.connection])[0] if given.connection else None,
        status=_known_status(given.status),
    )
    return await staff_page(
        request,
        "runs.html",
        SECTION,
        runs=found,
        listed_runs=found.items,
        names=names,
        given=given,
        connection_options=[("", "All"), *((str(key), name) for key, name in names.items())],
        status_options=[("", "All"), *((status.value, run_look(status).word) for status in RunStatus)],
        page_address=next_page(request),
    )


def _known_status(text: str) -> str | None:
    if text and text not in list(RunStatus):
        raise InvalidInput("There is no such status.")
    return text or None


async def show(request: Request) -> Response:
    # Read before the run, so that whatever happens after it is heard.
    head = await hub(request).feed.head(actor(request).scope)
    run = await hub(request).syncs.run(actor(request), request.path_params["run_id"])
    calls = await hub(request).connections.provider_calls(actor(request), run.connection_id, PageRequest(LATEST_CALLS), sync_run_id=run.id)
    return await staff_page(request, "run.html", SECTION, head=head, calls=placed(calls.items), **await _context(request, run))


async def _context(request: Request, run: SyncRun) -> dict[str, Any]:
    connection = await hub(request).connections.get(actor(request), run.connection_id)
    failed = (
        await hub(request).failed_records.failed_records(actor(request), PageRequest(100), run_id=run.id, state=None)
        if run.counts.failed
        else None
    )
    streams = hub(request).connectors[connection.provider].streams
    titles = {name: stream.title for name, stream in streams.items()}
    return {
        "run": run,
        "connection_name": connection.name,
        "titles": titles,
        "provider": hub(request).connectors[connection.provider].title,
        "ways": [(way, walked) for way in WAYS if (walked := [one for one in run.streams if one.direction == way])],
        "steps": steps_of(run, titles),
        "seconds_left": run.seconds_left(hub(request).now()),
        "comparisons": await of_run(request, run, titles),
        "causes": causes_of(failed.items) if failed else [],
        "can_undo": _may_undo(request) and not_undoable(run) is None,
        "undo_plan": await _undo_plan(request, run),
        "idempotency_key": new_key(),
    }


def _may_undo(request: Request) -> bool:
    return actor(request).may(Permission.RUN_SYNCS) and actor(request).may(Permission.MANAGE_RECORDS)


async def _undo_plan(request: Request, run: SyncRun) -> Plan | None:
    """The newest plan that takes the run back."""
    if run.status.is_active or run.task == "plan":
        return None
    found = await hub(request).plans.plans(actor(request), PageRequest(1), undoes_run_id=run.id)
    return found.items[0] if found.items else None


async def events(request: Request) -> Response:
    return event_stream(_progress(request, request.path_params["run_id"]))


async def _progress(request: Request, run_id: UUID) -> AsyncIterator[Message]:
    """The run after each change, until it has ended."""
    who, services, shown = actor(request), hub(request), 0
    async for event in services.feed.changes(who.scope, topics=("sync_run",), subject_id=run_id, after=position(request)):
        if event.revision <= shown:
            continue
        run = await services.syncs.run(who, run_id)
        shown = run.revision
        yield Message(staff_fragment(request, "run.html", "run", **await _context(request, run)), event.sequence)
        if not run.status.is_active:
            yield DONE
            return
        await asyncio.sleep(PAUSE_SECONDS)


async def cancel(request: Request) -> Response:
    run = await hub(request).syncs.cancel(actor(request), request.path_params["run_id"])
    return see_other(f"{visit(request).base}/runs/{run.id}" + ("?done=cancelling" if run.status.is_active else ""))


def steps_of(run: SyncRun, titles: dict[str, str]) -> list[Step]:
    """A run as a time line: its start, each stream, its end."""
    started = Step("done" if run.started_at else "now", "Started" if run.started_at else "Waiting for a worker")
    streams = [Step(_stage(stream.status, run), _walked(stream, run, titles), _counted(stream)) for stream in run.streams]
    ended = "todo" if run.status.is_active else "wrong" if run.status in _STOPPED else "done"
    return [started, *streams, Step(ended, run_look(run.status).word if not run.status.is_active else "Completed")]


def _stage(status: str, run: SyncRun) -> str:
    stage = {"completed": "done", "running": "now", "failed": "wrong", "cancelled": "wrong"}.get(status, "todo")
    return "todo" if stage == "now" and not run.status.is_active else stage


def _walked(stream: SyncRunStream, run: SyncRun, titles: dict[str, str]) -> str:
    """A stream of a run; with its way where the run goes both ways."""
    title = titles.get(stream.stream, stream.stream)
    return f"{title}, {'written' if stream.direction == 'push' else 'read'}" if run.direction == "two_way" else title


def _counted(stream: SyncRunStream) -> str:
    if stream.direction == "push":
        return f"{stream.counts.read:,} looked at" if stream.pages else ""
    return f"{stream.counts.read:,} read, {stream.pages:,} pages" if stream.pages else ""


def placed(calls: Any) -> list[PlacedCall]:
    """The calls in the order they were made, each with its place in time."""
    ordered: list[LoggedCall] = sorted(calls, key=lambda call: call.called_at)
    if not ordered:
        return []
    first = ordered[0].called_at
    starts = [(call.called_at - first).total_seconds() * 1000 for call in ordered]
    whole = max(start + call.duration_ms for start, call in zip(starts, ordered, strict=True)) or 1
    return [
        PlacedCall(
            call.method,
            call.url,
            call.status,
            call.duration_ms,
            round(start / whole * 100, 2),
            round(max(call.duration_ms / whole * 100, 0.6), 2),
        )
        for start, call in zip(starts, ordered, strict=True)
    ]
