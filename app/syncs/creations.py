"""Objects that a push has just made, met by a page before the push has stored what came of it.

Between a provider's work and its answer being stored, or where that answer was lost, the provider shows an object that no mapping knows.
Taken for new, it would be a second record of the same thing. It is known by what the push itself will look for: the natural key, or all
that was sent.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from app.connectors.base import Item, Writer
from app.deliveries import record_store as deliveries
from app.deliveries.record_store import Creation
from app.mappings import links
from app.mappings.translate import RecordInvalid
from app.records import repository as records
from app.syncs.sources import UNUSABLE, Source

Document = Mapping[str, Any]


async def adopt(source: Source, unknown: Sequence[Item]) -> bool:
    """Link those of the unknown objects that a push in hand may have made to its record. Whether there were any.

    In the page's transaction, under the lock of the stream's records. Several that fit are nobody's: the push will say so.
    """
    if source.stream.writer is None or not unknown:
        return False
    found = False
    for creation in await deliveries.creations(source.scope, source.connection_id, source.stream.record_stream):
        fitting = [item for item in unknown if _fits(source, source.stream.writer, creation, item)]
        if len(fitting) == 1:
            await records.find_home(source.scope, creation.record_id, source.connection_id)
            await links.add_link(
                source.scope,
                source.connection_id,
                source.stream.record_stream,
                fitting[0].external_id,
                creation.record_id,
                source.name,
                base_version=0,
            )
            unknown = [item for item in unknown if item is not fitting[0]]
            found = True
    return found


def _fits(source: Source, writer: Writer, creation: Creation, item: Item) -> bool:
    try:
        document = source.stream.assemble(item.payload, (), source.account)
        sent = source.translator.untranslate(creation.data, source.account)
        key = writer.key_of(sent)
        return (key is not None and key == writer.key_of(document)) or _shows(source, creation.data, item)
    except (RecordInvalid, *UNUSABLE):
        return False


def _shows(source: Source, sent: Document, item: Item) -> bool:
    """Whether the object has all that was sent."""
    theirs = msgspec.json.decode(source.data_of(item, ()))
    translator = source.translator
    return not translator.pushed_changed(sent, theirs) & translator.pushed_changed({}, sent)
