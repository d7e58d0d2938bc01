"""Taking over single objects of a provider, by its ids: one, many listed, or all."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from uuid import UUID

from app.actors import Actor, Permission, Scope
from app.audit.service import AuditService
from app.connections.service import ConnectionService
from app.connectors.base import Connector, Page, Reading, Session, Stream
from app.connectors.errors import ConnectorError, RequestRejected
from app.database import fetch_row, transaction
from app.errors import InvalidInput
from app.syncs import failures
from app.syncs.models import SyncRun
from app.syncs.rules import LONGEST_ID
from app.syncs.service import SyncService
from app.syncs.sources import Source
from app.syncs.walker import StreamWalker

MOST_AT_ONCE = 100
"""Objects that are listed; each is a request or more. All of them are a run's matter."""


class ImportOutcome(StrEnum):
    """What became of an object."""

    CREATED = "created"
    UPDATED = "updated"
    UNCHANGED = "unchanged"
    MISSING = "missing"
    """The provider does not have it (any more); nothing was done."""
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Imported:
    """One object, and what became of it."""

    external_id: str
    outcome: ImportOutcome
    record_id: UUID | None = None
    """The record that it is, also where it could not be brought up to date."""
    mapping_id: UUID | None = None
    failed_record_id: UUID | None = None
    message: str | None = None
    """Why it failed or is missing, in one sentence."""


@dataclass(frozen=True, slots=True)
class ImportReport:
    """Many objects."""

    results: Sequence[Imported]

    @property
    def total(self) -> int:
        return len(self.results)

    @property
    def imported(self) -> int:
        """Taken over, or there already."""
        return self.total - self.failed

    @property
    def failed(self) -> int:
        """Failed or missing."""
        return sum(one.outcome in (ImportOutcome.FAILED, ImportOutcome.MISSING) for one in self.results)


class ImportService:
    """The use cases of taking over objects by their ids. Repeating one does no harm."""

    def __init__(
        self,
        *,
        walker: StreamWalker,
        syncs: SyncService,
        connections: ConnectionService,
        connectors: Mapping[str, Connector],
        audit: AuditService,
    ) -> None:
        self._walker = walker
        self._syncs = syncs
        self._connections = connections
        self._connectors = connectors
        self._audit = audit

    async def one(self, actor: Actor, connection_id: UUID, stream: str, external_id: str) -> Imported:
        """Read it now and take it over. Raises InvalidInput, ConnectionNotFound, ConnectorError."""
        (result,) = (await self._import(actor, connection_id, stream, [external_id], going_on=False)).results
        return result

    async def many(self, actor: Actor, connection_id: UUID, stream: str, external_ids: Sequence[str]) -> ImportReport:
        """Those listed, one after another, each by itself. Once the connection fails, the rest is not tried.

        Raises InvalidInput, ConnectionNotFound, ConnectionUnusable.
        """
        return await self._import(actor, connection_id, stream, external_ids, going_on=True)

    async def all(self, actor: Actor, connection_id: UUID, stream: str, *, idempotency_key: str | None = None) -> SyncRun:
        """Everything that the provider has: a full run of the stream. Raises what SyncService.start raises."""
        return await self._syncs.start(actor, connection_id, streams=[stream], mode="full", idempotency_key=idempotency_key)

    async def _import(
        self, actor: Actor, connection_id: UUID, stream: str, external_ids: Sequence[str], *, going_on: bool
    ) -> ImportReport:  # fmt: skip
        actor.require(Permission.RUN_SYNCS)
        actor.require(Permission.READ_RECORDS)
        ids = _checked(external_ids)
        connection = await self._connections.get(actor, connection_id)
        connector = self._connectors[connection.provider]
        chosen = _stream(connector, stream)
        results: list[Imported] = []
        async with self._connections.open_session(actor.scope, connection_id, priority="bulk") as session:
            source = await self._walker.source(actor.scope, connection_id, connector, chosen, session, None)
            source = replace(source, name=actor.name)
            for place, external_id in enumerate(ids):
                try:
                    results.append(await self._take(actor, source, session, external_id))
                except ConnectorError as error:
                    if not going_on:
                        raise
                    results.append(Imported(external_id, ImportOutcome.FAILED, message=error.message))
                    if not isinstance(error, RequestRejected):
                        results += [Imported(left, ImportOutcome.FAILED, message=error.message) for left in ids[place + 1 :]]
                        break
        return ImportReport(results)

    async def _take(self, actor: Actor, source: Source, session: Session, external_id: str) -> Imported:
        reading = await source.stream.read_one(session, external_id)
        if reading is None or reading.item.deleted:
            return Imported(external_id, ImportOutcome.MISSING, message=f"{source.stream.title}: the provider has no {external_id}.")
        async with transaction(actor.scope):
            outcome = await self._store(source, reading)
            result = await _result(actor.scope, source, reading.item.external_id, outcome)
            if result.outcome in (ImportOutcome.CREATED, ImportOutcome.UPDATED):
                data = {"connection_id": source.connection_id, "stream": source.stream.name, "external_id": reading.item.external_id}
                await self._audit.add(actor, "record.imported", result.record_id, data)
        return result

    async def _store(self, source: Source, reading: Reading) -> ImportOutcome:
        page = Page(state={}, items=[reading.item], parts=list(reading.parts))
        _, outcome = await self._walker.pages.write_each(source, page)
        if any(failure.external_id == reading.item.external_id for failure in outcome.failures):
            return ImportOutcome.FAILED
        changes = [change for change in outcome.changes if change.external_id == reading.item.external_id]
        if not any(change.says_something for change in changes):
            return ImportOutcome.UNCHANGED
        return ImportOutcome.CREATED if changes[0].before is None else ImportOutcome.UPDATED


def _checked(external_ids: Sequence[str]) -> list[str]:
    """Each once, in their order."""
    ids = list(dict.fromkeys(id.strip() for id in external_ids))
    if not 1 <= len(ids) <= MOST_AT_ONCE:
        raise InvalidInput(fields={"externalIds": f"Name 1 to {MOST_AT_ONCE} objects; start a full sync for all of them."})
    if any(not id or len(id) > LONGEST_ID or not id.isprintable() for id in ids):
        raise InvalidInput(fields={"externalIds": "Give the ids as the provider shows them."})
    return ids


def _stream(connector: Connector, name: str) -> Stream:
    streams = {stream.name: stream for stream in connector.streams.values() if stream.record_stream == stream.name}
    if name not in streams:
        raise InvalidInput(fields={"stream": f"There is no stream {name!r}; choose from {', '.join(streams)}."})
    return streams[name]


async def _result(scope: Scope, source: Source, external_id: str, outcome: ImportOutcome) -> Imported:
    row = await fetch_row(
        scope,
        """
        SELECT id, record_id FROM mapping
        WHERE organization_id = $1 AND external_id = $2 AND connection_id = $3 AND stream = $4
        """,
        scope.organization_id,
        external_id,
        source.connection_id,
        source.stream.record_stream,
    )
    result = Imported(external_id, outcome, row["record_id"] if row else None, row["id"] if row else None)
    if outcome is not ImportOutcome.FAILED:
        return result
    failed_id, message = await failures.open_one(scope, source.connection_id, source.stream.record_stream, external_id)
    return replace(result, failed_record_id=failed_id, message=message)
