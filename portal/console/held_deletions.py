"""Deletions that the brake held back: what happened, what they would delete, and the decision."""

from collections.abc import Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from app.actors import Permission
from app.paging import PageRequest
from app.syncs.quarantine_store import Quarantine
from portal.console.pages import all_connections, connector_of, next_page, staff_page
from portal.forms import new_key, page_request, read_form
from portal.rendering import wants_fragment
from portal.session import actor, hub, see_other, visit

SECTION = "Held deletions"
LISTED, SHOWN = 25, 50


async def index(request: Request) -> Response:
    """Those that wait for a decision or are being carried out; on demand all of them."""
    everything = request.query_params.get("show") == "all"
    found = await hub(request).quarantine.quarantined(actor(request), page_request(request, LISTED), open_only=not everything)
    connections = {one.id: one for one in await all_connections(request)}
    titles = {one.id: {name: stream.title for name, stream in connector_of(request, one).streams.items()} for one in connections.values()}
    return await staff_page(
        request,
        "held_deletions.html",
        SECTION,
        page=found,
        everything=everything,
        names={one.id: one.name for one in connections.values()},
        titles=titles,
        page_address=next_page(request),
    )


async def show(request: Request) -> Response:
    held = await _held(request)
    return await _page(request, held, block="outcome" if wants_fragment(request) else None)


async def _held(request: Request) -> Quarantine:
    return await hub(request).quarantine.get(actor(request), request.path_params["quarantine_id"])


async def _page(request: Request, held: Quarantine, *, template: str = "held_deletion.html", block: str | None = None) -> Response:
    connection = await hub(request).connections.get(actor(request), held.connection_id)
    connector = connector_of(request, connection)
    may_look = actor(request).may(Permission.READ_RECORDS)
    page = await hub(request).quarantine.deletions(actor(request), held.id, _part(request)) if may_look else None
    known = await hub(request).records.get_many(actor(request), [one.record_id for one in page.items if one.record_id]) if page else []
    return await staff_page(
        request,
        template,
        SECTION,
        block=block,
        held=held,
        connection_name=connection.name,
        provider=connector.title,
        stream_title=connector.streams[held.stream].title,
        page=page,
        records={one.id: _name_of(one.data) for one in known},
        page_address=next_page(request),
        idempotency_key=new_key(),
    )


def _name_of(data: Mapping[str, Any]) -> str:
    return str(data.get("name") or data.get("number") or data.get("title") or "Without a name")


def _part(request: Request) -> PageRequest:
    return page_request(request, SHOWN)


async def ask_release(request: Request) -> Response:
    """Says what would be deleted, and asks."""
    actor(request).require(Permission.MANAGE_RECORDS)
    return await _page(request, await _held(request), template="held_deletion_release.html")


async def release(request: Request) -> Response:
    form, held = await read_form(request), await _held(request)
    await hub(request).quarantine.release(actor(request), held.id, idempotency_key=form.idempotency_key)
    return _back(request)


async def keep(request: Request) -> Response:
    form, held = await read_form(request), await _held(request)
    await hub(request).quarantine.dismiss(actor(request), held.id, idempotency_key=form.idempotency_key)
    return _back(request)


def _back(request: Request) -> Response:
    return see_other(f"{visit(request).base}/held-deletions/{request.path_params['quarantine_id']}")
