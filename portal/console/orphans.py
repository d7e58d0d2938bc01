"""Mappings of which one side is gone: how many, which, put away, and brought back."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response

from app.actors import Permission
from app.errors import InvalidInput
from app.records.orphan_store import Orphan, OrphanKind
from app.records.orphans import OrphanCount
from portal.console.pages import all_connections, connection_names, connector_of, next_page, staff_page
from portal.console.words import ORPHAN_WORDS
from portal.forms import Form, ids, new_key, page_request, read_form
from portal.session import actor, hub, see_other, visit

SECTION = "Connections"
PAGE = 50


@dataclass(frozen=True, slots=True)
class Choice:
    """Which orphans are meant, as the address and the forms say it."""

    connection: str = ""
    kind: str = ""

    @classmethod
    def of(cls, given: Any) -> "Choice":
        """Raises InvalidInput."""
        choice = cls(given("connection") or "", given("kind") or "")
        if choice.kind and choice.kind not in list(OrphanKind):
            raise InvalidInput("One of the choices is not one that this page offered; open the page again.")
        return choice

    @property
    def wanted(self) -> dict[str, Any]:
        """As the service wants it."""
        return {
            "connection_id": ids([self.connection])[0] if self.connection else None,
            "kind": OrphanKind(self.kind) if self.kind else None,
        }

    @property
    def address(self) -> str:
        return urlencode({name: value for name, value in (("connection", self.connection), ("kind", self.kind)) if value})


async def index(request: Request) -> Response:
    choice, cleaned = Choice.of(request.query_params.get), request.query_params.get("show") == "cleaned"
    services, who = hub(request).orphans, actor(request)
    found = await services.orphans(who, page_request(request, PAGE), **choice.wanted, cleaned=cleaned)
    names = await connection_names(request)
    return await staff_page(
        request,
        "orphans.html",
        SECTION,
        page=found,
        choice=choice,
        cleaned=cleaned,
        kinds=_kinds(await services.preview(who, connection_id=choice.wanted["connection_id"], cleaned=cleaned)),
        orphan_words=ORPHAN_WORDS,
        titles=await _stream_titles(request, found.items),
        names=names,
        connection_options=[("", "All"), *((str(key), name) for key, name in names.items())],
        cleaned_count=request.query_params.get("cleaned", ""),
        restored_count=request.query_params.get("restored", ""),
        idempotency_key=new_key(),
        page_address=next_page(request, "cleaned", "restored"),
    )


def _kinds(counts: Sequence[OrphanCount]) -> list[tuple[OrphanKind, int]]:
    """Every kind, also those of which there is none."""
    return [(kind, sum(one.count for one in counts if one.kind is kind)) for kind in OrphanKind]


async def _stream_titles(request: Request, orphans: Sequence[Orphan | OrphanCount]) -> dict[tuple[Any, str], str]:
    connections = {connection.id: connection for connection in await all_connections(request)}
    titles = {}
    for one in orphans:
        connection = connections.get(one.connection_id)
        stream = connector_of(request, connection).streams.get(one.stream) if connection else None
        titles[one.connection_id, one.stream] = stream.title if stream else one.stream
    return titles


async def ask_cleaning(request: Request) -> Response:
    """What cleaning up would put away, connection by connection."""
    actor(request).require(Permission.MANAGE_RECORDS)
    choice = Choice.of(request.query_params.get)
    counts = await hub(request).orphans.preview(actor(request), **choice.wanted)
    return await staff_page(
        request,
        "orphans_cleaning.html",
        SECTION,
        choice=choice,
        counts=counts,
        total=sum(one.count for one in counts),
        orphan_words=ORPHAN_WORDS,
        titles=await _stream_titles(request, counts),
        names=await connection_names(request),
        idempotency_key=new_key(),
    )


async def clean(request: Request) -> Response:
    form = await read_form(request)
    count = await hub(request).orphans.clean(actor(request), **_chosen(form), idempotency_key=form.idempotency_key)
    return _back(request, form, cleaned=str(count))


async def restore(request: Request) -> Response:
    form = await read_form(request)
    count = await hub(request).orphans.restore(actor(request), **_chosen(form), idempotency_key=form.idempotency_key)
    return _back(request, form, show="cleaned", restored=str(count))


def _chosen(form: Form) -> dict[str, Any]:
    """Those that are selected; all of the choice only where that was asked for. Raises InvalidInput."""
    if form.checked("all"):
        return Choice.of(form.text).wanted
    if not form.texts("mapping"):
        raise InvalidInput("Nothing was selected; go back and choose at least one.")
    return {"mapping_ids": form.ids("mapping")}


def _back(request: Request, form: Form, **told: str) -> Response:
    kept = Choice.of(form.text).address
    return see_other(f"{visit(request).base}/orphans?" + "&".join(filter(None, [kept, urlencode(told)])))
