"""Which bell a delivery of a record rings: the one of the lane that sends it."""

from typing import Any
from uuid import UUID

import pytest

from app.database import fetch_value, transaction
from app.deliveries.service import DeliverySettled
from app.queue import BULK_QUEUE, DECISIONS_QUEUE
from tests.two_way.office import Office


async def _rung(office: Office, queue: str, delivery: UUID) -> set[str]:
    """The jobs that were rung for a delivery."""
    keys = [key.decode() for key in await office.hub.redis.zrange(queue, 0, -1)]
    return {key.split(":")[0] for key in keys if str(delivery) in key}


async def _delivery(office: Office) -> UUID:
    """A record that Metakocka does not take, and its delivery."""
    record = await office.create("No address")
    delivery = await office.hub.pushes.queue(office.operator, record.id, office.connection.id)
    await office.hub.redis.delete(BULK_QUEUE, DECISIONS_QUEUE)
    return delivery


async def test_a_push_that_failed_rings_for_the_push_of_a_record_when_it_is_sent_again(office: Office):
    delivery = await _delivery(office)
    await office.hub.pushes.send(office.operator.organization_id, delivery)

    found = await office.hub.deliveries.retry(office.operator, delivery)

    assert found.status == "queued"
    assert await _rung(office, BULK_QUEUE, delivery) == {"push_record"}
    assert await _rung(office, DECISIONS_QUEUE, delivery) == set()


async def test_a_push_that_waits_rings_for_itself_when_its_connection_works_again(office: Office):
    delivery = await _delivery(office)
    async with transaction(office.operator.scope):
        await _change(office, delivery, "attempts = 1, next_attempt_at = now() + interval '1 hour'")

    hurried = await office.hub.deliveries.hurry(office.operator.scope, office.connection.id)

    assert hurried == 1
    assert await _rung(office, BULK_QUEUE, delivery) == {"push_record"}
    assert await _rung(office, DECISIONS_QUEUE, delivery) == set()


async def _change(office: Office, delivery: UUID, change: str) -> Any:
    sql = f"UPDATE delivery SET {change} WHERE organization_id = $1 AND id = $2 RETURNING id"
    return await fetch_value(office.operator.scope, sql, office.operator.organization_id, delivery)


async def test_an_earlier_push_is_not_sent_beside_one_that_waits_for_the_same_record(office: Office):
    record = await office.create("No address")
    failed = await office.hub.pushes.queue(office.operator, record.id, office.connection.id)
    await office.hub.pushes.send(office.operator.organization_id, failed)
    waiting = await office.hub.pushes.queue(office.operator, record.id, office.connection.id)

    with pytest.raises(DeliverySettled):
        await office.hub.deliveries.retry(office.operator, failed)

    assert waiting != failed
