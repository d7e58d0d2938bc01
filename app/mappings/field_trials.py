"""Looking at field mappings without changing anything: previews, back tests, fields that nobody maps."""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from uuid import UUID

from app.actors import Actor, Permission
from app.connectors.base import Connector, FieldRow
from app.errors import InvalidInput
from app.mappings import field_repository, field_rules, mapped_streams, trials
from app.mappings.field_models import BackTest, DiscoveredField, PreviewedRecord
from app.mappings.mapped_streams import FieldMappingUnusable, MappedStream, MappedStreams
from app.mappings.round_trip import check_round_trip
from app.mappings.translate import Translator
from app.mappings.trials import Sample

MOST_PREVIEWED = 50
MOST_TESTED = 2_000
TRIED_OBJECTS = 50
"""Newest stored objects on which the round trip is tried."""
_AT_ONCE = 100
"""So many objects are tried before others of this process get their turn."""


@dataclass(eq=False)
class FieldMappingTrials:
    """Trying rows on what is stored. `FieldMappingService` has the rest."""

    connectors: Mapping[str, Connector]

    def __post_init__(self) -> None:
        self.streams = MappedStreams(self.connectors)

    async def preview(
        self, actor: Actor, connection_id: UUID, stream: str, rows: Sequence[FieldRow], *, first: int = 10, external_ids: Sequence[str] = ()
    ) -> list[PreviewedRecord]:
        """What the rows would make of the newest objects, or of the named ones. Raises NotFound, InvalidInput."""
        mapped = await self._readable(actor, connection_id, stream)
        _require(first, MOST_PREVIEWED)
        _require(len(external_ids) or 1, MOST_PREVIEWED)
        found = await (mapped_streams.named(mapped, external_ids) if external_ids else mapped_streams.newest(mapped, first))
        return await self._previews(mapped, rows, found)

    async def back_test(self, actor: Actor, connection_id: UUID, stream: str, rows: Sequence[FieldRow], *, last: int = 500) -> BackTest:
        """How many of the newest objects, and of the failed records, the rows would change, fail and heal.

        Raises NotFound, InvalidInput.
        """
        mapped = await self._readable(actor, connection_id, stream)
        _require(last, MOST_TESTED)
        found = [*await mapped_streams.failed(mapped, last), *await mapped_streams.newest(mapped, last)]
        return trials.back_test(await self._previews(mapped, rows, found))

    async def check(self, actor: Actor, connection_id: UUID, stream: str, rows: Sequence[FieldRow]) -> None:
        """Whether the rows could be saved. Raises NotFound, InvalidInput with what is wrong row by row, and an example."""
        await self._check(await self._readable(actor, connection_id, stream), rows)

    async def reach(self, actor: Actor, connection_id: UUID, stream: str) -> int:
        """How many records the stream's field mapping is about. Raises NotFound, InvalidInput."""
        actor.require(Permission.READ_CONNECTIONS)
        mapped = await self.streams.find(actor.scope, connection_id, stream)
        return await field_repository.record_count(actor.scope, connection_id, mapped.name)

    async def discovered(self, actor: Actor, connection_id: UUID, stream: str, *, last: int = 500) -> list[DiscoveredField]:
        """Names in the newest objects that no row of the mapping that counts reads, those seen most first. Raises NotFound."""
        mapped = await self._readable(actor, connection_id, stream)
        _require(last, MOST_TESTED)
        version = await self.streams.effective_version(mapped)
        found = await mapped_streams.newest(mapped, last)
        return trials.discovered(mapped.with_rows(version.rows), trials.documents(mapped.stream, found, mapped.account))

    async def _check(self, mapped: MappedStream, rows: Sequence[FieldRow], note: str = "") -> None:
        """Raises InvalidInput for rows that cannot be used, or that write what does not come back the same."""
        mapping = mapped.with_rows(rows)
        field_rules.check(mapped.stream.entity, mapping, note)
        read = trials.documents(mapped.stream, await mapped_streams.newest(mapped, TRIED_OBJECTS), mapped.account)
        if broken := check_round_trip(mapped.stream.entity, mapping, read, mapped.account):
            index = next((index for index, row in enumerate(rows) if row.target == broken.field), 0)
            raise InvalidInput(fields={f"rows.{index}": f"{broken.field}: {broken.sentence}"})

    async def _readable(self, actor: Actor, connection_id: UUID, stream: str) -> MappedStream:
        actor.require(Permission.READ_CONNECTIONS)
        actor.require(Permission.READ_RECORDS)  # the answer shows what is in them
        return await self.streams.find(actor.scope, connection_id, stream)

    async def _previews(self, mapped: MappedStream, rows: Sequence[FieldRow], found: Sequence[Sample]) -> list[PreviewedRecord]:
        other = mapped.with_rows(rows)
        field_rules.check(mapped.stream.entity, other)
        now = await self._translator_now(mapped)
        then = Translator(mapped.stream.entity, other)
        previews = []
        for place, sample in enumerate(found):
            previews.append(trials.preview(mapped.stream, now, then, sample, mapped.account))
            if place % _AT_ONCE == _AT_ONCE - 1:
                await asyncio.sleep(0)
        return previews

    async def _translator_now(self, mapped: MappedStream) -> Translator | None:
        with suppress(FieldMappingUnusable):  # whoever repairs it looks at what the repair would do
            return self.streams.translator_of(mapped, await self.streams.effective_version(mapped))
        return None


def _require(number: int, most: int) -> None:
    if not 1 <= number <= most:
        raise InvalidInput(fields={"last": f"Ask for 1 to {most} at a time."})
