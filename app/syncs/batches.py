"""What is written in one transaction: a page, or on the first walk of a stream several that waited while another was written.

They share a transaction's many short statements.
"""

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import msgspec

from app.connectors.base import Item, Page
from app.mappings.repository import NewRecord


class Ready(msgspec.Struct, frozen=True):
    """An object without parts, translated, and what it comes to if it turns out to be new."""

    item: Item
    new: NewRecord


Ahead = Mapping[str, Ready]
"""By external id; what cannot be translated is left out, and becomes a failed record when its page is written."""


@dataclass(frozen=True, slots=True)
class Batch:
    """A page, or several that follow each other as one."""

    page: Page
    ahead: Ahead = field(default_factory=dict)
    pages: int = 1
    """How many of the provider's pages."""


async def one_by_one(pages: AsyncIterator[Page]) -> AsyncIterator[Batch]:
    """Each page as it is."""
    async for page in pages:
        yield Batch(page)


def joined(batches: Sequence[Batch]) -> Iterator[Batch]:
    """Those that follow each other as one, as far as they hold no object twice, of which the later need not be the newer."""
    waiting: Batch | None = None
    for batch in batches:
        if waiting is None:
            waiting = batch
        elif _ids(waiting).isdisjoint(_ids(batch)):
            waiting = _join(waiting, batch)
        else:
            yield waiting
            waiting = batch
    if waiting is not None:
        yield waiting


def _ids(batch: Batch) -> set[str]:
    return {item.external_id for item in batch.page.items}


def _join(first: Batch, second: Batch) -> Batch:
    """With the state after the second. It counts as asked for when the first was: what was written in between is newer, and comes again."""
    one, other = first.page, second.page
    page = replace(
        other,
        items=[*one.items, *other.items],
        parts=[*one.parts, *other.parts],
        bad=[*one.bad, *other.bad],
        expected=one.expected if other.expected is None else other.expected,
        read_after=one.read_after,
    )
    return Batch(page, {**first.ahead, **second.ahead}, first.pages + second.pages)
