"""Approving: the whole quote, part of it, twice, too late, with other lines than there are."""

import asyncio
from decimal import Decimal

import pytest

from app.errors import IdempotencyKeyReused, InvalidInput
from app.ids import new_id
from app.paging import PageRequest
from app.quotes.models import LineDecision, QuoteStatus
from app.quotes.service import (
    LinesInvalid,
    QuoteAlreadyDecided,
    QuoteNotFound,
    SignatureMissing,
    TermsNotAccepted,
)
from tests import factories
from tests.quotes.world import World, invite


@pytest.mark.requirement("SM8-14", "SM8-17", "SM8-18")
async def test_approving_a_quote_keeps_who_what_and_the_note_and_waits_to_be_sent(world: World):
    decision = await world.approve(note="Please call before you come. שלום 🐝", purchase_order="PO-7")

    quote = await world.quote()
    assert (quote.status, quote.delivery.status) == (QuoteStatus.APPROVED, "queued")
    assert quote.decision == decision
    assert {line.decision for line in quote.lines} == {LineDecision.APPROVED}
    assert (decision.note, decision.purchase_order) == ("Please call before you come. שלום 🐝", "PO-7")
    assert (decision.decided_by["name"], decision.signature_name) == ("Carla Client", "Carla Client")
    assert (decision.approved_subtotal, decision.approved_tax, decision.approved_total) == (
        Decimal("1824.99"),
        Decimal("182.50"),
        Decimal("2007.49"),
    )


@pytest.mark.requirement("SM8-16")
async def test_approving_some_lines_decides_every_line_and_recomputes_the_totals(world: World):
    quote = await world.quote()
    switchboard, labour, arrester = quote.lines

    decision = await world.approve(lines=[labour.id, switchboard.id], line_reasons={arrester.id: "Not needed"})

    assert decision.outcome is QuoteStatus.PARTIALLY_APPROVED
    assert [(line.description, line.decision, line.reason) for line in decision.lines] == [
        ("Switchboard", "approved", None),
        ("Labour", "approved", None),
        ("Surge arrester", "rejected", "Not needed"),
    ]
    assert decision.approved_total == Decimal("1897.50")
    quote = await world.quote()
    assert quote.status is QuoteStatus.PARTIALLY_APPROVED
    assert [line.decision for line in quote.lines] == ["approved", "approved", "rejected"]


async def test_naming_every_line_approves_the_whole_quote(world: World):
    lines = [line.id for line in (await world.quote()).lines]

    decision = await world.approve(lines=lines)

    assert decision.outcome is QuoteStatus.APPROVED


async def test_no_line_a_foreign_line_and_a_line_named_twice_are_refused(world: World):
    line = (await world.quote()).lines[0].id

    for lines in ([], [line, new_id()], [line, line]):
        with pytest.raises(LinesInvalid):
            await world.approve(lines=lines)

    assert (await world.quote()).status is QuoteStatus.OPEN


async def test_the_terms_and_a_name_are_needed(world: World):
    with pytest.raises(TermsNotAccepted):
        await world.approve(accept_terms=False)
    with pytest.raises(SignatureMissing):
        await world.approve(signature_name="  ")


async def test_texts_that_are_too_long_or_cannot_be_stored_are_refused_with_a_sentence(world: World):
    for note in ("x" * 2001, "a\x00b", "half a character \ud83d"):
        with pytest.raises(InvalidInput) as refused:
            await world.approve(note=note)
        assert refused.value.fields["note"].startswith("The note")


async def test_the_same_key_with_the_same_body_returns_the_first_result_and_with_another_is_refused(world: World):
    key = factories.key()
    first = await world.approve(idempotency_key=key)

    again = await world.approve(idempotency_key=key)

    assert again == first
    with pytest.raises(IdempotencyKeyReused):
        await world.approve(idempotency_key=key, note="Something else")


async def test_the_same_decision_again_returns_the_first_and_a_contradictory_one_is_refused(world: World):
    first = await world.approve()

    assert (await world.approve()).id == first.id
    with pytest.raises(QuoteAlreadyDecided) as refused:
        await world.reject()
    assert refused.value.decision.id == first.id
    with pytest.raises(QuoteAlreadyDecided):
        await world.approve(lines=[(await world.quote()).lines[0].id])


async def test_of_fifty_opposite_decisions_at_once_one_wins_and_its_repeats_get_the_same(world: World):
    async def decide(number: int) -> object:
        return await (world.approve() if number % 2 else world.reject())

    results = await asyncio.gather(*(decide(number) for number in range(50)), return_exceptions=True)

    decisions = [result for result in results if not isinstance(result, BaseException)]
    refusals = [result for result in results if isinstance(result, BaseException)]
    assert len({decision.id for decision in decisions}) == 1
    assert (len(decisions), len(refusals)) == (25, 25)
    assert all(isinstance(refusal, QuoteAlreadyDecided) for refusal in refusals)
    assert len((await world.hub.deliveries.deliveries(world.operator, PageRequest())).items) == 1


async def test_a_contact_of_another_client_finds_no_quote(world: World):
    other = (await world.sandbox.create("company", name="Another Ltd"))["uuid"]
    await world.sync()
    stranger = await invite(world.hub, world.operator, world.connection, "Steve Stranger", other)

    with pytest.raises(QuoteNotFound):
        await world.quote(stranger)
    with pytest.raises(QuoteNotFound):
        await world.approve(stranger)
