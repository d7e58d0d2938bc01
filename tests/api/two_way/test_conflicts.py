"""Conflicts, and what decides them."""

from typing import Any

import pytest

from tests.api.client import GraphQLClient, gid
from tests.api.operations import run
from tests.api.two_way.steps import Company
from tests.factories import key


@pytest.mark.requirement("MKC-05", "MKC-45")
async def test_a_conflict_is_shown_with_its_three_values_and_decided_once(operator_api: GraphQLClient, companies: Company):
    [conflict, *_] = await companies.clash(operator_api)

    decided = await run(
        operator_api, "resolve_conflict", id=conflict["id"], resolution="VALUE", value="https://new.test", idempotencyKey="decide"
    )
    repeated = await run(
        operator_api, "resolve_conflict", id=conflict["id"], resolution="VALUE", value="https://new.test", idempotencyKey="decide"
    )
    late = await run(operator_api, "resolve_conflict", id=conflict["id"], resolution="OURS", idempotencyKey=key())

    assert (conflict["field"], conflict["base"]) == ("website", "https://both.test")
    assert (conflict["ours"], conflict["theirs"]) == ("https://ours.test", "https://theirs.test")
    assert (decided["conflict"]["resolution"], decided["conflict"]["resolvedBy"]) == ("VALUE", "A token for operator")
    assert repeated == decided
    assert late["__typename"] == "ConflictSettled"
    assert (await run(operator_api, "contact", id=conflict["record"]["id"]))["website"] == "https://new.test"
    assert len((await run(operator_api, "conflicts"))["nodes"]) == 2
    assert len((await run(operator_api, "conflicts", openOnly=False))["nodes"]) == 3
    assert (await run(operator_api, "conflicts", recordId=conflict["record"]["id"]))["nodes"] == []


async def test_many_conflicts_are_decided_alike(operator_api: GraphQLClient, companies: Company):
    one, other, third = await companies.clash(operator_api)
    await run(operator_api, "resolve_conflict", id=third["id"], resolution="OURS", idempotencyKey=key())
    ids = [one["id"], other["id"], third["id"]]

    decided = await run(operator_api, "resolve_conflicts", ids=ids, resolution="THEIRS", idempotencyKey="all")
    repeated = await run(operator_api, "resolve_conflicts", ids=ids, resolution="THEIRS", idempotencyKey="all")

    assert {conflict["id"] for conflict in decided["resolved"]} == {one["id"], other["id"]}
    assert decided["refused"] == [{"id": third["id"], "message": "This conflict is resolved already."}]
    assert repeated == decided
    assert (await run(operator_api, "contact", id=one["record"]["id"]))["website"] == "https://theirs.test"


@pytest.mark.requirement("MKC-52")
async def test_rules_are_made_of_a_conflict_and_set_by_hand(operator_api: GraphQLClient, companies: Company):
    [conflict, *_] = await companies.clash(operator_api)
    connection = gid("Connection", companies.connection.id)
    before = await run(operator_api, "stream_policy", connectionId=connection, stream="companies")

    always = await run(operator_api, "always_resolve", id=conflict["id"], rule="PROVIDER_WINS", idempotencyKey="always")
    repeated = await run(operator_api, "always_resolve", id=conflict["id"], rule="PROVIDER_WINS", idempotencyKey="always")
    policy = {"connectionId": connection, "stream": "companies", "idempotencyKey": "policy"}
    changed = await run(operator_api, "update_stream_policy", **policy, version=1, conflicts="HUB_WINS", hubDeletions="IGNORE")
    again = await run(operator_api, "update_stream_policy", **policy, version=1, conflicts="HUB_WINS", hubDeletions="IGNORE")
    late = await run(operator_api, "update_stream_policy", **policy | {"idempotencyKey": key()}, version=1, conflicts="ASK")

    assert (before["version"], before["conflicts"], before["fieldConflicts"]) == (0, "ASK", [])
    assert always["policy"]["fieldConflicts"] == [{"field": "website", "rule": "PROVIDER_WINS"}]
    assert len(always["resolved"]) == 3
    assert repeated == always
    assert (changed["policy"]["conflicts"], changed["policy"]["hubDeletions"], changed["policy"]["version"]) == ("HUB_WINS", "IGNORE", 2)
    assert changed["policy"]["fieldConflicts"] == always["policy"]["fieldConflicts"]
    assert again == changed
    assert late["__typename"] == "PolicyChanged"


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"brakeShare": 1.5}, "brakeShare"),
        ({"brakeMinimum": -1}, "brakeMinimum"),
        ({"fieldConflicts": [{"field": "shoe_size", "rule": "ASK"}]}, "fieldConflicts"),
        ({"conflicts": "NEWEST"}, "conflicts"),
        ({"stream": "shoes"}, "stream"),
    ],
)
async def test_a_rule_that_cannot_be_is_refused(operator_api: GraphQLClient, connection: str, given: dict[str, Any], field: str):
    values = {"connectionId": connection, "stream": "partners", "version": 0} | given

    answer = await run(operator_api, "update_stream_policy", **values, idempotencyKey=key())

    assert (answer["__typename"], answer["fields"][0]["field"]) == ("InvalidInput", field)
