"""What interrupted attempts to write have sent to a provider, of which nobody knows whether it was carried out."""

from collections.abc import Collection
from typing import Any
from uuid import UUID

from app.deliveries import record_store as deliveries
from app.records import repository as records
from app.syncs.sources import Source

Data = dict[str, Any]


async def sent(source: Source, record_ids: Collection[UUID]) -> dict[UUID, list[Data]]:
    """These records' earlier versions that were sent, the newest first; as they are now, they are not among them."""
    versions = await deliveries.attempted(source.scope, source.connection_id, source.stream.record_stream, record_ids)
    found: dict[UUID, list[Data]] = {}
    while versions:
        newest = {record_id: numbers.pop() for record_id, numbers in versions.items()}
        for record_id, data in (await records.at_versions(source.scope, newest)).items():
            found.setdefault(record_id, []).append(data)
        versions = {record_id: numbers for record_id, numbers in versions.items() if numbers}
    return found


def shows(source: Source, sent: Data, theirs: Data) -> bool:
    """Whether the provider's object has all that was sent."""
    translator = source.translator
    return not translator.pushed_changed(sent, theirs) & translator.pushed_changed({}, sent)
