"""Look-ups of one request, gathered: a hundred runs ask for their connections in one statement."""

from collections.abc import Awaitable, Callable, Hashable, Mapping, Sequence
from typing import TypeVar
from uuid import UUID

from strawberry.dataloader import DataLoader

from app.actors import Permission
from app.api.context import Context
from app.api.types.clients import Client
from app.api.types.conflicts import Conflict
from app.api.types.connections import Connection
from app.api.types.deliveries import Delivery
from app.api.types.mappings import Mapping as RecordMapping
from app.api.types.plans import Plan
from app.api.types.quotes import Quote
from app.api.types.reconciliations import Reconciliation
from app.api.types.record_parts import RecordVersion
from app.api.types.sync_runs import SyncRun
from app.api.types.syncs import Sync
from app.paging import PageRequest
from app.quotes import models
from app.records.models import Record

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Loaders:
    """One for each thing that other things point to. What is not there, or may not be seen, is None."""

    def __init__(self, context: Context) -> None:
        self.connection = gathered(context, Permission.READ_CONNECTIONS, connections)
        self.sync = gathered(context, Permission.READ_SYNCS, syncs)
        self.sync_run = gathered(context, Permission.READ_SYNCS, sync_runs)
        self.plan = gathered(context, Permission.READ_SYNCS, plans)
        self.latest_runs = gathered(context, Permission.READ_SYNCS, latest_runs)
        self.latest_reconciliation = gathered(context, Permission.READ_SYNCS, latest_reconciliations)
        self.reconciliations_of = gathered(context, Permission.READ_SYNCS, reconciliations_of)
        self.record = gathered(context, Permission.READ_RECORDS, records)
        self.record_versions = gathered(context, Permission.READ_RECORDS, record_versions)
        self.mappings_of = gathered(context, Permission.READ_RECORDS, mappings_of)
        self.conflict = gathered(context, Permission.READ_RECORDS, conflicts)
        self.client = gathered(context, Permission.READ_CLIENTS, clients)
        self.quote = gathered(context, Permission.READ_QUOTES, quotes_by_id)
        self.quote_lines = gathered(context, Permission.READ_QUOTES, quote_lines)
        self.quote_versions = gathered(context, Permission.READ_QUOTES, quote_versions)
        self.quote_decisions = gathered(context, Permission.READ_QUOTES, quote_decisions)
        self.quote_delivery = gathered(context, Permission.READ_QUOTES, quote_deliveries)


def gathered(
    context: Context, permission: Permission, find: Callable[[Context, Sequence[K]], Awaitable[Mapping[K, V]]]
) -> "DataLoader[K, V | None]":
    """A loader over a function that finds many at once.

    Nothing is remembered: the same context serves a stream for hours, and a mutation may change what was loaded.
    """

    async def load(keys: list[K]) -> list[V | None]:
        if not context.actor.may(permission):
            return [None] * len(keys)
        values = await find(context, list(dict.fromkeys(keys)))
        return [values.get(key) for key in keys]

    return DataLoader(load, cache=False, max_batch_size=200)


async def connections(context: Context, ids: Sequence[UUID]) -> dict[UUID, Connection]:
    return {found.id: Connection.of(found) for found in await context.hub.connections.get_many(context.actor, ids)}


async def syncs(context: Context, ids: Sequence[UUID]) -> dict[UUID, Sync]:
    return {found.id: Sync.of(found) for found in await context.hub.schedules.get_many(context.actor, ids)}


async def sync_runs(context: Context, ids: Sequence[UUID]) -> dict[UUID, SyncRun]:
    return {found.id: SyncRun.of(found) for found in await context.hub.syncs.get_many(context.actor, ids)}


async def plans(context: Context, ids: Sequence[UUID]) -> dict[UUID, Plan]:
    return {found.id: Plan.of(found) for found in await context.hub.plans.get_many(context.actor, ids)}


async def latest_runs(context: Context, wanted: Sequence[tuple[UUID, int]]) -> dict[tuple[UUID, int], list[SyncRun]]:
    found: dict[tuple[UUID, int], list[SyncRun]] = {}
    for first in {first for _, first in wanted}:
        runs = await context.hub.syncs.latest_runs(context.actor, [of for of, size in wanted if size == first], PageRequest(first))
        found |= {(connection_id, first): [SyncRun.of(run) for run in latest] for connection_id, latest in runs.items()}
    return found


async def latest_reconciliations(context: Context, wanted: Sequence[tuple[UUID, str]]) -> dict[tuple[UUID, str], Reconciliation]:
    found = await context.hub.reconciliations.latest_of(context.actor, wanted)
    return {key: Reconciliation.of(one) for key, one in found.items()}


async def reconciliations_of(context: Context, run_ids: Sequence[UUID]) -> dict[UUID, list[Reconciliation]]:
    found = await context.hub.reconciliations.of_runs(context.actor, run_ids)
    return {run_id: [Reconciliation.of(one) for one in of] for run_id, of in found.items()}


async def records(context: Context, ids: Sequence[UUID]) -> dict[UUID, Record]:
    return {found.id: found for found in await context.hub.records.get_many(context.actor, ids)}


async def record_versions(context: Context, wanted: Sequence[tuple[UUID, int]]) -> dict[tuple[UUID, int], list[RecordVersion]]:
    found: dict[tuple[UUID, int], list[RecordVersion]] = {}
    for first in {first for _, first in wanted}:
        ids = [of for of, size in wanted if size == first]
        versions = await context.hub.records.versions_of(context.actor, ids, PageRequest(first))
        found |= {(record_id, first): [RecordVersion.of(version) for version in of] for record_id, of in versions.items()}
    return found


async def mappings_of(context: Context, ids: Sequence[UUID]) -> dict[UUID, list[RecordMapping]]:
    found = await context.hub.records.mappings_of(context.actor, ids)
    return {record_id: [RecordMapping.of(mapping) for mapping in of] for record_id, of in found.items()}


async def conflicts(context: Context, ids: Sequence[UUID]) -> dict[UUID, Conflict]:
    return {found.id: Conflict.of(found) for found in await context.hub.conflicts.get_many(context.actor, ids)}


async def clients(context: Context, ids: Sequence[UUID]) -> dict[UUID, Client]:
    return {found.id: Client.of(found) for found in await context.hub.clients.get_many(context.actor, ids)}


async def quotes_by_id(context: Context, ids: Sequence[UUID]) -> dict[UUID, Quote]:
    return {found.id: Quote.of(found) for found in await context.hub.quotes.get_many(context.actor, ids)}


async def quote_lines(context: Context, ids: Sequence[UUID]) -> Mapping[UUID, Sequence[models.QuoteLine]]:
    return await context.hub.quotes.lines_of(context.actor, ids)


async def quote_versions(context: Context, ids: Sequence[UUID]) -> Mapping[UUID, Sequence[models.QuoteVersion]]:
    return await context.hub.quotes.versions_of(context.actor, ids)


async def quote_decisions(context: Context, ids: Sequence[UUID]) -> Mapping[UUID, Sequence[models.Decision]]:
    return await context.hub.quotes.decisions_of(context.actor, ids)


async def quote_deliveries(context: Context, ids: Sequence[UUID]) -> dict[UUID, Delivery]:
    return {quote_id: Delivery.of(found) for quote_id, found in (await context.hub.deliveries.of_quotes(context.actor, ids)).items()}
