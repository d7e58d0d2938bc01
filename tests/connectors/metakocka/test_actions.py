"""What a decision on an offer does in Metakocka, and what it leaves alone."""

import copy
import dataclasses
import json
from decimal import Decimal
from typing import Any

import pytest

from app.connectors.base import Confirmation, QuoteDecision, Steps
from app.connectors.errors import NotApplied, OutcomeUnknown, RateLimited, RequestRejected
from app.connectors.metakocka.connector import connector
from app.connectors.metakocka.document_bodies import mark_of
from app.connectors.metakocka.sandbox.testing import RunningSandbox
from tests.connectors.metakocka.company import add_offer, add_partner, metakocka
from tests.connectors.metakocka.deciding import make_decision

APPROVE, PARTLY, REJECT = "approve_quote", "approve_quote_partially", "reject_quote"
FAULTS = ("drop-answer", "drop-request", "cut", "500", "maintenance", "opr-1")


async def perform(mk: RunningSandbox, action: str, decision: QuoteDecision, steps: Steps | None = None, **settings: Any) -> Confirmation:
    """One attempt; `steps` is what the hub has committed."""
    kept: Steps = {} if steps is None else steps

    async def save(announced: Steps) -> None:
        kept.clear()
        kept.update(json.loads(json.dumps(announced)))

    async with metakocka(mk, **settings) as opened:
        return await connector.actions[action].perform(opened.session, decision, copy.deepcopy(kept), save)


async def order_of(mk: RunningSandbox, decision: QuoteDecision) -> dict[str, Any]:
    (order,) = [one for one in await orders(mk) if one["buyer_order"] == mark_of(decision.decision_id)]
    return order


async def orders(mk: RunningSandbox) -> list[dict[str, Any]]:
    return [await mk.document("sales_order", one["mk_id"]) for one in await mk.documents("sales_order")]


def codes(document: dict[str, Any]) -> list[str]:
    lines = document["product_list"]
    return [line["code"] for line in (lines if isinstance(lines, list) else [lines])]


async def test_an_approval_makes_an_order_of_all_lines_and_marks_the_offer(mk: RunningSandbox):
    decision = await make_decision(mk, APPROVE)
    confirmation = await perform(mk, APPROVE, decision)

    offer, order = await mk.document("sales_offer", decision.quote_external_id), await order_of(mk, decision)
    assert codes(order) == codes(offer) == [line.external_id for line in decision.lines]
    assert (order["sum_all"], order["currency_code"], order["partner"]["mk_id"]) == (
        offer["sum_all"],
        "EUR",
        offer["partner"]["mk_id"],
    )
    assert [one["count_code"] for one in order["offer_list"]] == [offer["count_code"]]
    assert offer["status_desc"] == "accepted"
    assert "By Ana Žagar on 21.11.2026 08:00, signed “Ana Žagar”." in order["notes"]
    assert "Pokličite pred prihodom" in order["notes"]
    assert (confirmation.external_id, confirmation.status) == (decision.quote_external_id, "accepted")
    assert (confirmation.details["order"], confirmation.details["order_shown"]["total"]) == (order["mk_id"], order["sum_all"])


async def test_a_partial_approval_orders_the_accepted_lines_and_leaves_the_offer_whole(mk: RunningSandbox):
    decision = await make_decision(mk, PARTLY)
    await perform(mk, PARTLY, decision)

    offer, order = await mk.document("sales_offer", decision.quote_external_id), await order_of(mk, decision)
    assert codes(order) == codes(offer)[:1]
    assert len(codes(offer)) == 3
    assert order["notes"].count("Declined: ") == 2
    assert "(Predrago)" in order["notes"]


async def test_a_rejection_is_noted_in_the_offer_with_all_its_lines(mk: RunningSandbox):
    offer = await add_offer(mk, notes="Veljavno en mesec")
    decision = await make_decision(mk, REJECT, offer=offer)
    confirmation = await perform(mk, REJECT, decision)

    after = await mk.document("sales_offer", offer["mk_id"])
    assert (after["status_desc"], confirmation.status) == ("rejected", "rejected")
    assert after["notes"].startswith("Veljavno en mesec\n\nThe client rejected this offer.")
    assert "Reason: Izbrali smo drugega" in after["notes"]
    assert (codes(after), after["sum_all"]) == (codes(offer), offer["sum_all"])
    assert await orders(mk) == []


async def test_without_statuses_in_the_settings_none_is_written(mk: RunningSandbox):
    approved, rejected = await make_decision(mk, APPROVE), await make_decision(mk, REJECT)
    await perform(mk, APPROVE, approved, accepted_status="", rejected_status="")
    confirmation = await perform(mk, REJECT, rejected, accepted_status="", rejected_status="")

    offers = [await mk.document("sales_offer", one.quote_external_id) for one in (approved, rejected)]
    assert [offer["status_desc"] for offer in offers] == ["open", "open"]
    assert "Izbrali smo drugega" in offers[1]["notes"]
    # Of an offer that stays open, a later change of staff takes no decision back.
    assert "edited_at" not in confirmation.details


@pytest.mark.parametrize("after_work", [False, True])
@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize(
    ("action", "path"), [(APPROVE, "sales_order"), (APPROVE, "sales_offer"), (PARTLY, "sales_order"), (REJECT, "sales_offer")]
)
async def test_each_write_has_its_effect_once_whatever_becomes_of_the_answer(
    mk: RunningSandbox, action: str, path: str, fault: str, after_work: bool
):
    decision, steps = await make_decision(mk, action), Steps()
    await mk.fault(fault, path=f"*/put_document:{path}", after_work=after_work)
    try:
        await perform(mk, action, decision, steps, attempts=1)
    except OutcomeUnknown:
        await perform(mk, action, decision, steps, attempts=1)

    assert (await mk.counters())["faults"] == {fault: 1}
    effects = sorted((one["object"], one["effect"]) for one in await mk.effects())
    made = [] if action == REJECT else [("sales_order", "created")]
    assert effects == [("sales_offer", "changed"), *made]


@pytest.mark.parametrize(("action", "path"), [(APPROVE, "sales_order"), (REJECT, "sales_offer")])
async def test_a_read_that_shows_what_was_before_makes_nothing_twice(mk: RunningSandbox, action: str, path: str):
    """The answer is lost, and the first look afterwards does not show the write yet."""
    decision, steps = await make_decision(mk, action), Steps()
    await mk.fault("drop-answer", path=f"*/put_document:{path}")
    await mk.fault("stale-read", path=f"*/get_document:{path}", skip=1 if action == APPROVE else 2)
    await perform(mk, action, decision, steps, attempts=1)

    assert (await mk.counters())["faults"] == {"drop-answer": 1, "stale-read": 1}
    made = [] if action == REJECT else [("sales_order", "created")]
    assert sorted((one["object"], one["effect"]) for one in await mk.effects()) == [("sales_offer", "changed"), *made]


@pytest.mark.parametrize(
    ("edit", "words"),
    [
        ({"product_list": "fewer"}, "was removed"),
        ({"product_list": "dearer"}, "was changed"),
        ({"product_list": "more"}, "was added"),
        ({"discount_percent": "5"}, "was changed"),
        ({"discount_value": "10"}, "discount in money"),
        ({"status": "rejected"}, "no longer open"),
        ({"partner": "other"}, "another partner"),
        (None, "was deleted"),
    ],
)
@pytest.mark.parametrize("action", [APPROVE, REJECT])
async def test_an_offer_that_changed_is_not_decided(mk: RunningSandbox, action: str, edit: dict[str, Any] | None, words: str):
    offer = await add_offer(mk)
    decision = await make_decision(mk, action, offer=offer)
    if edit is None:
        await mk.delete_document("sales_offer", offer["mk_id"])
    else:
        await mk.edit_document("sales_offer", offer["mk_id"], **await edited(mk, offer, edit))
    with pytest.raises(NotApplied, match=words) as refused:
        await perform(mk, action, decision)

    assert await mk.ledger() == []
    assert refused.value.found["active"] is (edit is not None)


async def edited(mk: RunningSandbox, offer: dict[str, Any], edit: dict[str, Any]) -> dict[str, Any]:
    lines = [{name: line[name] for name in ("code", "amount", "price", "discount") if name in line} for line in offer["product_list"]]
    changed = {"fewer": lines[:2], "dearer": [{**lines[0], "price": "101"}, *lines[1:]], "more": [*lines, {**lines[0], "amount": "1"}]}
    if "product_list" in edit:
        return {"product_list": changed[edit["product_list"]]}
    if "partner" in edit:
        partner = await add_partner(mk)
        return {"partner": {"mk_id": partner["mk_id"], "mk_address_id": partner["partner_delivery_address_list"][0]["mk_id"]}}
    return edit


async def test_an_offer_that_is_changed_while_the_order_is_made_has_no_order_in_the_end(mk: RunningSandbox):
    offer = await add_offer(mk)
    decision, steps = await make_decision(mk, APPROVE, offer=offer), Steps()

    async def staff_edit(announced: Steps) -> None:
        """Between our look and our order."""
        if announced.get("announced") and "undo" not in announced:
            await mk.edit_document("sales_offer", offer["mk_id"], discount_percent="7")

    async with metakocka(mk) as opened:
        with pytest.raises(NotApplied, match="was changed") as refused:
            await connector.actions[APPROVE].perform(opened.session, decision, steps, staff_edit)

    assert await orders(mk) == []
    assert [line["unit_price"] for line in refused.value.found["lines"]] == ["93.00", "33.8985", "6.51"]


async def test_a_refused_status_is_told_and_the_order_stands(mk: RunningSandbox):
    decision = await make_decision(mk, APPROVE)
    confirmation = await perform(mk, APPROVE, decision, accepted_status="potrjena")

    assert "Valid values : open,sent,accepted,rejected" in confirmation.details["problem"]
    assert confirmation.details["order"] == (await order_of(mk, decision))["mk_id"]


async def test_a_rejection_whose_status_is_refused_is_refused_as_a_whole(mk: RunningSandbox):
    decision = await make_decision(mk, REJECT)
    with pytest.raises(RequestRejected, match="Valid values"):
        await perform(mk, REJECT, decision, rejected_status="zavrnjena")

    assert "notes" not in await mk.document("sales_offer", decision.quote_external_id)


async def test_a_used_up_quota_waits_for_minutes(mk: RunningSandbox):
    decision = await make_decision(mk, APPROVE)
    await mk.fault("opr-5", path="*/put_document:sales_order")
    with pytest.raises(RateLimited) as limited:
        await perform(mk, APPROVE, decision)

    assert limited.value.retry_after >= 60


async def test_a_line_with_another_decimal_than_the_client_saw_is_the_same(mk: RunningSandbox):
    """The provider writes 100 and 100,00 for the same price."""
    await mk.settings(comma_decimals=True)
    decision = await make_decision(mk, APPROVE)
    first = dataclasses.replace(decision.lines[0], unit_price=Decimal("100.00"), quantity=Decimal("2.000"))
    confirmation = await perform(mk, APPROVE, dataclasses.replace(decision, lines=(first, *decision.lines[1:])))

    assert confirmation.status == "accepted"
