"""What happens around every view: sign-in, the form's origin and token, refusals as pages, security headers."""

import secrets
from collections.abc import Awaitable, Callable
from urllib.parse import quote, urlsplit

import structlog
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from app.errors import InvalidInput, NotFound, NotSignedIn, PermissionDenied, Refusal
from portal.rendering import page
from portal.security import SAFE_METHODS, ForeignForm, require_own_origin, require_token, secure
from portal.session import Door, hub, open_visit, see_other, signed_in_visit

View = Callable[[Request], Awaitable[Response]]
log = structlog.get_logger(__name__)

_STATUS: dict[type[Refusal], int] = {PermissionDenied: 403, ForeignForm: 403, NotFound: 404, InvalidInput: 422}
REFUSED = 409


def client_page(view: View) -> View:
    """For a client's contact who is signed in."""
    return _behind(view, "portal", signed_in=True)


def staff_page(view: View) -> View:
    """For a person of the organization who is signed in."""
    return _behind(view, "console", signed_in=True)


def open_page(view: View, door: Door) -> View:
    """For anybody who knows the address."""
    return _behind(view, door, signed_in=False)


def _behind(view: View, door: Door, *, signed_in: bool) -> View:
    async def endpoint(request: Request) -> Response:
        return secure(await _answer(request, view, door, signed_in=signed_in))

    return endpoint


async def _answer(request: Request, view: View, door: Door, *, signed_in: bool) -> Response:
    try:
        require_own_origin(request, hub(request).settings.public_url)
        visit = await (signed_in_visit if signed_in else open_visit)(request, door)
        request.state.visit = visit
        if visit.session is not None:
            await require_token(request, visit.session.csrf_token)
        return await view(request)
    except NotSignedIn:
        return _to_sign_in(request, door)
    except Refusal as refusal:
        return _refused(request, refusal, door)
    except HTTPException:
        raise
    except ClientDisconnect:
        return Response(status_code=400)  # nobody is there to read it
    except Exception:
        return _surprise(request, door)


def _refused(request: Request, refusal: Refusal, door: Door) -> Response:
    status = status_of(refusal)
    wait = getattr(refusal, "retry_after_seconds", None)
    headers = {"Retry-After": str(wait)} if wait is not None else None
    return page(request, "refusal.html", status=status, headers=headers, shown_status=status, refusal=refusal, face=door)


def status_of(refusal: Refusal) -> int:
    """The HTTP status that says the same as the sentence."""
    if getattr(refusal, "retry_after_seconds", None) is not None:
        return 429
    return next((status for kind, status in _STATUS.items() if isinstance(refusal, kind)), REFUSED)


def _to_sign_in(request: Request, door: Door) -> Response:
    """To the sign-in page, and from there back to where the person wanted to go."""
    wanted = request.url.path if request.method in SAFE_METHODS else urlsplit(request.headers.get("referer", "")).path
    address = f"/{door}/{quote(request.path_params['slug'])}/sign-in" + (f"?next={quote(wanted)}" if wanted else "")
    if request.headers.get("HX-Request") == "true":
        return Response(status_code=401, headers={"HX-Redirect": address})
    return see_other(address)


def _surprise(request: Request, door: Door) -> Response:
    """Our fault: the details go to the log under a reference, the person gets the reference."""
    reference = secrets.token_hex(4)
    log.exception("page_failed", path=request.url.path, method=request.method, reference=reference)
    return page(request, "surprise.html", status=500, reference=reference, face=door)
