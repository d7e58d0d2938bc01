"""What a mapping says of itself, contacts pushed and imported one by one and many at once, and what is refused before any call."""

from typing import Any

import pytest

from tests.api.client import GraphQLClient, gid
from tests.api.operations import run
from tests.api.two_way.steps import KRANJ, WAIT
from tests.factories import key
from tests.two_way.office import Office


@pytest.mark.requirement("MKC-02", "MKC-23", "MKC-48")
async def test_contacts_are_pushed_and_imported_one_by_one_and_many_at_once_with_a_result_for_each(
    operator_api: GraphQLClient, office: Office, connection: str, worker: None
):
    here = [await _contact(operator_api, f"Here {number}") for number in range(3)]
    there = [await office.add(f"There {number}") for number in range(3)]
    push = {"connectionId": connection, "waitSeconds": WAIT}

    pushed = (await run(operator_api, "push_record", **push, recordId=here[0], idempotencyKey=key()))["result"]
    many = await run(operator_api, "push_records", **push, recordIds=here, idempotencyKey=key())
    imported = await run(
        operator_api, "import_record", connectionId=connection, stream="partners", externalId=there[0], idempotencyKey=key()
    )
    several = await run(operator_api, "import_records", connectionId=connection, stream="partners", externalIds=there, idempotencyKey=key())
    statuses = (await run(operator_api, "mappings", connectionId=connection))["nodes"]

    assert pushed["mapping"]["status"] == "SYNCED"
    assert [(one["recordId"], one["mapping"]["status"]) for one in many["results"]] == [(id, "SYNCED") for id in here]
    assert imported["result"]["externalId"] == there[0]
    assert [(one["externalId"], one["outcome"]) for one in several["results"]] == [
        (there[0], "UNCHANGED"),
        (there[1], "CREATED"),
        (there[2], "CREATED"),
    ]
    assert {one["status"] for one in statuses} == {"SYNCED"}
    assert len(statuses) == 6


@pytest.mark.requirement("MKC-03", "MKC-24", "MKC-25")
async def test_a_mapping_says_what_it_links_how_it_stands_and_who_brought_it_there(
    operator_api: GraphQLClient, office: Office, connection: str, worker: None
):
    made = await _contact(operator_api, "Acme")
    push = {"connectionId": connection, "recordId": made, "waitSeconds": WAIT}
    await run(operator_api, "push_record", **push, idempotencyKey=key())
    [first] = await _mappings(operator_api, made)

    await office.sandbox.delete_partner(first["externalId"])
    await _change(operator_api, made, name="Acme & sinovi")
    await run(operator_api, "push_record", **push, idempotencyKey=key())
    [failed] = await _mappings(operator_api, made)
    await run(operator_api, "delete_contact", id=made, version=await _version(operator_api, made), idempotencyKey=key())
    [kept] = await _mappings(operator_api, made)

    [partner] = await office.sandbox.effects(object="partner", effect="created")
    assert (first["record"]["id"], first["externalId"], first["stream"]) == (made, partner["mk_id"], "partners")
    assert (first["status"], first["lastError"]) == ("SYNCED", None)
    assert first["createdAt"] <= first["lastSyncedAt"] <= first["updatedAt"]
    assert first["syncedBy"]
    assert failed["status"] == "FAILED"
    assert failed["lastError"]
    assert (kept["id"], kept["externalId"]) == (first["id"], first["externalId"])


@pytest.mark.requirement("MKC-10", "MKC-43")
async def test_what_lacks_a_required_field_is_refused_by_name_and_nobody_is_asked(
    operator_api: GraphQLClient, office: Office, connection: str, worker: None
):
    nameless = await office.create("Nova stranka")
    nameless = await office.edit(nameless, name="")
    asked = len(await office.sandbox.requests("/rest/"))

    refused = await run(operator_api, "create_contact", input={"name": " "}, idempotencyKey=key())
    pushed = await run(
        operator_api,
        "push_record",
        recordId=gid("Contact", nameless.id),
        connectionId=connection,
        waitSeconds=WAIT,
        idempotencyKey=key(),
    )

    assert (refused["__typename"], refused["fields"][0]["field"]) == ("InvalidInput", "name")
    assert (pushed["result"]["delivery"]["status"], pushed["result"]["delivery"]["fixBy"]) == ("FAILED", "CUSTOMER")
    assert "name" in pushed["result"]["delivery"]["errorMessage"]
    assert len(await office.sandbox.requests("/rest/")) == asked


async def _version(api: GraphQLClient, contact: str) -> int:
    return int((await run(api, "contact", id=contact))["version"])


async def _change(api: GraphQLClient, contact: str, **changes: str) -> None:
    version = await _version(api, contact)
    changed = await run(api, "update_contact", id=contact, version=version, changes=changes, idempotencyKey=key())
    assert changed["__typename"] == "UpdateContactSuccess"


async def _mappings(api: GraphQLClient, contact: str) -> list[dict[str, Any]]:
    query = """query ($contact: ID!) { mappings(contactId: $contact) { nodes {
        id stream externalId status lastSyncedAt lastError syncedBy createdAt updatedAt record { ... on Contact { id } } } } }"""
    found: list[dict[str, Any]] = (await api.execute(query, contact=contact))["mappings"]["nodes"]
    return found


async def _contact(api: GraphQLClient, name: str) -> str:
    made = await run(api, "create_contact", input={"name": name, "address": KRANJ}, idempotencyKey=key())
    return str(made["contact"]["id"])
