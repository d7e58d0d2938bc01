"""Performs decisions against the sandbox, and looks at what came of them."""

import copy
from collections import Counter

from app.connectors.base import Confirmation, QuoteDecision, Steps
from app.connectors.servicem8.connector import connector
from app.connectors.servicem8.sandbox.testing import RunningSandbox
from tests.connectors.kit import Wrap, servicem8

APPROVE, PARTIAL, REJECT = "approve_quote", "approve_quote_partially", "reject_quote"


async def perform(
    sandbox: RunningSandbox, action: str, decision: QuoteDecision, steps: Steps | None = None, *, wrap: Wrap = lambda it: it
) -> Confirmation:
    kept = steps if steps is not None else {}

    async def save(announced: Steps) -> None:
        kept.clear()
        kept.update(copy.deepcopy(announced))

    async with servicem8(sandbox, wrap=wrap) as opened:
        return await connector.actions[action].perform(opened.session, decision, copy.deepcopy(kept), save)


async def active_lines(sandbox: RunningSandbox, decision: QuoteDecision) -> set[str]:
    return {
        line["uuid"] for line in await sandbox.records("jobmaterial", job_uuid=decision.quote_external_id) if str(line["active"]) == "1"
    }


async def status(sandbox: RunningSandbox, decision: QuoteDecision) -> str:
    return str((await sandbox.record("job", decision.quote_external_id))["status"])


async def effects(sandbox: RunningSandbox) -> Counter[tuple[str, str]]:
    return Counter((write["object"], write["effect"]) for write in await sandbox.ledger() if write["effect"] != "none")


def lines(decision: QuoteDecision, *, approved: bool) -> set[str]:
    return {line.external_id for line in decision.lines if line.approved is approved}
