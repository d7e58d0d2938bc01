"""Whether a connection's streams are in step with their provider: compare now, what came out, and what came out before."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from app.actors import Permission
from app.connections.models import Connection
from app.connectors.base import Connector, Stream
from app.errors import NotFound, Refusal
from app.syncs.models import Sync
from app.syncs.reconciliation import Reconciliation
from app.syncs.service import SyncInProgress
from portal.console.overview import Drift
from portal.console.pages import connection_of, connector_of, next_page, staff_page
from portal.forms import new_key, page_request, read_form
from portal.session import actor, hub, see_other, visit

SECTION = "Connections"


@dataclass(frozen=True, slots=True)
class Compared:
    """A stream that can be compared, with what its last complete scan came to."""

    stream: Stream
    found: Reconciliation | None


async def show(request: Request) -> Response:
    return await _page(request)


async def _page(request: Request, *, status: int = 200, problems: Mapping[str, str] | None = None) -> Response:
    connection = await connection_of(request)
    connector = connector_of(request, connection)
    syncs = await hub(request).schedules.syncs(actor(request), connection.id)
    return await staff_page(
        request,
        "reconciliation.html",
        SECTION,
        status=status,
        connection=connection,
        connector=connector,
        compared=await compared(request, connector),
        left_out=[stream.title for stream in connector.streams.values() if stream.record_stream == stream.name and not stream.complete],
        comparing=[sync for sync in syncs if compares(sync)],
        idempotency_key=new_key(),
        problems=problems or {},
    )


async def compared(request: Request, connector: Connector) -> list[Compared]:
    """Of the connection that the address names."""
    names = comparable(connector)
    found = await hub(request).reconciliations.latest(actor(request), request.path_params["connection_id"], names)
    latest = {one.stream: one for one in found}
    return [Compared(connector.streams[name], latest.get(name)) for name in names]


def comparable(connector: Connector) -> list[str]:
    """The streams of which a full run names every object."""
    return [name for name, stream in connector.streams.items() if stream.record_stream == name and stream.complete]


def compares(sync: Sync) -> bool:
    """Whether a standing sync compares by itself."""
    return sync.enabled and sync.schedule is not None and sync.mode == "full" and sync.direction != "push"


async def start(request: Request) -> Response:
    """Compare now: read everything, or go to the run that is already going on."""
    actor(request).require(Permission.RUN_SYNCS)
    form, connection = await read_form(request), await connection_of(request)
    streams = form.texts("stream") or comparable(connector_of(request, connection))
    try:
        run = await hub(request).syncs.start(
            actor(request), connection.id, streams=streams, mode="full", idempotency_key=form.idempotency_key
        )
    except SyncInProgress as refusal:
        return see_other(f"{visit(request).base}/runs/{refusal.existing_run_id}?done=earlier")
    except Refusal as refusal:
        return await _page(request, status=422, problems={"": refusal.message})
    return see_other(f"{visit(request).base}/runs/{run.id}")


async def history(request: Request) -> Response:
    """What all complete scans of one stream came to."""
    connection, name = await connection_of(request), request.path_params["stream"]
    connector = connector_of(request, connection)
    if name not in comparable(connector):
        raise NotFound("This connection has no such stream.")
    found = await hub(request).reconciliations.history(actor(request), connection.id, name, page_request(request))
    return await staff_page(
        request,
        "reconciliation_history.html",
        SECTION,
        connection=connection,
        connector=connector,
        stream=connector.streams[name],
        found=found,
        page_address=next_page(request),
    )


async def drifts_of(request: Request, connections: Sequence[Connection]) -> list[Drift]:
    """What the last comparisons of living connections found out of step."""
    known = {
        (connection.id, name): (connection, stream.title)
        for connection in connections
        if (connector := hub(request).connectors.get(connection.provider))
        for name, stream in connector.streams.items()
        if name in comparable(connector)
    }
    latest = await hub(request).reconciliations.latest_of(actor(request), list(known))
    return [Drift(*known[key], found.sentence) for key, found in latest.items() if found.has_drift]


async def of_run(request: Request, run: Any, titles: Mapping[str, str]) -> list[tuple[str, Reconciliation]]:
    """What the complete scans of a run came to, by the streams' titles."""
    if run.mode != "full" or run.status.is_active:
        return []
    found = await hub(request).reconciliations.of_run(actor(request), run.id)
    return [(titles.get(one.stream, one.stream), one) for one in found]
