"""Everything at once: the same request many times, and requests that contradict each other."""

import asyncio
from collections import Counter

import pytest

from app.connections.service import ConnectionChanged
from app.database import fetch_value
from app.errors import HubError, IdempotencyKeyReused
from app.paging import PageRequest
from app.quotes.refusals import QuoteAlreadyDecided, QuoteChanged
from app.syncs.service import SyncInProgress
from tests.factories import finish, key, make_connection

ALL = PageRequest(100)
MANY = 50


async def _at_once(*calls):
    """Results by kind; anything but an answer or a refusal is the test's failure."""
    results = await asyncio.gather(*calls, return_exceptions=True)
    strange = [result for result in results if isinstance(result, BaseException) and not isinstance(result, HubError)]
    assert strange == []
    return results, Counter(type(result) for result in results)


async def _count(actor, table):
    return await fetch_value(actor.scope, f"SELECT count(*) FROM {table} WHERE organization_id = $1", actor.organization_id)


@pytest.mark.parametrize("one_key", [True, False])
@pytest.mark.parametrize("verb", ["approve", "reject"])
async def test_the_same_decision_many_times_is_one(world, verb, one_key):
    version = (await world.quote()).version
    calls = [getattr(world, verb)(version=version, idempotency_key="one" if one_key else key()) for _ in range(MANY)]

    results, _ = await _at_once(*calls)

    assert len({decision.id for decision in results}) == 1
    assert (await _count(world.operator, "quote_decision"), await _count(world.operator, "delivery")) == (1, 1)


async def test_one_key_for_different_decisions_is_refused(world):
    version = (await world.quote()).version
    calls = [
        world.approve(version=version, idempotency_key="one") if number % 2 else world.reject(version=version, idempotency_key="one")
        for number in range(MANY)
    ]

    _, kinds = await _at_once(*calls)

    assert kinds[IdempotencyKeyReused] == MANY // 2
    assert await _count(world.operator, "quote_decision") == 1


async def test_a_decision_a_contradiction_a_sync_and_the_delivery_at_once_end_in_one_truth(world):
    """Staff change the quote, a sync reads it, clients approve and reject, and workers deliver, all in the same moment."""
    version = (await world.quote()).version
    await world.sandbox.add_line(world.job, name="Surprise", quantity="1", price="5")
    run = await world.hub.syncs.start(world.operator, world.connection.id)

    async def deliver() -> None:
        for _ in range(20):
            for delivery in (await world.hub.deliveries.deliveries(world.operator, ALL)).items:
                await world.hub.deliveries.deliver(world.operator.organization_id, delivery.id)
            await asyncio.sleep(0.02)

    decisions = [world.approve(version=version) if number % 2 else world.reject(version=version) for number in range(10)]
    _, kinds = await _at_once(*decisions, finish(world.hub, world.operator, run), deliver(), deliver())
    await deliver()
    await world.sync()

    allowed = {"Decision", QuoteAlreadyDecided.__name__, QuoteChanged.__name__, "SyncRun", "NoneType"}
    assert {kind.__name__ for kind in kinds} <= allowed
    quote = await world.quote()
    assert (quote.status, quote.decision) == ("open", None)
    assert (await world.sandbox.record("job", world.job))["status"] == "Quote"
    assert await world.materials() == {"Switchboard", "Labour", "Surge arrester", "Surprise"}
    assert {line.description for line in quote.lines} == await world.materials()


@pytest.mark.parametrize("one_key", [True, False])
async def test_many_starts_are_one_run(hub, operator, clean_sandbox, one_key):
    connection = await make_connection(hub, operator, clean_sandbox)

    calls = [hub.syncs.start(operator, connection.id, idempotency_key="one" if one_key else key()) for _ in range(MANY)]
    _, kinds = await _at_once(*calls)

    assert kinds[SyncInProgress] == (0 if one_key else MANY - 1)
    assert await _count(operator, "sync_run") == 1
    await hub.syncs.cancel_all(operator, connection.id)


async def test_of_many_changes_of_one_version_one_is_made(hub, operator, clean_sandbox):
    connection = await make_connection(hub, operator, clean_sandbox)

    calls = [
        hub.connections.update(operator, connection.id, name=f"Name {number}", version=connection.version, idempotency_key=key())
        for number in range(MANY)
    ]
    _, kinds = await _at_once(*calls)

    assert kinds[ConnectionChanged] == MANY - 1
    assert (await hub.connections.get(operator, connection.id)).version == connection.version + 1


async def test_tests_and_changes_of_a_connection_at_once_leave_it_usable(hub, operator, clean_sandbox):
    connection = await make_connection(hub, operator, clean_sandbox)

    calls = [hub.connections.test(operator, connection.id) for _ in range(20)]
    calls += [hub.connections.update(operator, connection.id, credentials={"api_key": clean_sandbox.api_key}) for _ in range(20)]
    await _at_once(*calls)
    result = await hub.connections.test(operator, connection.id)

    assert result.ok
    assert (await hub.connections.get(operator, connection.id)).status == "active"


@pytest.mark.parametrize("one_key", [True, False])
async def test_many_invitations_make_one_client_and_one_contact(world, one_key):
    (record,) = (await world.hub.records.contacts(world.operator, ALL)).items
    before = await _count(world.operator, "client_contact")

    results, _ = await _at_once(
        *(
            world.hub.clients.invite(
                world.operator,
                contact_record_id=record.id,
                email="nina@acme.test",
                name="Nina",
                idempotency_key="one" if one_key else key(),
            )
            for _ in range(20)
        )
    )

    assert len({contact.id for contact in results}) == 1
    assert (await _count(world.operator, "client"), await _count(world.operator, "client_contact")) == (1, before + 1)
    if one_key:
        assert await _count(world.operator, "sign_in_link") == 2  # Carla's and Nina's


async def test_many_connections_with_one_key_are_one_and_with_one_name_too(hub, operator, clean_sandbox):
    def create(idempotency_key):
        return hub.connections.create(
            operator,
            provider="servicem8",
            name="ServiceM8",
            mode="sandbox",
            settings={"base_url": clean_sandbox.url},
            credentials={"api_key": clean_sandbox.api_key},
            idempotency_key=idempotency_key,
        )

    await _at_once(*(create("one") for _ in range(20)), *(create(key()) for _ in range(20)))

    assert await _count(operator, "connection") == 1
