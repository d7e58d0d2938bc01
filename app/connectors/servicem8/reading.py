"""Reads lists: https://developer.servicem8.com/docs/filtering and https://developer.servicem8.com/docs/pagination."""

from collections.abc import AsyncIterator, Sequence
from typing import Any

from app.connectors.answers import Response
from app.connectors.base import Session
from app.connectors.client import ApiClient
from app.connectors.errors import RequestRejected, UnexpectedResponse
from app.connectors.pagination import CursorWatch
from app.connectors.servicem8.cutting import CutPage, cut
from app.connectors.servicem8.payloads import decode_object
from app.connectors.servicem8.walks import FIRST_CURSOR

LONGEST_VALUE = 255
SAMPLE_CHARACTERS = 120


def list_path(name: str) -> str:
    return f"/api_1.0/{name}.json"


def equals(field: str, value: str) -> str:
    """One condition. How a quote within a value is escaped is not documented, so such values are refused."""
    if "'" in value or "\\" in value or len(value) > LONGEST_VALUE:
        raise RequestRejected(f"ServiceM8 cannot look for {value[:40]!r}.")
    return f"{field} eq '{value}'"


def edited_after(stamp: str) -> str:
    return f"edit_date gt '{stamp}'"


async def read_pages(
    session: Session, name: str, conditions: Sequence[str], cursor: str = FIRST_CURSOR
) -> AsyncIterator[tuple[CutPage, Response, str | None]]:
    """The pages from a cursor on: each with its answer and the cursor of the next, None after the last."""
    watch = CursorWatch()
    following: str | None = cursor
    while following is not None:
        params = {"cursor": following} | ({"$filter": " and ".join(conditions)} if conditions else {})
        page, response = await _read_page(session.client, name, params)
        following = watch.next(following, response.headers.get("x-next-cursor"))
        yield page, response, following


async def read_objects(session: Session, name: str, *conditions: str) -> list[dict[str, Any]]:
    """All objects that fit, decoded; for short lists. Raises UnexpectedResponse for one that cannot be read."""
    found: dict[str, dict[str, Any]] = {}
    async for page, _, _ in read_pages(session, name, conditions):
        try:
            found |= {one.uuid: decode_object(one.payload) for one in page.objects}
        except ValueError as error:
            raise UnexpectedResponse(f"ServiceM8 sent a {name} that cannot be read. {error}") from None
    return list(found.values())


async def _read_page(client: ApiClient, name: str, params: dict[str, str]) -> tuple[CutPage, Response]:
    pages: list[CutPage] = []

    def check(response: Response) -> None:
        try:
            pages.append(cut(response.content))
        except UnexpectedResponse:
            sample = client.redactor.quote(response.content[:2000].decode("utf-8", "replace"), SAMPLE_CHARACTERS)
            raise UnexpectedResponse(f"ServiceM8's list of {name} is not a complete JSON array: “{sample}”") from None

    response = await client.get(list_path(name), params, check=check)
    return pages[-1], response
