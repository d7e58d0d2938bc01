"""Contacts and single records as the hub holds them, with their counterparts and their history."""

from collections.abc import Sequence
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from app.actors import Permission
from app.paging import PageRequest
from app.records.editing import EDITABLE
from app.records.models import Record, RecordVersion
from app.records.service import DOCUMENT
from portal.console import documents
from portal.console.counterparts import counterparts_context
from portal.console.documents import document_context
from portal.console.fields import readable
from portal.console.merged import merge_context
from portal.console.pages import connection_names, next_page, staff_page
from portal.console.versions import versions_of
from portal.forms import new_key, page_request
from portal.session import actor, hub

SECTION = "Contacts"
NEWEST_VERSIONS = 20


async def contacts(request: Request) -> Response:
    search = request.query_params.get("search", "").strip()
    found = await hub(request).records.contacts(actor(request), page_request(request), search=search or None)
    return await staff_page(
        request,
        "contacts.html",
        SECTION,
        contacts=found,
        search=search,
        names=await connection_names(request),
        page_address=next_page(request),
    )


async def show(request: Request) -> Response:
    record, history = await record_of(request), await history_of(request)
    return await staff_page(request, "record.html", section_of(record), **await _context(request, record, history))


async def _context(request: Request, record: Record, history: Sequence[RecordVersion]) -> dict[str, Any]:
    versions = versions_of(record, history)
    waiting = await hub(request).conflicts.conflicts(actor(request), PageRequest(), record_id=record.id)
    return {
        "versions": versions[:NEWEST_VERSIONS],
        "older": len(versions) - NEWEST_VERSIONS,
        "conflicts": len(waiting.items),
        "may_edit": record.entity in EDITABLE and not record.merged_into and actor(request).may(Permission.MANAGE_RECORDS),
        "data": readable(record.data),
        "idempotency_key": new_key(),
        **(await document_context(request, record) if record.entity == DOCUMENT else {}),
        **await merge_context(request, record),
        **await counterparts_context(request, record, history),
    }


async def record_of(request: Request) -> Record:
    """The record that the address names."""
    return await hub(request).records.get(actor(request), request.path_params["record_id"])


async def history_of(request: Request) -> list[RecordVersion]:
    return await hub(request).records.history(actor(request), request.path_params["record_id"])


def section_of(record: Record) -> str:
    """The entry of the navigation that a record's pages belong to."""
    return {"contact": SECTION, DOCUMENT: documents.SECTION}.get(record.entity, "Quotes")
