"""Connections: the list, one connection with everything about it, its test and its removal."""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from app.connections.models import Connection
from app.errors import Refusal
from app.paging import PageRequest
from portal.console.pages import connection_of, connector_of, next_page, open_conflicts, record_count, staff_page
from portal.console.reconciliation import compared
from portal.console.schedule_choices import words_of
from portal.console.stream_rules import rules_of
from portal.forms import new_key, page_request, read_form
from portal.rendering import wants_fragment
from portal.session import actor, hub, see_other, visit

SECTION = "Connections"
LATEST_RUNS = 5
LATEST_CALLS = 8


async def index(request: Request) -> Response:
    found = await hub(request).connections.list(actor(request), page_request(request))
    removed = await hub(request).connections.list(actor(request), PageRequest(20), deleted=True)
    titles = {connector.provider: connector.title for connector in hub(request).connections.connectors(actor(request))}
    return await staff_page(
        request, "connections.html", SECTION, connections=found, removed=removed.items, titles=titles, page_address=next_page(request)
    )


async def show(request: Request) -> Response:
    return await staff_page(request, "connection.html", SECTION, **await _context(request))


async def _context(request: Request, test: Any = None) -> dict[str, Any]:
    who, services, connection = actor(request), hub(request), await connection_of(request)
    connector = connector_of(request, connection)
    runs = await services.syncs.runs(who, PageRequest(LATEST_RUNS), connection_id=connection.id)
    calls = await services.connections.provider_calls(who, connection.id, PageRequest(LATEST_CALLS))
    return {
        "connection": connection,
        "connector": connector,
        "setting_titles": {setting.name: setting.title for setting in connector.settings},
        "streams": await services.syncs.status(who, connection.id),
        "syncs": await services.schedules.syncs(who, connection.id),
        "listed_runs": runs.items,
        "names": {connection.id: connection.name},
        "calls": calls.items,
        "mappings": await services.field_mappings.published(who, connection.id),
        "rules": await rules_of(request, connector.streams),
        "can_write": any(stream.writer for stream in connector.streams.values()),
        "conflicts": await open_conflicts(request, connection.id),
        "compared": {one.stream.name: one.found for one in await compared(request, connector)},
        "test": test,
        "words_of": words_of,
    }


async def test(request: Request) -> Response:
    """A real exchange with the provider; htmx gets the result only, without it the whole page is shown again."""
    result = await hub(request).connections.test(actor(request), request.path_params["connection_id"])
    connection = await connection_of(request)
    if wants_fragment(request):
        connector = connector_of(request, connection)
        return await staff_page(request, "connection.html", SECTION, block="test", test=result, connection=connection, connector=connector)
    return await staff_page(request, "connection.html", SECTION, **await _context(request, result))


async def ask_removal(request: Request) -> Response:
    return await _removal_page(request, await connection_of(request))


async def _removal_page(request: Request, connection: Connection, *, status: int = 200, problems: dict[str, str] | None = None) -> Response:
    runs = await hub(request).syncs.runs(actor(request), PageRequest(1), connection_id=connection.id)
    return await staff_page(
        request,
        "removal.html",
        SECTION,
        status=status,
        connection=connection,
        connector=connector_of(request, connection),
        records=await record_count(request, connection),
        running=any(run.status.is_active for run in runs.items) or bool(problems),
        idempotency_key=new_key(),
        problems=problems or {},
    )


async def remove(request: Request) -> Response:
    form, connection = await read_form(request), await connection_of(request)
    try:
        await hub(request).connections.delete(
            actor(request), connection.id, cancel_running=form.checked("cancel_running"), idempotency_key=form.idempotency_key
        )
    except Refusal as refusal:
        return await _removal_page(request, connection, status=409, problems={"": refusal.message})
    return see_other(f"{visit(request).base}/connections?done=removed")


async def restore(request: Request) -> Response:
    connection = await hub(request).connections.restore(actor(request), request.path_params["connection_id"])
    return see_other(f"{visit(request).base}/connections/{connection.id}/settings?done=restored")
