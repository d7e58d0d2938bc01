"""Lists that are read page by page, in the shape that Relay describes. A page is found by a key, never by counting."""

from collections.abc import Callable
from enum import Enum
from typing import Annotated, Any, Generic, TypeVar
from uuid import UUID

import strawberry

from app.api.context import Info
from app.api.enums import enum
from app.api.reads.counts import total
from app.api.reads.sources import Key
from app.paging import PageRequest, ResultPage

T = TypeVar("T")
M = TypeVar("M")

First = Annotated[int, strawberry.argument(description="How many to return: 1 to 100.")]
After = Annotated[str | None, strawberry.argument(description="Return what follows this cursor, an `endCursor` of the page before.")]


@enum(
    "In which order a list is read.",
    NEWEST_FIRST="What the hub saw last comes first.",
    OLDEST_FIRST="What the hub saw first comes first.",
)
class ListOrder(Enum):
    NEWEST_FIRST = "newest_first"
    OLDEST_FIRST = "oldest_first"


Order = Annotated[ListOrder, strawberry.argument(description="In which order the list is read; a cursor counts only in its own.")]


@strawberry.type(description="Where a page lies in its list.")
class PageInfo:
    has_next_page: bool = strawberry.field(description="Whether there is more after this page.")
    has_previous_page: bool = strawberry.field(description="Whether this page was asked for by a cursor.")
    start_cursor: str | None = strawberry.field(description="The cursor of the first item.")
    end_cursor: str | None = strawberry.field(description="The cursor of the last item; give it as `after` for the next page.")


@strawberry.type(name="Edge", description="One item of a list, with its cursor.")
class Edge(Generic[T]):
    cursor: str = strawberry.field(description="Where this item lies in the list.")
    node: T = strawberry.field(description="The item.")


@strawberry.type(name="Connection", description="One page of a list.")
class Listing(Generic[T]):
    asked: strawberry.Private[Info]
    """The field that the page was asked for by."""
    of: strawberry.Private[UUID | None]
    """The row that the list belongs to; None for all rows of the organization."""
    edges: list[Edge[T]] = strawberry.field(description="The items of this page, each with its cursor.")
    nodes: list[T] = strawberry.field(description="The items of this page.")
    page_info: PageInfo = strawberry.field(description="Where this page lies in the list.")

    @strawberry.field(description="How many items the whole list has; counted only when it is asked for.")
    async def total_count(self) -> int:
        return await total(self.asked, self.of)


def page_of(first: int, after: str | None) -> PageRequest:
    """Raises InvalidInput for a size out of range."""
    return PageRequest(first, after)


def listing(info: Info, page: ResultPage[M], after: str | None, convert: Callable[[M], T], *, of: UUID | None = None) -> Listing[T]:
    """The GraphQL page of what a service returned; `of` is the id of the row that the list belongs to."""
    nodes, cursors = [convert(item) for item in page.items], list(page.cursors)
    return Listing(
        asked=info,
        of=of,
        edges=[Edge(cursor=cursor, node=node) for cursor, node in zip(cursors, nodes, strict=True)],
        nodes=nodes,
        page_info=place_of(page, after),
    )


def place_of(page: ResultPage[Any], after: str | None) -> PageInfo:
    """Where a page lies that was asked for by this cursor."""
    cursors = page.cursors
    return PageInfo(
        has_next_page=page.has_next,
        has_previous_page=after is not None,
        start_cursor=cursors[0] if cursors else None,
        end_cursor=cursors[-1] if cursors else None,
    )


def nothing(info: Info, after: str | None, *, of: UUID) -> Listing[Any]:
    """The page of a list whose rows this caller may not see."""
    return listing(info, ResultPage((), (), False), after, lambda row: row, of=of)


NEWEST_FIRST = (Key("id", "uuid", descending=True),)
OLDEST_FIRST = (Key("id", "uuid"),)
BY_NAME = (Key("name", "text"), Key("id", "uuid"))
EITHER_WAY = {ListOrder.NEWEST_FIRST.value: NEWEST_FIRST, ListOrder.OLDEST_FIRST.value: OLDEST_FIRST}


def has_status(status: Enum) -> str:
    """What a filter leaves over. The value stands in the statement: Postgres then knows how rare it is, whatever the other arguments."""
    return f"{{item}}.status = '{status.value}'"
