"""What one side of a stream lacks: records that a provider does not have, and objects that the hub does not have."""

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlencode
from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response

from app.actors import Permission
from app.connections.models import Connection
from app.connectors.base import Connector, Stream
from app.errors import InvalidInput, NotFound, Refusal
from app.paging import PageRequest
from app.records.models import Record
from app.syncs.counterparts import Counterpart
from app.syncs.importing import ImportOutcome, ImportReport
from app.syncs.service import SyncInProgress
from app.syncs.unsynced import UnsyncedObjects
from portal.console.conflict_cards import title_of
from portal.console.pages import connection_of, connector_of, staff_page
from portal.forms import Form, new_key, read_form
from portal.session import actor, hub, see_other, visit

SECTION = "Connections"
PAGE = 25
MOST = 10_000
"""Beyond so many they are not counted."""


@dataclass(frozen=True, slots=True)
class Row:
    """A record that a provider does not have."""

    record: Record
    title: str
    counterpart: Counterpart | None
    """Where it is on its way, or why it did not get there."""


async def show(request: Request) -> Response:
    connection = await connection_of(request)
    connector = connector_of(request, connection)
    stream = stream_of(connector, request.query_params.get("stream", ""))
    asked = {name: request.query_params.get(name) or None for name in ("records_after", "objects_after")}
    records = await hub(request).unsynced.records(actor(request), connection.id, stream.name, PageRequest(PAGE, asked["records_after"]))
    return await staff_page(
        request,
        "missing.html",
        SECTION,
        connection=connection,
        connector=connector,
        stream=stream,
        stream_options=[(one.name, one.title) for one in whole_streams(connector)],
        records=records,
        rows=await _rows(request, records.items, connection.id),
        objects=await _objects(request, connection, stream, asked["objects_after"]),
        can_push=stream.writer is not None and actor(request).may(Permission.RUN_SYNCS),
        can_import=actor(request).may(Permission.RUN_SYNCS),
        sent=request.query_params.get("sent", ""),
        taken=request.query_params.get("taken", ""),
        left=request.query_params.getlist("left"),
        idempotency_key=new_key(),
        page_address=lambda side, cursor: "?" + urlencode({"stream": stream.name, f"{side}_after": cursor}) + f"#{side}",
    )


def whole_streams(connector: Connector) -> list[Stream]:
    """Without views of another stream."""
    return [stream for stream in connector.streams.values() if stream.record_stream == stream.name]


def stream_of(connector: Connector, name: str) -> Stream:
    """The stream that is asked for, or the first one. Raises NotFound."""
    found = next((one for one in whole_streams(connector) if name in ("", one.name)), None)
    if found is None:
        raise NotFound("This connection has no such stream.")
    return found


async def _rows(request: Request, records: Sequence[Record], connection_id: UUID) -> list[Row]:
    places = await hub(request).counterparts.of_records(actor(request), [record.id for record in records])
    there = {id: next((one for one in found if one.connection_id == connection_id), None) for id, found in places.items()}
    return [Row(record, title_of(record), there[record.id]) for record in records]


async def _objects(request: Request, connection: Connection, stream: Stream, after: str | None) -> UnsyncedObjects | None:
    """None: the provider cannot list all of them, so nobody knows."""
    if not stream.complete:
        return None
    return await hub(request).unsynced.objects(actor(request), connection.id, stream.name, PageRequest(PAGE, after))


async def push(request: Request) -> Response:
    """Bring the chosen records there, each by itself."""
    form, connection = await read_form(request), await connection_of(request)
    chosen, refused = form.ids("only") or form.ids("record"), list[str]()
    for record_id in chosen:
        try:
            await hub(request).pushes.queue(
                actor(request),
                record_id,
                connection.id,
                stream=form.text("stream") or None,
                idempotency_key=f"{form.idempotency_key}-{record_id}",
            )
        except InvalidInput as refusal:
            refused.append(refusal.message)
    return _back(request, form, sent=str(len(chosen) - len(refused)), left=refused[:3])


async def take_over(request: Request) -> Response:
    """Read the chosen objects now, and take them over, each by itself."""
    form, connection = await read_form(request), await connection_of(request)
    chosen = form.texts("only") or form.texts("object")
    report = await hub(request).imports.many(actor(request), connection.id, form.text("stream"), chosen) if chosen else ImportReport([])
    return _back(request, form, taken=str(report.imported), left=_left(report))


def _left(report: ImportReport) -> list[str]:
    """Why some were not taken over: each reason once, with the first id that it was given for."""
    wrong = [one for one in report.results if one.outcome in (ImportOutcome.FAILED, ImportOutcome.MISSING)]
    reasons = {one.message or "": one.external_id for one in reversed(wrong)}
    return [f"{external_id}: {message}" for message, external_id in reversed(reasons.items())][:3]


def _back(request: Request, form: Form, **result: str | list[str]) -> Response:
    told = {"stream": form.text("stream"), **{name: value for name, value in result.items() if value}}
    return see_other(f"{visit(request).base}/connections/{request.path_params['connection_id']}/missing?" + urlencode(told, doseq=True))


async def ask_all(request: Request) -> Response:
    """How many, what it means, and whether to start."""
    actor(request).require(Permission.RUN_SYNCS)
    return await _all_page(request, request.query_params.get("stream", ""), request.query_params.get("way", ""))


async def _all_page(request: Request, name: str, way: str, *, status: int = 200, problem: str = "") -> Response:
    connection = await connection_of(request)
    connector = connector_of(request, connection)
    stream = stream_of(connector, name)
    counts = await hub(request).unsynced.counts(actor(request), connection.id, stream.name, MOST)
    return await staff_page(
        request,
        "missing_all.html",
        SECTION,
        status=status,
        connection=connection,
        connector=connector,
        stream=stream,
        way="push" if way == "push" and stream.writer else "pull",
        counts=counts,
        most=MOST,
        idempotency_key=new_key(),
        problems={"": problem} if problem else {},
    )


async def start_all(request: Request) -> Response:
    """A run of the stream: its page shows how far it is."""
    actor(request).require(Permission.RUN_SYNCS)
    form, connection = await read_form(request), await connection_of(request)
    name, way = form.text("stream"), form.text("way")
    try:
        run = await hub(request).syncs.start(
            actor(request),
            connection.id,
            streams=[name],
            mode="full",
            direction="push" if way == "push" else "pull",
            creates_missing=way == "push",
            idempotency_key=form.idempotency_key,
        )
    except SyncInProgress as refusal:
        return see_other(f"{visit(request).base}/runs/{refusal.existing_run_id}?done=earlier")
    except Refusal as refusal:
        return await _all_page(request, name, way, status=409, problem=refusal.message)
    return see_other(f"{visit(request).base}/runs/{run.id}")
