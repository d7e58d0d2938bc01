"""The schema, assembled. Each feature says what it holds, in its modules of `types`, `queries` and `mutations`."""

from functools import cache

import strawberry
from strawberry.printer import print_schema
from strawberry.schema.config import StrawberryConfig

from app.api.execution import HubSchema
from app.api.masking import Masking
from app.api.mutations.clients import ClientMutations
from app.api.mutations.conflicts import ConflictMutations
from app.api.mutations.connections import ConnectionMutations
from app.api.mutations.deliveries import DeliveryMutations
from app.api.mutations.failed_records import FailedRecordMutations
from app.api.mutations.field_mappings import FieldMappingMutations
from app.api.mutations.imports import ImportMutations
from app.api.mutations.merges import MergeMutations
from app.api.mutations.organizations import OrganizationMutations
from app.api.mutations.orphans import OrphanMutations
from app.api.mutations.plans import PlanMutations
from app.api.mutations.pushes import PushMutations
from app.api.mutations.quarantines import QuarantineMutations
from app.api.mutations.quotes import QuoteMutations
from app.api.mutations.records import RecordMutations
from app.api.mutations.syncs import SyncMutations
from app.api.queries.audit import AuditQueries
from app.api.queries.clients import ClientQueries
from app.api.queries.conflicts import ConflictQueries
from app.api.queries.connections import ConnectionQueries
from app.api.queries.deliveries import DeliveryQueries
from app.api.queries.failed_records import FailedRecordQueries
from app.api.queries.field_mappings import FieldMappingQueries
from app.api.queries.merges import MergeQueries
from app.api.queries.nodes import NodeQueries
from app.api.queries.organizations import OrganizationQueries
from app.api.queries.orphans import OrphanQueries
from app.api.queries.plans import PlanQueries
from app.api.queries.quarantines import QuarantineQueries
from app.api.queries.quotes import QuoteQueries
from app.api.queries.records import RecordQueries
from app.api.queries.statistics import StatisticsQueries
from app.api.queries.syncs import SyncQueries
from app.api.queries.unsynced import UnsyncedQueries
from app.api.reads.answers import CompiledReads, Reads
from app.api.subscriptions import LiveQueries, Subscription
from app.api.types.scalars import SCALARS


@strawberry.type(description="What can be read.")
class Query(
    OrganizationQueries,
    NodeQueries,
    ConnectionQueries,
    SyncQueries,
    StatisticsQueries,
    PlanQueries,
    FailedRecordQueries,
    QuarantineQueries,
    RecordQueries,
    ConflictQueries,
    UnsyncedQueries,
    MergeQueries,
    OrphanQueries,
    FieldMappingQueries,
    QuoteQueries,
    DeliveryQueries,
    ClientQueries,
    AuditQueries,
    LiveQueries,
):
    pass


@strawberry.type(description="What can be changed. Each answers with what it did or with why it did not.")
class Mutation(
    ConnectionMutations,
    SyncMutations,
    PlanMutations,
    FailedRecordMutations,
    QuarantineMutations,
    RecordMutations,
    PushMutations,
    ImportMutations,
    MergeMutations,
    OrphanMutations,
    ConflictMutations,
    FieldMappingMutations,
    QuoteMutations,
    ClientMutations,
    OrganizationMutations,
    DeliveryMutations,
):
    pass


@cache
def schema() -> HubSchema:
    """Built once for each process."""
    return HubSchema(
        query=Query,
        mutation=Mutation,
        subscription=Subscription,
        config=StrawberryConfig(scalar_map=SCALARS),
        extensions=[Masking, lambda: CompiledReads(reads())],
    )


@cache
def reads() -> Reads:
    """What was planned of this schema's operations."""
    return Reads(schema()._schema)


def export_sdl() -> str:
    """The contract as text, as graphql/schema.graphql holds it."""
    return print_schema(schema()) + "\n"
