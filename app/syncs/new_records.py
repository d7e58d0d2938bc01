"""What an object comes to that the hub has never seen: a record, a mapping, and word of it."""

import msgspec

from app.connectors.base import Item
from app.database import new_id
from app.mappings.repository import MappingWrite
from app.records.models import RecordChange
from app.records.repository import FIRST_VERSION, RecordWrite
from app.syncs.sources import Source


class NewRecord(msgspec.Struct, frozen=True):
    """All that is written of a new object; it can be made before anybody knows that the object is new."""

    record: RecordWrite
    mapping: MappingWrite
    change: RecordChange


def new_record(source: Source, item: Item, fingerprint: bytes, data: bytes) -> NewRecord:
    """From an object's translation, as JSON."""
    record_id = new_id()
    return NewRecord(
        RecordWrite(record_id, data),
        MappingWrite(item.external_id, record_id, "synced", item.version, fingerprint, item.payload, FIRST_VERSION, new_id()),
        RecordChange(record_id, item.external_id, source.translator.entity_name, None, data),
    )
