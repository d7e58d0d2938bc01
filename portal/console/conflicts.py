"""The conflict inbox: look, decide one or many, and take a decision back."""

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import parse_qsl, urlencode
from uuid import UUID

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from app.actors import Permission
from app.conflicts.models import Conflict
from app.errors import NotFound, Refusal
from portal.console.conflict_cards import Card, Place, card_of, entry_of, fields_of, place_of
from portal.console.pages import all_connections, connection_names, connector_of, next_page, open_conflicts, staff_fragment, staff_page
from portal.console.record_form import PARTS
from portal.forms import Form, ids, new_key, page_request, read_form
from portal.rendering import wants_fragment
from portal.session import actor, hub, see_other, visit

SECTION = "Conflicts"
PAGE = 25
FILTERS = ("connection", "field", "record", "show", "after")


async def index(request: Request) -> Response:
    given = {name: request.query_params.get(name, "") for name in FILTERS}
    found = await hub(request).conflicts.conflicts(
        actor(request),
        page_request(request, PAGE),
        connection_id=_id(given["connection"]),
        record_id=_id(given["record"]),
        field=given["field"] or None,
        open_only=given["show"] != "all",
    )
    names = await connection_names(request)
    return await staff_page(
        request,
        "conflicts.html",
        SECTION,
        page=found,
        cards=await cards_of(request, found.items),
        given=given,
        filters=urlencode({name: value for name, value in given.items() if value}),
        connection_options=[("", "All"), *((str(key), name) for key, name in names.items())],
        field_options=fields_of(await hub(request).conflicts.open_fields(actor(request)), given["field"]),
        decided=await _decided(request),
        undone=request.query_params.get("undone", ""),
        refused=request.query_params.get("refused", ""),
        idempotency_key=new_key(),
        page_address=next_page(request, "decided", "undone", "refused"),
    )


def _id(text: str) -> UUID | None:
    return ids([text])[0] if text else None


async def _decided(request: Request) -> list[Card]:
    """What the person has just decided, so that it can be taken back."""
    wanted = ids(request.query_params.getlist("decided")[:PAGE])
    return await cards_of(request, [await hub(request).conflicts.get(actor(request), each) for each in wanted])


async def cards_of(request: Request, conflicts: Sequence[Conflict]) -> list[Card]:
    records = {one.id: one for one in await hub(request).records.get_many(actor(request), [each.record_id for each in conflicts])}
    places = await _places(request, conflicts)
    return [card_of(each, records.get(each.record_id), places[each.connection_id, each.stream]) for each in conflicts]


async def _places(request: Request, conflicts: Sequence[Conflict]) -> Mapping[tuple[UUID, str], Place]:
    connections = {connection.id: connection for connection in await all_connections(request)}
    removed = Place("A removed connection", "the provider", "", False)
    return {
        (each.connection_id, each.stream): place_of(connector_of(request, connection), connection.name, each.stream)
        if (connection := connections.get(each.connection_id))
        else removed
        for each in conflicts
    }


async def resolve(request: Request) -> Response:
    """Decide one; htmx gets its card with what was decided."""
    form, conflict_id = await read_form(request), request.path_params["conflict_id"]
    resolution = form.text("resolution")
    value = await _value(request, form, conflict_id) if resolution == "value" else None
    problem = ""
    try:
        await hub(request).conflicts.resolve(actor(request), conflict_id, resolution=resolution, value=value)
    except NotFound:
        raise
    except Refusal as refusal:
        if not wants_fragment(request):
            raise
        problem = refusal.message
    if wants_fragment(request):
        return await _card(request, conflict_id, problem)
    return _back(request, form, decided=[str(conflict_id)])


async def _value(request: Request, form: Form, conflict_id: UUID) -> Any:
    """Another value, as the field has it: text, yes or no, or an address of which the parts were given."""
    conflict = await hub(request).conflicts.get(actor(request), conflict_id)
    record = await hub(request).records.get(actor(request), conflict.record_id)
    match entry_of(record.entity, conflict.field):
        case "flag":
            return form.text("value") == "yes"
        case "address":
            return {**record.data.get(conflict.field, {}), **{part: form.text(f"value-{part}") for part in PARTS}}
        case _:
            return form.text("value") or None


async def _card(request: Request, conflict_id: UUID, problem: str) -> Response:
    (card,) = await cards_of(request, [await hub(request).conflicts.get(actor(request), conflict_id)])
    given = {"card": card, "problem": problem, "filters": "", "waiting": await open_conflicts(request)}
    html = staff_fragment(request, "conflicts.html", "card", **given)
    return HTMLResponse(html + staff_fragment(request, "layout.html", "waiting", oob=True, **given))


async def resolve_many(request: Request) -> Response:
    """Decide all that are selected alike; what cannot be decided does not stop the others."""
    actor(request).require(Permission.MANAGE_RECORDS)
    form = await read_form(request)
    wanted, key = form.ids("conflict"), form.idempotency_key
    result = await hub(request).conflicts.resolve_many(actor(request), wanted, resolution=form.text("resolution"), idempotency_key=key)
    return _back(request, form, decided=[str(each) for each in result.resolved], refused=str(len(result.refused) or ""))


async def undo(request: Request) -> Response:
    """Take decisions back: the records have what they had before, and the conflicts wait again."""
    form = await read_form(request)
    result = await hub(request).reopenings.reopen_many(actor(request), form.ids("conflict"), idempotency_key=form.idempotency_key)
    return _back(request, form, undone=str(len(result.reopened)), refused=str(len(result.refused) or ""))


def _back(request: Request, form: Form, **result: Any) -> Response:
    """To the list as it was filtered, with what became of it."""
    kept = {name: value for name, value in parse_qsl(form.text("filters")) if name in FILTERS and name != "after"}
    return see_other(f"{visit(request).base}/conflicts?" + urlencode(kept | {k: v for k, v in result.items() if v}, doseq=True))
