"""Changing a record here: its form, its deletion, and making it again what it was."""

from collections.abc import Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from app.actors import Permission
from app.errors import InvalidInput, NotFound
from app.records.editing import RecordChanged
from app.records.models import Record
from app.records.service import DOCUMENT
from portal.console.conflict_cards import title_of
from portal.console.counterparts import counterparts_of
from portal.console.deletions import fate_of
from portal.console.document_view import document_title
from portal.console.fields import differences
from portal.console.pages import staff_page
from portal.console.record_form import Clash, RecordForm, form_of
from portal.console.records import history_of, record_of, section_of
from portal.console.versions import Version, versions_of
from portal.forms import new_key, read_form
from portal.session import actor, hub, see_other, visit

STALE = 409


async def edit(request: Request) -> Response:
    actor(request).require(Permission.MANAGE_RECORDS)
    record, shape = await _editable(request)
    return await _form_page(request, record, shape, shape.values_of(record.data))


async def update(request: Request) -> Response:
    """Save what was changed; where somebody else has changed the record meanwhile, show both and ask again."""
    form, (record, shape) = await read_form(request), await _editable(request)
    seen = await _seen(request, record, form.integer("version"))
    try:
        given = shape.given_in(form, seen)
        changes = shape.changes_in(given, seen)
        if changes:
            await hub(request).edits.update(
                actor(request), record.id, version=form.integer("version"), changes=changes, idempotency_key=form.idempotency_key
            )
    except RecordChanged:
        now = await record_of(request)
        carried = shape.carried_over(seen, now.data, given)
        return await _form_page(request, now, shape, carried, status=STALE, clashes=shape.clashes_of(seen, now.data, given))
    except InvalidInput as refusal:
        raw, version = shape.raw_in(form, seen), form.integer("version")
        return await _form_page(request, record, shape, raw, status=422, problems=dict(refusal.fields), version=version)
    return _back(request, "record-saved" if changes else "nothing-changed")


async def _editable(request: Request) -> tuple[Record, RecordForm]:
    record = await record_of(request)
    shape = form_of(record.entity, record.data)
    if shape is None or record.deleted_at:
        raise NotFound("Only a contact or a document that is not deleted is changed here.")
    return record, shape


async def _seen(request: Request, record: Record, version: int) -> Mapping[str, Any]:
    """The record as it was when the form was shown."""
    if version == record.version:
        return record.data
    found = next((one.data for one in await history_of(request) if one.version == version), None)
    if found is None:
        raise RecordChanged
    return found


async def _form_page(
    request: Request,
    record: Record,
    shape: RecordForm,
    given: Mapping[str, Any],
    *,
    status: int = 200,
    problems: dict[str, str] | None = None,
    clashes: list[Clash] | None = None,
    version: int | None = None,
) -> Response:
    return await staff_page(
        request,
        "record_form.html",
        section_of(record),
        status=status,
        record=record,
        version=version or record.version,
        named=document_title(record.data) if record.entity == DOCUMENT else title_of(record),
        is_document=record.entity == DOCUMENT,
        given=given,
        shape=shape,
        addresses=shape.parts_of(dict(given)),
        counterparts=await counterparts_of(request, record, ()),
        clashes=clashes or [],
        idempotency_key=new_key(),
        problems=problems or {},
    )


async def ask_deletion(request: Request) -> Response:
    actor(request).require(Permission.MANAGE_RECORDS)
    record = await record_of(request)
    if record.deleted_at:
        raise NotFound("This record is deleted already.")
    fates = [await fate_of(request, one) for one in await counterparts_of(request, record, ()) if one.link]
    return await staff_page(request, "record_deletion.html", section_of(record), record=record, fates=fates, idempotency_key=new_key())


async def delete(request: Request) -> Response:
    form = await read_form(request)
    await hub(request).edits.delete(
        actor(request), request.path_params["record_id"], version=form.integer("version"), idempotency_key=form.idempotency_key
    )
    return _back(request, "record-deleted")


async def show_version(request: Request) -> Response:
    """What would change if the record were again what it was; asks before it does it."""
    actor(request).require(Permission.MANAGE_RECORDS)
    record, version = await _version(request)
    return await staff_page(
        request,
        "record_version.html",
        section_of(record),
        record=record,
        version=version,
        changes=differences(record.data, version.data),
        idempotency_key=new_key(),
    )


async def _version(request: Request) -> tuple[Record, Version]:
    record, history = await record_of(request), await history_of(request)
    number = request.path_params["version"]
    found = next((one for one in versions_of(record, history) if one.number == number), None)
    if found is None:
        raise NotFound("This record has no such version.")
    return record, found


async def restore(request: Request) -> Response:
    form = await read_form(request)
    await hub(request).edits.restore(
        actor(request),
        request.path_params["record_id"],
        version=form.integer("version"),
        to_version=request.path_params["version"],
        idempotency_key=form.idempotency_key,
    )
    return _back(request, "record-restored")


def _back(request: Request, done: str) -> Response:
    return see_other(f"{visit(request).base}/records/{request.path_params['record_id']}?done={done}")
