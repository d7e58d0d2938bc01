"""The schema, assembled. Each feature's own module says what it holds."""

from functools import cache

import strawberry
from strawberry.printer import print_schema
from strawberry.schema.config import StrawberryConfig

from app.api.audit import AuditQueries
from app.api.clients import ClientMutations, ClientQueries
from app.api.connection_mutations import ConnectionMutations
from app.api.connections import ConnectionQueries
from app.api.deliveries import DeliveryMutations, DeliveryQueries
from app.api.execution import HubSchema
from app.api.masking import Masking
from app.api.nodes import NodeQueries
from app.api.organizations import OrganizationMutations, OrganizationQueries
from app.api.quote_mutations import QuoteMutations
from app.api.quotes import QuoteQueries
from app.api.reads.answers import CompiledReads, Reads
from app.api.records import RecordQueries
from app.api.scalars import SCALARS
from app.api.subscriptions import LiveQueries, Subscription
from app.api.sync_mutations import SyncMutations
from app.api.syncs import SyncQueries


@strawberry.type(description="What can be read.")
class Query(
    OrganizationQueries,
    NodeQueries,
    ConnectionQueries,
    SyncQueries,
    RecordQueries,
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
