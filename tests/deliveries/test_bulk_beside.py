"""Decisions while a pull and a push of their connection use up its requests: benchmarks/decisions.py in short."""

from datetime import UTC, datetime

import pytest

from app.actors import Actor
from app.bootstrap import Hub
from app.connectors.metakocka.sandbox.testing import RunningSandbox
from app.settings import Settings
from benchmarks.decisions import bulk, decide, first_writes, under_way
from tests.connectors.metakocka.company import add_offer, add_partner
from tests.kill.workers import running_worker
from tests.two_way.office import Office

DECISIONS, EVERY = 6, 2.0
PER_MINUTE = 300
"""So few that a pull and a push ask for all of them in seconds, and for the next ones as soon as they are free."""
PATIENCE = 10.0
"""Wanted are 2 s, on a machine that has nothing else to do. Who waits for the bulk work waits for the rest of a minute."""


@pytest.mark.alone
async def test_a_decision_is_written_at_once_while_bulk_work_uses_up_all_requests(
    hub: Hub, settings: Settings, operator: Actor, metakocka: RunningSandbox
):
    partner = await add_partner(metakocka)
    for _ in range(DECISIONS):
        await add_offer(metakocka, partner)
    for _ in range(30):
        await add_partner(metakocka)
    office = await Office.open(hub, operator, metakocka, requests_per_minute=PER_MINUTE, page_size=5)
    await office.run(streams=("partners", "offers"))
    await metakocka.settings(quota_per_minute=PER_MINUTE)
    await metakocka.clear_ledger()
    begun = datetime.now(UTC)

    with running_worker(settings):
        async with bulk(hub, operator, office.connection):
            await under_way(metakocka, 40)
            decided = await decide(hub, operator, DECISIONS, EVERY)
            seconds = await first_writes(metakocka, decided, begun, 1.0, patience=2 * PATIENCE)

    assert max(seconds) < PATIENCE, seconds
    assert sum((await metakocka.counters())["refused"].values()) == 0
