"""Contacts that may be one, group by group."""

from starlette.requests import Request
from starlette.responses import Response

from portal.console.pages import connection_names, next_page, staff_page
from portal.console.records import SECTION
from portal.console.words import ALIKE_WORDS
from portal.forms import ids, page_request
from portal.session import actor, hub, see_other, visit

GROUPS = 20


async def index(request: Request) -> Response:
    """Contacts that share a tax number, an e-mail address or a name, group by group."""
    given = {name: request.query_params.get(name, "") for name in ("by", "connection")}
    names = await connection_names(request)
    found = await hub(request).duplicates.duplicates(
        actor(request),
        page_request(request, GROUPS),
        connection_id=ids([given["connection"]])[0] if given["connection"] else None,
        by=given["by"] or None,
    )
    return await staff_page(
        request,
        "duplicates.html",
        SECTION,
        page=found,
        given=given,
        names=names,
        by_options=[("", "Anything"), *((by, words.capitalize()) for by, words in ALIKE_WORDS.items())],
        connection_options=[("", "All"), *((str(key), name) for key, name in names.items())],
        alike_words=ALIKE_WORDS,
        page_address=next_page(request),
    )


async def compare(request: Request) -> Response:
    """From a list to the two that were chosen there."""
    stays, goes = ids([request.query_params.get("stays", ""), request.query_params.get("goes", "")])
    return see_other(f"{visit(request).base}/records/{stays}/merge?other={goes}")
