"""Mutations that bring single records to a provider."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated
from uuid import UUID

import msgspec
import strawberry

from app.actors import Actor, Permission
from app.api.context import Info
from app.api.ids import ConnectionId, IdempotencyKey, record_uuid, uuid_of
from app.api.refusals import GENERAL, answers
from app.api.types.deliveries import Delivery, DeliveryStatus
from app.api.types.mappings import Mapping
from app.api.types.records import AnyRecord, record_of
from app.bootstrap import Hub
from app.deliveries import models
from app.errors import InvalidInput, Refusal
from app.idempotency import remembered
from app.mappings.models import Mapping as Link
from app.records.service import RecordNotFound

MOST_RECORDS, MOST_SECONDS = 100, 10.0
_LOOK_SECONDS = 0.1

RecordId = Annotated[strawberry.ID, strawberry.argument(description="The record's id.")]
StreamToWrite = Annotated[
    str | None, strawberry.argument(description="The stream to write to, where several of the connection take such a record.")
]
WaitSeconds = Annotated[
    float, strawberry.argument(description="How long to wait for the provider, 0 to 10 seconds; what takes longer goes on by itself.")
]
_NEEDED = (Permission.RUN_SYNCS, Permission.READ_RECORDS, Permission.READ_CONNECTIONS, Permission.READ_QUOTES)
"""To push, and to see the record, its counterpart and the delivery, which the answer shows."""


@strawberry.type(description="What became of one record that was to be pushed.")
class PushedRecord:
    record_id: strawberry.ID = strawberry.field(description="The id that was given.")
    record: AnyRecord | None = strawberry.field(description="The record as it is now; null when it does not exist.")
    delivery: Delivery | None = strawberry.field(description="Its write; `status` says how far it has got. Null when there is none.")
    mapping: Mapping | None = strawberry.field(
        description="Its counterpart with the provider's id and the sync status; null while the provider does not have it."
    )
    problem: str | None = strawberry.field(description="Why there is no write, in one sentence.")

    @property
    def state(self) -> str:
        """confirmed, waiting or failed"""
        status = self.delivery.status if self.delivery else None
        if status in (DeliveryStatus.QUEUED, DeliveryStatus.SENDING):
            return "waiting"
        return "confirmed" if status is DeliveryStatus.CONFIRMED else "failed"


@strawberry.type(description="The record is on its way, or has arrived.")
class PushRecordSuccess:
    result: PushedRecord = strawberry.field(description="What became of it so far.")


@strawberry.type(description="Each record is on its way, has arrived, or has a reason why not.")
class PushRecordsSuccess:
    total: int = strawberry.field(description="How many were given.")
    succeeded: int = strawberry.field(description="How many the provider has now.")
    waiting: int = strawberry.field(description="How many are still on their way.")
    failed: int = strawberry.field(description="How many are not: refused by the provider, changed there, or never sent.")
    results: list[PushedRecord] = strawberry.field(description="What became of each, in the order in which they were given.")


PushRecordResult = Annotated[
    PushRecordSuccess | GENERAL, strawberry.union("PushRecordResult", description="What became of the record, or why nothing was sent.")
]
PushRecordsResult = Annotated[
    PushRecordsSuccess | GENERAL,
    strawberry.union("PushRecordsResult", description="What became of each record, or why none was looked at."),
]


@strawberry.type
class PushMutations:
    @strawberry.mutation(
        description="Bring a record to a connection: it is made there, or what differs is written. It does not wait for runs."
    )
    @answers
    async def push_record(
        self,
        info: Info,
        record_id: RecordId,
        connection_id: ConnectionId,
        idempotency_key: IdempotencyKey,
        stream: StreamToWrite = None,
        wait_seconds: WaitSeconds = 0.0,
    ) -> PushRecordResult:
        push = _Push(info, uuid_of(connection_id, "Connection", field="connectionId"), stream, _seconds(wait_seconds))
        record = record_uuid(record_id)
        delivery_id = await push.queue(record, idempotency_key)
        [result] = await push.results([_Queued(record, delivery_id)], [record_id])
        return PushRecordSuccess(result=result)

    @strawberry.mutation(description="Bring some records to a connection. One that cannot be written does not stop the others.")
    @answers
    async def push_records(
        self,
        info: Info,
        record_ids: Annotated[list[strawberry.ID], strawberry.argument(description=f"The records, at most {MOST_RECORDS}.")],
        connection_id: ConnectionId,
        idempotency_key: IdempotencyKey,
        stream: StreamToWrite = None,
        wait_seconds: WaitSeconds = 0.0,
    ) -> PushRecordsResult:
        push = _Push(info, uuid_of(connection_id, "Connection", field="connectionId"), stream, _seconds(wait_seconds))
        given = list(dict.fromkeys(record_ids))
        if not 1 <= len(given) <= MOST_RECORDS:
            raise InvalidInput(fields={"recordIds": f"Name 1 to {MOST_RECORDS} records."})
        records = [record_uuid(id, field="recordIds") for id in given]
        results = await push.results(await push.queue_all(records, idempotency_key), given)
        states = [result.state for result in results]
        return PushRecordsSuccess(
            total=len(results),
            succeeded=states.count("confirmed"),
            waiting=states.count("waiting"),
            failed=states.count("failed"),
            results=results,
        )


def _seconds(given: float) -> float:
    if not 0 <= given <= MOST_SECONDS:
        raise InvalidInput(fields={"waitSeconds": f"Wait 0 to {MOST_SECONDS:g} seconds."})
    return given


class _Queued(msgspec.Struct, frozen=True):
    """A record whose write was queued, or why it was not."""

    record_id: UUID
    delivery_id: UUID | None = None
    problem: str | None = None


@dataclass(frozen=True)
class _Push:
    """One request to bring records to a connection. Raises PermissionDenied when it is made."""

    info: Info
    connection_id: UUID
    stream: str | None
    seconds: float

    def __post_init__(self) -> None:
        for permission in _NEEDED:
            self._actor.require(permission)

    @property
    def _actor(self) -> Actor:
        return self.info.context.actor

    @property
    def _hub(self) -> Hub:
        return self.info.context.hub

    async def queue(self, record_id: UUID, key: str | None = None) -> UUID:
        """The delivery. Raises RecordNotFound, ConnectionNotFound, InvalidInput."""
        return await self._hub.pushes.queue(self._actor, record_id, self.connection_id, stream=self.stream, idempotency_key=key)

    async def queue_all(self, record_ids: Sequence[UUID], key: str) -> list[_Queued]:
        """Raises ConnectionNotFound, and RecordNotFound where none of the records exists."""
        await self._hub.connections.get(self._actor, self.connection_id)
        if not await self._hub.records.get_many(self._actor, record_ids):
            raise RecordNotFound

        async def queue() -> list[_Queued]:
            return [await self._queue_one(record_id) for record_id in record_ids]

        request = [self.connection_id, self.stream, list(record_ids)]
        return await remembered(self._actor, "push_records", key, request, queue, list[_Queued])

    async def _queue_one(self, record_id: UUID) -> _Queued:
        try:
            return _Queued(record_id, await self.queue(record_id))
        except Refusal as refusal:
            return _Queued(record_id, problem=refusal.message)

    async def results(self, queued: Sequence[_Queued], given: Sequence[strawberry.ID]) -> list[PushedRecord]:
        """What became of each, after waiting for the provider as long as was asked for."""
        deadline = time.monotonic() + self.seconds
        deliveries = [await self._settled(one.delivery_id, deadline) if one.delivery_id else None for one in queued]
        ids = [one.record_id for one in queued]
        records = {record.id: record for record in await self._hub.records.get_many(self._actor, ids)}
        links = await self._hub.records.mappings_of(self._actor, ids)
        return [
            PushedRecord(
                record_id=id,
                record=record_of(records[one.record_id]) if one.record_id in records else None,
                delivery=Delivery.of(delivery) if delivery else None,
                mapping=self._mapping(links[one.record_id], delivery),
                problem=one.problem,
            )
            for one, id, delivery in zip(queued, given, deliveries, strict=True)
        ]

    async def _settled(self, delivery_id: UUID, deadline: float) -> models.Delivery:
        while True:
            delivery = await self._hub.deliveries.delivery(self._actor, delivery_id)
            if delivery.status not in models.WAITING or time.monotonic() >= deadline:
                return delivery
            await asyncio.sleep(_LOOK_SECONDS)

    def _mapping(self, links: Sequence[Link], delivery: models.Delivery | None) -> Mapping | None:
        stream = delivery.stream if delivery else None
        found = [link for link in links if link.connection_id == self.connection_id and stream in (None, link.stream)]
        return Mapping.of(found[0]) if found else None
