"""What interrupted attempts to write have sent to a provider, of which nobody knows whether it was carried out."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from app.deliveries import record_store as deliveries
from app.records import repository as records
from app.syncs.sources import Source

Data = dict[str, Any]


async def sent(source: Source, bases: Mapping[UUID, int | None]) -> dict[UUID, list[Data]]:
    """The versions of these records that were sent since their bases, the newest first; as they are now, they are not among them.

    What was sent before its base was seen is settled: the same value, come back since, is somebody's.
    """
    attempted = await deliveries.attempted(source.scope, source.connection_id, source.stream.record_stream, bases)
    left = {record_id: [number for number in numbers if number > (bases[record_id] or 0)] for record_id, numbers in attempted.items()}
    found: dict[UUID, list[Data]] = {}
    while newest := {record_id: numbers.pop() for record_id, numbers in left.items() if numbers}:
        for record_id, data in (await records.at_versions(source.scope, newest)).items():
            found.setdefault(record_id, []).append(data)
    return found


def shows(source: Source, sent: Data, theirs: Data) -> bool:
    """Whether the provider's object has all that was sent."""
    translator = source.translator
    return not translator.pushed_changed(sent, theirs) & translator.pushed_changed({}, sent)
