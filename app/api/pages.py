"""Lists that are read page by page, in the shape that Relay describes. A page is found by a key, never by counting."""

from collections.abc import Callable
from typing import Annotated, Any, Generic, TypeVar

import strawberry
from graphql import FieldNode, FragmentSpreadNode, InlineFragmentNode

from app.api.context import Info
from app.api.reads.sources import Key
from app.paging import PageRequest, ResultPage

T = TypeVar("T")
M = TypeVar("M")

First = Annotated[int, strawberry.argument(description="How many to return: 1 to 100.")]
After = Annotated[str | None, strawberry.argument(description="Return what follows this cursor, an `endCursor` of the page before.")]


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
    edges: list[Edge[T]] = strawberry.field(description="The items of this page, each with its cursor.")
    nodes: list[T] = strawberry.field(description="The items of this page.")
    page_info: PageInfo = strawberry.field(description="Where this page lies in the list.")


@strawberry.type(name="Connection", description="One page of a list that can be counted.")
class CountedListing(Generic[T]):
    edges: list[Edge[T]] = strawberry.field(description="The items of this page, each with its cursor.")
    nodes: list[T] = strawberry.field(description="The items of this page.")
    page_info: PageInfo = strawberry.field(description="Where this page lies in the list.")
    total_count: int | None = strawberry.field(description="How many items the whole list has; counted only when it is asked for.")


def page_of(first: int, after: str | None) -> PageRequest:
    """Raises InvalidInput for a size out of range."""
    return PageRequest(first, after)


def listing(page: ResultPage[M], after: str | None, convert: Callable[[M], T]) -> Listing[T]:
    """The GraphQL page of what a service returned."""
    return Listing(**_parts(page, after, convert))


def counted_listing(page: ResultPage[M], after: str | None, convert: Callable[[M], T], total: int | None) -> CountedListing[T]:
    """The same with the number of all items, None where nobody asked for it."""
    return CountedListing(**_parts(page, after, convert), total_count=total)


def _parts(page: ResultPage[M], after: str | None, convert: Callable[[M], T]) -> dict[str, Any]:
    nodes, cursors = [convert(item) for item in page.items], list(page.cursors)
    return {
        "edges": [Edge(cursor=cursor, node=node) for cursor, node in zip(cursors, nodes, strict=True)],
        "nodes": nodes,
        "page_info": PageInfo(
            has_next_page=page.has_next,
            has_previous_page=after is not None,
            start_cursor=cursors[0] if cursors else None,
            end_cursor=cursors[-1] if cursors else None,
        ),
    }


def selects(info: Info, name: str) -> bool:
    """Whether the field being resolved was asked for this field of its answer, also by way of a fragment.

    `info.selected_fields` would unfold every use of every fragment; this looks into each of them once.
    """
    raw = info._raw_info
    pending = [node.selection_set for node in raw.field_nodes]
    seen: set[str] = set()
    while pending:
        selection_set = pending.pop()
        for node in selection_set.selections if selection_set else ():
            if isinstance(node, FieldNode):
                if node.name.value == name:
                    return True
            elif isinstance(node, InlineFragmentNode):
                pending.append(node.selection_set)
            elif isinstance(node, FragmentSpreadNode) and node.name.value not in seen:
                seen.add(node.name.value)
                pending.append(raw.fragments[node.name.value].selection_set)
    return False


NEWEST_FIRST = (Key("id", "uuid", descending=True),)
OLDEST_FIRST = (Key("id", "uuid"),)
BY_NAME = (Key("name", "text"), Key("id", "uuid"))
