"""Contacts that are one: found, compared field by field, merged, and parted again."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import Response

from app.actors import Permission
from app.paging import PageRequest
from app.records.editing import RecordChanged
from app.records.merge_models import FieldChoice, MergePreview
from app.records.merging import NotMergeable
from portal.console.conflict_cards import title_of
from portal.console.fields import label_of, marked, shown
from portal.console.pages import all_connections, connection_names, connector_of, staff_page
from portal.console.records import SECTION, record_of
from portal.console.words import ALIKE_WORDS
from portal.forms import Form, ids, new_key, read_form
from portal.session import actor, hub, see_other, visit

FOUND = 20
FIELD = "field-"


@dataclass(frozen=True, slots=True)
class Row:
    """A field in which two contacts differ."""

    field: str
    label: str
    survivor: Markup
    loser: Markup
    chosen: str
    """survivor or loser"""


async def choose(request: Request) -> Response:
    """With which other contact; once that is chosen, the two side by side."""
    actor(request).require(Permission.MANAGE_RECORDS)
    if other := request.query_params.get("other"):
        return await _compare_page(request, ids([other])[0])
    record, search = await record_of(request), request.query_params.get("search", "").strip()
    found = await hub(request).records.contacts(actor(request), PageRequest(FOUND), search=search) if search else None
    return await staff_page(
        request,
        "merge_choice.html",
        SECTION,
        record=record,
        title=title_of(record),
        alike=await hub(request).duplicates.of(actor(request), record.id),
        alike_words=ALIKE_WORDS,
        search=search,
        found=[one for one in found.items if one.id != record.id] if found else [],
        names=await connection_names(request),
    )


async def _compare_page(
    request: Request, loser_id: UUID, *, chosen: Mapping[str, str] | None = None, status: int = 200, problem: str = ""
) -> Response:
    preview = await hub(request).merges.preview(actor(request), request.path_params["record_id"], loser_id)
    return await staff_page(
        request,
        "merge.html",
        SECTION,
        status=status,
        preview=preview,
        survivor=preview.survivor,
        loser=preview.loser,
        survivor_title=title_of(preview.survivor),
        loser_title=title_of(preview.loser),
        rows=[_row(choice, chosen or {}) for choice in preview.choices],
        places=await _places(request, preview),
        idempotency_key=new_key(),
        problems={"": problem} if problem else {},
    )


def _row(choice: FieldChoice, chosen: Mapping[str, str]) -> Row:
    survivor, loser = shown(choice.survivor), shown(choice.loser)
    side = chosen.get(choice.field, choice.suggested)
    return Row(choice.field, label_of(choice.field), marked(survivor, loser), marked(loser, survivor), side)


async def _places(request: Request, preview: MergePreview) -> list[dict[str, Any]]:
    """Where the one that goes is known."""
    connections = {connection.id: connection for connection in await all_connections(request)}
    return [
        {"name": connection.name, "provider": connector_of(request, connection).title, "external_id": link.external_id}
        for link in preview.counterparts
        if link.status != "deleted" and (connection := connections.get(link.connection_id))
    ]


async def merge(request: Request) -> Response:
    """Merge as chosen; where one of them has changed meanwhile, both are shown as they are now with what was chosen."""
    form, survivor_id = await read_form(request), request.path_params["record_id"]
    (loser_id,) = ids([form.text("other")])
    chosen = form.starting(FIELD)
    try:
        await hub(request).merges.merge(
            actor(request),
            survivor_id,
            loser_id,
            chosen,
            versions=_versions(form, survivor_id, loser_id),
            idempotency_key=form.idempotency_key,
        )
    except (NotMergeable, RecordChanged) as refusal:
        return await _compare_page(request, loser_id, chosen=chosen, status=409, problem=refusal.message)
    return see_other(f"{visit(request).base}/records/{survivor_id}?done=merged&merged={loser_id}")


def _versions(form: Form, survivor_id: UUID, loser_id: UUID) -> dict[UUID, int]:
    return {survivor_id: form.integer("survivor_version"), loser_id: form.integer("loser_version")}


async def part(request: Request) -> Response:
    """Take a merge back; what was changed since stays, and is named."""
    form = await read_form(request)
    parted = await hub(request).merges.unmerge(actor(request), request.path_params["record_id"], idempotency_key=form.idempotency_key)
    kept = list(dict.fromkeys(one.field for one in parted.changed_since))
    words = urlencode({"done": "parted", "parted": parted.loser.id, **({"kept": ",".join(kept)} if kept else {})})
    return see_other(f"{visit(request).base}/records/{parted.survivor.id}?{words}")
