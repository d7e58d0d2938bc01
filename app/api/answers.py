"""What an answer looks like in HTTP: its status, the headers that go with it, and whether the caller has it already.

Functions of the answer alone, for every path that makes one. https://graphql.github.io/graphql-over-http/draft/
"""

from base64 import urlsafe_b64encode
from collections.abc import Mapping
from hashlib import sha256
from typing import Any

from starlette.responses import Response

from app.api.accept import GRAPHQL_RESPONSE
from app.api.gate.rates import retry_after

_CACHED = {"Cache-Control": "private, no-cache", "Vary": "Authorization, Cookie, Accept"}
"""Kept by the browser alone and asked for again each time: whether it may still be seen is decided anew."""


def media_type(graphql_response: bool) -> str:
    return f"{GRAPHQL_RESPONSE}; charset=utf-8" if graphql_response else "application/json"


def status_of(answer: Mapping[str, Any], *, graphql_response: bool) -> int:
    """429 for a caller that asks too much; 400 for what never ran, where the media type allows to say so."""
    if _is_rate_limited(answer):
        return 429
    return 400 if graphql_response and "data" not in answer else 200


def headers_of(answer: Mapping[str, Any]) -> dict[str, str]:
    """When a caller that asked too much may go on."""
    if not _is_rate_limited(answer):
        return {}
    seconds = retry_after(answer["errors"][0]["extensions"])
    return {"Retry-After": seconds} if seconds else {}


def caching_headers(body: bytes) -> dict[str, str]:
    """Of an answer to a GET: a strong validator, the digest of the bytes."""
    digest = urlsafe_b64encode(sha256(body).digest()[:18]).decode()
    return {"ETag": f'"{digest}"', **_CACHED}


def has_it(if_none_match: str | None, etag: str) -> bool:
    """Whether a caller with this `If-None-Match` has the answer already (304)."""
    if not if_none_match:
        return False
    known = [part.strip().removeprefix("W/") for part in if_none_match.split(",")]
    return "*" in known or etag in known


def conditional(response: Response, if_none_match: str | None) -> Response:
    """The answer to a GET with its validator; without its body for a caller who has it."""
    headers = caching_headers(bytes(response.body))
    if has_it(if_none_match, headers["ETag"]):
        return Response(status_code=304, headers=headers)
    response.headers.update(headers)
    return response


def _is_rate_limited(answer: Mapping[str, Any]) -> bool:
    errors: list[dict[str, Any]] = answer.get("errors") or []
    return any((error.get("extensions") or {}).get("code") == "RATE_LIMITED" for error in errors[:1])
