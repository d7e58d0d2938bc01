"""Offers, orders and bills: the list with where each stands, and bringing to a connection all that changed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response

from app.actors import Permission
from app.connections.models import Connection
from app.connectors.base import Connector, Stream
from app.errors import InvalidInput, NotFound
from app.paging import PageRequest, ResultPage
from app.records.models import Record
from app.records.service import DOCUMENT
from portal.console.document_view import KINDS, ONLY_HERE, DocumentView, Standing, standings_of, view_of
from portal.console.pages import all_connections, connection_names, connector_of, next_page, staff_page
from portal.forms import ids, new_key, page_request
from portal.session import actor, hub
from portal.statuses import mapping_look

SECTION = "Documents"
STATUSES = ("pending", "failed", "conflict", "synced", "deleted")


@dataclass(frozen=True, slots=True)
class Row:
    """A document in the list."""

    record: Record
    view: DocumentView
    standings: Sequence[Standing]


async def index(request: Request) -> Response:
    given = {name: request.query_params.get(name, "") for name in ("kind", "connection", "status")}
    found = await _found(request, given)
    names = await connection_names(request)
    standings = await hub(request).counterparts.of_records(actor(request), [record.id for record in found.items])
    return await staff_page(
        request,
        "documents.html",
        SECTION,
        documents=found,
        rows=[Row(record, view_of(record.data), standings_of(standings[record.id], names)) for record in found.items],
        only_here=ONLY_HERE,
        given=given,
        is_filtered=any(given.values()),
        kind_options=[("", "All"), *KINDS.items()],
        connection_options=[("", "All"), *((str(id), name) for id, name in names.items())],
        status_options=[("", "All"), *((status, mapping_look(status).word) for status in STATUSES)],
        may_push=actor(request).may(Permission.RUN_SYNCS),
        page_address=next_page(request),
    )


async def _found(request: Request, given: Mapping[str, str]) -> ResultPage[Record]:
    if (given["kind"] and given["kind"] not in KINDS) or (given["status"] and given["status"] not in STATUSES):
        raise InvalidInput("There is no such kind or status of documents.")
    connection_id = ids([given["connection"]])[0] if given["connection"] else None
    who, page, kind = actor(request), page_request(request), given["kind"] or None
    if given["status"]:
        return await hub(request).records.documents_standing(who, page, given["status"], connection_id=connection_id, kind=kind)
    return await hub(request).records.sales_documents(who, page, connection_id=connection_id, kind=kind)


@dataclass(frozen=True, slots=True)
class Target:
    """A connection to which documents can be brought, with what waits for it."""

    connection: Connection
    connector: Connector
    streams: list[tuple[Stream, int, bool]]
    """(stream, how many wait, whether it makes what is missing there)."""

    @property
    def waits(self) -> int:
        return sum(number for _, number, _ in self.streams)

    @property
    def makes(self) -> bool:
        return any(makes for _, _, makes in self.streams)


async def ask_push(request: Request) -> Response:
    """Bringing everything may change much at a provider, so it asks first, and says how much."""
    actor(request).require(Permission.RUN_SYNCS)
    targets = [await _target(request, connection) for connection in await all_connections(request)]
    return await staff_page(
        request, "document_push.html", SECTION, targets=[one for one in targets if one.streams], idempotency_key=new_key()
    )


async def _target(request: Request, connection: Connection) -> Target:
    connector = connector_of(request, connection)
    streams = [one for one in connector.streams.values() if one.entity == DOCUMENT and one.writer]
    waiting = await hub(request).counterparts.waiting(actor(request), connection.id) if streams else {}
    return Target(
        connection, connector, [(one, waiting.get(one.record_stream, 0), await _makes(request, connection.id, one)) for one in streams]
    )


async def _makes(request: Request, connection_id: UUID, stream: Stream) -> bool:
    return (await hub(request).conflicts.policy(actor(request), connection_id, stream.record_stream)).creates_missing


async def document_context(request: Request, record: Record) -> dict[str, Any]:
    """What a document's own page shows beside what every record's page does."""
    return {"document": view_of(record.data), "customer": await _customer(request, record), "quote": await _quote(request, record)}


async def _customer(request: Request, record: Record) -> Record | None:
    """The contact that its provider's id names."""
    external_id = record.data.get("contact_external_id")
    if not external_id:
        return None
    links = await hub(request).records.mappings(actor(request), PageRequest(), connection_id=record.connection_id, external_id=external_id)
    found = await hub(request).records.get_many(actor(request), [link.record_id for link in links.items])
    return next((one for one in found if one.entity == "contact"), None)


async def _quote(request: Request, record: Record) -> UUID | None:
    """The quote that clients decide on has its record's id."""
    if record.data.get("kind") != "offer" or not actor(request).may(Permission.READ_QUOTES):
        return None
    try:
        return (await hub(request).quotes.quote(actor(request), record.id)).id
    except NotFound:
        return None
