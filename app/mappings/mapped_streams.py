"""Finds what a field mapping is of: the stream of a connection, its account, its stored objects."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from uuid import UUID

from app.actors import Scope
from app.connectors.base import Account, Connector, FieldMapping, FieldRow, Stream
from app.errors import FixBy, HubError, InvalidInput, NotFound
from app.mappings import field_repository, repository
from app.mappings import parts as parts_store
from app.mappings.field_models import DEFAULT_VERSION, FieldMappingVersion
from app.mappings.rows import FieldMappingInvalid
from app.mappings.translate import Translator
from app.mappings.trials import Sample

KEPT_TRANSLATORS = 500
EARLIER_VERSIONS = 20
"""So many versions that counted before are known again by what was translated by them."""


class FieldMappingUnusable(HubError):
    """The published field mapping of this stream cannot be used any more; publish another version."""

    code = "field_mapping_unusable"
    fix_by = FixBy.CUSTOMER


@dataclass(frozen=True, slots=True)
class MappedStream:
    """A stream of a connection, as field mappings see it."""

    scope: Scope
    connection_id: UUID
    provider: str
    stream: Stream
    account: Account

    @property
    def name(self) -> str:
        return self.stream.name

    def with_rows(self, rows: Sequence[FieldRow]) -> FieldMapping:
        """The connector's field mapping with other rows. Its version stays: it tells of the documents that the rows read."""
        return replace(self.stream.fields, rows=tuple(rows))

    def default(self) -> FieldMappingVersion:
        return FieldMappingVersion(self.connection_id, self.name, DEFAULT_VERSION, self.stream.fields.rows)


@dataclass(eq=False)
class MappedStreams:
    """The streams of all connectors, and the translators that were made for them."""

    connectors: Mapping[str, Connector]

    def __post_init__(self) -> None:
        self._translators: dict[tuple[UUID | str, str, int], Translator] = {}

    async def translator(self, scope: Scope, connection_id: UUID, stream: str) -> Translator:
        """By the field mapping that counts now; made once for each version. Raises NotFound, FieldMappingUnusable."""
        mapped = await self.find(scope, connection_id, stream)
        return self.translator_of(mapped, await self.effective_version(mapped))

    async def translators(self, scope: Scope, connection_id: UUID, stream: str) -> tuple[Translator, tuple[Translator, ...]]:
        """By the field mapping that counts now, and by those that counted before, newest first; none twice.

        Raises NotFound, FieldMappingUnusable.
        """
        mapped = await self.find(scope, connection_id, stream)
        now = self.translator_of(mapped, await self.effective_version(mapped))
        earlier = await field_repository.counted_before(scope, connection_id, mapped.name, EARLIER_VERSIONS)
        found: dict[int, Translator] = {}
        for version in [*earlier, mapped.default()]:
            with suppress(FieldMappingUnusable):  # nothing is translated by it any more
                translator = self.translator_of(mapped, version)
                found.setdefault(translator.version, translator)
        return now, tuple(translator for number, translator in found.items() if number != now.version)

    async def find(self, scope: Scope, connection_id: UUID, stream: str, *, lock: bool = False) -> MappedStream:
        """Raises NotFound for an unknown connection, InvalidInput for a stream that its connector does not have."""
        connection = await field_repository.connection(scope, connection_id, lock=lock)
        if connection is None or (lock and connection.is_deleted):
            raise NotFound("This connection does not exist, or you may not see it.")
        streams = self.connectors[connection.provider].streams
        if stream not in streams:
            raise InvalidInput(fields={"stream": f"There is no stream {stream[:40]!r}; there are {', '.join(sorted(streams))}."})
        return MappedStream(scope, connection_id, connection.provider, streams[streams[stream].record_stream], connection.account)

    async def effective_version(self, mapped: MappedStream) -> FieldMappingVersion:
        """The published version, or the connector's own."""
        return await field_repository.published(mapped.scope, mapped.connection_id, mapped.name) or mapped.default()

    def translator_of(self, mapped: MappedStream, version: FieldMappingVersion) -> Translator:
        """Raises FieldMappingUnusable: what was right when it was saved may not be with a later connector."""
        owner = mapped.provider if version.version == DEFAULT_VERSION else mapped.connection_id
        key = (owner, mapped.name, version.version)
        if key not in self._translators:
            if len(self._translators) >= KEPT_TRANSLATORS:
                self._translators.clear()
            try:
                self._translators[key] = Translator(mapped.stream.entity, mapped.with_rows(version.rows))
            except FieldMappingInvalid as error:
                raise FieldMappingUnusable(f"The published field mapping of {mapped.name} cannot be used any more: {error}") from None
        return self._translators[key]


async def newest(mapped: MappedStream, limit: int) -> list[Sample]:
    """The objects that were mapped last."""
    return await _samples(mapped, await field_repository.newest(mapped.scope, mapped.connection_id, mapped.name, limit))


async def failed(mapped: MappedStream, limit: int) -> list[Sample]:
    """The newest objects that could be read and not be taken over."""
    return await _samples(mapped, await field_repository.failed(mapped.scope, mapped.connection_id, mapped.name, limit))


async def named(mapped: MappedStream, external_ids: Sequence[str]) -> list[Sample]:
    """Those of the objects that are mapped."""
    storable = [external_id for external_id in external_ids if "\x00" not in external_id]
    found = await repository.payloads(mapped.scope, mapped.connection_id, mapped.name, storable)
    return await _samples(mapped, [(external_id, payload) for external_id, payload, _ in found])


async def _samples(mapped: MappedStream, objects: Sequence[tuple[str, bytes]]) -> list[Sample]:
    ids = [external_id for external_id, _ in objects]
    parts = await parts_store.parts_of(mapped.scope, mapped.connection_id, mapped.name, ids) if ids else {}
    return [Sample(external_id, payload, parts.get(external_id, [])) for external_id, payload in objects]
