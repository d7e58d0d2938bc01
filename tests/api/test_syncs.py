"""Connections and syncs through the API."""

import asyncio

import pytest
from strawberry.relay import GlobalID

from app.actors import Actor
from app.bootstrap import Hub
from app.connectors.servicem8.sandbox.testing import RunningSandbox
from tests import factories
from tests.api.client import GraphQLClient, gid
from tests.api.operations import run
from tests.factories import key
from tests.quotes.world import World, make_world


@pytest.fixture
async def world(hub: Hub, owner: Actor, sandbox: RunningSandbox) -> World:
    return await make_world(hub, owner, sandbox)


async def _connect(api: GraphQLClient, sandbox: RunningSandbox, **values: object) -> dict:
    arguments = {
        "provider": "servicem8",
        "name": "ServiceM8",
        "mode": "SANDBOX",
        "settings": {"base_url": sandbox.url},
        "credentials": {"api_key": sandbox.api_key},
        "idempotencyKey": key(),
    }
    return await run(api, "create_connection", **arguments | values)


async def _finish(hub: Hub, owner: Actor, run_id: str) -> None:
    found = await hub.syncs.run(owner, GlobalID.from_id(run_id).node_id)
    await factories.finish(hub, owner, found)


@pytest.mark.requirement("SM8-27")
async def test_a_connection_is_tested_with_a_real_exchange_before_and_after_it_is_saved(operator_api, sandbox):
    settings = {"provider": "servicem8", "mode": "SANDBOX", "settings": {"base_url": sandbox.url}}
    wrong = await run(
        operator_api, "test_connection_settings", **settings, credentials={"api_key": sandbox.api_key[::-1]}, idempotencyKey=key()
    )
    right = await run(operator_api, "test_connection_settings", **settings, credentials={"api_key": sandbox.api_key}, idempotencyKey=key())
    connection = (await _connect(operator_api, sandbox))["connection"]

    tested = await run(operator_api, "test_connection", id=connection["id"], idempotencyKey=key())

    assert (wrong["test"]["ok"], wrong["test"]["code"], wrong["test"]["fixBy"]) == (False, "credentials_refused", "CUSTOMER")
    assert right["test"]["ok"]
    assert connection["status"] == "UNTESTED"
    assert tested["test"]["ok"]
    assert tested["test"]["durationMs"] > 0
    assert tested["test"]["account"]["currency"]
    assert tested["connection"]["status"] == "ACTIVE"
    assert any(request["path"].endswith("vendor.json") for request in await sandbox.requests("vendor"))


async def test_a_repeated_test_with_the_same_key_tells_what_the_first_one_showed(operator_api, sandbox):
    connection = (await _connect(operator_api, sandbox))["connection"]
    await sandbox.clear_faults()
    first = await run(operator_api, "test_connection", id=connection["id"], idempotencyKey="the-same")

    asked = len(await sandbox.requests("vendor"))
    second = await run(operator_api, "test_connection", id=connection["id"], idempotencyKey="the-same")

    assert second["test"] == first["test"]
    assert len(await sandbox.requests("vendor")) == asked


async def test_no_secret_comes_back_out(operator_api, sandbox):
    created = await operator_api.send(
        'mutation ($s: JSON, $c: JSON) { createConnection(provider: "servicem8", name: "Mine", mode: SANDBOX, settings: $s,'
        ' credentials: $c, idempotencyKey: "k1") { __typename ... on CreateConnectionSuccess { connection { id settings'
        " credentialHints { name lastFour } } } } }",
        {"s": {"base_url": sandbox.url}, "c": {"api_key": sandbox.api_key}},
    )

    assert sandbox.api_key not in created.text
    connection = created.json()["data"]["createConnection"]["connection"]
    assert connection["settings"]["base_url"] == sandbox.url
    assert connection["credentialHints"][0]["name"] == "api_key"


async def test_settings_that_cannot_be_used_are_refused_field_by_field(operator_api, sandbox):
    refused = await _connect(operator_api, sandbox, settings={"base_url": "nonsense", "timeout_seconds": -1})
    misplaced = await _connect(operator_api, sandbox, settings=["base_url"])

    assert (refused["__typename"], refused["fixBy"]) == ("InvalidInput", "CUSTOMER")
    assert {problem["field"] for problem in refused["fields"]} == {"base_url", "timeout_seconds"}
    assert misplaced["fields"] == [{"field": "settings", "message": "This must be a JSON object."}]


async def test_a_connection_is_changed_deleted_and_restored(operator_api, sandbox):
    connection = (await _connect(operator_api, sandbox))["connection"]
    taken = await _connect(operator_api, sandbox)
    changed = await run(operator_api, "update_connection", id=connection["id"], name="Renamed", version=1, idempotencyKey=key())
    stale = await run(operator_api, "update_connection", id=connection["id"], name="Again", version=1, idempotencyKey=key())

    deleted = await run(operator_api, "delete_connection", id=connection["id"], idempotencyKey=key())
    listed = await run(operator_api, "connections")
    restored = await run(operator_api, "restore_connection", id=connection["id"], idempotencyKey=key())

    assert taken["__typename"] == "ConnectionNameTaken"
    assert changed["connection"]["name"] == "Renamed"
    assert (stale["__typename"], stale["currentVersion"]) == ("ConnectionChanged", changed["connection"]["version"])
    assert deleted["connection"]["status"] == "DISABLED"
    assert listed["nodes"] == []
    assert restored["connection"]["status"] == "NEEDS_ATTENTION"


async def test_a_viewer_looks_and_changes_nothing(viewer_api, world):
    connection = gid("Connection", world.connection.id)
    started = await run(viewer_api, "start_sync", connectionId=connection, idempotencyKey=key())
    deleted = await run(viewer_api, "delete_connection", id=connection, idempotencyKey=key())
    looked = await run(viewer_api, "connection", id=connection)
    audit = await viewer_api.errors("{ auditEntries { nodes { event } } }")

    assert started["__typename"] == deleted["__typename"] == "PermissionDenied"
    assert looked["name"] == world.connection.name
    assert audit[0]["extensions"]["code"] == "FORBIDDEN"


@pytest.mark.requirement("SM8-35", "SM8-38", "SM8-39")
async def test_companies_or_everything_are_synced_and_the_status_says_where_it_stands(hub, owner, operator_api, world):
    connection = gid("Connection", world.connection.id)
    companies = await run(operator_api, "start_sync", connectionId=connection, streams=["companies"], idempotencyKey=key())
    await _finish(hub, owner, companies["run"]["id"])

    everything = await run(operator_api, "start_sync", connectionId=connection, mode="FULL", idempotencyKey=key())
    queued = await run(operator_api, "sync_status", connectionId=connection)
    await _finish(hub, owner, everything["run"]["id"])
    status = {row["stream"]: row for row in await run(operator_api, "sync_status", connectionId=connection)}

    assert [stream["stream"] for stream in companies["run"]["streams"]] == ["companies"]
    assert {row["lastRunStatus"] for row in queued if row["stream"] != "quotes"} == {"QUEUED"}
    assert (status["companies"]["lastRunStatus"], status["companies"]["records"]) == ("COMPLETED", 1)
    assert status["jobs"]["lastRun"]["id"] == everything["run"]["id"]
    finished = await run(operator_api, "sync_run", id=everything["run"]["id"])
    assert (finished["status"], finished["progress"], finished["counts"]["failed"]) == ("COMPLETED", 100, 0)


@pytest.mark.requirement("SM8-36", "SM8-37")
async def test_the_jobs_or_quotes_of_one_company_are_synced_by_themselves(hub, owner, operator_api, sandbox, world):
    connection = gid("Connection", world.connection.id)
    other = (await sandbox.create("company", name="Somebody else"))["uuid"]
    await sandbox.create("job", company_uuid=other, status="Work Order", job_description="Not asked for")
    await sandbox.create("job", company_uuid=world.company, status="Work Order", job_description="Asked for")

    for stream in ("jobs", "quotes"):
        started = await run(
            operator_api,
            "start_sync",
            connectionId=connection,
            streams=[stream],
            contactExternalId=world.company,
            mode="FULL",
            idempotencyKey=key(),
        )
        await _finish(hub, owner, started["run"]["id"])
        finished = await run(operator_api, "sync_run", id=started["run"]["id"])
        assert (finished["status"], finished["counts"]["read"]) == ("COMPLETED", {"jobs": 2, "quotes": 1}[stream])

    titles = (await operator_api.execute("{ jobs { nodes { title } } }"))["jobs"]["nodes"]
    assert {job["title"] for job in titles} == {"Asked for", "Replace switchboard"}


@pytest.mark.requirement("SM8-31", "SM8-32")
async def test_the_jobs_and_quotes_of_a_company_are_read(operator_api, world):
    [contact] = (await run(operator_api, "contacts"))["nodes"]

    jobs = (await run(operator_api, "jobs_of_contact", contactId=contact["id"]))["nodes"]
    quotes = (await run(operator_api, "quotes_of_contact", contactExternalId=contact["externalId"]))["nodes"]
    none = (await run(operator_api, "quotes_of_contact", contactExternalId="somebody else"))["nodes"]

    assert contact["name"] == "Žagar & Co 🐝"
    assert [(job["status"], job["title"]) for job in jobs] == [("QUOTE", "Replace switchboard")]
    assert [line["description"] for line in jobs[0]["lines"]] == ["Switchboard", "Labour", "Surge arrester"]
    assert [(quote["status"], quote["contactName"]) for quote in quotes] == [("OPEN", "Žagar & Co 🐝")]
    assert none == []


async def test_a_second_sync_is_refused_with_the_run_that_is_going_on(operator_api, world):
    connection = gid("Connection", world.connection.id)
    first = await run(operator_api, "start_sync", connectionId=connection, idempotencyKey="start-1")

    repeated = await run(operator_api, "start_sync", connectionId=connection, idempotencyKey="start-1")
    other_body = await run(operator_api, "start_sync", connectionId=connection, mode="FULL", idempotencyKey="start-1")
    answers = await asyncio.gather(*(run(operator_api, "start_sync", connectionId=connection, idempotencyKey=key()) for _ in range(5)))
    cancelled = await run(operator_api, "cancel_sync_run", id=first["run"]["id"], idempotencyKey=key())

    assert repeated["run"]["id"] == first["run"]["id"]
    assert other_body["__typename"] in ("IdempotencyKeyReused", "SyncInProgress")
    assert {answer["__typename"] for answer in answers} == {"SyncInProgress"}
    assert {answer["existingRun"]["id"] for answer in answers} == {first["run"]["id"]}
    assert cancelled["run"]["status"] in ("CANCELLING", "CANCELLED")


async def test_unknown_streams_and_untested_connections_are_refused(operator_api, sandbox, world):
    unknown = await run(
        operator_api, "start_sync", connectionId=gid("Connection", world.connection.id), streams=["invoices"], idempotencyKey=key()
    )
    fresh = (await _connect(operator_api, sandbox, name="Fresh"))["connection"]
    untested = await run(operator_api, "start_sync", connectionId=fresh["id"], idempotencyKey=key())
    nothing = await run(operator_api, "start_sync", connectionId=gid("Quote", world.quote_id), idempotencyKey=key())

    assert unknown["__typename"] == "InvalidInput"
    assert (untested["__typename"], untested["code"]) == ("ConnectionNotUsable", "connection_not_usable")
    assert nothing["message"] == "This is not the id of a Connection."


async def test_failed_records_are_shown_with_their_cause_and_tried_again(hub, owner, operator_api, sandbox, world):
    await sandbox.create("company", name="")
    connection = gid("Connection", world.connection.id)
    started = await run(operator_api, "start_sync", connectionId=connection, idempotencyKey=key())
    await _finish(hub, owner, started["run"]["id"])

    [failed] = (await run(operator_api, "failed_records", connectionId=connection))["nodes"]
    retried = await run(operator_api, "retry_failed_records", connectionId=connection, ids=[failed["id"]], idempotencyKey="retry")
    again = await run(operator_api, "retry_failed_records", connectionId=connection, ids=[failed["id"]], idempotencyKey="retry")

    assert (failed["stream"], failed["fixBy"], failed["run"]["id"]) == ("companies", "CUSTOMER", started["run"]["id"])
    assert '"name":""' in failed["payload"].replace(" ", "")
    assert (retried["retried"], retried["stillFailed"]) == (1, 1)
    assert again == retried


async def test_standing_syncs_are_made_changed_and_deleted(operator_api, world):
    connection = gid("Connection", world.connection.id)
    values = {
        "connectionId": connection,
        "name": "Nightly",
        "streams": ["companies"],
        "schedule": "0 2 * * *",
        "timeZone": "Europe/Ljubljana",
    }
    made = await run(operator_api, "create_sync", **values, idempotencyKey="make")
    repeated = await run(operator_api, "create_sync", **values, idempotencyKey="make")
    wrong = await run(operator_api, "create_sync", **values | {"schedule": "often"}, idempotencyKey=key())
    changed = await run(operator_api, "update_sync", id=made["sync"]["id"], onDemand=True, enabled=False, idempotencyKey=key())
    gone = await run(operator_api, "delete_sync", id=made["sync"]["id"], idempotencyKey=key())

    assert repeated["sync"]["id"] == made["sync"]["id"]
    assert made["sync"]["nextDueAt"].endswith("Z")
    assert wrong["__typename"] == "InvalidInput"
    assert (changed["sync"]["schedule"], changed["sync"]["enabled"]) == (None, False)
    assert gone["deletedId"] == made["sync"]["id"]
    assert await run(operator_api, "syncs", connectionId=connection) == []
