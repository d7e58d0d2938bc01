"""Decisions carried to ServiceM8: guards, undoing, and writes whose answers are lost. The sandbox's ledger is the witness."""

import asyncio
from dataclasses import replace
from decimal import Decimal

import pytest

from app.connectors.base import Confirmation, Steps
from app.connectors.errors import CredentialsRefused, NotApplied, OutcomeUnknown, ProviderUnavailable, QuotaExhausted
from app.connectors.servicem8.connector import connector
from app.connectors.servicem8.objects import note_uuid
from app.connectors.servicem8.sandbox.testing import RunningSandbox
from app.errors import LeaseLost
from tests.connectors.kit import servicem8
from tests.connectors.servicem8.deciding import APPROVE, PARTIAL, REJECT, active_lines, effects, lines, perform, status
from tests.connectors.servicem8.subject import make_decision


async def test_an_approval_makes_the_job_a_work_order_and_says_who_and_when(sm8: RunningSandbox):
    decision = await make_decision(sm8, APPROVE)

    confirmation = await perform(sm8, APPROVE, decision)

    job = await sm8.record("job", decision.quote_external_id)
    note = await sm8.record("note", note_uuid(decision.decision_id, decision.quote_external_id))
    assert job["status"] == "Work Order"
    assert not job["work_order_date"].startswith("0000")
    assert note["related_object_uuid"] == decision.quote_external_id
    assert "Ana Žagar on 2026-11-21 15:00 (Australia/Perth), signed “Ana Žagar”" in note["note"]
    assert "Please call before you come" in note["note"]
    assert (confirmation.status, confirmation.details["note"]) == ("Work Order", note["uuid"])
    assert set(confirmation.details["lines"]) == await active_lines(sm8, decision)
    assert await effects(sm8) == {("job", "updated"): 1, ("note", "created"): 1}


async def test_a_partial_approval_keeps_the_approved_lines_and_names_both_sets(sm8: RunningSandbox):
    decision = await make_decision(sm8, PARTIAL, lines=4, declined=(0, 3))

    confirmation = await perform(sm8, PARTIAL, decision)

    note = await sm8.record("note", confirmation.details["note"])
    job = await sm8.record("job", decision.quote_external_id)
    approved, declined = note["note"].split("Declined lines")
    assert await active_lines(sm8, decision) == lines(decision, approved=True) == set(confirmation.details["lines"])
    assert "Line 2 ž" in approved
    assert "Line 4 ž" in declined
    assert "(Too dear)" in declined
    assert confirmation.details["total"] == job["total_invoice_amount"] == "698.5000"  # 2.5 × 110 with tax, 3.5 × 110 and 10 %
    assert await effects(sm8) == {("job", "updated"): 1, ("note", "created"): 1, ("jobmaterial", "deleted"): 2}


async def test_a_rejection_carries_the_reason_and_leaves_the_lines(sm8: RunningSandbox):
    decision = await make_decision(sm8, REJECT)

    confirmation = await perform(sm8, REJECT, decision)

    note = await sm8.record("note", confirmation.details["note"])
    assert await status(sm8, decision) == "Unsuccessful"
    assert "Reason: We chose somebody else" in note["note"]
    assert len(await active_lines(sm8, decision)) == 3


@pytest.mark.parametrize("action", [APPROVE, PARTIAL, REJECT])
@pytest.mark.parametrize("change", ["price", "quantity", "added", "removed", "status", "deleted", "missing"])
async def test_a_quote_that_changed_is_left_alone(sm8: RunningSandbox, action: str, change: str):
    decision = await make_decision(sm8, action)
    job, line = decision.quote_external_id, decision.lines[0].external_id
    if change == "price":
        await sm8.edit("jobmaterial", line, price="120.0000", displayed_amount="120.0000")
    elif change == "quantity":
        await sm8.edit("jobmaterial", line, quantity="9.0000")
    elif change == "added":
        await sm8.add_line(job, name="Extra work", quantity="1", price="50")
    elif change == "removed":
        await sm8.remove_line(job, line)
    elif change == "status":
        await sm8.edit("job", job, status="Unsuccessful" if action == APPROVE else "Completed")
    elif change == "deleted":
        await sm8.delete("job", job)
    else:
        decision = replace(decision, quote_external_id="00000000-0000-4000-8000-000000000000")

    with pytest.raises(NotApplied) as refused:
        await perform(sm8, action, decision)

    assert set(refused.value.found) == {"status", "active", "contact_external_id", "edit_date", "total", "lines"}
    assert await effects(sm8) == {}


async def test_the_same_numbers_written_otherwise_are_no_change(sm8: RunningSandbox):
    decision = await make_decision(sm8, APPROVE)
    shorter = tuple(
        replace(line, quantity=line.quantity.normalize(), unit_price=Decimal(f"{line.unit_price:.1f}")) for line in decision.lines
    )

    await perform(sm8, APPROVE, replace(decision, lines=shorter))

    assert await status(sm8, decision) == "Work Order"


@pytest.mark.parametrize("path", ["*/jobmaterial/*", "*/job/*", "*/note.json"])
@pytest.mark.parametrize(("fault", "options"), [("drop-answer", {}), ("drop-request", {}), ("500", {"after_work": True}), ("503", {})])
async def test_a_write_whose_answer_is_lost_is_looked_up_before_it_is_sent_again(
    sm8: RunningSandbox, path: str, fault: str, options: dict[str, bool]
):
    decision = await make_decision(sm8, PARTIAL)
    steps: Steps = {}
    await sm8.fault(fault, path=path, method="DELETE" if "jobmaterial" in path else "POST", times=1, **options)

    for _ in range(3):
        try:
            await perform(sm8, PARTIAL, decision, steps)
            break
        except OutcomeUnknown:
            continue

    assert await active_lines(sm8, decision) == lines(decision, approved=True)
    assert await status(sm8, decision) == "Work Order"
    assert await effects(sm8) == {("job", "updated"): 1, ("note", "created"): 1, ("jobmaterial", "deleted"): 2}


async def test_staff_who_move_the_job_on_after_the_approval_do_not_unmake_it(sm8: RunningSandbox):
    """The worker died between the status and the note; meanwhile the job was completed."""
    decision = await make_decision(sm8, APPROVE)
    steps: Steps = {}
    await sm8.fault("500", path="*/note.json", method="POST", times=None)
    with pytest.raises(ProviderUnavailable):
        await perform(sm8, APPROVE, decision, steps)
    steps["status_reached"] = False  # as if the worker had died before it could save that
    await sm8.clear_faults()
    await sm8.edit("job", decision.quote_external_id, status="Completed")

    confirmation = await perform(sm8, APPROVE, decision, steps)

    assert confirmation.status == "Completed"
    assert confirmation.details["note"]
    assert await status(sm8, decision) == "Completed"


async def test_a_worker_that_lost_its_lease_writes_nothing_more(sm8: RunningSandbox):
    decision = await make_decision(sm8, PARTIAL)

    async def save(announced: Steps) -> None:
        raise LeaseLost

    async with servicem8(sm8) as opened:
        with pytest.raises(LeaseLost):
            await connector.actions[PARTIAL].perform(opened.session, decision, {}, save)

    assert await effects(sm8) == {}


async def test_a_delete_of_a_frozen_worker_that_arrives_late_does_not_bring_the_line_back(sm8: RunningSandbox):
    """Both workers' deletes reach the provider, where the second one restores the line: it is noticed and removed again."""
    decision = await make_decision(sm8, PARTIAL, declined=(1,))
    saves = 0

    async def save_until_the_lease_is_lost(announced: Steps) -> None:
        nonlocal saves
        saves += 1
        if saves > 1:
            raise LeaseLost

    await sm8.hold_writes(before_work=True, path="*/jobmaterial/*")
    async with servicem8(sm8) as opened:
        frozen = asyncio.create_task(connector.actions[PARTIAL].perform(opened.session, decision, {}, save_until_the_lease_is_lost))
        await sm8.wait_until_held(1)
        other = asyncio.create_task(perform(sm8, PARTIAL, decision, {}))
        await sm8.wait_until_held(2)
        await sm8.release_writes()
        outcomes = await asyncio.gather(frozen, other, return_exceptions=True)

    assert isinstance(outcomes[0], LeaseLost)
    assert isinstance(outcomes[1], Confirmation)
    assert await active_lines(sm8, decision) == lines(decision, approved=True)
    seen = await effects(sm8)
    assert (seen["jobmaterial", "deleted"], seen["jobmaterial", "restored"]) == (2, 1)
    assert (seen["job", "updated"], seen["note", "created"]) == (1, 1)


@pytest.mark.requirement("SM8-53")
async def test_credentials_that_stop_working_half_way_leave_the_rest_for_later(sm8: RunningSandbox):
    decision = await make_decision(sm8, PARTIAL)
    steps: Steps = {}
    await sm8.fault("403", path="*/job/*", method="POST", times=1)

    with pytest.raises(CredentialsRefused):
        await perform(sm8, PARTIAL, decision, steps)
    assert await status(sm8, decision) == "Quote"
    await perform(sm8, PARTIAL, decision, steps)

    assert await effects(sm8) == {("job", "updated"): 1, ("note", "created"): 1, ("jobmaterial", "deleted"): 2}


async def test_a_used_up_quota_half_way_leaves_the_rest_for_later(sm8: RunningSandbox):
    decision = await make_decision(sm8, REJECT)
    steps: Steps = {}
    await sm8.fault("429-day", path="*/note.json", method="POST", times=1)

    with pytest.raises(QuotaExhausted):
        await perform(sm8, REJECT, decision, steps)
    await perform(sm8, REJECT, decision, steps)

    assert await effects(sm8) == {("job", "updated"): 1, ("note", "created"): 1}


async def test_only_the_status_is_sent_so_that_edits_of_staff_stay(sm8: RunningSandbox):
    decision = await make_decision(sm8, APPROVE)
    await sm8.edit("job", decision.quote_external_id, job_description="Staff wrote this a second ago")

    await perform(sm8, APPROVE, decision)

    write = next(write for write in await sm8.ledger(object="job") if write["effect"] == "updated")
    assert list(write["fields"]) == ["status"]
    assert (await sm8.record("job", decision.quote_external_id))["job_description"] == "Staff wrote this a second ago"


@pytest.mark.parametrize("action", [APPROVE, PARTIAL, REJECT])
async def test_the_clients_purchase_order_number_comes_with_an_approval(sm8: RunningSandbox, action: str):
    decision = replace(await make_decision(sm8, action), purchase_order="PO-4711 ž")

    await perform(sm8, action, decision)

    job = await sm8.record("job", decision.quote_external_id)
    assert job["purchase_order_number"] == ("" if action == REJECT else "PO-4711 ž")
