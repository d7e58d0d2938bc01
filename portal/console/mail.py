"""Mail that went out, waits, or is kept here because there is no mail server."""

from starlette.requests import Request
from starlette.responses import Response

from app.errors import InvalidInput
from app.mail.models import MailStatus
from portal.console.pages import next_page, staff_page
from portal.forms import page_request
from portal.session import actor, hub


async def index(request: Request) -> Response:
    has_server = hub(request).settings.smtp_url is not None
    status = request.query_params.get("status") or ("sent" if has_server else "kept")
    if status not in list(MailStatus):
        raise InvalidInput("There is no such status.")
    found = await hub(request).mail.kept(actor(request), page_request(request), status=MailStatus(status))
    return await staff_page(
        request, "mail.html", "Mail", mails=found, shown_status=status, has_server=has_server, page_address=next_page(request)
    )
