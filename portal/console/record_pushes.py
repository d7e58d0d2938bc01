"""Bringing one record to a connection, and watching how far it has come."""

import asyncio
from collections.abc import AsyncIterator
from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response

from app.syncs.models import ONE_RECORD
from app.syncs.service import SyncInProgress
from app.syncs.walks import PUSH
from portal.console.counterparts import counterparts_context
from portal.console.pages import staff_fragment
from portal.console.records import history_of, record_of
from portal.forms import Form, ids, new_key, read_form
from portal.live import DONE, Message, event_stream, position
from portal.session import actor, hub, see_other, visit
from portal.truth import is_push_settled

LOOK_SECONDS = 0.4
"""Deliveries of records are not told in the feed; each look is one row by its key."""


async def push(request: Request) -> Response:
    form, record_id = await read_form(request), request.path_params["record_id"]
    (connection_id,) = ids([form.text("connection")])
    if form.text("look"):
        return await _look_first(request, form, connection_id)
    delivery_id = await hub(request).pushes.queue(
        actor(request), record_id, connection_id, stream=form.text("stream") or None, idempotency_key=form.idempotency_key
    )
    return see_other(f"{visit(request).base}/records/{record_id}?delivery={delivery_id}#counterparts")


async def _look_first(request: Request, form: Form, connection_id: UUID) -> Response:
    """A plan of just this; its key is its own, so that the record can be brought from the same page afterwards."""
    try:
        plan = await hub(request).plans.plan(
            actor(request),
            connection_id,
            streams=[form.text("stream")],
            direction=PUSH,
            narrowed_to={ONE_RECORD: str(request.path_params["record_id"])},
            idempotency_key=f"{form.idempotency_key}-plan",
        )
    except SyncInProgress as refusal:
        return see_other(f"{visit(request).base}/runs/{refusal.existing_run_id}?done=earlier")
    return see_other(f"{visit(request).base}/plans/{plan.id}")


async def events(request: Request) -> Response:
    return event_stream(_progress(request))


async def _progress(request: Request) -> AsyncIterator[Message]:
    """The counterparts after each move of the delivery, until it has come to its end. The place to resume from is its revision."""
    seen = position(request) or 0
    while True:
        delivery = await hub(request).deliveries.delivery(actor(request), request.path_params["delivery_id"])
        if delivery.revision > seen:
            seen = delivery.revision
            context = await counterparts_context(request, await record_of(request), await history_of(request))
            yield Message(staff_fragment(request, "record.html", "counterparts", idempotency_key=new_key(), **context), seen)
        if is_push_settled(delivery):
            yield DONE
            return
        await asyncio.sleep(LOOK_SECONDS)
