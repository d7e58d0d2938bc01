"""Importing, and what one side lacks."""

import pytest

from tests.api.client import GraphQLClient
from tests.api.operations import run
from tests.api.two_way.steps import run_sync
from tests.connectors.metakocka.company import add_offer, add_partner
from tests.factories import key
from tests.two_way.office import Office


@pytest.mark.requirement("MKD-05", "MKD-12", "MKC-40")
async def test_one_object_is_imported_by_its_id(operator_api: GraphQLClient, office: Office, connection: str):
    partner = await add_partner(office.sandbox, "Acme")
    offer = await add_offer(office.sandbox, partner)
    of_partners, of_offers = ({"connectionId": connection, "stream": stream} for stream in ("partners", "offers"))

    contact = await run(operator_api, "import_record", **of_partners, externalId=partner["mk_id"], idempotencyKey="one")
    repeated = await run(operator_api, "import_record", **of_partners, externalId=partner["mk_id"], idempotencyKey="one")
    document = await run(operator_api, "import_record", **of_offers, externalId=offer["mk_id"], idempotencyKey=key())
    missing = await run(operator_api, "import_record", **of_partners, externalId="999999999", idempotencyKey=key())

    assert (contact["result"]["outcome"], contact["result"]["record"]["name"]) == ("CREATED", "Acme")
    assert repeated == contact
    [mapping] = (await run(operator_api, "mappings", externalId=partner["mk_id"]))["nodes"]
    assert mapping["id"] == contact["result"]["mappingId"]
    assert (document["result"]["outcome"], document["result"]["record"]["__typename"]) == ("CREATED", "SalesDocument")
    assert (missing["result"]["outcome"], missing["result"]["record"]) == ("MISSING", None)


@pytest.mark.requirement("MKD-13", "MKC-41")
async def test_listed_objects_are_imported_with_a_result_for_each(operator_api: GraphQLClient, office: Office, connection: str):
    ids = [await office.add(name) for name in ("Acme", "Bravo")]
    of_stream = {"connectionId": connection, "stream": "partners"}

    answer = await run(operator_api, "import_records", **of_stream, externalIds=[*ids, "999999999"], idempotencyKey=key())
    nothing = await run(operator_api, "import_records", **of_stream, externalIds=[], idempotencyKey=key())

    assert (answer["total"], answer["imported"], answer["failed"]) == (3, 2, 1)
    assert [(each["externalId"], each["outcome"]) for each in answer["results"]] == [
        (ids[0], "CREATED"),
        (ids[1], "CREATED"),
        ("999999999", "MISSING"),
    ]
    assert nothing["__typename"] == "InvalidInput"


@pytest.mark.requirement("MKD-04", "MKD-11")
async def test_what_the_other_side_lacks_is_listed(operator_api: GraphQLClient, office: Office, connection: str):
    await add_offer(office.sandbox)
    of_stream = {"connectionId": connection, "stream": "offers"}
    before = await run(operator_api, "unsynced_objects", **of_stream)
    broken = await add_offer(office.sandbox, currency_code="no currency")
    await run_sync(operator_api, office, connection, streams=["offers"], mode="FULL", status="PARTIALLY_COMPLETED")
    made = (await run(operator_api, "create_sales_document", input={"kind": "OFFER"}, idempotencyKey=key()))["salesDocument"]

    there = await run(operator_api, "unsynced_objects", **of_stream)
    here = await run(operator_api, "unsynced_records", **of_stream, kind="OFFER")

    assert (before["scannedAt"], before["nodes"]) == (None, [])
    assert [(each["externalId"], each["failedRecordId"] is None) for each in there["nodes"]] == [(broken["mk_id"], False)]
    assert [each["id"] for each in here["nodes"]] == [made["id"]]
