"""Translates a page's objects while the page before is written: Python works in the time that Postgres takes.

Only the first walk of a stream gains by it. Later nearly all objects are as they were, which their fingerprints tell without a
translation. Whether an object is to be stored at all is decided when its page is written, under the stream's lock; what was translated
ahead is used there only for the very object that it was made of.

There, pages that are ready while one is written are written together: they share a transaction's many short statements.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import msgspec

from app.connectors.base import Item, Page
from app.mappings.repository import NewRecord
from app.syncs import rules
from app.syncs.new_records import new_record
from app.syncs.sources import UNUSABLE, Source

MOST_AT_ONCE = 2000
"""Objects that several pages have which are written together."""
TRANSLATED_AT_ONCE = 10
"""Objects that are translated before others have their turn, half a millisecond: a page's many short statements are answered meanwhile."""


class Ready(msgspec.Struct, frozen=True):
    """An object without parts, translated, and what it comes to if it turns out to be new."""

    item: Item
    new: NewRecord


Ahead = Mapping[str, Ready]
"""By external id; what cannot be translated is left out, and becomes a failed record when its page is written."""


@dataclass(frozen=True, slots=True)
class Batch:
    """What is written in one transaction: a page, or several that follow each other as one."""

    page: Page
    ahead: Ahead = field(default_factory=dict)
    pages: int = 1
    """How many of the provider's pages."""


async def translated_ahead(source: Source, pages: AsyncIterator[Page]) -> AsyncIterator[Batch]:
    """Each page with its objects' translations."""
    async for page in pages:
        yield Batch(page, await _translate(source, page))


async def nothing_ahead(pages: AsyncIterator[Page]) -> AsyncIterator[Batch]:
    """Each page as it is."""
    async for page in pages:
        yield Batch(page)


def joined(batches: Sequence[Batch]) -> Iterator[Batch]:
    """Those that follow each other as one, as far as they hold no object twice, of which the later need not be the newer."""
    waiting: Batch | None = None
    for batch in batches:
        if waiting is not None and _fit(waiting, batch):
            waiting = _join(waiting, batch)
            continue
        if waiting is not None:
            yield waiting
        waiting = batch
    if waiting is not None:
        yield waiting


def _fit(first: Batch, second: Batch) -> bool:
    ids = {item.external_id for item in first.page.items}
    return len(ids) + len(second.page.items) <= MOST_AT_ONCE and ids.isdisjoint(item.external_id for item in second.page.items)


def _join(first: Batch, second: Batch) -> Batch:
    """With the state after the second, and asked for when the first was."""
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


async def _translate(source: Source, page: Page) -> Ahead:
    ready = {}
    for place, item in enumerate(page.items):
        if place % TRANSLATED_AT_ONCE == 0:
            await asyncio.sleep(0)
        if not item.deleted:
            try:
                data = source.data_of(item, ())
            except UNUSABLE:
                continue
            fingerprint = rules.fingerprint(item.payload, (), source.translator.version, source.account)
            ready[item.external_id] = Ready(item, new_record(item, fingerprint, data))
    return ready
