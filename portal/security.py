"""What every page says to the browser about itself, and the check that a form was ours."""

import secrets
from urllib.parse import urlsplit

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import Response

from app.errors import Refusal

CONTENT_SECURITY_POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
_SAME = frozenset({"same-origin", "none"})


class ForeignForm(Refusal):
    """This form was not sent from our own page. Nothing was changed; open the page again and repeat it there."""

    code = "foreign_form"


def secure(response: Response) -> Response:
    """Add the headers; what a view set itself stays."""
    headers = MutableHeaders(raw=response.raw_headers)
    headers.setdefault("Content-Security-Policy", CONTENT_SECURITY_POLICY)
    headers.setdefault("X-Content-Type-Options", "nosniff")
    headers.setdefault("Referrer-Policy", "same-origin")
    headers.setdefault("Cross-Origin-Opener-Policy", "same-origin")
    headers.setdefault("Permissions-Policy", "camera=(), geolocation=(), microphone=()")
    headers.setdefault("Cache-Control", "private, no-cache")
    return response


def require_own_origin(request: Request, public_url: str) -> None:
    """Refuse an unsafe request that another site started. Browsers say where a request comes from; scripts cannot forge it."""
    if request.method in SAFE_METHODS:
        return
    site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
    if site is not None and site not in _SAME:
        raise ForeignForm
    if site is None and origin is not None and origin not in _own_origins(request, public_url):
        raise ForeignForm


def _own_origins(request: Request, public_url: str) -> set[str]:
    public = urlsplit(public_url)
    return {f"{public.scheme}://{public.netloc}", f"{request.url.scheme}://{request.url.netloc}"}


async def require_token(request: Request, expected: str) -> None:
    """Refuse an unsafe request without the session's own token, which only our pages know."""
    if request.method in SAFE_METHODS:
        return
    given = request.headers.get("x-csrf-token") or str((await request.form()).get("csrf_token", ""))
    if not secrets.compare_digest(given.encode(), expected.encode()):
        raise ForeignForm
