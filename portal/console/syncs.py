"""Syncs on a schedule: standing wishes of a connection."""

from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from app.errors import InvalidInput
from app.syncs.models import Sync
from portal.console.pages import connection_of, connector_of, staff_page
from portal.forms import Form, read_form
from portal.session import actor, hub, see_other, visit

SECTION = "Connections"
SCHEDULES = (
    ("", "Only when somebody starts it"),
    ("*/15 * * * *", "Every 15 minutes"),
    ("0 * * * *", "Every hour"),
    ("0 */6 * * *", "Every 6 hours"),
    ("0 3 * * *", "Every night at 03:00"),
    ("0 3 * * 0", "Every Sunday at 03:00"),
)


@dataclass(frozen=True, slots=True)
class Wish:
    """What stands in the form."""

    name: str
    streams: list[str]
    direction: str
    mode: str
    schedule: str
    time_zone: str
    enabled: bool = True


async def new(request: Request) -> Response:
    connection = await connection_of(request)
    streams = connector_of(request, connection).streams
    whole = [name for name, stream in streams.items() if stream.record_stream == name]
    return await _form_page(request, Wish("Every hour", whole, "pull", "incremental", "0 * * * *", visit(request).organization.time_zone))


async def create(request: Request) -> Response:
    wish = _wish(await read_form(request))
    try:
        await hub(request).schedules.create(
            actor(request),
            request.path_params["connection_id"],
            name=wish.name,
            streams=wish.streams,
            direction=wish.direction,
            mode=wish.mode,
            schedule=wish.schedule or None,
            time_zone=wish.time_zone,
        )
    except InvalidInput as refusal:
        return await _form_page(request, wish, status=422, problems=dict(refusal.fields))
    return _back(request, "sync-saved")


async def edit(request: Request) -> Response:
    sync = await _sync(request)
    wish = Wish(sync.name, list(sync.streams), sync.direction, sync.mode, sync.schedule or "", sync.time_zone, sync.enabled)
    return await _form_page(request, wish, sync=sync)


async def update(request: Request) -> Response:
    sync, wish = await _sync(request), _wish(await read_form(request))
    try:
        await hub(request).schedules.update(
            actor(request),
            sync.id,
            name=wish.name,
            streams=wish.streams,
            direction=wish.direction,
            mode=wish.mode,
            schedule=wish.schedule or None,
            on_demand=not wish.schedule,
            time_zone=wish.time_zone,
            enabled=wish.enabled,
        )
    except InvalidInput as refusal:
        return await _form_page(request, wish, sync=sync, status=422, problems=dict(refusal.fields))
    return _back(request, "sync-saved")


async def remove(request: Request) -> Response:
    await hub(request).schedules.delete(actor(request), (await _sync(request)).id)
    return _back(request, "sync-removed")


async def _sync(request: Request) -> Sync:
    return await hub(request).schedules.get(actor(request), request.path_params["sync_id"])


def _wish(form: Form) -> Wish:
    return Wish(
        form.text("name"),
        form.texts("stream"),
        form.text("direction") or "pull",
        form.text("mode"),
        form.text("schedule"),
        form.text("time_zone"),
        form.checked("enabled"),
    )


async def _form_page(request: Request, wish: Wish, *, sync: Sync | None = None, **more: Any) -> Response:
    connection = await connection_of(request)
    connector = connector_of(request, connection)
    known = {schedule for schedule, _ in SCHEDULES}
    schedules = SCHEDULES if wish.schedule in known else (*SCHEDULES, (wish.schedule, wish.schedule))
    return await staff_page(
        request,
        "sync_form.html",
        SECTION,
        connection=connection,
        connector=connector,
        can_write=any(stream.writer for stream in connector.streams.values()),
        sync=sync,
        given=wish,
        schedules=schedules,
        **({"problems": {}} | more),
    )


def _back(request: Request, done: str) -> Response:
    return see_other(f"{visit(request).base}/connections/{request.path_params['connection_id']}?done={done}")
