"""Plans through the API: what a sync would do, applied whole or in parts, and runs that are taken back."""

from typing import Any

from app.api.ids import id_text, parse
from tests import factories
from tests.api.client import GraphQLClient
from tests.api.operations import run
from tests.api.two_way.steps import run_sync
from tests.factories import key
from tests.two_way.office import Office


async def test_a_plan_is_asked_for_looked_at_and_applied_as_it_was_shown(operator_api: GraphQLClient, office: Office, connection: str):
    kept, gone = await office.add("Kept"), await office.add("Gone")
    await office.run()
    await office.sandbox.edit_partner(kept, customer="Renamed")
    await office.sandbox.delete_partner(gone)
    await office.add("New")

    plan = await _planned(operator_api, office, connectionId=connection, streams=["partners"], mode="FULL")

    assert (plan["status"], plan["unchanged"], plan["run"]["status"]) == ("DRAFTED", 0, "COMPLETED")
    assert plan["counts"] == [{"kind": kind, "items": 1, "selected": 1, "applied": 0} for kind in ("CREATE", "DELETE", "UPDATE")]
    items = {item["kind"]: item for item in (await run(operator_api, "plan_items", planId=plan["id"]))["nodes"]}
    (renamed,) = items["UPDATE"]["fields"]
    assert (renamed["field"], renamed["before"], renamed["after"]) == ("name", "Kept", "Renamed")
    assert (items["UPDATE"]["side"], items["UPDATE"]["record"]["name"], items["CREATE"]["record"]) == ("HUB", "Kept", None)
    assert (await office.record(kept)).data["name"] == "Kept"

    again = key()
    applied = await run(operator_api, "apply_plan", id=plan["id"], idempotencyKey=again)
    repeated = await run(operator_api, "apply_plan", id=plan["id"], idempotencyKey=again)
    assert (applied["__typename"], repeated["run"]["id"]) == ("ApplyPlanSuccess", applied["run"]["id"])
    await _ended(office, applied["run"]["id"])

    assert (await office.record(kept)).data["name"] == "Renamed"
    assert (await run(operator_api, "plan", id=plan["id"]))["status"] == "APPLIED"
    found = await run(operator_api, "sync_run", id=applied["run"]["id"])
    assert (found["task"], found["plan"]["id"], found["counts"]["updated"]) == ("APPLY", plan["id"], 1)


async def test_of_a_push_the_provider_gets_what_was_selected_and_nothing_else(operator_api: GraphQLClient, office: Office, connection: str):
    ids = [await office.add(name) for name in ("First", "Second")]
    await office.run()
    for mk_id in ids:
        await office.edit(await office.record(mk_id), name="Ours")
    plan = await _planned(operator_api, office, connectionId=connection, streams=["partners"], direction="PUSH")
    items = (await run(operator_api, "plan_items", planId=plan["id"], kind="UPDATE"))["nodes"]
    assert {item["side"] for item in items} == {"PROVIDER"}
    (left,) = [item for item in items if item["key"] == str((await office.record(ids[1])).id)]

    selected = await run(operator_api, "select_plan_items", id=plan["id"], selected=False, itemIds=[left["id"]], idempotencyKey=key())
    applied = await run(operator_api, "apply_plan", id=plan["id"], idempotencyKey=key())
    await _ended(office, applied["run"]["id"])

    assert selected["plan"]["counts"] == [{"kind": "UPDATE", "items": 2, "selected": 1, "applied": 0}]
    assert [(await office.sandbox.partner(mk_id))["customer"] for mk_id in ids] == ["Ours", "Second"]


async def test_one_object_or_one_record_is_planned_by_itself(operator_api: GraphQLClient, office: Office, connection: str):
    kept, other = await office.add("Kept"), await office.add("Other")
    await office.run()
    await office.sandbox.edit_partner(other, customer="Renamed there")
    record = await office.edit(await office.record(kept), name="Kept, ours")
    await office.edit(await office.record(other), phone="+386 1 000")
    asked = {"connectionId": connection, "streams": ["partners"]}

    pulled = await _planned(operator_api, office, **asked, externalId=other)
    pushed = await _planned(operator_api, office, **asked, direction="PUSH", recordId=id_text("Contact", record.id))

    for plan, key_of in ((pulled, other), (pushed, str(record.id))):
        assert [item["key"] for item in (await run(operator_api, "plan_items", planId=plan["id"]))["nodes"]] == [key_of]
    refused = await run(operator_api, "plan_sync", **asked, recordId=id_text("Contact", record.id), idempotencyKey=key())
    assert (refused["__typename"], [one["field"] for one in refused["fields"]]) == ("InvalidInput", ["recordId"])


async def test_named_items_are_applied_and_others_wait(operator_api: GraphQLClient, office: Office, connection: str):
    for name in ("First", "Second", "Third"):
        await office.add(name)
    plan = await _planned(operator_api, office, connectionId=connection, streams=["partners"], mode="FULL")
    page = await run(operator_api, "plan_items", planId=plan["id"], first=1)
    assert (len(page["nodes"]), page["pageInfo"]["hasNextPage"]) == (1, True)

    applied = await run(operator_api, "apply_plan", id=plan["id"], itemIds=[page["nodes"][0]["id"]], idempotencyKey=key())
    await _ended(office, applied["run"]["id"])

    assert await office.living() == 1
    assert (await run(operator_api, "plan", id=plan["id"]))["status"] == "DRAFTED"


async def test_an_outdated_plan_says_what_has_moved(operator_api: GraphQLClient, office: Office, connection: str):
    mk_id = await office.add("Acme")
    await office.run()
    await office.sandbox.edit_partner(mk_id, customer="Theirs")
    plan = await _planned(operator_api, office, connectionId=connection, streams=["partners"], mode="FULL")
    await office.edit(await office.record(mk_id), email="later@acme.test")

    refused = await run(operator_api, "apply_plan", id=plan["id"], idempotencyKey=key())

    moved = [{"stream": "partners", "key": mk_id, "what": "record"}]
    assert (refused["__typename"], refused["moved"]) == ("PlanOutdated", moved)
    found = await run(operator_api, "plan", id=plan["id"])
    assert (found["status"], found["moved"]) == ("OUTDATED", moved)


async def test_a_plan_that_is_not_ready_or_settled_is_not_applied(operator_api: GraphQLClient, office: Office, connection: str):
    asked = {"connectionId": connection, "streams": ["partners"]}
    making = (await run(operator_api, "plan_sync", **asked, idempotencyKey=key()))["plan"]

    early = await run(operator_api, "apply_plan", id=making["id"], idempotencyKey=key())
    beside = await run(operator_api, "start_sync", **asked, idempotencyKey=key())
    await _ended(office, making["run"]["id"])
    dismissed = await run(operator_api, "dismiss_plan", id=making["id"], idempotencyKey=key())
    late = await run(operator_api, "apply_plan", id=making["id"], idempotencyKey=key())

    assert (early["__typename"], beside["existingRun"]["id"]) == ("PlanNotReady", making["run"]["id"])
    assert (dismissed["plan"]["status"], late["__typename"]) == ("DISMISSED", "PlanSettled")


async def test_a_run_is_taken_back_by_its_plan(operator_api: GraphQLClient, office: Office, connection: str):
    mk_id = await office.add("Acme")
    await office.run()
    await office.sandbox.edit_partner(mk_id, customer="Theirs")
    done = await run_sync(operator_api, office, connection, streams=["partners"], mode="FULL")

    asked = await run(operator_api, "undo_sync_run", id=done["id"], idempotencyKey=key())
    await _ended(office, asked["plan"]["run"]["id"])
    (listed,) = (await run(operator_api, "plans", undoesRunId=done["id"]))["nodes"]
    applied = await run(operator_api, "apply_plan", id=listed["id"], idempotencyKey=key())
    await _ended(office, applied["run"]["id"])

    assert (listed["id"], listed["kind"]) == (asked["plan"]["id"], "UNDO")
    assert (await office.record(mk_id)).data["name"] == "Acme"
    assert (await run(operator_api, "sync_run", id=done["id"]))["undoneAt"] is not None
    again = await run(operator_api, "undo_sync_run", id=done["id"], idempotencyKey=key())
    assert (again["__typename"], again["code"]) == ("RunNotUndoable", "run_not_undoable")


async def test_a_viewer_sees_plans_and_decides_nothing(
    viewer_api: GraphQLClient, operator_api: GraphQLClient, office: Office, connection: str
):
    await office.add("Acme")
    plan = await _planned(operator_api, office, connectionId=connection, streams=["partners"], mode="FULL")
    assert (await run(viewer_api, "plan", id=plan["id"]))["status"] == "DRAFTED"
    assert len((await run(viewer_api, "plan_items", planId=plan["id"]))["nodes"]) == 1
    for name, variables in (
        ("plan_sync", {"connectionId": connection}),
        ("select_plan_items", {"id": plan["id"], "selected": False, "kinds": ["CREATE"]}),
        ("apply_plan", {"id": plan["id"]}),
        ("dismiss_plan", {"id": plan["id"]}),
        ("undo_sync_run", {"id": plan["run"]["id"]}),
    ):
        assert (await run(viewer_api, name, **variables, idempotencyKey=key()))["__typename"] == "PermissionDenied", name


async def _planned(api: GraphQLClient, office: Office, **asked: Any) -> dict[str, Any]:
    """A plan that is made."""
    given = await run(api, "plan_sync", **asked, idempotencyKey=key())
    assert given["__typename"] == "PlanSyncSuccess", given
    await _ended(office, given["plan"]["run"]["id"])
    found: dict[str, Any] = await run(api, "plan", id=given["plan"]["id"])
    return found


async def _ended(office: Office, run_id: str) -> None:
    found = await office.hub.syncs.run(office.operator, parse(run_id)[1])
    await factories.ended(office.hub, office.operator, found)
