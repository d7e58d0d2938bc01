"""Records pushed by a program, one, many or by a run."""

from typing import Any

import pytest

from tests.api.client import GraphQLClient, gid
from tests.api.operations import run
from tests.api.two_way.steps import KRANJ, WAIT, new_order, run_sync
from tests.connectors.metakocka.company import ask
from tests.factories import key
from tests.two_way.office import Office


@pytest.mark.requirement("MKC-36", "MKC-12")
async def test_a_contact_is_pushed_and_the_answer_names_what_it_is_there(
    operator_api: GraphQLClient, office: Office, connection: str, worker: None
):
    given = {"name": "Nova stranka", "taxNumber": "SI99999999", "address": KRANJ}
    made = (await run(operator_api, "create_contact", input=given, idempotencyKey=key()))["contact"]
    push = {"recordId": made["id"], "connectionId": connection, "waitSeconds": WAIT, "idempotencyKey": "push"}

    pushed = (await run(operator_api, "push_record", **push))["result"]
    repeated = (await run(operator_api, "push_record", **push))["result"]
    other = await run(operator_api, "push_record", **push | {"recordId": gid("Contact", office.connection.id)})
    deliveries = (await run(operator_api, "deliveries"))["nodes"]

    assert (pushed["delivery"]["status"], pushed["mapping"]["status"]) == ("CONFIRMED", "SYNCED")
    assert pushed["delivery"]["explanation"] == "Metakocka has what the hub has."
    assert (await office.sandbox.partner(pushed["mapping"]["externalId"]))["customer"] == "Nova stranka"
    assert repeated == pushed
    assert other["__typename"] == "NotFound"
    assert [(each["action"], each["stream"], each["record"]["id"], each["quote"]) for each in deliveries] == [
        ("write_record", "partners", made["id"], None)
    ]
    assert len(await office.sandbox.effects(object="partner", effect="created")) == 1


@pytest.mark.requirement("MKD-01", "MKD-06", "MKD-08")
async def test_one_document_is_pushed_and_its_status_read_back(operator_api: GraphQLClient, office: Office, connection: str, worker: None):
    order = await new_order(operator_api, office)
    before = await run(operator_api, "sales_document", id=order)

    pushed = await run(
        operator_api,
        "push_record",
        recordId=order,
        connectionId=connection,
        stream="orders",
        waitSeconds=WAIT,
        idempotencyKey=key(),
    )

    mk_id = pushed["result"]["mapping"]["externalId"]
    document = await ask(office.sandbox, "get_document", doc_type="sales_order", doc_id=mk_id)
    [status] = (await run(operator_api, "sales_document", id=order))["mappings"]
    assert before["mappings"] == []
    assert pushed["result"]["delivery"]["status"] == "CONFIRMED"
    assert document["opr_code"] == "0"
    assert (status["externalId"], status["status"], status["lastError"]) == (mk_id, "SYNCED", None)


@pytest.mark.requirement("MKD-02", "MKD-09", "MKC-37")
async def test_a_selection_is_pushed_with_a_result_for_each(operator_api: GraphQLClient, office: Office, connection: str, worker: None):
    orders = [await new_order(operator_api, office) for _ in range(3)]
    stranger = (await run(operator_api, "create_contact", input={"name": "No order"}, idempotencyKey=key()))["contact"]["id"]
    nobody = gid("SalesDocument", office.connection.id)
    push = {"recordIds": [*orders, stranger, nobody], "connectionId": connection, "stream": "orders", "waitSeconds": WAIT}

    answer = await run(operator_api, "push_records", **push, idempotencyKey="many")
    repeated = await run(operator_api, "push_records", **push, idempotencyKey="many")
    none = await run(operator_api, "push_records", **push | {"recordIds": [nobody]}, idempotencyKey=key())

    assert (answer["total"], answer["succeeded"], answer["waiting"], answer["failed"]) == (5, 3, 0, 2)
    assert [result["recordId"] for result in answer["results"]] == push["recordIds"]
    assert len({result["mapping"]["externalId"] for result in answer["results"][:3]}) == 3
    assert all(result["delivery"] is None and result["problem"] for result in answer["results"][3:])
    assert repeated == answer
    assert none["__typename"] == "NotFound"
    assert len(await office.sandbox.documents("sales_order")) == 3


@pytest.mark.requirement("MKD-03", "MKD-07", "MKD-29")
async def test_the_statuses_and_last_errors_of_documents_are_read_in_one_request(
    operator_api: GraphQLClient, office: Office, connection: str, worker: None
):
    good, never = await new_order(operator_api, office), await new_order(operator_api, office)
    refused = await new_order(operator_api, office, contactExternalId="999999999")
    pushed = await run(
        operator_api,
        "push_records",
        recordIds=[good, refused],
        connectionId=connection,
        stream="orders",
        waitSeconds=WAIT,
        idempotencyKey=key(),
    )
    await _change(operator_api, good, {"title": "Changed since", "contactExternalId": "999999999"})
    failed = await run(
        operator_api, "push_record", recordId=good, connectionId=connection, stream="orders", waitSeconds=WAIT, idempotencyKey=key()
    )

    query = "query ($ids: [ID!]!) { nodes(ids: $ids) { ... on SalesDocument { mappings { status lastError lastSyncedAt } } } }"
    statuses = [node["mappings"] for node in (await operator_api.execute(query, ids=[good, never, refused]))["nodes"]]

    assert [result["delivery"]["status"] for result in pushed["results"]] == ["CONFIRMED", "FAILED"]
    assert pushed["results"][1]["delivery"]["errorMessage"]
    assert failed["result"]["delivery"]["status"] == "FAILED"
    assert statuses[1:] == [[], []]
    assert statuses[0][0]["status"] == "FAILED"
    assert statuses[0][0]["lastError"]
    assert statuses[0][0]["lastSyncedAt"]


async def _change(api: GraphQLClient, id: str, changes: dict[str, Any]) -> None:
    version = (await run(api, "sales_document", id=id))["version"]
    answer = await run(api, "update_sales_document", id=id, version=version, changes=changes, idempotencyKey=key())
    assert answer["__typename"] == "UpdateSalesDocumentSuccess", answer


@pytest.mark.requirement("MKD-10", "MKC-42")
async def test_everything_is_imported_or_pushed_by_a_run(operator_api: GraphQLClient, office: Office, connection: str):
    for name in ("Acme", "Bravo"):
        await office.add(name)
    imported = await run_sync(operator_api, office, connection, streams=["partners"], mode="FULL")
    for number in range(3):
        await new_order(operator_api, office, title=f"Order {number}")
    policy = {"connectionId": connection, "stream": "orders", "version": 0, "createsMissing": True}
    await run(operator_api, "update_stream_policy", **policy, idempotencyKey=key())

    pushed = await run_sync(operator_api, office, connection, streams=["orders"], direction="PUSH")
    both = await run_sync(operator_api, office, connection, streams=["partners", "orders"], direction="TWO_WAY")

    assert imported["counts"] | {"read": 0} == _counts(created=2)
    assert (pushed["direction"], pushed["counts"]) == ("PUSH", _counts(read=3, created=3))
    assert len(await office.sandbox.documents("sales_order")) == 3
    assert sorted((stream["stream"], stream["direction"]) for stream in both["streams"]) == [
        ("orders", "PULL"),
        ("orders", "PUSH"),
        ("partners", "PULL"),
        ("partners", "PUSH"),
    ]


def _counts(**values: int) -> dict[str, int]:
    return dict.fromkeys(("read", "created", "updated", "unchanged", "deleted", "failed"), 0) | values


async def test_a_standing_sync_has_a_direction(operator_api: GraphQLClient, connection: str):
    values = {"connectionId": connection, "name": "Nightly", "streams": ["partners"]}
    made = (await run(operator_api, "create_sync", **values, direction="TWO_WAY", idempotencyKey=key()))["sync"]
    changed = await run(operator_api, "update_sync", id=made["id"], direction="PUSH", idempotencyKey=key())
    [sync] = await run(operator_api, "syncs", connectionId=connection)

    assert changed["__typename"] == "UpdateSyncSuccess"
    assert sync["direction"] == "PUSH"
