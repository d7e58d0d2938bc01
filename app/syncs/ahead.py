"""Translates a page's objects while the page before is written: Python works in the time that Postgres takes.

Only the first walk of a stream gains by it. Later nearly all objects are as they were, which their fingerprints tell without a
translation. Whether an object is to be stored at all is decided when its page is written, under the stream's lock; what was translated
ahead is used there only for the very object that it was made of.
"""

import asyncio
from collections.abc import AsyncIterator

from app.connectors.base import Page
from app.syncs import rules
from app.syncs.batches import Ahead, Batch, Ready
from app.syncs.new_records import new_record
from app.syncs.sources import UNUSABLE, Source

AT_ONCE = 10
"""Objects that are translated before others have their turn, half a millisecond: a page's many short statements are answered meanwhile."""


async def translated_ahead(source: Source, pages: AsyncIterator[Page]) -> AsyncIterator[Batch]:
    """Each page with its objects' translations."""
    async for page in pages:
        yield Batch(page, await _translate(source, page))


async def _translate(source: Source, page: Page) -> Ahead:
    ready = {}
    for place, item in enumerate(page.items):
        if place % AT_ONCE == 0:
            await asyncio.sleep(0)
        if not item.deleted:
            try:
                data = source.data_of(item, ())
            except UNUSABLE:
                continue
            fingerprint = rules.fingerprint(item.payload, (), source.translator.version, source.account)
            ready[item.external_id] = Ready(item, new_record(item, fingerprint, data))
    return ready
