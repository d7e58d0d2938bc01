"""What every page of the console is given, and small look-ups that several pages share."""

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response

from app.actors import Permission
from app.connections.models import Connection
from app.connectors.base import Connector
from app.paging import MAXIMUM, PageRequest
from portal.console.fields import label_of
from portal.console.words import DONE_WORDS, FIX_WORDS, KIND_WORDS, MOVED_WORDS, RULE_WORDS, STAGE_WORDS
from portal.rendering import page, page_context, render
from portal.session import actor, hub

MOST_COUNTED = 999

_WORDS: dict[str, Any] = {
    "done_words": DONE_WORDS,
    "fix_words": FIX_WORDS,
    "stage_words": STAGE_WORDS,
    "kind_words": KIND_WORDS,
    "moved_words": MOVED_WORDS,
    "rule_words": RULE_WORDS,
    "label_of": label_of,
}


async def staff_page(
    request: Request, template: str, section: str, *, block: str | None = None, status: int = 200, **context: Any
) -> Response:
    """A page of the console; `section` is the entry of the navigation that it belongs to.

    A page's own names must not be those that every page has: given twice, a name is a TypeError.
    """
    navigation: dict[str, Any] = {} if block else {"waiting": await open_conflicts(request), "badges": await _badges(request)}
    return page(request, f"console/{template}", block=block, status=status, section=section, **_WORDS, **navigation, **context)


def staff_fragment(request: Request, template: str, block: str, **context: Any) -> str:
    """A block of a page as text, for a live part."""
    return render(f"console/{template}", page_context(request) | _WORDS | context, block=block)


async def open_conflicts(request: Request, connection_id: UUID | None = None) -> str:
    """How many conflicts wait for a decision, as a badge shows it; nothing where none does."""
    if not actor(request).may(Permission.READ_RECORDS):
        return ""
    found = await hub(request).conflicts.count_open(actor(request), MAXIMUM, connection_id=connection_id)
    return f"{MAXIMUM}+" if found > MAXIMUM else str(found or "")


async def _badges(request: Request) -> dict[str, str]:
    """What else waits for somebody, by its entry of the navigation."""
    return {"Failed records": await open_failures(request), "Held deletions": await held_deletions(request)}


async def open_failures(request: Request) -> str:
    """How many failed records are open, as a badge shows it; nothing where none is."""
    if not actor(request).may(Permission.READ_SYNCS):
        return ""
    count = await hub(request).failed_records.open_count(actor(request), most=MOST_COUNTED + 1)
    return f"{MOST_COUNTED}+" if count > MOST_COUNTED else str(count or "")


async def held_deletions(request: Request) -> str:
    """How many scans' deletions are held back, as a badge shows it; nothing where none are."""
    if not actor(request).may(Permission.READ_SYNCS):
        return ""
    return str(await hub(request).quarantine.held_count(actor(request)) or "")


async def all_connections(request: Request) -> list[Connection]:
    """The organization's connections; more than a page of them are left to their own list."""
    found = await hub(request).connections.list(actor(request), PageRequest(MAXIMUM))
    return list(found.items)


async def connection_names(request: Request) -> dict[UUID, str]:
    return {connection.id: connection.name for connection in await all_connections(request)}


async def connection_of(request: Request) -> Connection:
    """The connection that the address names."""
    return await hub(request).connections.get(actor(request), request.path_params["connection_id"])


def connector_of(request: Request, connection: Connection) -> Connector:
    found: Connector = hub(request).connectors[connection.provider]
    return found


async def record_count(request: Request, connection: Connection) -> int:
    """How many records came from a connection; a stream that only narrows another one adds none."""
    known = await hub(request).syncs.status(actor(request), connection.id)
    streams = connector_of(request, connection).streams
    return sum(stream.records for stream in known if streams[stream.stream].record_stream == stream.stream)


def next_page(request: Request, *without: str) -> Callable[[str], str]:
    """Makes the address of a list's next part: the same filters after a cursor."""
    left_out = {"after", "done", *without}
    kept = {name: value for name, value in request.query_params.items() if name not in left_out and value}
    return lambda cursor: "?" + urlencode(kept | {"after": cursor})
