"""Decisions that cannot be carried out are taken back."""

import copy
from dataclasses import replace

import httpx
import pytest

from app.connectors.base import Steps
from app.connectors.errors import NotApplied, RequestRejected
from app.connectors.servicem8.connector import connector
from app.connectors.servicem8.sandbox.testing import RunningSandbox
from tests.connectors.killing import Killed, KillSwitch
from tests.connectors.kit import servicem8
from tests.connectors.servicem8.deciding import PARTIAL, active_lines, effects, perform, status
from tests.connectors.servicem8.subject import make_decision


async def test_refused_for_good_at_the_status_brings_the_lines_back(sm8: RunningSandbox):
    decision = await make_decision(sm8, PARTIAL)
    steps: Steps = {}
    action = connector.actions[PARTIAL]
    wrong = type(action)(action.name, "No such status", "work_order_date", removes_declined=True)

    async def save(announced: Steps) -> None:
        steps.update(announced)

    async with servicem8(sm8) as opened:
        with pytest.raises(RequestRejected, match="status must be one of"):
            await wrong.perform(opened.session, decision, {}, save)
        with pytest.raises(RequestRejected, match="status must be one of"):
            await wrong.perform(opened.session, decision, copy.deepcopy(steps), save)

    assert len(await active_lines(sm8, decision)) == 3
    assert await status(sm8, decision) == "Quote"
    assert await effects(sm8) == {("jobmaterial", "deleted"): 2, ("jobmaterial", "restored"): 2}


async def test_a_quote_that_changes_while_lines_are_removed_gets_them_back(sm8: RunningSandbox):
    decision = await make_decision(sm8, PARTIAL, lines=4, declined=(1, 2))
    steps: Steps = {}
    with pytest.raises(Killed):
        await perform(sm8, PARTIAL, decision, steps, wrap=lambda inner: KillSwitch(inner, 5, after_answer=True))
    await sm8.add_line(decision.quote_external_id, name="Staff adds this", quantity="1", price="10")

    with pytest.raises(NotApplied, match="Staff adds this"):
        await perform(sm8, PARTIAL, decision, steps)

    assert len(await active_lines(sm8, decision)) == 5
    assert await status(sm8, decision) == "Quote"
    assert (await effects(sm8))["jobmaterial", "deleted"] == (await effects(sm8))["jobmaterial", "restored"] == 1


async def test_undoing_that_is_killed_anywhere_is_finished_later(sm8: RunningSandbox):
    for request in range(1, 60):
        decision = await make_decision(sm8, PARTIAL, lines=4, declined=(1, 2))
        steps: Steps = {}
        with pytest.raises(Killed):
            await perform(sm8, PARTIAL, decision, steps, wrap=lambda inner: KillSwitch(inner, 6, after_answer=True))
        await sm8.edit("jobmaterial", decision.lines[0].external_id, quantity="99.0000")
        try:
            await perform(sm8, PARTIAL, decision, steps, wrap=lambda inner, n=request: KillSwitch(inner, n, after_answer=True))
        except Killed:
            with pytest.raises(NotApplied, match="was changed"):
                await perform(sm8, PARTIAL, decision, steps)
        except NotApplied:
            assert request > 5
            return
        assert len(await active_lines(sm8, decision)) == 4
    pytest.fail("the undoing never ended")


async def test_a_note_that_is_refused_for_good_takes_status_order_number_and_lines_back(sm8: RunningSandbox):
    decision = replace(await make_decision(sm8, PARTIAL), purchase_order="PO-4711")
    await sm8.edit("job", decision.quote_external_id, purchase_order_number="ours-1")

    with pytest.raises(RequestRejected, match="refused"):
        await perform(sm8, PARTIAL, decision, wrap=RefusesNotes)

    job = await sm8.record("job", decision.quote_external_id)
    assert (job["status"], job["purchase_order_number"]) == ("Quote", "ours-1")
    assert len(await active_lines(sm8, decision)) == 3


class RefusesNotes(httpx.AsyncBaseTransport):
    """The provider, except that it takes no note."""

    def __init__(self, provider: httpx.AsyncBaseTransport) -> None:
        self._provider = provider

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if request.method == "POST" and request.url.path.endswith("/note.json"):
            return httpx.Response(400, json={"errorCode": 400, "message": "refused"})
        return await self._provider.handle_async_request(request)
