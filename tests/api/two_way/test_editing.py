"""Records of the hub, made, changed, deleted and brought back by a program."""

from datetime import UTC, datetime

from tests.api.client import GraphQLClient, gid
from tests.api.operations import run
from tests.api.two_way.steps import KRANJ, plain
from tests.factories import key


async def test_a_contact_is_made_changed_deleted_and_brought_back(operator_api: GraphQLClient):
    given = {"name": "Žagar", "email": "a@zagar.test", "isSupplier": True, "people": [{"name": "Ana"}], "address": KRANJ}
    made = (await run(operator_api, "create_contact", input=given, idempotencyKey="make"))["contact"]
    repeated = (await run(operator_api, "create_contact", input=given, idempotencyKey="make"))["contact"]
    other = await run(operator_api, "create_contact", input=given | {"name": "Somebody else"}, idempotencyKey="make")
    nobody = await run(operator_api, "create_contact", input={"name": " "}, idempotencyKey=key())

    changes = {"name": "Žagar & Co", "email": None, "notes": "Rings twice"}
    changed = (await run(operator_api, "update_contact", id=made["id"], version=1, changes=changes, idempotencyKey=key()))["contact"]
    late = await run(operator_api, "update_contact", id=made["id"], version=1, changes={"phone": "1"}, idempotencyKey=key())
    gone = (await run(operator_api, "delete_contact", id=made["id"], version=2, idempotencyKey=key()))["contact"]
    back = (await run(operator_api, "restore_record", id=made["id"], version=3, toVersion=1, idempotencyKey="back"))["record"]
    again = (await run(operator_api, "restore_record", id=made["id"], version=3, toVersion=1, idempotencyKey="back"))["record"]

    assert repeated["id"] == made["id"]
    assert (other["__typename"], nobody["fields"][0]["field"]) == ("IdempotencyKeyReused", "name")
    assert (changed["name"], changed["email"], changed["notes"], changed["version"]) == ("Žagar & Co", "", "Rings twice", 2)
    assert late["__typename"] == "RecordChanged"
    assert gone["deletedAt"] is not None
    assert again == back == {"__typename": "Contact", "id": made["id"], "name": "Žagar", "version": 4, "deletedAt": None}


async def test_what_a_record_was_is_told_version_by_version_and_for_a_moment(operator_api: GraphQLClient):
    made = (await run(operator_api, "create_contact", input={"name": "First"}, idempotencyKey=key()))["contact"]
    between = datetime.now(UTC).isoformat()
    await run(operator_api, "update_contact", id=made["id"], version=1, changes={"name": "Second"}, idempotencyKey=key())

    then = await run(operator_api, "contact_history", id=made["id"], time=between)
    now = await run(operator_api, "contact_history", id=made["id"], time=datetime.now(UTC).isoformat())
    before = await run(operator_api, "contact_history", id=made["id"], time="2001-01-01T00:00:00Z")

    assert [(version["version"], version["data"]["name"]) for version in then["versions"]] == [(1, "First")]
    assert then["versions"][0]["replacedBy"] == "A token for operator"
    assert (then["asOf"]["version"], then["asOf"]["data"]["name"]) == (1, "First")
    assert (now["asOf"]["version"], now["asOf"]["data"]["name"]) == (2, "Second")
    assert before["asOf"] is None


async def test_a_sales_document_is_made_changed_and_deleted(operator_api: GraphQLClient):
    line = {"name": "Labour", "quantity": "1.5", "unitPrice": "90.10", "taxRate": "22"}
    given = {"kind": "OFFER", "title": "Roof", "currency": "EUR", "validUntil": "2026-12-31", "lines": [line, line | {"name": "Tiles"}]}
    made = (await run(operator_api, "create_sales_document", input=given, idempotencyKey=key()))["salesDocument"]
    changes = {"title": "A new roof", "lines": [line]}
    changed = await run(operator_api, "update_sales_document", id=made["id"], version=1, changes=changes, idempotencyKey=key())
    listed = (await run(operator_api, "sales_documents", kind="OFFER"))["nodes"]
    orders = (await run(operator_api, "sales_documents", kind="ORDER"))["nodes"]
    as_contact = await run(operator_api, "delete_contact", id=gid("Contact", plain(made["id"])), version=2, idempotencyKey=key())
    gone = await run(operator_api, "delete_sales_document", id=made["id"], version=2, idempotencyKey=key())

    assert [(each["position"], each["name"], each["unitPrice"]) for each in made["lines"]] == [
        (1, "Labour", "90.10"),
        (2, "Tiles", "90.10"),
    ]
    assert (changed["salesDocument"]["title"], len(changed["salesDocument"]["lines"])) == ("A new roof", 1)
    assert ([document["id"] for document in listed], orders) == ([made["id"]], [])
    assert as_contact["__typename"] == "NotFound"
    assert gone["salesDocument"]["deletedAt"] is not None
    assert (await run(operator_api, "sales_documents"))["nodes"] == []
