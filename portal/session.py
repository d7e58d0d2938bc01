"""Who visits: the session cookie, and what a signed-in request knows."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from app.actors import Actor, ActorKind
from app.errors import NotSignedIn

if TYPE_CHECKING:
    from app.bootstrap import Hub

COOKIE = "crosswalk_session"
Door = Literal["portal", "console"]
_KINDS = {"portal": ActorKind.CLIENT_CONTACT, "console": ActorKind.PERSON}


@dataclass(frozen=True, slots=True)
class Visit:
    """One request at one of the two doors. `actor` and `session` are None on pages that are open to all."""

    door: Door
    organization: Any
    actor: Actor | None = None
    session: Any = None

    @property
    def base(self) -> str:
        """The address that all of this door's pages start with."""
        return f"/{self.door}/{self.organization.slug}"


def hub(request: Request) -> "Hub":
    found: Hub = request.app.state.hub
    return found


def visit(request: Request) -> Visit:
    found: Visit = request.state.visit
    return found


def actor(request: Request) -> Actor:
    """Who asks. Only for pages behind sign-in."""
    found = visit(request).actor
    if found is None:
        raise NotSignedIn
    return found


def session_cookie(request: Request) -> str:
    """The cookie that is meant for this door: browsers send the one with the longest path first."""
    for part in request.headers.get("cookie", "").split(";"):
        name, _, value = part.strip().partition("=")
        if name == COOKIE:
            return value
    raise NotSignedIn


async def open_visit(request: Request, door: Door) -> Visit:
    """At a page that is open to all, only the organization is known."""
    return Visit(door, await hub(request).organizations.by_slug(request.path_params["slug"]))


async def signed_in_visit(request: Request, door: Door) -> Visit:
    """Raises NotSignedIn for a session of another kind of person or of another organization."""
    ip, agent = request.client.host if request.client else None, request.headers.get("user-agent")
    signed_in = await hub(request).organizations.actor_for_session(session_cookie(request), ip=ip, user_agent=agent)
    if signed_in.actor.kind is not _KINDS[door] or signed_in.organization.slug != request.path_params["slug"]:
        raise NotSignedIn
    return Visit(door, signed_in.organization, signed_in.actor, signed_in.session)


def keep_session(response: Response, request: Request, door: Door, slug: str, cookie: str) -> None:
    """Set the cookie: for the portal on its own organization's pages; the console's also serves the API."""
    response.set_cookie(
        COOKIE, cookie, path=_cookie_path(door, slug), max_age=_AGES[door], secure=_is_https(request), httponly=True, samesite="lax"
    )


def forget_session(response: Response, request: Request, door: Door, slug: str) -> None:
    response.delete_cookie(COOKIE, path=_cookie_path(door, slug), secure=_is_https(request), httponly=True, samesite="lax")


# Seconds. The server decides when a session ends; the cookie only has to live as long.
_AGES: dict[Door, int] = {"portal": 14 * 86400, "console": 7 * 86400}


def _cookie_path(door: Door, slug: str) -> str:
    return f"/portal/{slug}" if door == "portal" else "/"


def _is_https(request: Request) -> bool:
    return request.url.scheme == "https" or hub(request).settings.public_url.startswith("https:")


def see_other(address: str) -> Response:
    """After a form: the browser fetches the page that shows the result, and a reload repeats nothing."""
    return RedirectResponse(address, status_code=303)
