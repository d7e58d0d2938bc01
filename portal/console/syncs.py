"""Syncs on a schedule: standing wishes of a connection."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from app.errors import InvalidInput
from app.syncs.clock_changes import Occurrence
from app.syncs.models import Sync
from app.syncs.schedules import JITTER_SECONDS
from portal.console.pages import connection_of, connector_of, staff_page
from portal.console.schedule_choices import PLAIN, WEEKDAYS, Choice, choice_in, choice_of, delays, zones
from portal.forms import Form, read_form
from portal.rendering import wants_fragment
from portal.session import actor, hub, see_other, visit

SECTION = "Connections"
_FIELDS = {"schedule": "cron", "timeZone": "time_zone", "jitterSeconds": "jitter_seconds", "streams": "stream"}
"""Where the form asks for what the hub may refuse, where it has another name."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What stands in the form."""

    name: str
    streams: list[str]
    direction: str
    mode: str
    time_zone: str
    when: Choice = field(default_factory=lambda: choice_of("0 * * * *"))
    jitter_seconds: int = JITTER_SECONDS
    enabled: bool = True

    @property
    def values(self) -> dict[str, Any]:
        """As the hub takes them. Raises InvalidInput."""
        if self.when.problems:
            raise InvalidInput(fields=dict(self.when.problems))
        return {
            "name": self.name,
            "streams": self.streams,
            "direction": self.direction,
            "mode": self.mode,
            "schedule": self.when.schedule or None,
            "time_zone": self.time_zone,
            "jitter_seconds": self.jitter_seconds,
        }


async def new(request: Request) -> Response:
    """Empty but for the usual; `?compare=yes` asks for one that compares everything every week."""
    connection = await connection_of(request)
    streams = connector_of(request, connection).streams
    whole = [name for name, stream in streams.items() if stream.record_stream == name]
    zone = visit(request).organization.time_zone
    if request.query_params.get("compare"):
        wish = Wish("Compare everything", whole, "pull", "full", zone, choice_of("0 3 * * 0"))
    else:
        wish = Wish("Every hour", whole, "pull", "incremental", zone)
    return await _form_page(request, wish)


async def create(request: Request) -> Response:
    wish = _wish(await read_form(request))
    try:
        await hub(request).schedules.create(actor(request), request.path_params["connection_id"], **wish.values)
    except InvalidInput as refusal:
        return await _form_page(request, wish, status=422, problems=_problems(refusal))
    return _back(request, "sync-saved")


async def edit(request: Request) -> Response:
    sync = await _sync(request)
    when = choice_of(sync.schedule or "")
    wish = Wish(sync.name, list(sync.streams), sync.direction, sync.mode, sync.time_zone, when, sync.jitter_seconds, sync.enabled)
    return await _form_page(request, wish, sync=sync)


async def update(request: Request) -> Response:
    sync, wish = await _sync(request), _wish(await read_form(request))
    try:
        await hub(request).schedules.update(actor(request), sync.id, on_demand=not wish.when.schedule, enabled=wish.enabled, **wish.values)
    except InvalidInput as refusal:
        return await _form_page(request, wish, sync=sync, status=422, problems=_problems(refusal))
    return _back(request, "sync-saved")


async def preview(request: Request) -> Response:
    """The next times of what is being chosen; htmx gets just those, without it the form is shown again with them."""
    wish = _wish(await read_form(request))
    if not wants_fragment(request):
        sync = await _sync(request) if "sync_id" in request.path_params else None
        return await _form_page(request, wish, sync=sync)
    return await staff_page(request, "sync_form.html", SECTION, block="preview", **_times(request, wish))


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
        form.text("time_zone"),
        choice_in({name: form.text(name) for name in ("every", "day_at", "week_at", "weekday", "cron")}),
        form.integer("jitter_seconds"),
        form.checked("enabled"),
    )


def _problems(refusal: InvalidInput) -> dict[str, str]:
    return {_FIELDS.get(name, name): words for name, words in refusal.fields.items()}


def _times(request: Request, wish: Wish) -> Mapping[str, Any]:
    """When it would be due, or why nobody can tell."""
    times: list[Occurrence] = []
    problem = next(iter(wish.when.problems.values()), "")
    if not problem and wish.when.schedule:
        try:
            times = hub(request).schedules.preview(actor(request), wish.when.schedule, wish.time_zone)
        except InvalidInput as refusal:
            problem = " ".join(refusal.fields.values())
    return {"times": times, "problem": problem, "given": wish}


async def _form_page(request: Request, wish: Wish, *, sync: Sync | None = None, **more: Any) -> Response:
    connection = await connection_of(request)
    connector = connector_of(request, connection)
    return await staff_page(
        request,
        "sync_form.html",
        SECTION,
        connection=connection,
        connector=connector,
        can_write=any(stream.writer for stream in connector.streams.values()),
        sync=sync,
        plain=PLAIN,
        weekdays=WEEKDAYS,
        delays=delays(wish.jitter_seconds),
        zones=zones(),
        **_times(request, wish),
        **({"problems": {}} | more),
    )


def _back(request: Request, done: str) -> Response:
    return see_other(f"{visit(request).base}/connections/{request.path_params['connection_id']}?done={done}")
