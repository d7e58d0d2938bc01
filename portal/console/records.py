"""Contacts and single records as the hub holds them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from app.paging import PageRequest
from app.records.models import Record, RecordVersion
from portal.console.pages import connection_names, next_page, staff_page
from portal.forms import page_request
from portal.session import actor, hub

SECTION = "Contacts"


@dataclass(frozen=True, slots=True)
class FieldChange:
    field: str
    before: str
    after: str
    at: datetime


async def contacts(request: Request) -> Response:
    search = request.query_params.get("search", "").strip()
    found = await hub(request).records.contacts(actor(request), page_request(request), search=search or None)
    return staff_page(
        request,
        "contacts.html",
        SECTION,
        contacts=found,
        search=search,
        names=await connection_names(request),
        page_address=next_page(request),
    )


async def show(request: Request) -> Response:
    who, services = actor(request), hub(request)
    record = await services.records.get(who, request.path_params["record_id"])
    versions = await services.records.history(who, record.id)
    links = await services.records.mappings(who, PageRequest(20), record_id=record.id)
    return staff_page(
        request,
        "record.html",
        SECTION if record.entity == "contact" else "Quotes",
        record=record,
        mappings=links.items,
        names=await connection_names(request),
        history=list(changes_of(record, versions)),
        data=msgspec.json.format(msgspec.json.encode(record.data), indent=2).decode(),
    )


def changes_of(record: Record, versions: list[RecordVersion]) -> Iterator[FieldChange]:
    """Field by field what each version changed, newest first."""
    after: Mapping[str, Any] = record.data
    for version in sorted(versions, key=lambda version: version.version, reverse=True):
        for name in sorted({*version.data, *after}):
            if version.data.get(name) != after.get(name):
                yield FieldChange(name, _text(version.data.get(name)), _text(after.get(name)), version.replaced_at)
        after = version.data


def _text(value: Any) -> str:
    if value is None:
        return "—"
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()[:300]
