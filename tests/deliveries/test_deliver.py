"""Decisions on their way to a ServiceM8 sandbox over HTTP, and what comes back."""

import pytest

from app.connections.repository import set_credentials
from app.database import fetch_value, transaction
from app.deliveries.models import DeliveryStatus
from app.deliveries.service import DeliverySettled
from app.paging import PageRequest
from app.quotes.models import QuoteStatus
from tests.quotes.world import World


async def _job(world: World) -> dict[str, str]:
    return await world.sandbox.record("job", world.job)


@pytest.mark.requirement("SM8-14", "SM8-17", "SM8-49")
async def test_an_approval_makes_the_job_a_work_order_with_a_note_and_is_confirmed(world: World):
    await world.approve(note="Please call before you come", purchase_order="PO-7")

    delivery = await world.deliver()

    assert (delivery.status, delivery.confirmation["status"]) == (DeliveryStatus.CONFIRMED, "Work Order")
    assert delivery.explanation == "ServiceM8 has confirmed your decision."
    assert (await _job(world))["status"] == "Work Order"
    (note,) = await world.notes()
    for words in ("Please call before you come", "Purchase order: PO-7", "Carla Client"):
        assert words in note


@pytest.mark.requirement("SM8-16")
async def test_a_partial_approval_leaves_only_the_approved_lines(world: World):
    lines = (await world.quote()).lines

    await world.approve(lines=[lines[0].id, lines[1].id])
    delivery = await world.deliver()

    assert delivery.status is DeliveryStatus.CONFIRMED
    assert await world.materials() == {"Switchboard", "Labour"}
    assert await world.materials(active=False) == {"Surge arrester"}
    quote = await world.quote()
    assert [line.decision for line in quote.lines] == ["approved", "approved", "rejected"]


@pytest.mark.requirement("SM8-15")
async def test_a_rejection_carries_its_reason_to_the_provider(world: World):
    await world.reject(reason="We chose another offer")

    await world.deliver()

    assert (await _job(world))["status"] == "Unsuccessful"
    assert "We chose another offer" in (await world.notes())[0]
    assert (await world.quote()).status is QuoteStatus.REJECTED


async def test_our_own_write_coming_back_changes_nothing_that_was_decided(world: World):
    lines = (await world.quote()).lines
    await world.approve(lines=[lines[0].id])
    await world.deliver()
    before = await world.quote()

    await world.sync()

    after = await world.quote()
    assert (after.status, after.version, after.lines, after.decision) == (before.status, before.version, before.lines, before.decision)
    assert after.provider_status == "work_order"


@pytest.mark.requirement("SM8-50")
async def test_a_quote_that_changed_at_the_provider_is_not_applied_and_opens_again_with_what_changed(world: World):
    await world.approve()
    line = next(line for line in await world.sandbox.records("jobmaterial", job_uuid=world.job) if line["name"] == "Labour")
    await world.sandbox.edit("jobmaterial", line["uuid"], price="120.00")
    await world.sandbox.add_line(world.job, name="Travel", quantity="1", price="50")

    delivery = await world.deliver()

    assert delivery.status is DeliveryStatus.NOT_APPLIED
    assert (await _job(world))["status"] == "Quote"
    quote = await world.quote()
    assert (quote.status, quote.version, quote.decision) == (QuoteStatus.OPEN, 2, None)
    assert quote.reopened_reason.startswith("The quote had changed at ServiceM8")
    assert [(change.kind, change.description) for change in quote.changes] == [("changed", "Labour"), ("added", "Travel")]
    assert (quote.changes[0].old.unit_price, quote.changes[0].new.unit_price) == (90, 120)
    (superseded,) = quote.history
    assert (superseded.outcome, superseded.superseded_reason) == (QuoteStatus.APPROVED, quote.reopened_reason)
    assert {line.decision for line in quote.lines} == {"pending"}


async def test_a_change_that_a_sync_brought_before_the_decision_was_sent_is_not_approved_unseen(world: World):
    await world.approve()
    (line,) = await world.sandbox.records("jobmaterial", job_uuid=world.job, name="Labour")
    await world.sandbox.edit("jobmaterial", line["uuid"], name="Labour, without warranty")
    await world.sync()

    delivery = await world.deliver()

    assert delivery.status is DeliveryStatus.NOT_APPLIED
    quote = await world.quote()
    assert (quote.status, quote.version) == (QuoteStatus.OPEN, 2)
    assert [change.new.description for change in quote.changes] == ["Labour, without warranty"]
    assert (await _job(world))["status"] == "Quote"


async def test_the_client_and_the_operators_are_told_when_a_decision_was_not_applied(world: World, owner):
    await world.reject()
    await world.sandbox.edit("job", world.job, status="Work Order")

    await world.deliver()

    mails = (await world.hub.mail.kept(owner, PageRequest())).items
    told = {mail.recipient.partition("@")[2].partition(".")[0]: mail.body for mail in mails if mail.purpose.startswith("quote.reopened")}
    assert len(told) == 2
    assert "client" in told
    assert all(f"/quotes/{world.quote_id}" in body for body in told.values())
    quote = await world.quote()
    assert (quote.status, quote.provider_status) == (QuoteStatus.WITHDRAWN, "work_order")


async def test_a_quote_that_is_open_again_can_be_decided_again(world: World):
    await world.approve()
    await world.sandbox.add_line(world.job, name="Travel", quantity="1", price="50")
    await world.deliver()

    await world.approve()
    delivery = await world.deliver()

    assert delivery.status is DeliveryStatus.CONFIRMED
    quote = await world.quote()
    assert (quote.status, quote.version, len(quote.history)) == (QuoteStatus.APPROVED, 2, 1)


@pytest.mark.requirement("SM8-24", "SM8-57")
async def test_a_decision_outlives_an_outage_of_the_provider(world: World):
    await world.sandbox.fault("503", times=None)
    await world.approve()

    delivery = await world.deliver()

    assert (delivery.status, delivery.fix_by) == (DeliveryStatus.QUEUED, "time")
    assert delivery.explanation == "ServiceM8 did not answer. Your decision is safe and will be sent again."
    assert (await world.quote()).status is QuoteStatus.APPROVED
    await world.sandbox.clear_faults()
    await world.hub.deliveries.retry(world.operator, delivery.id)
    assert (await world.deliver()).status is DeliveryStatus.CONFIRMED


async def test_a_delivery_that_is_not_due_is_left_alone(world: World):
    await world.sandbox.fault("503", times=None)
    await world.approve()
    first = await world.deliver()
    await world.sandbox.clear_faults()

    second = await world.deliver()

    assert (second.status, second.attempts) == (DeliveryStatus.QUEUED, first.attempts)
    assert second.next_attempt_at > second.created_at


async def test_refused_credentials_keep_the_decision_waiting_and_ask_for_attention(world: World):
    async with transaction(world.operator.scope):
        await set_credentials(world.operator.scope, world.connection.id, world.hub.vault.seal({"api_key": "smk-wrong"}), {})
    await world.approve()

    delivery = await world.deliver()

    assert (delivery.status, delivery.error_code) == (DeliveryStatus.QUEUED, "credentials_refused")
    connection = await world.hub.connections.get(world.operator, world.connection.id)
    assert connection.status == "needs_attention"
    credentials = {"api_key": world.sandbox.api_key}
    await world.hub.connections.update(world.operator, connection.id, credentials=credentials)
    assert (await world.hub.connections.test(world.operator, connection.id)).ok
    assert (await world.deliver()).status is DeliveryStatus.CONFIRMED


async def test_an_arrived_delivery_is_not_sent_again(world: World):
    await world.approve()
    delivery = await world.deliver()
    await world.sandbox.clear_ledger()

    await world.hub.deliveries.deliver(world.operator.organization_id, delivery.id)

    assert await world.sandbox.ledger() == []
    with pytest.raises(DeliverySettled):
        await world.hub.deliveries.retry(world.operator, delivery.id)


async def test_staff_setting_a_confirmed_job_back_to_a_quote_opens_it_again(world: World):
    await world.approve()
    await world.deliver()
    await world.sync()

    await world.sandbox.edit("job", world.job, status="Quote")
    await world.sync()

    quote = await world.quote()
    assert (quote.status, quote.decision) == (QuoteStatus.OPEN, None)
    assert quote.history[0].superseded_reason == quote.reopened_reason


async def test_every_call_of_a_delivery_is_noted_with_it(world: World):
    await world.approve()
    delivery = await world.deliver()

    sql = "SELECT count(*) FROM provider_call WHERE organization_id = $1 AND delivery_id = $2 AND method = 'POST'"
    writes = await fetch_value(world.operator.scope, sql, world.operator.organization_id, delivery.id)

    assert writes == 2
