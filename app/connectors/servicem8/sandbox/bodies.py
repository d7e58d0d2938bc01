"""Reads the body of a write: JSON, or a form as some of the vendor's own samples send it."""

from typing import Any
from urllib.parse import parse_qsl

import orjson
from starlette.exceptions import HTTPException
from starlette.requests import Request

from .answers import invalid

FORM = "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data"


async def given_values(request: Request) -> dict[str, Any]:
    """The fields of the body. An empty body has none; anything but one object is refused."""
    body = await request.body()
    content_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if content_type == MULTIPART:
        return await _parts(request)
    if content_type == FORM:
        return dict(parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True))
    return _object(body) if body.strip() else {}


async def _parts(request: Request) -> dict[str, Any]:
    try:
        async with request.form() as form:
            return {name: value for name, value in form.items() if isinstance(value, str)}
    except HTTPException:
        raise invalid("The multipart body cannot be read") from None


def _object(body: bytes) -> dict[str, Any]:
    try:
        content = orjson.loads(body)
    except orjson.JSONDecodeError:
        raise invalid("The request body is not valid JSON") from None
    if not isinstance(content, dict):
        raise invalid("The request body must be one JSON object")
    return content
