"""Making a contact here, and bringing it to providers at once."""

from collections.abc import Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from app.actors import Permission
from app.connections.models import Connection
from app.errors import InvalidInput
from app.records.models import Record
from portal.console.pages import all_connections, connector_of, staff_page
from portal.console.record_form import CONTACT
from portal.console.records import SECTION
from portal.forms import Form, new_key, read_form
from portal.session import actor, hub, see_other, visit

ENTITY = "contact"
NOBODY: Mapping[str, Any] = {}


async def new(request: Request) -> Response:
    actor(request).require(Permission.MANAGE_RECORDS)
    return await _form_page(request, CONTACT.values_of(NOBODY))


async def create(request: Request) -> Response:
    form = await read_form(request)
    try:
        data = CONTACT.changes_in(CONTACT.given_in(form, NOBODY), NOBODY)
        record = await hub(request).edits.create(actor(request), ENTITY, data, idempotency_key=form.idempotency_key)
    except InvalidInput as refusal:
        given = CONTACT.raw_in(form, NOBODY)
        return await _form_page(request, given, status=422, problems=dict(refusal.fields), chosen=form.texts("connection"))
    return see_other(f"{visit(request).base}/records/{record.id}?done=contact-created{await _brought(request, form, record)}")


async def _brought(request: Request, form: Form, record: Record) -> str:
    """Brings it where it was asked for; the first delivery is the one to watch."""
    sent = [
        await hub(request).pushes.queue(actor(request), record.id, connection_id, idempotency_key=f"{form.idempotency_key}-{connection_id}")
        for connection_id in form.ids("connection")
    ]
    return f"&delivery={sent[0]}#counterparts" if sent else ""


async def _form_page(
    request: Request,
    given: Mapping[str, Any],
    *,
    status: int = 200,
    problems: dict[str, str] | None = None,
    chosen: list[str] | None = None,
) -> Response:
    return await staff_page(
        request,
        "contact_new.html",
        SECTION,
        status=status,
        given=given,
        shape=CONTACT,
        addresses=CONTACT.parts_of(dict(given)),
        targets=await targets_of(request, ENTITY),
        chosen=chosen or [],
        idempotency_key=new_key(),
        problems=problems or {},
    )


async def targets_of(request: Request, entity: str) -> list[Connection]:
    """The connections that take new records of an entity, in exactly one stream."""
    if not actor(request).may(Permission.RUN_SYNCS):
        return []
    return [one for one in await all_connections(request) if _takes(request, one, entity)]


def _takes(request: Request, connection: Connection, entity: str) -> bool:
    streams = connector_of(request, connection).streams.values()
    return sum(stream.entity == entity and stream.writer is not None for stream in streams) == 1
