"""Clients: who may sign in to the portal."""

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response

from app.clients.models import Client
from app.errors import NotFound, Refusal
from app.paging import PageRequest
from app.records.models import Record
from portal.console.pages import next_page, staff_page
from portal.forms import ids, page_request, read_form
from portal.session import actor, hub, see_other, visit

SECTION = "Clients"


@dataclass(frozen=True, slots=True)
class Invitation:
    """What stands in the form."""

    name: str
    email: str


@dataclass(frozen=True, slots=True)
class NewLink:
    """A sign-in link, shown once."""

    name: str
    url: str


async def index(request: Request) -> Response:
    found = await hub(request).clients.clients(actor(request), page_request(request))
    return await staff_page(request, "clients.html", SECTION, clients=found, page_address=next_page(request))


async def show(request: Request) -> Response:
    client = await hub(request).clients.client(actor(request), request.path_params["client_id"])
    return await _client_page(request, client)


async def _client_page(request: Request, client: Client, link: NewLink | None = None) -> Response:
    quotes = await hub(request).quotes.quotes(actor(request), PageRequest(20), client_id=client.id)
    return await staff_page(request, "client.html", SECTION, client=client, quotes=quotes, link=link)


async def make_link(request: Request) -> Response:
    """A portal link to hand over by other means than mail; shown once, so this answers with the page itself."""
    form = await read_form(request)
    client = await hub(request).clients.client(actor(request), request.path_params["client_id"])
    contact = next((contact for contact in client.contacts if str(contact.id) == form.text("contact")), None)
    if contact is None:
        raise NotFound
    url = await hub(request).organizations.make_link(actor(request), client_contact_id=contact.id)
    return await _client_page(request, client, NewLink(contact.name, url))


async def new(request: Request) -> Response:
    """The invitation, filled in with what the contact record knows."""
    record = await hub(request).records.get(actor(request), _contact_id(request.query_params.get("contact", "")))
    person: Mapping[str, str] = next(iter(record.data.get("people", ())), {})
    given = Invitation(person.get("name") or record.data.get("name", ""), person.get("email") or record.data.get("email", ""))
    return await _invitation_page(request, record, given)


async def invite(request: Request) -> Response:
    form = await read_form(request)
    given = Invitation(form.text("name"), form.text("email"))
    contact_id = _contact_id(form.text("contact"))
    try:
        contact = await hub(request).clients.invite(actor(request), contact_record_id=contact_id, email=given.email, name=given.name)
    except Refusal as refusal:
        record = await hub(request).records.get(actor(request), contact_id)
        problems = dict(getattr(refusal, "fields", {})) or {"email": refusal.message}
        return await _invitation_page(request, record, given, status=422, problems=problems)
    return see_other(f"{visit(request).base}/clients/{contact.client_id}?done=invited")


def _contact_id(text: str) -> UUID:
    if not text:
        raise NotFound("Choose the contact that is to be invited.")
    return ids([text])[0]


async def _invitation_page(
    request: Request, record: Record, given: Invitation, *, status: int = 200, problems: dict[str, str] | None = None
) -> Response:
    return await staff_page(request, "invite.html", SECTION, status=status, record=record, given=given, problems=problems or {})
