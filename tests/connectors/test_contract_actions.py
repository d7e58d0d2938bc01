"""What every connector promises of writing, tried on every action found. The sandbox's ledger is the witness."""

import copy
import json

import pytest

from app.connectors.base import Account, Confirmation, QuoteDecision, Steps
from tests.connectors.contract import Provider, each_action
from tests.connectors.killing import Killed, KillSwitch
from tests.connectors.kit import Wrap


async def perform(
    provider: Provider, action: str, decision: QuoteDecision, steps: Steps, *, account: Account, wrap: Wrap = lambda it: it
) -> Confirmation:
    """One attempt. `steps` is what the hub has committed; as there, only JSON survives the attempt."""

    async def save(announced: Steps) -> None:
        steps.clear()
        steps.update(json.loads(json.dumps(announced)))

    async with provider.session(wrap=wrap, account=account) as opened:
        return await provider.connector.actions[action].perform(opened.session, decision, copy.deepcopy(steps), save)


@pytest.fixture
async def account(provider: Provider) -> Account:
    async with provider.session() as opened:
        found = opened.session.account
    assert found is not None
    return found


@each_action
async def test_an_action_done_twice_is_done_once(provider: Provider, action: str, account: Account):
    decision = await provider.subject.decision(provider.sandbox, action)
    steps: Steps = {}

    first = await perform(provider, action, decision, steps, account=account)
    second = await perform(provider, action, decision, steps, account=account)
    seen, wanted = await provider.subject.effects(provider.sandbox, action, decision)

    assert first.external_id == decision.quote_external_id
    assert second == first
    assert seen == wanted


@pytest.mark.parametrize("after_answer", [False, True])
@each_action
async def test_an_action_that_is_killed_anywhere_and_repeated_has_each_effect_once(
    provider: Provider, action: str, after_answer: bool, account: Account
):
    for request in range(1, 100):
        decision = await provider.subject.decision(provider.sandbox, action)
        steps: Steps = {}
        try:
            await perform(
                provider,
                action,
                decision,
                steps,
                account=account,
                wrap=lambda inner, n=request: KillSwitch(inner, n, after_answer=after_answer),
            )
        except Killed:
            await perform(provider, action, decision, steps, account=account)
        else:
            assert request > 5
            return
        seen, wanted = await provider.subject.effects(provider.sandbox, action, decision)
        assert seen == wanted, f"killed at request {request}"
    pytest.fail("the action never ended")
