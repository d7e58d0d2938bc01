"""Failed records: by cause, those that fail alike, and one with its payload, its tries and what helps."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from app.actors import Permission
from app.errors import InvalidInput
from app.paging import PageRequest
from app.syncs.failed_records import Wanted
from app.syncs.failure_causes import DISMISSED, OPEN, RESOLVED
from app.syncs.failure_rules import advice, why_not_edited
from app.syncs.models import FailedRecord
from portal.console.failed_retries import outcome_of
from portal.console.pages import all_connections, connector_of, next_page, staff_page
from portal.forms import ids, new_key, page_request, read_form
from portal.session import actor, hub, see_other, visit

SECTION = "Failed records"
CAUSES, RECORDS = 25, 50
STATES = ((OPEN, "Open"), (DISMISSED, "Left as they are"), (RESOLVED, "Well by now"), ("", "All"))
DIRECTIONS = (("", "Both ways"), ("pull", "Could not be taken over"), ("push", "Could not be written"))
FILTERS = ("connection", "direction", "run", "like", "state")


async def index(request: Request) -> Response:
    """The open ones by cause, with what to do about each."""
    given = {name: request.query_params.get(name, "") for name in ("connection", "direction")}
    names, titles = await _names(request)
    found = await hub(request).failed_records.causes(
        actor(request), page_request(request, CAUSES), connection_id=_id(given["connection"]), direction=given["direction"] or None
    )
    return await staff_page(
        request,
        "failed_records.html",
        SECTION,
        page=found,
        names=names,
        titles=titles,
        advice=advice,
        given=given,
        connection_options=[("", "All"), *((str(key), name) for key, name in names.items())],
        direction_options=DIRECTIONS,
        outcome=outcome_of(request),
        page_address=next_page(request, "healed", "still", "queued", "dismissed"),
    )


async def listed(request: Request) -> Response:
    """Failed records one by one: of a run, or all that fail like one of them."""
    given = {name: request.query_params.get(name, "") for name in FILTERS}
    given["state"] = request.query_params.get("state", OPEN)
    example = await _example(request, given["like"])
    found = await hub(request).failed_records.failed_records(
        actor(request), page_request(request, RECORDS), **alike(example), **_narrowed(given, example)
    )
    names, titles = await _names(request)
    return await staff_page(
        request,
        "failed_record_list.html",
        SECTION,
        page=found,
        example=example,
        names=names,
        titles=titles,
        advice=advice,
        given=given,
        state_options=STATES,
        outcome=outcome_of(request),
        page_address=next_page(request, "healed", "still", "queued", "dismissed"),
    )


async def _names(request: Request) -> tuple[dict[UUID, str], dict[UUID, dict[str, str]]]:
    """By connection: its name, and the titles of its streams."""
    connections = await all_connections(request)
    titles = {one.id: {name: stream.title for name, stream in connector_of(request, one).streams.items()} for one in connections}
    return {one.id: one.name for one in connections}, titles


def _id(text: str) -> UUID | None:
    return ids([text])[0] if text else None


async def _example(request: Request, like: str) -> FailedRecord | None:
    return await hub(request).failed_records.get(actor(request), ids([like])[0]) if like else None


def alike(example: FailedRecord | None) -> Any:
    """The filter that finds all that fail like this one."""
    if example is None:
        return {}
    return {"stream": example.stream, "stage": example.stage, "error_code": example.error_code, "cause": example.cause}


def _narrowed(given: Mapping[str, str], example: FailedRecord | None) -> Wanted:
    connection_id = example.connection_id if example else _id(given["connection"])
    return {"connection_id": connection_id, "run_id": _id(given["run"]), "state": given["state"] or None}


async def show(request: Request) -> Response:
    record = await _record(request)
    payload = (await hub(request).failed_records.payload(actor(request), record.id)).decode(errors="replace")
    return await _page(request, record, readable(payload))


async def _record(request: Request) -> FailedRecord:
    return await hub(request).failed_records.get(actor(request), request.path_params["record_id"])


async def _page(request: Request, record: FailedRecord, payload: str, *, status: int = 200, problem: str = "") -> Response:
    names, titles = await _names(request)
    return await staff_page(
        request,
        "failed_record.html",
        SECTION,
        status=status,
        record=record,
        payload=payload,
        sent=readable(record.payload),
        connection_name=names.get(record.connection_id, "A removed connection"),
        stream_title=titles.get(record.connection_id, {}).get(record.stream, record.stream),
        advice=advice(record.stage, record.fix_by),
        why_not_edited=why_not_edited(record),
        own_record=await _own_record(request, record),
        tried=request.query_params.get("tried", ""),
        idempotency_key=new_key(),
        problems={"payload": problem} if problem else {},
    )


async def _own_record(request: Request, failed: FailedRecord) -> UUID | None:
    """The record in the hub that could not be written."""
    if failed.stage != "push" or not actor(request).may(Permission.READ_RECORDS):
        return None
    if failed.external_id.startswith("record:"):
        return ids([failed.external_id.removeprefix("record:")])[0]
    found = await hub(request).records.mappings(
        actor(request), PageRequest(1), connection_id=failed.connection_id, external_id=failed.external_id
    )
    return found.items[0].record_id if found.items else None


def readable(payload: str) -> str:
    """JSON with a line for each field; anything else as it came."""
    try:
        return msgspec.json.format(payload, indent=2)
    except msgspec.MsgspecError:
        return payload


async def edit(request: Request) -> Response:
    """Save the payload and try it; what cannot be saved is shown again with the reason, as it was typed."""
    form, record = await read_form(request), await _record(request)
    payload = form.lines("payload")
    try:
        await hub(request).failed_records.edit(actor(request), record.id, payload, idempotency_key=form.idempotency_key)
    except InvalidInput as refusal:
        return await _page(request, record, payload, status=422, problem=refusal.fields.get("payload") or refusal.message)
    return _back(request, tried="edited")


async def dismiss(request: Request) -> Response:
    form, record = await read_form(request), await _record(request)
    try:
        await hub(request).failed_records.dismiss(
            actor(request), [record.id], reason=form.text("reason"), idempotency_key=form.idempotency_key
        )
    except InvalidInput as refusal:
        payload = (await hub(request).failed_records.payload(actor(request), record.id)).decode(errors="replace")
        return await _page(request, record, readable(payload), status=422, problem=refusal.fields.get("reason", ""))
    return _back(request)


async def reopen(request: Request) -> Response:
    form = await read_form(request)
    await hub(request).failed_records.reopen(actor(request), request.path_params["record_id"], idempotency_key=form.idempotency_key)
    return _back(request)


def _back(request: Request, **result: str) -> Response:
    return see_other(f"{visit(request).base}/failed-records/{request.path_params['record_id']}?{urlencode(result)}")


async def dismiss_many(request: Request) -> Response:
    """Those that are selected may stay as they are."""
    form = await read_form(request)
    dismissed = await hub(request).failed_records.dismiss(
        actor(request), form.ids("record"), reason=form.text("reason"), idempotency_key=form.idempotency_key
    )
    return see_other(f"{visit(request).base}/failed-records?dismissed={dismissed}")
