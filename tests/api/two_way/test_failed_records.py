"""Failed records as a program drives them: by cause, mended, tried again, dismissed; a later run closes what is well."""

import json
from typing import Any

import pytest

from app.actors import Actor
from app.bootstrap import Hub
from app.connectors.servicem8.sandbox.testing import RunningSandbox
from tests import factories
from tests.api.client import GraphQLClient, gid
from tests.api.operations import run
from tests.factories import key
from tests.two_way.office import Office


class Yard:
    """A connection to ServiceM8 on which companies fail because they have no name, and jobs because of their status."""

    def __init__(self, hub: Hub, owner: Actor, sandbox: RunningSandbox, connection: Any) -> None:
        self.hub, self.owner, self.sandbox, self.connection = hub, owner, sandbox, connection
        self.id = gid("Connection", connection.id)

    async def nameless(self) -> str:
        return str((await self.sandbox.create("company", name=""))["uuid"])

    async def parked(self) -> str:
        company = await self.sandbox.create("company", name="Somebody")
        return str((await self.sandbox.create("job", company_uuid=company["uuid"], status="Parked"))["uuid"])

    async def sync(self, mode: str = "incremental") -> None:
        await factories.sync(self.hub, self.owner, self.connection, mode=mode)

    async def failed(self, api: GraphQLClient, **wanted: Any) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = (await run(api, "failed_records", connectionId=self.id, **wanted))["nodes"]
        return found


@pytest.fixture
async def yard(hub: Hub, owner: Actor, sandbox: RunningSandbox) -> Yard:
    await sandbox.reset()
    return Yard(hub, owner, sandbox, await factories.make_connection(hub, owner, sandbox))


async def test_what_fails_alike_is_one_cause_with_its_count_an_example_and_what_to_do(operator_api: GraphQLClient, yard: Yard):
    for _ in range(3):
        await yard.nameless()
    parked = await yard.parked()
    await yard.sync()

    nameless, jobs = (await run(operator_api, "failed_record_causes", connectionId=yard.id))["nodes"]
    alike = await yard.failed(operator_api, stream="companies", stage=nameless["stage"], cause=nameless["cause"])
    [pushes, of_jobs] = [
        await run(operator_api, "failed_record_causes", **wanted) for wanted in ({"direction": "PUSH"}, {"stream": "jobs"})
    ]

    assert (nameless["count"], nameless["stream"], nameless["stage"], nameless["direction"]) == (3, "companies", "VALIDATE", "PULL")
    assert nameless["advice"].startswith("Fill in or correct the field")
    assert (jobs["count"], jobs["exampleExternalId"], jobs["connection"]["id"]) == (1, parked, yard.id)
    assert "Parked" in jobs["exampleMessage"]
    assert "Parked" not in jobs["cause"]
    assert len(alike) == 3
    assert nameless["exampleId"] in {one["id"] for one in alike}
    assert (pushes["nodes"], [one["count"] for one in of_jobs["nodes"]]) == ([], [1])


@pytest.mark.requirement("MKC-47")
async def test_a_payload_is_edited_and_taken_over_and_a_repeated_edit_tells_the_same(operator_api: GraphQLClient, yard: Yard):
    uuid = await yard.nameless()
    await yard.sync()
    [failed] = await yard.failed(operator_api)
    payload = json.loads(await run(operator_api, "failed_record_payload", id=failed["id"]))

    torn = await run(operator_api, "edit_failed_record", id=failed["id"], payload='{\n  "name": "Torn', idempotencyKey=key())
    still = await run(
        operator_api, "edit_failed_record", id=failed["id"], payload=json.dumps(payload | {"name": " "}), idempotencyKey=key()
    )
    edit = {"id": failed["id"], "payload": json.dumps(payload | {"name": "Mended"}), "idempotencyKey": "mend"}
    mended = await run(operator_api, "edit_failed_record", **edit)
    repeated = await run(operator_api, "edit_failed_record", **edit)
    late = await run(operator_api, "edit_failed_record", **edit | {"idempotencyKey": key()})

    assert payload["uuid"] == uuid
    assert [(one["field"], one["message"][:17]) for one in torn["fields"]] == [("payload", "Line 2, column 11")]
    assert (still["failedRecord"]["state"], still["failedRecord"]["editedBy"]) == ("OPEN", "A token for operator")
    assert mended["failedRecord"]["state"] == "RESOLVED"
    assert repeated == mended
    assert late["__typename"] == "FailedRecordSettled"
    assert [one["name"] for one in (await run(operator_api, "contacts"))["nodes"]] == ["Mended"]
    told = await run(operator_api, "failed_record", id=failed["id"])
    assert [(one["edited"], one["runId"] is None) for one in told["tries"]] == [(False, False), (True, True)]


async def test_one_many_and_all_that_fail_alike_are_tried_again_with_counts(operator_api: GraphQLClient, yard: Yard):
    for _ in range(3):
        await yard.nameless()
    await yard.parked()
    await yard.sync()
    [cause, _] = (await run(operator_api, "failed_record_causes", connectionId=yard.id))["nodes"]
    one = await yard.failed(operator_api, stream="jobs")
    again: dict[str, Any] = {"connectionId": yard.id, "stream": "companies", "cause": cause["cause"], "limit": 2}

    single = await run(operator_api, "retry_failed_records", connectionId=yard.id, ids=[one[0]["id"]], idempotencyKey=key())
    first = await run(operator_api, "retry_failed_records", **again, idempotencyKey="first")
    repeated = await run(operator_api, "retry_failed_records", **again, idempotencyKey="first")
    rest = await run(operator_api, "retry_failed_records", **again, after=first["lastId"], idempotencyKey=key())
    wrong = await run(operator_api, "retry_failed_records", connectionId=yard.id, limit=0, idempotencyKey=key())

    assert (single["retried"], single["healed"], single["stillFailed"]) == (1, 0, 1)
    assert (first["retried"], first["stillFailed"]) == (2, 2)
    assert repeated == first
    assert (rest["retried"], rest["lastId"]) == (1, None)
    assert wrong["fields"][0]["field"] == "limit"
    assert sorted(one["attempts"] for one in await yard.failed(operator_api)) == [2, 2, 2, 2]


async def test_a_dismissed_one_is_left_alone_until_it_is_opened_again(operator_api: GraphQLClient, yard: Yard):
    await yard.nameless()
    await yard.sync()
    [failed] = await yard.failed(operator_api)
    dismiss = {"ids": [failed["id"]], "reason": "A test company", "idempotencyKey": "dismiss"}

    dismissed = await run(operator_api, "dismiss_failed_records", **dismiss)
    repeated = await run(operator_api, "dismiss_failed_records", **dismiss)
    nameless = await run(operator_api, "dismiss_failed_records", **dismiss | {"reason": " ", "idempotencyKey": key()})
    quiet = await yard.failed(operator_api)
    told = await run(operator_api, "failed_record", id=failed["id"])
    reopened = await run(operator_api, "reopen_failed_record", id=failed["id"], idempotencyKey=key())

    assert dismissed["dismissed"] == repeated["dismissed"] == 1
    assert nameless["fields"][0]["field"] == "reason"
    assert quiet == []
    assert (told["state"], told["dismissedReason"], told["dismissedBy"]) == ("DISMISSED", "A test company", "A token for operator")
    assert reopened["failedRecord"]["state"] == "OPEN"
    assert [one["id"] for one in await yard.failed(operator_api)] == [failed["id"]]


@pytest.mark.requirement("MKD-35")
async def test_the_next_run_closes_by_itself_what_is_well_by_then(operator_api: GraphQLClient, yard: Yard):
    uuid, other = await yard.nameless(), await yard.nameless()
    await yard.sync()
    before = {one["externalId"]: one["id"] for one in await yard.failed(operator_api)}
    await yard.sandbox.edit("company", uuid, name="Named there")

    await yard.sync()

    [left] = await yard.failed(operator_api)
    assert (left["externalId"], left["attempts"] > 1) == (other, True)
    healed = await run(operator_api, "failed_record", id=before[uuid])
    assert (healed["state"], healed["resolvedAt"] is not None) == ("RESOLVED", True)
    assert [one["id"] for one in await yard.failed(operator_api, state="RESOLVED")] == [before[uuid]]


async def test_a_push_that_fails_is_pushed_again_and_its_payload_is_not_edited(
    operator_api: GraphQLClient, office: Office, connection: str, worker: None
):
    made = (await run(operator_api, "create_contact", input={"name": "No address"}, idempotencyKey=key()))["contact"]
    push = {"recordId": made["id"], "connectionId": connection, "waitSeconds": 10}
    await run(operator_api, "push_record", **push, idempotencyKey=key())
    [failed] = (await run(operator_api, "failed_records", connectionId=connection, direction="PUSH"))["nodes"]

    edited = await run(operator_api, "edit_failed_record", id=failed["id"], payload="{}", idempotencyKey=key())
    address = {"street": "Nova 1", "city": "Kranj", "country": "SI"}
    await run(operator_api, "update_contact", id=made["id"], version=1, changes={"address": address}, idempotencyKey=key())
    tried = await run(operator_api, "retry_failed_records", connectionId=connection, direction="PUSH", idempotencyKey=key())
    await run(operator_api, "push_record", **push, idempotencyKey=key())

    assert (failed["stage"], failed["advice"][:30]) == ("PUSH", "Correct the record here, then ")
    assert "correct the record itself" in edited["fields"][0]["message"]
    assert (tried["retried"], tried["queued"], tried["healed"]) == (1, 1, 0)
    assert (await run(operator_api, "failed_records", connectionId=connection))["nodes"] == []
    assert [one["customer"] for one in [await office.sandbox.partner(await _mk_id(operator_api, made["id"]))]] == ["No address"]


async def _mk_id(api: GraphQLClient, contact: str) -> str:
    [mapping] = (await run(api, "contact", id=contact))["mappings"]
    return str(mapping["externalId"])
