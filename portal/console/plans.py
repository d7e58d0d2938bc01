"""Plans: the list, one plan with what it would do, its selection, and applying or dismissing it."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from app.actors import Permission
from app.connectors.base import Connector
from app.errors import InvalidInput
from app.paging import PageRequest
from app.syncs.models import SyncRun
from app.syncs.plans.models import Plan, PlanItem, PlanNotReady, PlanOutdated, PlanSettled
from app.syncs.service import SyncInProgress
from portal.console.pages import connection_names, connector_of, next_page, staff_fragment, staff_page
from portal.console.plan_lines import Line, MovedLine, line_of, moved_line, summary_of
from portal.console.words import KIND_WORDS
from portal.forms import Form, ids, new_key, page_request, read_form
from portal.live import DONE, PAUSE_SECONDS, Message, event_stream, position
from portal.rendering import wants_fragment
from portal.session import actor, hub, see_other, visit

SECTION = "Sync runs"
PAGE = 50
_SAID_BY_THE_PAGE = (PlanOutdated, PlanNotReady, PlanSettled)
"""Somebody else was faster, or the world has moved: the plan's page tells how it stands."""


async def index(request: Request) -> Response:
    connection = request.query_params.get("connection", "")
    names = await connection_names(request)
    found = await hub(request).plans.plans(
        actor(request), page_request(request), connection_id=ids([connection])[0] if connection else None
    )
    return await staff_page(
        request,
        "plans.html",
        SECTION,
        plans=found,
        names=names,
        given=connection,
        connection_options=[("", "All"), *((str(key), name) for key, name in names.items())],
        page_address=next_page(request),
    )


async def show(request: Request) -> Response:
    # Read before the plan, so that whatever happens after it is heard.
    head = await hub(request).feed.head(actor(request).scope)
    return await staff_page(request, "plan.html", SECTION, head=head, **await _context(request, await _plan(request), _after(request)))


def _after(request: Request) -> str:
    return request.query_params.get("after", "")


async def _plan(request: Request) -> Plan:
    return await hub(request).plans.get(actor(request), request.path_params["plan_id"])


async def _context(request: Request, plan: Plan, after: str = "") -> dict[str, Any]:
    """Everything about a plan; of its items the page behind the cursor `after`."""
    who, services = actor(request), hub(request)
    connection = await services.connections.get(who, plan.connection_id)
    connector = connector_of(request, connection)
    kind = _known_kind(request.query_params.get("kind", ""))
    sees_records = who.may(Permission.READ_RECORDS)
    found = await services.plans.items(who, plan.id, PageRequest(PAGE, after or None), kind=kind or None) if sees_records else None
    made = await services.syncs.run(who, plan.run_id)
    return {
        "plan": plan,
        "connection": connection,
        "provider": connector.title,
        "titles": {name: stream.title for name, stream in connector.streams.items()},
        "made": made,
        "run": await _run_in_hand(request, plan, made),
        "undone": await _undone(request, plan),
        "summary": summary_of(await services.plans.counts(who, plan.id)),
        "page": found,
        "lines": await _lines(request, found.items if found else (), plan),
        "kind": kind,
        "after": after,
        "moved": await _moved(request, plan, connector),
        "nothing": request.query_params.get("nothing", ""),
        "may_apply": who.may(Permission.RUN_SYNCS) and (plan.kind == "sync" or who.may(Permission.MANAGE_RECORDS)),
        "idempotency_key": new_key(),
        "page_address": next_page(request),
    }


async def _run_in_hand(request: Request, plan: Plan, made: SyncRun) -> SyncRun:
    """The run that has to do with the plan now: the last one that applied it, or the one that makes it."""
    return made if plan.applied_run_id is None else await hub(request).syncs.run(actor(request), plan.applied_run_id)


async def _undone(request: Request, plan: Plan) -> SyncRun | None:
    return None if plan.undoes_run_id is None else await hub(request).syncs.run(actor(request), plan.undoes_run_id)


async def _moved(request: Request, plan: Plan, connector: Connector) -> list[MovedLine]:
    """What made the plan outdated."""
    ids = [UUID(one["record_id"]) for one in plan.moved or () if one["record_id"]]
    known = await hub(request).records.get_many(actor(request), ids) if ids and actor(request).may(Permission.READ_RECORDS) else []
    records = {str(record.id): record for record in known}
    titles = {name: stream.title for name, stream in connector.streams.items()}
    return [moved_line(one, records.get(one["record_id"] or ""), titles.get(one["stream"], one["stream"])) for one in plan.moved or ()]


async def _lines(request: Request, items: Sequence[PlanItem], plan: Plan) -> list[Line]:
    who, services = actor(request), hub(request)
    known = await services.records.get_many(who, [item.record_id for item in items if item.record_id]) if items else []
    records = {record.id: record for record in known}
    connector = connector_of(request, await services.connections.get(who, plan.connection_id))
    titles = {name: stream.title for name, stream in connector.streams.items()}
    return [
        line_of(item, records.get(item.record_id) if item.record_id else None, titles.get(item.stream, item.stream), connector.title)
        for item in items
    ]


def _known_kind(text: str) -> str:
    if text and text not in KIND_WORDS:
        raise InvalidInput("There is no such kind.")
    return text


async def events(request: Request) -> Response:
    return event_stream(_progress(request, await _plan(request)))


async def _progress(request: Request, plan: Plan) -> AsyncIterator[Message]:
    """The plan after each change of the run that has it in hand, until that has ended."""
    who, services = actor(request), hub(request)
    run_id, shown = plan.applied_run_id or plan.run_id, 0
    async for event in services.feed.changes(who.scope, topics=("sync_run",), subject_id=run_id, after=position(request)):
        if event.revision <= shown:
            continue
        run = await services.syncs.run(who, run_id)
        shown = run.revision
        context = await _context(request, await services.plans.get(who, plan.id))
        yield Message(staff_fragment(request, "plan.html", "plan", **context), event.sequence)
        if not run.status.is_active:
            yield DONE
            return
        await asyncio.sleep(PAUSE_SECONDS)


async def select(request: Request) -> Response:
    """Note what is selected on the page; then go on to where the pressed button leads. htmx gets the plan as it is now."""
    form = await read_form(request)
    with suppress(*_SAID_BY_THE_PAGE):
        await _note_selection(request, form)
    if wants_fragment(request):
        return HTMLResponse(staff_fragment(request, "plan.html", "plan", **await _context(request, await _plan(request), _after(request))))
    after = form.text("after")
    chosen = {"kind": form.text("shown_kind") if after else form.text("show"), "after": after}
    return _to(request, request.path_params["plan_id"], **{name: value for name, value in chosen.items() if value})


async def _note_selection(request: Request, form: Form) -> None:
    """The items of the page as their boxes stand; then the kinds whose box was changed; then all, where that was asked for."""
    plans, who, plan_id = hub(request).plans, actor(request), request.path_params["plan_id"]
    listed, checked = form.ids("listed"), set(form.ids("item"))
    kinds, before = set(form.texts("kind")), set(form.texts("kind_was"))
    known = set(form.texts("kind_listed"))
    await plans.select(
        who, plan_id, item_ids=[one for one in listed if one in checked], kinds=sorted((kinds - before) & known), selected=True
    )
    await plans.select(who, plan_id, item_ids=[one for one in listed if one not in checked], kinds=[], selected=False)
    await plans.select(who, plan_id, kinds=sorted((before - kinds) & known), selected=False)
    if form.checked("everything"):
        await plans.select(who, plan_id, kinds=sorted(known), selected=True)


async def apply(request: Request) -> Response:
    """Apply what is selected; of a plan that is outdated by now, its page says what has moved."""
    form, plan_id = await read_form(request), request.path_params["plan_id"]
    try:
        if (await _plan(request)).status not in ("applying", "applied"):  # a second press changes nothing
            await _note_selection(request, form)
            if not any(count.selected for count in await hub(request).plans.counts(actor(request), plan_id)):
                return _to(request, plan_id, nothing="1")
        await hub(request).plans.apply(actor(request), plan_id)
    except _SAID_BY_THE_PAGE:
        return _to(request, plan_id)
    except SyncInProgress as refusal:
        return see_other(f"{visit(request).base}/runs/{refusal.existing_run_id}?done=earlier")
    return _to(request, plan_id)


async def dismiss(request: Request) -> Response:
    plan = await hub(request).plans.dismiss(actor(request), request.path_params["plan_id"])
    return _to(request, plan.id, done="plan-dismissed")


async def renew(request: Request) -> Response:
    """The same plan again, of how things are now."""
    form = await read_form(request)
    try:
        plan = await hub(request).plans.renew(actor(request), request.path_params["plan_id"], idempotency_key=form.idempotency_key)
    except SyncInProgress as refusal:
        return see_other(f"{visit(request).base}/runs/{refusal.existing_run_id}?done=earlier")
    return _to(request, plan.id, done="plan-renewed")


async def undo(request: Request) -> Response:
    """Ask for the plan that takes a run back; nothing is changed before it is applied."""
    form = await read_form(request)
    try:
        plan = await hub(request).plans.undo(actor(request), request.path_params["run_id"], idempotency_key=form.idempotency_key)
    except SyncInProgress as refusal:
        return see_other(f"{visit(request).base}/runs/{refusal.existing_run_id}?done=earlier")
    return _to(request, plan.id)


def _to(request: Request, plan_id: UUID, **more: str) -> Response:
    return see_other(f"{visit(request).base}/plans/{plan_id}" + (f"?{urlencode(more)}" if more else ""))
