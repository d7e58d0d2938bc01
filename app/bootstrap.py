"""The one composition root: web, worker, command line and tests open the same Hub."""

from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from types import TracebackType
from typing import Self
from uuid import UUID

from arq.connections import ArqRedis, create_pool

from app.actors import Scope
from app.audit.service import AuditService
from app.budget import RedisBudget
from app.clients.merging import ClientMerges
from app.clients.service import ClientService
from app.conflicts import repository as conflicts
from app.conflicts.reopening import ReopeningService
from app.conflicts.service import ConflictService
from app.connections.service import ConnectionService
from app.connections.sessions import SessionFactory
from app.connectors.guard import OutboundGuard
from app.connectors.registry import find_connectors
from app.connectors.transport import GuardedTransport
from app.database import close_database, open_database
from app.deliveries.service import DeliveryService
from app.encryption import Vault
from app.errors import HubError
from app.feed.service import FeedService
from app.mail.service import MailService
from app.mappings.field_mappings import FieldMappingService
from app.mappings.mapped_streams import MappedStreams
from app.organizations.service import OrganizationService
from app.queue import BULK_QUEUE, ArqQueue, deserialize, redis_settings, serialize
from app.quotes.models import ConnectionRef
from app.quotes.outcomes import DecisionOutcomes
from app.quotes.service import QuoteService
from app.records.duplicates import DuplicateService
from app.records.editing import RecordEditor, RecordEditService
from app.records.merging import MergeService
from app.records.models import RecordChange
from app.records.orphans import OrphanService
from app.records.service import DOCUMENT, RecordService
from app.settings import Settings
from app.syncs.counterparts import CounterpartService
from app.syncs.engine import SyncEngine
from app.syncs.failed_records import FailedRecordService
from app.syncs.importing import ImportService
from app.syncs.pages import PageWriter
from app.syncs.plans.runs import PlanRuns
from app.syncs.plans.service import PlanService
from app.syncs.quarantine import QuarantineService
from app.syncs.reconciliation import ReconciliationService
from app.syncs.record_pushes import RecordPushService
from app.syncs.remapping import Remapper
from app.syncs.schedules import ScheduleService
from app.syncs.service import SyncService
from app.syncs.statistics import StatisticsService
from app.syncs.unsynced import UnsyncedService
from app.syncs.walker import StreamWalker


class NotConfigured(HubError):
    """No database or Redis is named: set CROSSWALK_DATABASE_URL and CROSSWALK_REDIS_URL, or use `crosswalk dev`."""

    code = "not_configured"


class Hub:
    """Every resource and service, opened once for each process: `async with Hub(settings) as hub:`."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.connectors = find_connectors()
        self._stack = AsyncExitStack()

    def now(self) -> datetime:
        return datetime.now(UTC)

    async def __aenter__(self) -> Self:
        try:
            await self._open_resources()
        except BaseException:
            await self._stack.aclose()
            raise
        self._build_services()
        self._stack.push_async_callback(self.feed.close)
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self._stack.aclose()

    def on_close(self, finish: Callable[[], Awaitable[None]]) -> None:
        """Run this before the resources are closed."""
        self._stack.push_async_callback(finish)

    async def _open_resources(self) -> None:
        settings = self.settings
        if settings.database_url is None or settings.redis_url is None:
            raise NotConfigured
        await open_database(settings.database_url, max_size=settings.database_connections)
        self._stack.push_async_callback(close_database)
        self.redis: ArqRedis = await create_pool(
            redis_settings(settings.redis_url), job_serializer=serialize, job_deserializer=deserialize, default_queue_name=BULK_QUEUE
        )
        self._stack.push_async_callback(self.redis.aclose, close_connection_pool=True)
        self.guard = OutboundGuard(settings.allowed_networks, settings.sandbox_urls if settings.sandboxes else ())
        self.transport = GuardedTransport(self.guard)
        self._stack.push_async_callback(self.transport.aclose)
        self.vault = Vault.load_or_make(settings)

    def _build_services(self) -> None:
        self.queue = ArqQueue(self.redis)
        self.audit = AuditService(self.now)
        self.feed = FeedService(self.redis)
        self.mail = MailService(self.settings, self.queue, self.now)
        self.organizations = OrganizationService(self.settings, self.audit, self.mail, self.redis, self.now)
        streams = [stream for connector in self.connectors.values() for stream in connector.streams.values()]
        self.records = RecordService({stream.name for stream in streams if stream.entity == DOCUMENT})
        self.pushable = [(c.provider, s.name) for c in self.connectors.values() for s in c.streams.values() if s.writer]
        self.connections = ConnectionService(
            registry=self.connectors,
            sessions=SessionFactory(self.connectors, self.vault, self.transport, RedisBudget(self.redis)),
            vault=self.vault,
            settings=self.settings,
            audit=self.audit,
            feed=self.feed,
            mail=self.mail,
            now=self.now,
        )
        self._build_quotes()
        self.editor = editor = RecordEditor(self.feed, self._project_edits, self.pushable)
        self.edits = RecordEditService(self.records, editor, self.audit)
        self.conflicts = ConflictService(editor, self.audit)
        self.reopenings = ReopeningService(editor, self.audit)
        self.field_mappings = FieldMappingService(connectors=self.connectors, audit=self.audit)
        clients = ClientMerges(self.quotes.follow_contacts, self.quotes.count_for_contact)
        self.merges = MergeService(editor, self.audit, self.feed, clients, conflicts.has_open)
        self.duplicates = DuplicateService()
        self.orphans = OrphanService(self.audit)
        self._build_syncs()

    async def _project_edits(self, scope: Scope, connection_id: UUID, changes: Sequence[RecordChange]) -> None:
        """What people decide on follows edits as it follows a sync's pages."""
        found = await self.connections.origin(scope, connection_id)
        if found is not None:
            await self.quotes.project(scope, ConnectionRef(connection_id, *found), changes)

    def _build_quotes(self) -> None:
        titles = {provider: connector.title for provider, connector in self.connectors.items()}
        outcomes = DecisionOutcomes(self.audit, self.feed, self.mail, titles=titles, public_url=self.settings.public_url, now=self.now)
        self.deliveries = DeliveryService(
            connectors=self.connectors,
            open_session=self.connections.open_session,
            room=self.connections.sessions.room,
            mark_needs_attention=self.connections.mark_needs_attention,
            outcomes=outcomes,
            audit=self.audit,
            feed=self.feed,
            queue=self.queue,
            mail=self.mail,
            public_url=self.settings.public_url,
        )
        self.quotes = QuoteService(audit=self.audit, feed=self.feed, deliveries=self.deliveries, outcomes=outcomes, now=self.now)
        self.clients = ClientService(self.organizations, self.mail, self.audit, self.quotes.assign_client)

    def _build_syncs(self) -> None:
        pages = PageWriter({name: self.quotes.project for name in ("job", "sales_document", "contact")}, self.feed)
        self.walker = StreamWalker(pages, MappedStreams(self.connectors), self.feed, self.mail, self.pushable)
        engine = SyncEngine(
            connections=self.connections,
            connectors=self.connectors,
            walker=self.walker,
            remapper=Remapper(self.walker, self.connectors),
            plans=PlanRuns(walker=self.walker, editor=self.editor, connections=self.connections, connectors=self.connectors),
            feed=self.feed,
            queue=self.queue,
            mail=self.mail,
        )
        self.pushes = RecordPushService(
            records=self.records,
            connections=self.connections,
            connectors=self.connectors,
            walker=self.walker,
            audit=self.audit,
            queue=self.queue,
        )
        self.quarantine = QuarantineService(
            walker=self.walker, connections=self.connections, connectors=self.connectors, audit=self.audit, queue=self.queue
        )
        self.syncs = SyncService(
            engine=engine,
            records=self.records,
            connections=self.connections,
            connectors=self.connectors,
            audit=self.audit,
            feed=self.feed,
            queue=self.queue,
        )
        self.failed_records = FailedRecordService(
            walker=self.walker, pushes=self.pushes, connections=self.connections, connectors=self.connectors, audit=self.audit
        )
        self.plans = PlanService(syncs=self.syncs, audit=self.audit, feed=self.feed, queue=self.queue, now=self.now)
        self.imports = ImportService(
            walker=self.walker, syncs=self.syncs, connections=self.connections, connectors=self.connectors, audit=self.audit
        )
        self.counterparts = CounterpartService()
        self.unsynced = UnsyncedService(self.connections, self.connectors)
        self.connections.runs = self.syncs
        self.connections.hurry = self.deliveries.hurry
        self.schedules = ScheduleService(
            syncs=self.syncs, connections=self.connections, connectors=self.connectors, audit=self.audit, now=self.now
        )
        self.reconciliations = ReconciliationService()
        self.statistics = StatisticsService(self.now)
