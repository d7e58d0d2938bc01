"""What interrupted attempts to write have sent to a provider, of which nobody knows whether it was carried out."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from app.deliveries import record_store as deliveries
from app.records import repository as records
from app.syncs.sources import Source

Data = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Attempt:
    """What was sent of a record."""

    data: Data
    """The record as it was then."""
    fields: frozenset[str]
    """Those of its fields that were sent."""


async def sent(source: Source, bases: Mapping[UUID, int | None]) -> dict[UUID, list[Attempt]]:
    """What was sent of these records since their bases, the newest first; of what they are now, nothing is among it.

    What was sent before its base was seen is settled: the same value, come back since, is somebody's.
    """
    attempted = await deliveries.attempted(source.scope, source.connection_id, source.stream.record_stream, bases)
    left = {record_id: [one for one in ones if one.version > (bases[record_id] or 0)] for record_id, ones in attempted.items()}
    found: dict[UUID, list[Attempt]] = {}
    while newest := {record_id: ones.pop() for record_id, ones in left.items() if ones}:
        versions = {record_id: one.version for record_id, one in newest.items()}
        for record_id, data in (await records.at_versions(source.scope, versions)).items():
            found.setdefault(record_id, []).append(Attempt(data, newest[record_id].fields))
    return found


def shows(source: Source, sent: Data, theirs: Data) -> bool:
    """Whether the provider's object has all that was sent."""
    translator = source.translator
    return not translator.pushed_changed(sent, theirs) & translator.pushed_changed({}, sent)
