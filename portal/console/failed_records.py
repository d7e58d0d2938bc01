"""Failed records: by cause, with what the provider sent, and tried again."""

from dataclasses import dataclass

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from portal.console.causes import causes_of
from portal.console.pages import connection_names, next_page, staff_page
from portal.forms import ids, page_request, read_form
from portal.session import actor, hub, see_other, visit

SECTION = "Failed records"


@dataclass(frozen=True, slots=True)
class Retried:
    healed: int
    still: int


async def index(request: Request) -> Response:
    query = request.query_params
    connection, run = query.get("connection", ""), query.get("run", "")
    names = await connection_names(request)
    found = await hub(request).failed_records.failed_records(
        actor(request),
        page_request(request, 100),
        connection_id=ids([connection])[0] if connection else None,
        run_id=ids([run])[0] if run else None,
    )
    return await staff_page(
        request,
        "failed_records.html",
        SECTION,
        records=found,
        causes=causes_of(found.items),
        names=names,
        connection=connection,
        connection_options=[("", "All"), *((str(key), name) for key, name in names.items())],
        retried=_retried(request),
        page_address=next_page(request),
    )


def _retried(request: Request) -> Retried | None:
    healed, still = request.query_params.get("healed", ""), request.query_params.get("still", "")
    return Retried(int(healed), int(still)) if healed.isdigit() and still.isdigit() else None


async def show(request: Request) -> Response:
    record = await hub(request).failed_records.get(actor(request), request.path_params["record_id"])
    connection = await hub(request).connections.get(actor(request), record.connection_id)
    return await staff_page(
        request, "failed_record.html", SECTION, record=record, payload=_readable(record.payload), connection_name=connection.name
    )


def _readable(payload: str) -> str:
    """JSON with a line for each field; anything else as it came."""
    try:
        return msgspec.json.format(payload, indent=2)
    except msgspec.MsgspecError:
        return payload


async def retry(request: Request) -> Response:
    """Try them again from what the provider sent then; who is well now is closed."""
    form = await read_form(request)
    connection_id = ids([form.text("connection")])[0]
    records = form.ids("record")
    result = await hub(request).failed_records.retry(actor(request), connection_id, record_ids=records or None)
    return see_other(f"{visit(request).base}/failed-records?connection={connection_id}&healed={result.healed}&still={result.still_failed}")
