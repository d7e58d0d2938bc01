"""What each kind of error means for a delivery: who is told, when it is tried again, when it is given up."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace

import pytest

from app.connectors.base import Confirmation, QuoteDecision, SaveSteps, Session, Steps
from app.connectors.errors import OutcomeUnknown, ProviderUnavailable, QuotaExhausted, RateLimited, RequestRejected, UnexpectedResponse
from app.database import execute, fetch_row, transaction
from app.deliveries.models import DeliveryStatus
from app.deliveries.rules import FAULTS, LONGEST_GAP_SECONDS, next_attempt
from app.deliveries.service import DeliveryService
from app.errors import FixBy
from app.paging import PageRequest
from tests.quotes.world import World


@dataclass
class Scripted:
    """An action that does what the test says, once for each attempt."""

    name: str = "approve_quote"
    script: list[Exception] = field(default_factory=list)
    seen: list[Steps] = field(default_factory=list)

    def requests(self, decision: QuoteDecision) -> int:
        return 1

    async def perform(self, session: Session, decision: QuoteDecision, steps: Steps, save: SaveSteps) -> Confirmation:
        self.seen.append(steps)
        await save({"attempt": len(self.seen)})
        if self.script:
            raise self.script.pop(0)
        return Confirmation(decision.quote_external_id, "Work Order")


@dataclass
class Lab:
    """A world whose deliveries go through a scripted action."""

    world: World
    action: Scripted
    service: DeliveryService

    async def attempt(self):
        """One attempt, due or not."""
        delivery = await self.world.delivery()
        await self.change("next_attempt_at = now()")
        await self.service.deliver(self.world.operator.organization_id, delivery.id)
        return await self.world.delivery()

    async def change(self, what: str) -> None:
        scope, delivery = self.world.operator.scope, await self.world.delivery()
        async with transaction(scope):
            await execute(scope, f"UPDATE delivery SET {what} WHERE organization_id = $1 AND id = $2", scope.organization_id, delivery.id)

    async def gap(self) -> float:
        """Seconds until the next attempt."""
        scope, delivery = self.world.operator.scope, await self.world.delivery()
        sql = "SELECT extract(epoch FROM next_attempt_at - now())::float8 AS gap FROM delivery WHERE organization_id = $1 AND id = $2"
        return (await fetch_row(scope, sql, scope.organization_id, delivery.id))["gap"]

    async def mails(self, owner, purpose: str) -> list[str]:
        mails = (await self.world.hub.mail.kept(owner, PageRequest())).items
        return [mail.body for mail in mails if mail.purpose.startswith(purpose)]


@asynccontextmanager
async def no_session(*_: object, **__: object) -> AsyncIterator[None]:
    yield None


async def room_for_one(*_: object) -> int:
    return 1


@pytest.fixture
async def lab(world: World) -> Lab:
    action, hub = Scripted(), world.hub
    connector = replace(hub.connectors["servicem8"], actions={"approve_quote": action})
    service = DeliveryService(
        connectors={"servicem8": connector},
        open_session=no_session,
        room=room_for_one,
        mark_needs_attention=hub.connections.mark_needs_attention,
        outcomes=hub.deliveries.outcomes,
        audit=hub.audit,
        feed=hub.feed,
        queue=hub.queue,
        mail=hub.mail,
        public_url="http://hub.test",
    )
    await world.approve()
    return Lab(world, action, service)


async def test_an_attempt_gets_the_steps_that_the_one_before_saved(lab: Lab):
    lab.action.script = [OutcomeUnknown()]
    await lab.attempt()

    delivery = await lab.attempt()

    assert (lab.action.seen, delivery.status) == ([{}, {"attempt": 1}], DeliveryStatus.CONFIRMED)
    assert delivery.error_code is None


async def test_what_the_provider_refuses_for_good_fails_and_operators_are_told(lab: Lab, owner):
    lab.action.script = [RequestRejected("ServiceM8 says: no such status")]

    delivery = await lab.attempt()

    assert (delivery.status, delivery.error_message) == (DeliveryStatus.FAILED, "ServiceM8 says: no such status")
    assert "the people in charge know about it" in delivery.explanation
    (mail,) = await lab.mails(owner, "delivery.failed")
    assert "no such status" in mail
    await lab.world.hub.deliveries.retry(lab.world.operator, delivery.id)
    assert (await lab.attempt()).status is DeliveryStatus.CONFIRMED


async def test_an_outage_is_never_given_up_and_operators_hear_of_it_once_after_half_an_hour(lab: Lab, owner):
    lab.action.script = [ProviderUnavailable() for _ in range(FAULTS * 3)]
    await lab.attempt()
    assert await lab.mails(owner, "delivery.waiting") == []
    await lab.change("failing_since = now() - interval '31 minutes'")

    for _ in range(FAULTS * 3 - 1):
        delivery = await lab.attempt()

    assert delivery.status is DeliveryStatus.QUEUED
    assert await lab.gap() <= LONGEST_GAP_SECONDS
    (mail,) = await lab.mails(owner, "delivery.waiting")
    assert "31 minutes" in mail


async def test_errors_of_ours_are_tried_a_few_times_and_then_told(lab: Lab, owner):
    lab.action.script = [UnexpectedResponse("A list where an object was expected") for _ in range(FAULTS)]

    statuses = [(await lab.attempt()).status for _ in range(FAULTS)]

    assert statuses == [DeliveryStatus.QUEUED] * (FAULTS - 1) + [DeliveryStatus.FAILED]
    assert len(await lab.mails(owner, "delivery.failed")) == 1


async def test_a_mistake_in_our_code_is_one_of_our_errors_and_says_no_more_than_that(lab: Lab):
    lab.action.script = [KeyError("smk-secret")]

    delivery = await lab.attempt()

    assert (delivery.status, delivery.fix_by) == (DeliveryStatus.QUEUED, FixBy.US)
    assert delivery.error_message == "Something went wrong on our side."


async def test_a_provider_that_asks_for_a_pause_gets_it(lab: Lab):
    lab.action.script = [RateLimited(retry_after=120)]

    await lab.attempt()

    assert 119 <= await lab.gap() <= 123


async def test_when_a_connection_works_again_its_deliveries_are_sent_at_once(lab: Lab):
    lab.action.script = [QuotaExhausted(retry_after=5000)]
    await lab.attempt()

    hurried = await lab.world.hub.deliveries.hurry(lab.world.operator.scope, lab.world.connection.id)

    assert (hurried, await lab.gap() <= 0) == (1, True)


def test_gaps_grow_are_spread_and_end_at_ten_minutes():
    gaps = [next_attempt(ProviderUnavailable(), attempts=attempt, faults=0, luck=0.5).seconds for attempt in range(1, 40)]

    assert gaps[:4] == [2, 4, 8, 16]
    assert (max(gaps), gaps[-1]) == (LONGEST_GAP_SECONDS, LONGEST_GAP_SECONDS)
    assert next_attempt(ProviderUnavailable(), attempts=3, faults=0, luck=0).seconds == 6
    assert next_attempt(ProviderUnavailable(), attempts=3, faults=0, luck=1).seconds == 10
    assert ProviderUnavailable.fix_by is FixBy.TIME
