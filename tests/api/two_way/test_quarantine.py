"""Held deletions as a program drives them: what tripped the brake, released or kept."""

import asyncio
from typing import Any

import pytest

from tests.api.client import GraphQLClient
from tests.api.operations import run
from tests.api.two_way.steps import run_sync
from tests.factories import key
from tests.two_way.office import Office

PARTNERS, GONE = 16, 12


@pytest.fixture
async def held(operator_api: GraphQLClient, office: Office, connection: str) -> dict[str, Any]:
    """More deletions than the policy lets go at once."""
    ids = [await office.add(f"Partner {number:02}") for number in range(PARTNERS)]
    await run_sync(operator_api, office, connection, streams=["partners"], mode="FULL")
    for mk_id in ids[:GONE]:
        await office.sandbox.delete_partner(mk_id)
    await run_sync(operator_api, office, connection, streams=["partners"], mode="FULL")
    [found] = (await run(operator_api, "quarantines", connectionId=connection))["nodes"]
    return dict(found)


@pytest.mark.requirement("MKC-51")
async def test_held_deletions_tell_what_tripped_the_brake_and_go_when_they_are_released(
    operator_api: GraphQLClient, office: Office, held: dict[str, Any], worker: None
):
    listed = await run(operator_api, "quarantined_deletions", quarantineId=held["id"], first=5)
    rest = await run(operator_api, "quarantined_deletions", quarantineId=held["id"], after=listed["pageInfo"]["endCursor"])
    release = {"id": held["id"], "idempotencyKey": "release"}

    released = await run(operator_api, "release_quarantine", **release)
    async with asyncio.timeout(60):
        while (done := await run(operator_api, "quarantine", id=held["id"]))["status"] != "RELEASED":
            await asyncio.sleep(0.1)
    repeated = await run(operator_api, "release_quarantine", **release)
    late = await run(operator_api, "dismiss_quarantine", id=held["id"], idempotencyKey=key())

    assert (held["status"], held["count"], held["known"]) == ("HELD", GONE, PARTNERS)
    assert (held["brakeShare"], held["brakeMinimum"]) == (0.05, 10)
    assert len(listed["nodes"]) + len(rest["nodes"]) == GONE
    assert listed["nodes"][0]["record"]["name"].startswith("Partner ")
    assert (released["quarantine"]["status"], released["quarantine"]["decidedBy"]) == ("RELEASING", "A token for operator")
    assert repeated["quarantine"]["id"] == held["id"]
    assert (done["lookedAt"], done["deleted"], done["finishedAt"] is not None) == (GONE, GONE, True)
    assert late["__typename"] == "QuarantineSettled"
    assert len((await run(operator_api, "contacts"))["nodes"]) == PARTNERS - GONE


async def test_held_deletions_that_are_dismissed_leave_everything(operator_api: GraphQLClient, connection: str, held: dict[str, Any]):
    dismissed = await run(operator_api, "dismiss_quarantine", id=held["id"], idempotencyKey="keep")
    repeated = await run(operator_api, "dismiss_quarantine", id=held["id"], idempotencyKey="keep")
    late = await run(operator_api, "release_quarantine", id=held["id"], idempotencyKey=key())

    assert dismissed["quarantine"]["status"] == "DISMISSED"
    assert repeated == dismissed
    assert late["__typename"] == "QuarantineSettled"
    assert (await run(operator_api, "quarantines", connectionId=connection))["nodes"] == []
    [shown] = (await run(operator_api, "quarantines", connectionId=connection, openOnly=False))["nodes"]
    assert shown["decidedBy"] == "A token for operator"
    assert len((await run(operator_api, "contacts"))["nodes"]) == PARTNERS
