"""What a push has made and not stored yet, met by a sync: one record and one partner, whoever is first."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from uuid import UUID

import pytest

from app.database import execute, fetch, transaction
from app.records.models import Record
from tests.two_way.office import Office

DATA = {"tax_number": "SI77777777", "address": {"street": "Nova 1", "city": "Kranj", "country": "SI"}}


@asynccontextmanager
async def _pushed(office: Office, record: Record, milliseconds: int) -> AsyncIterator[tuple[UUID, asyncio.Task[None]]]:
    """A push whose partner is made, while the answer is still on its way."""
    await office.sandbox.fault("slow", path="*/add_partner", milliseconds=milliseconds, after_work=True)
    delivery = await office.hub.pushes.queue(office.operator, record.id, office.connection.id)
    push = asyncio.create_task(office.hub.pushes.send(office.operator.organization_id, delivery))
    try:
        while not await _made(office):
            await asyncio.sleep(0.02)
        yield delivery, push
    finally:
        push.cancel()
        with suppress(asyncio.CancelledError):
            await push


async def _made(office: Office) -> int:
    return len(await office.sandbox.effects(object="partner", effect="created"))


async def _status(office: Office, delivery: UUID) -> str:
    scope = office.operator.scope
    (row,) = await fetch(scope, "SELECT status FROM delivery WHERE organization_id = $1 AND id = $2", scope.organization_id, delivery)
    return str(row["status"])


async def _taken_up_again(office: Office, delivery: UUID) -> None:
    """Whoever had it in hand is gone, and another worker goes on."""
    scope = office.operator.scope
    async with transaction(scope):
        sql = "UPDATE delivery SET lease_expires_at = now(), next_attempt_at = now() WHERE organization_id = $1 AND id = $2"
        await execute(scope, sql, scope.organization_id, delivery)
    await office.hub.pushes.send(scope.organization_id, delivery)


async def _is_one(office: Office, record: Record) -> bool:
    mapping = await office.mapped(record.id)
    return mapping is not None and mapping.status == "synced" and (await office.living(), await _made(office)) == (1, 1)


async def test_a_sync_that_meets_what_a_push_is_making_takes_it_for_the_same(office: Office):
    record = await office.create("Nova stranka", **DATA)

    async with _pushed(office, record, 1500) as (delivery, push):
        run = await office.run()
        assert not push.done()
        await push

    assert (run.counts.created, run.counts.failed) == (0, 0)
    assert await _status(office, delivery) == "confirmed"
    assert await _is_one(office, record)


async def test_what_a_worker_made_before_it_died_is_the_same_too(office: Office):
    record = await office.create("Nova stranka", **DATA)
    async with _pushed(office, record, 60_000) as (delivery, _):
        pass

    await office.run()
    await _taken_up_again(office, delivery)

    assert await _status(office, delivery) == "confirmed"
    assert await _is_one(office, record)
    assert await office.conflicts() == []


async def test_it_is_the_same_when_somebody_has_changed_it_there_since(office: Office):
    record = await office.create("Nova stranka", **DATA)
    async with _pushed(office, record, 60_000) as (delivery, _):
        pass
    (partner,) = await office.sandbox.effects(object="partner", effect="created")
    await office.sandbox.edit_partner(partner["mk_id"], registration_number="5555")

    await office.run()
    await _taken_up_again(office, delivery)

    assert await _is_one(office, record)
    assert (await office.hub.records.get(office.operator, record.id)).data["registration_number"] == "5555"


@pytest.mark.parametrize("tax_number", ["SI11111111", ""])
async def test_another_partner_of_the_same_name_is_a_record_of_its_own(office: Office, tax_number: str):
    record = await office.create("Nova stranka", **DATA)
    async with _pushed(office, record, 60_000) as (delivery, _):
        pass
    mk_id = await office.add("Nova stranka", tax_id_number=tax_number)

    await office.run()
    await _taken_up_again(office, delivery)

    assert await office.living() == 2
    assert (await office.record(mk_id)).id != record.id
    assert (await office.mapped(record.id)).status == "synced"
