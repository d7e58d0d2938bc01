"""Contacts that are one, and mappings that lost a side."""

import pytest

from app.actors import Actor
from app.bootstrap import Hub
from tests.api.client import GraphQLClient, gid
from tests.api.operations import run
from tests.api.two_way.steps import Company
from tests.factories import key


async def _made(api: GraphQLClient, **values: object) -> dict[str, object]:
    found: dict[str, object] = (await run(api, "create_contact", input=values, idempotencyKey=key()))["contact"]
    return found


@pytest.mark.requirement("MKC-54")
async def test_contacts_are_suggested_looked_at_merged_once_and_parted_once(operator_api: GraphQLClient):
    stays = await _made(operator_api, name="Žaga", taxNumber="SI 1234.5678", phone="1")
    goes = await _made(operator_api, name="Žaga in sin", taxNumber="12345678", email="info@zaga.test", phone="2")
    both = {"survivorId": stays["id"], "loserId": goes["id"]}

    [group] = (await run(operator_api, "duplicates"))["nodes"]
    preview = await run(operator_api, "merge_preview", **both)
    chosen = [{"field": "email", "take": "LOSER"}, {"field": "name", "take": "SURVIVOR"}]
    merge = {**both, "fields": chosen, "survivorVersion": 1, "loserVersion": 1, "idempotencyKey": "merge"}
    merged, repeated = [await run(operator_api, "merge_contacts", **merge) for _ in range(2)]
    of_survivor = await run(operator_api, "contact_merges", contactId=stays["id"])
    of_loser = await run(operator_api, "contact_merges", contactId=goes["id"])
    parted, again = [await run(operator_api, "unmerge_contact", loserId=goes["id"], idempotencyKey="part") for _ in range(2)]
    late = await run(operator_api, "unmerge_contact", loserId=goes["id"], idempotencyKey=key())

    assert (group["by"], group["value"], group["count"]) == ("TAX_NUMBER", "12345678", 2)
    assert {one["field"]: one["suggested"] for one in preview["choices"]} == {
        "name": "SURVIVOR",
        "tax_number": "SURVIVOR",
        "phone": "SURVIVOR",
        "email": "LOSER",
    }
    assert (merged["contact"]["name"], merged["contact"]["email"]) == ("Žaga", "info@zaga.test")
    assert repeated == merged
    assert [one["loser"]["id"] for one in of_survivor["merged"]] == [goes["id"]]
    assert of_survivor["merged"][0]["fields"] == ["email"]
    assert of_loser["mergedInto"]["survivor"]["id"] == stays["id"]
    assert (parted["survivor"]["id"], parted["loser"]["id"], parted["changedSince"]) == (stays["id"], goes["id"], [])
    assert again["__typename"] == "UnmergeContactSuccess"
    assert late["__typename"] == "NotMerged"


async def test_what_cannot_be_merged_says_why(operator_api: GraphQLClient):
    stays, goes = await _made(operator_api, name="One"), await _made(operator_api, name="Two")
    both = {"survivorId": stays["id"], "loserId": goes["id"]}

    itself = await run(operator_api, "merge_contacts", **both | {"loserId": stays["id"]}, idempotencyKey=key())
    stale = await run(operator_api, "merge_contacts", **both, loserVersion=7, idempotencyKey=key())
    unknown = await run(operator_api, "merge_contacts", **both, fields=[{"field": "height", "take": "LOSER"}], idempotencyKey=key())

    assert [itself["__typename"], stale["__typename"], unknown["__typename"]] == ["NotMergeable", "RecordChanged", "InvalidInput"]
    assert itself["message"] == "A contact cannot be merged into itself."
    assert (await run(operator_api, "contact_merges", contactId=stays["id"])) == {"merged": [], "mergedInto": None}


@pytest.mark.requirement("MKC-19")
async def test_orphaned_mappings_are_counted_put_away_and_brought_back(operator_api: GraphQLClient, companies: Company):
    connection = gid("Connection", companies.connection.id)
    contact = (await run(operator_api, "contacts"))["nodes"][0]
    await run(operator_api, "delete_contact", id=contact["id"], version=1, idempotencyKey=key())

    [orphan] = (await run(operator_api, "orphaned_mappings", connectionId=connection))["nodes"]
    [count] = await run(operator_api, "orphan_counts", mappingIds=[orphan["id"]])
    cleaned, repeated = [await run(operator_api, "clean_orphans", mappingIds=[orphan["id"]], idempotencyKey="clean") for _ in range(2)]
    left = (await run(operator_api, "orphaned_mappings", connectionId=connection))["nodes"]
    [away] = (await run(operator_api, "orphaned_mappings", connectionId=connection, cleaned=True))["nodes"]
    [back] = await run(operator_api, "orphan_counts", cleaned=True)
    restored = await run(operator_api, "restore_orphans", kind="RECORD_DELETED", idempotencyKey=key())
    nobody = await run(operator_api, "clean_orphans", connectionId=contact["id"], idempotencyKey=key())

    assert (orphan["kind"], orphan["record"]["id"], count["count"]) == ("RECORD_DELETED", contact["id"], 1)
    assert (cleaned["count"], repeated["count"], left) == (1, 1, [])
    assert (away["id"], back["count"], restored["count"]) == (orphan["id"], 1, 1)
    assert away["cleanedAt"] is not None
    assert nobody["__typename"] == "InvalidInput"


async def test_nobody_cleans_up_what_is_not_theirs(operator_api: GraphQLClient, hub: Hub, owner: Actor, companies: Company):
    stranger = gid("Connection", owner.organization_id)

    refused = await run(operator_api, "clean_orphans", connectionId=stranger, idempotencyKey=key())
    none = await run(operator_api, "restore_orphans", mappingIds=[gid("Mapping", owner.organization_id)], idempotencyKey=key())

    assert {refused["__typename"], none["__typename"]} == {"NotFound"}


@pytest.mark.requirement("MKC-45")
async def test_decisions_on_conflicts_are_taken_back_once(operator_api: GraphQLClient, companies: Company):
    [one, *_] = await companies.clash(operator_api)
    await run(operator_api, "resolve_conflict", id=one["id"], resolution="THEIRS", idempotencyKey=key())

    done, repeated = [await run(operator_api, "reopen_conflicts", ids=[one["id"]], idempotencyKey="back") for _ in range(2)]
    late = await run(operator_api, "reopen_conflicts", ids=[one["id"]], idempotencyKey=key())

    assert [conflict["id"] for conflict in done["reopened"]] == [one["id"]]
    assert repeated == done
    assert [refused["message"] for refused in late["refused"]] == ["This conflict is not decided, so there is no decision to take back."]
    assert (await run(operator_api, "contact", id=one["record"]["id"]))["website"] == "https://ours.test"
