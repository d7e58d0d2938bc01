"""Starting a sync: choose what, which way and how much, start, and watch the run."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response

from app.connectors.base import Connector
from app.errors import PermissionDenied, Refusal
from app.paging import MAXIMUM, PageRequest
from app.syncs.service import SyncInProgress
from portal.console.pages import connection_of, connector_of, record_count, staff_page
from portal.forms import Form, new_key, read_form
from portal.session import actor, hub, see_other, visit

SECTION = "Connections"


@dataclass(frozen=True, slots=True)
class Wish:
    """What stands in the form."""

    streams: list[str]
    mode: str = "incremental"
    contact: str = ""
    direction: str = "pull"


async def choose(request: Request) -> Response:
    connection = await connection_of(request)
    streams = connector_of(request, connection).streams
    whole = [name for name, stream in streams.items() if stream.record_stream == name]
    return await _choice_page(request, Wish(whole))


async def _choice_page(request: Request, wish: Wish, *, status: int = 200, problems: dict[str, str] | None = None) -> Response:
    connection = await connection_of(request)
    connector = connector_of(request, connection)
    known = await hub(request).syncs.status(actor(request), connection.id)
    waits = await hub(request).records.mappings(actor(request), PageRequest(MAXIMUM), connection_id=connection.id, status="pending")
    return await staff_page(
        request,
        "import.html",
        SECTION,
        status=status,
        connection=connection,
        connector=connector,
        records={stream.stream: stream.records for stream in known},
        narrowable=_narrowable(connector),
        can_write=any(stream.writer for stream in connector.streams.values()),
        waits=f"{MAXIMUM}+" if waits.has_next else str(len(waits.items)),
        given=wish,
        idempotency_key=new_key(),
        problems=problems or {},
    )


def _narrowable(connector: Connector) -> list[str]:
    return [stream.title for stream in connector.streams.values() if "contact_external_id" in stream.narrow_by]


async def ask_full(request: Request) -> Response:
    """Reading everything takes long and uses quota, so it asks first."""
    connection = await connection_of(request)
    return await staff_page(
        request,
        "full_sync.html",
        SECTION,
        connection=connection,
        connector=connector_of(request, connection),
        records=await record_count(request, connection),
        idempotency_key=new_key(),
    )


async def start(request: Request) -> Response:
    """Start, or go to the run that is already going on."""
    return await _begin(request, lambda connection_id, **asked: _started(request, connection_id, **asked))


async def _started(request: Request, connection_id: UUID, **asked: Any) -> str:
    return f"runs/{(await hub(request).syncs.start(actor(request), connection_id, **asked)).id}"


async def plan(request: Request) -> Response:
    """Work out what it would do, and look at that first."""
    return await _begin(request, lambda connection_id, **asked: _planned(request, connection_id, **asked))


async def _planned(request: Request, connection_id: UUID, *, idempotency_key: str, **asked: Any) -> str:
    """With a key of its own: from the same form the sync can be started afterwards."""
    made = await hub(request).plans.plan(actor(request), connection_id, idempotency_key=f"{idempotency_key}-plan", **asked)
    return f"plans/{made.id}"


async def _begin(request: Request, begin: Callable[..., Awaitable[str]]) -> Response:
    form, connection = await read_form(request), await connection_of(request)
    wish = Wish(
        form.texts("stream"), form.text("mode") or "incremental", form.text("contact_external_id"), form.text("direction") or "pull"
    )
    try:
        place = await begin(
            connection.id,
            streams=_streams(form, wish, connector_of(request, connection)),
            mode=wish.mode,
            direction=wish.direction,
            narrowed_to={"contact_external_id": wish.contact} if wish.contact else None,
            idempotency_key=form.idempotency_key,
        )
    except SyncInProgress as refusal:
        return see_other(f"{visit(request).base}/runs/{refusal.existing_run_id}?done=earlier")
    except PermissionDenied:
        raise
    except Refusal as refusal:
        fields = {"contact_external_id" if name == "narrowed_to" else name: words for name, words in getattr(refusal, "fields", {}).items()}
        return await _choice_page(request, wish, status=422, problems=fields or {"": refusal.message})
    return see_other(f"{visit(request).base}/{place}")


def _streams(form: Form, wish: Wish, connector: Connector) -> list[str] | None:
    """What is only read takes no part in a sync that only writes."""
    if form.checked("everything"):
        return None
    if wish.direction != "push":
        return wish.streams
    return [name for name in wish.streams if name in connector.streams and connector.streams[name].writer]
