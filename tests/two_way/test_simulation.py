"""Random schedules of edits on both sides, deletions, merges, crashes, freezes and faults: in the end both sides agree and no edit is
lost unseen.

CROSSWALK_SCHEDULES and CROSSWALK_STEPS set their number and length, CROSSWALK_SEED the first one's seed. A failing seed is printed and
gives the same schedule again: `CROSSWALK_SEED=… CROSSWALK_SCHEDULES=1 scripts/test tests/two_way/test_simulation.py -k no_schedule`.
`scripts/campaign simulate` runs the long form.
"""

import os
from collections import Counter

import pytest

from app.connectors import hold
from app.deliveries import record_store
from app.mappings import links
from app.syncs.pushing import RecordPusher
from tests import factories
from tests.two_way.simulation import play

SCHEDULES = int(os.environ.get("CROSSWALK_SCHEDULES", "150"))
STEPS = int(os.environ.get("CROSSWALK_STEPS", "40"))
SEED = int(os.environ.get("CROSSWALK_SEED", "1"))
TOGETHER = 10
"""Schedules in one test: a campaign's processes take them from each other."""


@pytest.mark.timeout(60 + TOGETHER * 60)
@pytest.mark.parametrize("first", range(SEED, SEED + SCHEDULES, TOGETHER))
async def test_no_schedule_loses_an_edit_or_writes_twice(hub, metakocka, record_property, first: int):
    counts: Counter[str] = Counter()
    wrong: list[str] = []
    for seed in range(first, min(first + TOGETHER, SEED + SCHEDULES)):
        found, happened = await play(hub, await factories.make_organization(hub), metakocka, seed, STEPS)
        wrong += found
        counts += happened + Counter(schedules=1)

    record_property("simulated", dict(counts))
    assert not wrong, "\n".join(wrong)


async def _forget(*arguments, **named):
    """A step that is left out."""


async def _store_without_a_look(self, source, plan, link, after):
    """Ends the delivery and does not take in that the provider has it now."""
    if link is None:
        await links.add_link(
            source.scope, source.connection_id, source.stream.name, after.item.external_id, plan.record_id, "", base_version=plan.version
        )
    await self._end(source, plan, "confirmed")


def _never(*arguments, **named):
    return None


NO_FENCE = [(hold.Hold, "check", _never), (record_store, "_HELD", "organization_id = $1 AND id = $2 AND $3::int IS NOT NULL")]
PLANTED = {
    "a lost checkpoint": ([(links, "add_link", _forget)], None),
    "a missing fence": (NO_FENCE, {"frozen_run": 30, "add_in_hub": 30}),
    "an echo": ([(RecordPusher, "_store", _store_without_a_look)], {"edit_push_and_edit_again": 30, "run": 20}),
}


@pytest.mark.timeout(600)
@pytest.mark.parametrize("bug", PLANTED)
async def test_a_planted_bug_is_found(hub, metakocka, monkeypatch, bug: str):
    """What the engine must not do: forget what it made, write after somebody else took over, take its own writes for others'."""
    instead, more = PLANTED[bug]
    for place, name, value in instead:
        monkeypatch.setattr(place, name, value)

    for seed in range(SEED, SEED + 60):
        wrong, _ = await play(hub, await factories.make_organization(hub), metakocka, seed, STEPS, more=more)
        if wrong:
            return
    raise AssertionError(f"{bug} was not found")
