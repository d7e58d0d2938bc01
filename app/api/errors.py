"""What an address answers when nobody else does: JSON for programs, a short page for people."""

from html import escape
from http import HTTPStatus
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response

from app.api.masking import log_surprise, sentence_for
from app.api.middleware import HEADERS

_SENTENCES = {
    404: "There is nothing at this address.",
    405: "This address cannot be used in this way.",
    413: "This request is too big.",
}


async def http_error(request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    detail = error.detail if isinstance(error, HTTPException) else ""
    standard = HTTPStatus(status).phrase
    sentence = _SENTENCES.get(status, standard) if detail in ("", standard) else detail
    headers = dict(getattr(error, "headers", None) or {})
    extensions = getattr(error, "extensions", {"code": standard.upper().replace(" ", "_")})
    return answer(request, status, extensions, sentence, headers)


async def surprise(request: Request, error: Exception) -> Response:
    """Nobody expected this. It is outside of every middleware, so it brings the headers itself."""
    reference = log_surprise(error, path=request.url.path, method=request.method)
    return answer(request, 500, {"code": "INTERNAL_SERVER_ERROR"}, sentence_for(reference), HEADERS | {"Cache-Control": "no-store"})


def answer(request: Request, status: int, extensions: dict[str, Any], sentence: str, headers: dict[str, str]) -> Response:
    if "text/html" in request.headers.get("accept", "") and not request.url.path.startswith(("/graphql", "/health")):
        page = f"<!doctype html><html lang=en><meta charset=utf-8><title>{status}</title><h1>{escape(sentence)}</h1></html>"
        return HTMLResponse(page, status, headers)
    return JSONResponse({"errors": [{"message": sentence, "extensions": extensions}]}, status, headers)
