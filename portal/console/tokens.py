"""Settings: API tokens and the organization's people."""

from dataclasses import dataclass
from datetime import timedelta

from starlette.requests import Request
from starlette.responses import Response

from app.errors import InvalidInput, NotFound
from app.organizations.models import ApiToken
from portal.console.pages import staff_page
from portal.forms import Form, read_form
from portal.session import actor, hub, see_other, visit

SECTION = "Settings"
LIFETIMES = {"": None, "30": timedelta(days=30), "90": timedelta(days=90), "365": timedelta(days=365)}


@dataclass(frozen=True, slots=True)
class Wish:
    """What stands in the form."""

    name: str = ""
    role: str = "viewer"
    days: str = ""


@dataclass(frozen=True, slots=True)
class NewSecret:
    """A token's secret, shown once."""

    name: str
    value: str


async def show(request: Request) -> Response:
    return await _settings_page(request, Wish())


async def _settings_page(
    request: Request, wish: Wish, *, status: int = 200, secret: NewSecret | None = None, problems: dict[str, str] | None = None
) -> Response:
    return await staff_page(
        request,
        "settings.html",
        SECTION,
        status=status,
        tokens=await hub(request).organizations.tokens(actor(request)),
        people=await hub(request).organizations.people(actor(request)),
        given=wish,
        secret=secret,
        problems=problems or {},
    )


async def create(request: Request) -> Response:
    """The secret is in this answer and nowhere else."""
    wish = _wish(await read_form(request))
    lifetime = LIFETIMES.get(wish.days)
    try:
        token, secret = await hub(request).organizations.create_token(
            actor(request), name=wish.name, role=wish.role, expires_at=hub(request).now() + lifetime if lifetime else None
        )
    except InvalidInput as refusal:
        return await _settings_page(request, wish, status=422, problems=dict(refusal.fields))
    return await _settings_page(request, Wish(), secret=NewSecret(token.name, secret))


def _wish(form: Form) -> Wish:
    return Wish(form.text("name"), form.text("role"), form.text("days"))


async def ask_revocation(request: Request) -> Response:
    return await staff_page(request, "revocation.html", SECTION, token=await _token(request))


async def revoke(request: Request) -> Response:
    await hub(request).organizations.revoke_token(actor(request), request.path_params["token_id"])
    return see_other(f"{visit(request).base}/settings?done=revoked")


async def _token(request: Request) -> ApiToken:
    tokens = await hub(request).organizations.tokens(actor(request))
    found = next((token for token in tokens if token.id == request.path_params["token_id"]), None)
    if found is None or found.revoked_at is not None:
        raise NotFound
    return found
