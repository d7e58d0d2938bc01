"""The audit log, and the proof that nobody touched it."""

from starlette.requests import Request
from starlette.responses import Response

from app.actors import Permission
from app.audit.models import AuditVerdict
from portal.console.pages import next_page, staff_page
from portal.forms import page_request
from portal.session import actor, hub


async def index(request: Request) -> Response:
    return await _log(request)


async def verify(request: Request) -> Response:
    """Walks the whole chain; answers with the page because nothing was changed."""
    actor(request).require(Permission.READ_AUDIT)
    return await _log(request, await hub(request).audit.verify(actor(request).organization_id))


async def _log(request: Request, verdict: AuditVerdict | None = None) -> Response:
    entries = await hub(request).audit.entries(actor(request), page_request(request))
    return await staff_page(request, "audit.html", "Audit log", entries=entries, verdict=verdict, page_address=next_page(request))
