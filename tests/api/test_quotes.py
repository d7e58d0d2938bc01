"""Quotes, decisions and deliveries through the API."""

import pytest

from app.actors import Actor
from app.bootstrap import Hub
from app.connectors.servicem8.sandbox.testing import RunningSandbox
from tests.api.client import gid
from tests.api.operations import run, text
from tests.factories import key
from tests.quotes.world import World, make_world


@pytest.fixture
async def world(hub: Hub, owner: Actor, sandbox: RunningSandbox) -> World:
    return await make_world(hub, owner, sandbox)


def _approval(quote: dict, **values: object) -> dict:
    return {
        "quoteId": quote["id"],
        "version": quote["version"],
        "signatureName": "Olive Operator",
        "acceptTerms": True,
        "idempotencyKey": key(),
    } | values


@pytest.mark.requirement("SM8-33")
async def test_a_part_of_a_quote_is_approved_and_the_provider_shows_it(operator_api, world):
    quote = await run(operator_api, "quote", id=gid("Quote", world.quote_id))
    lines = [line["id"] for line in quote["lines"][:2]]
    totals = await run(operator_api, "quote_totals", quoteId=quote["id"], lineIds=lines)

    approved = await run(operator_api, "approve_quote", **_approval(quote, lineIds=lines, note="Please call first", idempotencyKey="once"))
    repeated = await run(operator_api, "approve_quote", **_approval(quote, lineIds=lines, note="Please call first", idempotencyKey="once"))
    await world.deliver()
    after = await run(operator_api, "quote", id=quote["id"])

    assert (approved["decision"]["outcome"], approved["quote"]["status"]) == ("PARTIALLY_APPROVED", "PARTIALLY_APPROVED")
    assert approved["decision"]["approvedTotal"] == totals["total"]
    assert approved["quote"]["delivery"]["status"] == "QUEUED"
    assert repeated["decision"]["id"] == approved["decision"]["id"]
    assert after["delivery"]["status"] == "CONFIRMED"
    assert [line["decision"] for line in after["lines"]] == ["APPROVED", "APPROVED", "REJECTED"]
    assert (await world.sandbox.record("job", world.job))["status"] == "Work Order"
    assert await world.materials() == {"Switchboard", "Labour"}


@pytest.mark.requirement("SM8-34")
async def test_a_quote_is_declined_with_a_reason_and_the_provider_shows_it(operator_api, world):
    quote = await run(operator_api, "quote", id=gid("Quote", world.quote_id))
    refusal = {"quoteId": quote["id"], "version": quote["version"]}

    without = await run(operator_api, "reject_quote", **refusal, reason=" ", idempotencyKey=key())
    declined = await run(operator_api, "reject_quote", **refusal, reason="Too expensive", idempotencyKey=key())
    contradiction = await run(operator_api, "approve_quote", **_approval(quote))
    await world.deliver()

    assert (without["__typename"], without["code"]) == ("ReasonMissing", "reason_missing")
    assert (declined["decision"]["outcome"], declined["quote"]["status"]) == ("REJECTED", "REJECTED")
    assert contradiction["__typename"] == "QuoteAlreadyDecided"
    assert contradiction["decision"]["id"] == declined["decision"]["id"]
    assert (await world.sandbox.record("job", world.job))["status"] == "Unsuccessful"
    assert any("Too expensive" in note for note in await world.notes())


async def test_a_changed_quote_is_not_approved_and_says_what_changed(operator_api, world):
    quote = await run(operator_api, "quote", id=gid("Quote", world.quote_id))
    await world.sandbox.add_line(world.job, name="Cable", quantity="10", price="2")
    await world.sync()

    refused = await run(operator_api, "approve_quote", **_approval(quote))

    assert (refused["__typename"], refused["currentVersion"]) == ("QuoteChanged", quote["version"] + 1)
    [change] = refused["changes"]
    assert (change["kind"], change["description"], change["old"]) == ("ADDED", "Cable", None)
    assert (await run(operator_api, "quote", id=quote["id"]))["status"] == "OPEN"


@pytest.mark.parametrize(
    ("values", "refusal"),
    [
        ({"signatureName": " "}, "SignatureMissing"),
        ({"acceptTerms": False}, "TermsNotAccepted"),
        ({"lineIds": []}, "LinesInvalid"),
        ({"lineIds": [gid("QuoteLine", "01990000-0000-7000-8000-000000000000")]}, "LinesInvalid"),
        ({"lineIds": [gid("Quote", "01990000-0000-7000-8000-000000000000")]}, "InvalidInput"),
        ({"quoteId": gid("Quote", "01990000-0000-7000-8000-000000000000")}, "NotFound"),
        ({"note": "x" * 100_000}, "InvalidInput"),
        ({"idempotencyKey": ""}, "InvalidInput"),
    ],
)
async def test_refusals_are_data_and_never_errors(operator_api, world, values, refusal):
    quote = await run(operator_api, "quote", id=gid("Quote", world.quote_id))

    refused = await run(operator_api, "approve_quote", **_approval(quote, **values))

    assert refused["__typename"] == refusal
    assert refused["message"]
    assert refused["fixBy"] == "CUSTOMER"


async def test_a_query_with_a_line_named_twice_is_bad_input(operator_api, world):
    line = gid("QuoteLine", (await world.quote()).lines[0].id)

    [error] = await operator_api.errors(text("quote_totals"), quoteId=gid("Quote", world.quote_id), lineIds=[line, line])

    assert error["message"] == "A line was named twice."
    assert error["extensions"]["code"] == "BAD_USER_INPUT"


async def test_the_same_key_with_another_body_is_refused(operator_api, world):
    quote = await run(operator_api, "quote", id=gid("Quote", world.quote_id))
    await run(operator_api, "approve_quote", **_approval(quote, idempotencyKey="k"))

    refused = await run(operator_api, "approve_quote", **_approval(quote, idempotencyKey="k", note="another"))

    assert refused["__typename"] == "IdempotencyKeyReused"


async def test_a_delivery_that_has_arrived_is_not_sent_again(operator_api, world):
    quote = await run(operator_api, "quote", id=gid("Quote", world.quote_id))
    approved = await run(operator_api, "approve_quote", **_approval(quote))
    waiting = await run(operator_api, "retry_delivery", id=approved["quote"]["delivery"]["id"], idempotencyKey=key())
    await world.deliver()

    settled = await run(operator_api, "retry_delivery", id=approved["quote"]["delivery"]["id"], idempotencyKey=key())
    [delivery] = (await run(operator_api, "deliveries", quoteId=quote["id"]))["nodes"]

    assert waiting["delivery"]["status"] == "QUEUED"
    assert settled["__typename"] == "DeliverySettled"
    assert (delivery["status"], delivery["quote"]["id"]) == ("CONFIRMED", quote["id"])


async def test_the_total_of_quotes_is_counted_when_it_is_asked_for(operator_api, world, statements):
    assert (await run(operator_api, "quotes"))["totalCount"] == 1
    with statements.counted():
        await operator_api.execute("{ quotes { nodes { id } } }")
    assert not any("SELECT count(*) FROM quote" in sql for sql in statements.sent)


async def test_every_change_through_the_api_is_in_the_audit_log(operator_api, world):
    quote = await run(operator_api, "quote", id=gid("Quote", world.quote_id))
    await run(operator_api, "approve_quote", **_approval(quote))

    newest, *_ = (await run(operator_api, "audit_entries", subjectId=quote["id"]))["nodes"]

    assert (newest["event"], newest["actorKind"]) == ("quote.approved", "api_token")
    assert newest["ip"] == "192.0.2.9"
