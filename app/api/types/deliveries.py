"""Deliveries, as GraphQL shows them: what is to be written to a provider, and the truth about how far it has got."""

from collections.abc import Mapping
from datetime import datetime
from enum import Enum
from typing import TYPE_CHECKING, Annotated, Any, Self
from uuid import UUID

import strawberry
from strawberry import relay
from strawberry.scalars import JSON

from app.actors import Permission
from app.api.context import Info
from app.api.enums import enum
from app.api.reads import sources as reads
from app.api.reads.sources import Expression, One, Shape, quoted, sql_case
from app.api.refusals import FixBy
from app.api.types.connections import Connection
from app.api.types.records import AnyRecord, record_of
from app.deliveries import models
from app.errors import FixBy as FixByWords

if TYPE_CHECKING:
    from app.api.types.quotes import Quote


@enum(
    "How far a delivery has got.",
    QUEUED="It will be sent.",
    SENDING="It is being sent.",
    CONFIRMED="The provider shows it; it was read back.",
    NOT_APPLIED="The object had changed at the provider; nothing was written.",
    FAILED="The provider refuses it for good; operators know.",
)
class DeliveryStatus(Enum):
    QUEUED = "queued"
    SENDING = "sending"
    CONFIRMED = "confirmed"
    NOT_APPLIED = "not_applied"
    FAILED = "failed"


@strawberry.type(description="One write to a provider.")
class Delivery(relay.Node):
    uuid: relay.NodeID[UUID]
    connection_id: strawberry.Private[UUID]
    quote_id: strawberry.Private[UUID | None]
    record_id: strawberry.Private[UUID | None]
    action: str = strawberry.field(description="What is written: `approve_quote` and the like, or `write_record` or `remove_record`.")
    stream: str | None = strawberry.field(description="Where a record is written; null for a decision.")
    provider_title: str = strawberry.field(description="What people call the provider.")
    status: DeliveryStatus = strawberry.field(description="How far it has got.")
    explanation: str = strawberry.field(description="The same in plain words, for those who wait for it.")
    error_code: str | None = strawberry.field(description="What went wrong last, for programs.")
    error_message: str | None = strawberry.field(description="What went wrong last, in one sentence.")
    fix_by: FixBy | None = strawberry.field(description="Who can fix what went wrong.")
    confirmation: JSON | None = strawberry.field(description="What the provider shows after the write, as it was read back.")
    attempts: int = strawberry.field(description="How often it was tried.")
    next_attempt_at: datetime = strawberry.field(description="When it is tried next, while it is queued.")
    revision: int = strawberry.field(description="Counts up with every change of it.")
    created_at: datetime = strawberry.field(description="When it was decided.")
    started_at: datetime | None = strawberry.field(description="When it was sent first.")
    finished_at: datetime | None = strawberry.field(description="When it was confirmed, not applied or failed.")

    @strawberry.field(description="The connection that it goes to. A client's contact does not see connections.")
    async def connection(self, info: Info) -> Connection | None:
        return await info.context.loaders.connection.load(self.connection_id)

    @strawberry.field(description="The record that it writes; null for a decision. A client's contact does not see records.")
    async def record(self, info: Info) -> AnyRecord | None:
        found = None if self.record_id is None else await info.context.loaders.record.load(self.record_id)
        return None if found is None else record_of(found)

    @strawberry.field(description="The quote whose decision it carries; null for a record.")
    async def quote(self, info: Info) -> Annotated["Quote", strawberry.lazy("app.api.types.quotes")] | None:
        return None if self.quote_id is None else await info.context.loaders.quote.load(self.quote_id)

    @classmethod
    def of(cls, delivery: models.Delivery) -> Self:
        return cls(
            uuid=delivery.id,
            connection_id=delivery.connection_id,
            quote_id=delivery.quote_id,
            record_id=delivery.record_id,
            action=delivery.action,
            stream=delivery.stream,
            provider_title=delivery.provider_title,
            status=DeliveryStatus(delivery.status.value),
            explanation=delivery.explanation,
            error_code=delivery.error_code,
            error_message=delivery.error_message,
            fix_by=FixBy(delivery.fix_by.value) if delivery.fix_by else None,
            confirmation=None if delivery.confirmation is None else JSON(delivery.confirmation),
            attempts=delivery.attempts,
            next_attempt_at=delivery.next_attempt_at,
            revision=delivery.revision,
            created_at=delivery.created_at,
            started_at=delivery.started_at,
            finished_at=delivery.finished_at,
        )


PROVIDER_TITLE = Expression("coalesce({titles} ->> {row}.provider, {row}.provider)")


def _explanation() -> str:
    """models.Delivery.explanation as SQL."""
    decision, record = _told(models.EXPLANATIONS, models.TROUBLES), _told(models.OF_RECORDS, models.RECORD_TROUBLES)
    text = f"CASE WHEN {{row}}.record_id IS NULL THEN {decision} ELSE {record} END"
    return f"replace({text}, '{{provider}}', {PROVIDER_TITLE.sql})"


def _told(explanations: Mapping[Any, str], troubles: Mapping[Any, str]) -> str:
    waiting = f"{{row}}.error_code IS NOT NULL AND {{row}}.status IN ({', '.join(quoted(status) for status in models.WAITING)})"
    trouble = sql_case(f"coalesce({{row}}.fix_by, {quoted(FixByWords.US)})", _literals(troubles))
    return f"CASE WHEN {waiting} THEN {trouble} ELSE {sql_case('{row}.status', _literals(explanations))} END"


def _literals(texts: Mapping[Any, str]) -> dict[str, str]:
    return {value: quoted(text) for value, text in texts.items()}


reads.declare(
    "Delivery",
    Shape(
        {
            "id": reads.global_id("Delivery"),
            "provider_title": PROVIDER_TITLE,
            "explanation": Expression(_explanation()),
            "connection": One("Connection", "{item}.id = {row}.connection_id"),
            "record": One("Record", "{item}.id = {row}.record_id"),
            "quote": One("Quote", "{item}.id = {row}.quote_id"),
        },
        table="delivery",
        permission=Permission.READ_QUOTES,
        by_client=True,
    ),
)
