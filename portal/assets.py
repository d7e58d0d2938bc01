"""Static files under addresses that carry their content's hash, so that browsers may keep them for a year."""

import gzip
import hashlib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response

FOLDER = Path(__file__).parent / "static"
FOREVER = "public, max-age=31536000, immutable"
_TYPES = {".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml"}


@dataclass(frozen=True, slots=True)
class Asset:
    content: bytes
    compressed: bytes
    digest: str
    media_type: str


@cache
def asset(name: str) -> Asset | None:
    """The file, read and compressed once for the life of the process; None for a name that is not ours."""
    path = (FOLDER / name).resolve()
    if not path.is_relative_to(FOLDER) or path.suffix not in _TYPES or not path.is_file():
        return None
    content = path.read_bytes()
    return Asset(content, gzip.compress(content, 9, mtime=0), hashlib.sha256(content).hexdigest()[:12], _TYPES[path.suffix])


def asset_url(name: str) -> str:
    """The address of a static file, different for each content."""
    found = asset(name)
    if found is None:
        raise FileNotFoundError(f"There is no static file {name}; the build copies htmx into portal/static/vendor.")
    return f"/static/{found.digest}/{name}"


async def serve(request: Request) -> Response:
    found = asset(request.path_params["name"])
    if found is None:
        return Response(status_code=404)
    headers = {"Vary": "Accept-Encoding", "X-Content-Type-Options": "nosniff"}
    headers["Cache-Control"] = FOREVER if request.path_params["digest"] == found.digest else "no-cache"
    if "gzip" in request.headers.get("accept-encoding", ""):
        return Response(found.compressed, media_type=found.media_type, headers=headers | {"Content-Encoding": "gzip"})
    return Response(found.content, media_type=found.media_type, headers=headers)
