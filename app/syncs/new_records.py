"""What an object comes to that the hub has never seen. It can be made before anybody knows that the object is new."""

from app.connectors.base import Item
from app.ids import new_id
from app.mappings.repository import NewRecord


def new_record(item: Item, fingerprint: bytes, data: bytes) -> NewRecord:
    """From an object's translation, as JSON."""
    return NewRecord(new_id(), data, new_id(), item.external_id, item.version, fingerprint, item.payload)
