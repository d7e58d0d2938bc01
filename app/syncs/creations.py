"""Objects that a push has just made, met by a page before the push has stored what came of it.

Between a provider's work and its answer being stored, or where that answer was lost, the provider shows an object that no mapping knows.
Taken for new, it would be a second record of the same thing. It is known by what the push itself will look for: the natural key, or all
that was sent.
"""

from collections.abc import Sequence
from typing import Any

import msgspec

from app.connectors.base import Item, Writer
from app.deliveries import record_store as deliveries
from app.mappings import links
from app.mappings.translate import RecordInvalid
from app.records import repository as records
from app.syncs import attempts
from app.syncs.sources import UNUSABLE, Source

Data = dict[str, Any]


async def adopt(source: Source, unknown: Sequence[Item]) -> bool:
    """Link those of the unknown objects that a push in hand may have made to its record. Whether there were any.

    In the page's transaction, under the lock of the stream's records. Several that fit are nobody's: the push will say so.
    """
    if source.stream.writer is None or not unknown:
        return False
    begun = await deliveries.creations(source.scope, source.connection_id, source.stream.record_stream)
    sent = await attempts.sent(source, dict.fromkeys(begun)) if begun else {}
    found = False
    for record_id, data in begun.items():
        versions = [data, *(attempt.data for attempt in sent.get(record_id, ()))]
        fitting = [item for item in unknown if any(_fits(source, source.stream.writer, version, item) for version in versions)]
        if len(fitting) == 1:
            await records.find_home(source.scope, record_id, source.connection_id)
            await links.add_link(
                source.scope,
                source.connection_id,
                source.stream.record_stream,
                fitting[0].external_id,
                record_id,
                source.name,
                base_version=0,
            )
            unknown = [item for item in unknown if item is not fitting[0]]
            found = True
    return found


def _fits(source: Source, writer: Writer, data: Data, item: Item) -> bool:
    try:
        document = source.stream.assemble(item.payload, (), source.account)
        sent = source.translator.untranslate(data, source.account)
        key = writer.key_of(sent)
        if key is not None and key == writer.key_of(document):
            return True
        return attempts.shows(source, data, msgspec.json.decode(source.data_of(item, ())))
    except (RecordInvalid, *UNUSABLE):
        return False
