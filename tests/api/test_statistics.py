"""What programs are told of connections in numbers: statistics, reconciliation, and when syncs are due."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from uuid import UUID

import pytest

from app.actors import Actor
from app.bootstrap import Hub
from app.connections.models import Connection
from app.connectors.metakocka.sandbox.testing import RunningSandbox as MetakockaSandbox
from app.connectors.servicem8.sandbox.testing import RunningSandbox
from app.database import execute, transaction
from tests.api.client import GraphQLClient, gid
from tests.api.operations import run
from tests.connectors.metakocka.company import add_offer
from tests.factories import key, make_connection, sync
from tests.two_way.office import Office


@pytest.fixture
async def connection(hub: Hub, owner: Actor, sandbox: RunningSandbox) -> Connection:
    """Three companies were read, one of which has no name."""
    await sandbox.reset()
    for name in ("Acme", "Birch", ""):
        await sandbox.create("company", name=name)
    made = await make_connection(hub, owner, sandbox)
    await sync(hub, owner, made, streams=["companies"])
    return made


@pytest.fixture
def of(connection: Connection) -> dict[str, str]:
    """The arguments that name the connection."""
    return {"connectionId": gid("Connection", connection.id)}


@pytest.mark.requirement("ERP-06", "ERP-28")
async def test_the_statistics_of_a_connection_are_told_by_day_and_in_total(viewer_api: GraphQLClient, of: dict[str, str]):
    found = await run(viewer_api, "connection_statistics", **of, days=7)
    nobody = await run(viewer_api, "connection_statistics", connectionId=gid("Connection", UUID(int=0)))
    [refused] = await viewer_api.errors(
        "query ($id: ID!) { connectionStatistics(connectionId: $id, days: 400) { days { day } } }", id=of["connectionId"]
    )

    assert [day["runs"] for day in found["days"]] == [0] * 6 + [1]
    assert [day["successRate"] for day in found["days"]] == [None] * 6 + [0.0]
    assert found["total"]["records"] == {"read": 3, "created": 2, "updated": 0, "unchanged": 0, "deleted": 0, "failed": 1}
    assert (found["total"]["partiallyCompleted"], found["total"]["providerCalls"] > 0) == (1, True)
    assert nobody is None
    assert (refused["extensions"]["code"], "1 to 366" in refused["message"]) == ("BAD_USER_INPUT", True)


async def test_what_complete_scans_came_to_is_told_of_streams_and_runs(
    hub: Hub, owner: Actor, connection: Connection, viewer_api: GraphQLClient, of: dict[str, str]
):
    first = await run(viewer_api, "reconciliations", **of, stream="companies")
    async with transaction(owner.scope):  # as if somebody had linked a record to the wrong object
        sql = "UPDATE mapping SET external_id = 'elsewhere' WHERE organization_id = $1 AND id = (SELECT max(id::text)::uuid FROM mapping)"
        await execute(owner.scope, sql, owner.organization_id)
    again = await sync(hub, owner, connection, streams=["companies"], mode="full")

    [later, earlier] = (await run(viewer_api, "reconciliations", **of, stream="companies"))["nodes"]
    [companies, *others] = await run(viewer_api, "sync_status", **of)
    of_run = (await run(viewer_api, "sync_run", id=gid("SyncRun", again.id)))["reconciliations"]
    page = await run(viewer_api, "reconciliations", **of, stream="companies", first=1)
    rest = await run(viewer_api, "reconciliations", **of, stream="companies", after=page["pageInfo"]["endCursor"])

    assert first["nodes"] == [earlier]
    assert (earlier["seen"], earlier["mapped"], earlier["failed"], earlier["takenOver"], earlier["hasDrift"]) == (3, 2, 1, 2, False)
    assert later["run"]["id"] == gid("SyncRun", again.id)
    assert later["takenOver"] > 0
    assert companies["reconciliation"]["comparedAt"] == later["comparedAt"]
    assert [stream["reconciliation"] for stream in others] == [None] * len(others)
    assert [one["hasDrift"] for one in of_run] == [later["hasDrift"]]
    assert [*page["nodes"], *rest["nodes"]] == [later, earlier]


@pytest.mark.requirement("ERP-38", "ERP-94")
async def test_a_sync_tells_its_jitter_its_next_starts_and_why_it_was_left_out(
    hub: Hub, operator: Actor, operator_api: GraphQLClient, connection: Connection, of: dict[str, str]
):
    wish = {"name": "Nightly", "streams": ["companies"], "schedule": "30 2 * * *", "timeZone": "Europe/Ljubljana", "mode": "FULL"}
    made = (await run(operator_api, "create_sync", **of, **wish, jitterSeconds=600, idempotencyKey=key()))["sync"]
    refused = await run(operator_api, "create_sync", **of, **wish, jitterSeconds=4000, idempotencyKey=key())
    running = await hub.syncs.start(operator, connection.id, streams=["companies"])
    async with transaction(operator.scope):
        sql = "UPDATE sync SET next_due_at = now() - interval '3 hours' WHERE organization_id = $1"
        await execute(operator.scope, sql, operator.organization_id)
    [known] = await hub.schedules.syncs(operator, connection.id)
    await hub.schedules.start_due(operator.organization_id, known.id)

    [found] = await run(operator_api, "syncs", **of)
    starts = [datetime.fromisoformat(start) for start in found["nextStarts"]]
    off = (await run(operator_api, "update_sync", id=made["id"], enabled=False, jitterSeconds=0, idempotencyKey=key()))["sync"]
    [idle] = await run(operator_api, "syncs", **of)

    assert (refused["__typename"], refused["code"]) == ("InvalidInput", "invalid_input")
    assert "already being synced" in found["lastSkippedReason"]
    assert found["lastSkippedAt"]
    assert (made["jitterSeconds"], found["jitterSeconds"], off["jitterSeconds"]) == (600, 600, 0)
    assert starts[0] == datetime.fromisoformat(found["nextDueAt"]) > datetime.now(UTC)
    assert len(starts) == 5
    assert all(timedelta(hours=22) < later - earlier < timedelta(hours=26) for earlier, later in pairwise(starts))
    assert idle["nextStarts"] == []
    await hub.syncs.cancel(operator, running.id)


async def test_a_schedule_is_previewed_and_one_that_cannot_be_followed_is_refused_with_a_sentence(viewer_api: GraphQLClient):
    found = await run(viewer_api, "schedule_preview", schedule="0 3 * * 0", timeZone="Europe/Ljubljana", first=2)
    asked = "query ($cron: String!, $zone: String!) { schedulePreview(schedule: $cron, timeZone: $zone) { at } }"
    wrong = [await viewer_api.errors(asked, cron=cron, zone=zone) for cron, zone in (("now and then", "UTC"), ("0 3 * * *", "Mars"))]

    assert len(found) == 2
    assert all(time["local"][11:19] == "03:00:00" for time in found)
    assert datetime.fromisoformat(found[0]["at"]) == datetime.fromisoformat(found[0]["local"])
    assert {error["extensions"]["code"] for [error] in wrong} == {"BAD_USER_INPUT"}
    assert "write five cron fields, for example 0 2 * * *" in wrong[0][0]["message"]
    assert "write one like Europe/Ljubljana" in wrong[1][0]["message"]


@pytest.mark.requirement("MKD-36")
async def test_the_history_of_syncs_tells_what_each_did_what_failed_and_every_request(
    hub: Hub, operator: Actor, viewer_api: GraphQLClient, metakocka: MetakockaSandbox
):
    office = await Office.open(hub, operator, metakocka)
    await add_offer(metakocka)
    broken = await add_offer(metakocka, currency_code="??")
    first = await office.run(streams=("partners", "offers"))
    last = await office.run(streams=("offers",))
    connection = gid("Connection", office.connection.id)

    [newest, oldest] = (await run(viewer_api, "sync_runs", connectionId=connection))["nodes"]
    whole = await run(viewer_api, "sync_run", id=oldest["id"])
    failed = await run(viewer_api, "failed_records", syncRunId=newest["id"])
    calls = await run(viewer_api, "provider_calls", connectionId=connection, syncRunId=oldest["id"])
    troubled = await run(viewer_api, "sync_runs", connectionId=connection, status="PARTIALLY_COMPLETED")

    assert [newest["id"], oldest["id"]] == [gid("SyncRun", last.id), gid("SyncRun", first.id)]
    assert [(stream["stream"], stream["counts"]["read"]) for stream in oldest["streams"]] == [("partners", 2), ("offers", 2)]
    assert (whole["counts"]["created"], whole["counts"]["failed"], whole["mode"]) == (3, 1, "FULL")
    assert {one["stream"] for one in whole["reconciliations"]} == {"partners", "offers"}
    assert [one["externalId"] for one in failed["nodes"]] == [broken["mk_id"]]
    assert {call["status"] for call in calls["nodes"]} == {200}
    assert [one["id"] for one in troubled["nodes"]] == [newest["id"], oldest["id"]]
