"""A record's counterparts: what it is at each connection, and whether it can be brought there."""

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from starlette.requests import Request

from app.actors import Permission
from app.connections.models import Connection
from app.connectors.base import Stream, takes
from app.deliveries.models import Delivery
from app.mappings.models import Mapping as Link
from app.mappings.translate import Translator
from app.paging import PageRequest
from app.records.models import Record, RecordVersion
from portal.console.conflict_cards import title_of
from portal.console.fields import label_of
from portal.console.pages import all_connections, connector_of
from portal.forms import ids
from portal.session import actor, hub, visit
from portal.statuses import Look, mapping_look
from portal.truth import is_push_settled, push_steps

ABSENT = Look("", "ring", "Not there yet")
DIFFERS = Look("attention", "info", "Differs")
LINKS = 50


@dataclass(frozen=True, slots=True)
class Counterpart:
    """A record at one stream of a connection."""

    connection_id: UUID
    connection_name: str
    provider: str
    """How people call it; empty for a connection that was removed."""
    stream: str
    stream_title: str
    link: Link | None
    """None: it is not there yet."""
    look: Look
    differing: Sequence[str]
    """The fields in which the hub differs from what was last seen there."""
    can_write: bool
    trouble: str = ""
    """What went wrong last, in a sentence, where nothing has gone well since."""
    merged: str = ""
    """Whose counterpart it is: the contact that was merged into this one. Nothing is brought there."""


async def counterparts_context(request: Request, record: Record, history: Sequence[RecordVersion]) -> dict[str, Any]:
    """What the block of counterparts shows, with the delivery that the address names."""
    delivery = await _delivery(request)
    return {
        "record": record,
        "counterparts": await counterparts_of(request, record, history),
        "delivery": delivery,
        "delivery_steps": push_steps(delivery, hub(request).now(), visit(request).organization.time_zone) if delivery else [],
        "is_moving": delivery is not None and not is_push_settled(delivery),
    }


async def _delivery(request: Request) -> Delivery | None:
    named = request.path_params.get("delivery_id") or next(iter(ids(filter(None, [request.query_params.get("delivery")]))), None)
    return await hub(request).deliveries.delivery(actor(request), named) if named else None


async def counterparts_of(request: Request, record: Record, history: Sequence[RecordVersion]) -> list[Counterpart]:
    """Where it is, then where it could be brought."""
    links = (await hub(request).records.mappings(actor(request), PageRequest(LINKS), record_id=record.id)).items
    connections = {connection.id: connection for connection in await all_connections(request)}
    known = await hub(request).counterparts.of_record(actor(request), record.id)
    troubles = {(one.connection_id, one.stream): one.last_error for one in known if one.merged_id is None}
    versions = {one.version: one.data for one in history} | {record.version: record.data}
    found = [_linked(request, record, link, connections.get(link.connection_id), versions) for link in reversed(links)]
    losers = {one.merged_id for one in known if one.merged_id and one.status != "deleted"}
    found += await _merged(request, record, losers, connections) if losers else []
    linked = {one.connection_id for one in found}
    if record.deleted_at is None:
        found += [one for id, connection in connections.items() if id not in linked for one in _absent(request, record, connection)]
    return [_troubled(one, troubles.get((one.connection_id, one.stream)) or "") for one in found]


def _troubled(one: Counterpart, trouble: str) -> Counterpart:
    """With what went wrong; what could not even be made there did not work."""
    return replace(one, trouble=trouble, look=one.look if one.link or not trouble else mapping_look("failed"))


async def _merged(request: Request, record: Record, losers: Set[UUID], connections: Mapping[UUID, Connection]) -> list[Counterpart]:
    """What those that were merged into this contact are at providers, where they are still."""
    titles = {one.id: title_of(one) for one in await hub(request).records.get_many(actor(request), list(losers))}
    links = [link for found in (await hub(request).records.mappings_of(actor(request), list(losers))).values() for link in found]
    shown = [(link, _linked(request, record, link, connections.get(link.connection_id), {})) for link in links if link.status != "deleted"]
    return [replace(one, can_write=False, merged=titles[link.record_id]) for link, one in shown]


def _linked(
    request: Request, record: Record, link: Link, connection: Connection | None, versions: Mapping[int, Mapping[str, Any]]
) -> Counterpart:
    if connection is None:
        return Counterpart(
            link.connection_id, "A removed connection", "", link.stream, link.stream, link, mapping_look(link.status), (), False
        )
    connector = connector_of(request, connection)
    stream = connector.streams.get(link.stream)
    differing = _differing(stream, record, versions.get(link.base_version or 0)) if stream else []
    can_write = stream is not None and stream.writer is not None and not record.merged_into and actor(request).may(Permission.RUN_SYNCS)
    look = DIFFERS if link.status == "synced" and differing and not record.deleted_at else mapping_look(link.status)
    title = stream.title if stream else link.stream
    return Counterpart(connection.id, connection.name, connector.title, link.stream, title, link, look, differing, can_write)


def _differing(stream: Stream, record: Record, base: Mapping[str, Any] | None) -> list[str]:
    """By the connector's own field mapping."""
    if base is None or base == record.data:
        return []
    return [label_of(name) for name in sorted(Translator(stream.entity, stream.fields).changed(base, record.data)) if name != "edited_at"]


def _absent(request: Request, record: Record, connection: Connection) -> list[Counterpart]:
    connector, can_write = connector_of(request, connection), actor(request).may(Permission.RUN_SYNCS)
    streams = [stream for stream in connector.streams.values() if stream.writer and takes(stream, record.entity, record.data.get("kind"))]
    return [
        Counterpart(connection.id, connection.name, connector.title, stream.name, stream.title, None, ABSENT, (), can_write)
        for stream in streams
    ]
