"""The GraphQL clients that front ends use, as npm has them, against a live hub: ask, be refused, follow and come back."""

import asyncio
from typing import Any

import pytest

from tests.api.client import gid
from tests.api.operations import text
from tests.api.streams import receive, socket, subscribe
from tests.factories import key
from tests.npm.client import HERE, npm_client
from tests.npm.programs import run_script
from tests.npm.relay import relay_to
from tests.quotes.world import World

CLIENTS = ("fetch", "graphql_ws", "graphql_sse", "apollo", "urql", "typed")


@pytest.fixture(scope="session")
async def packages(typescript: None) -> None:
    await run_script("node_packages.py", HERE)


@pytest.mark.parametrize("name", CLIENTS)
async def test_a_client_of_npm_asks_and_is_refused(packages: None, server: str, token: str, world: World, name: str):
    async with npm_client(name, f"http://{server}/graphql", token) as client:
        listed = await client.run(text("quotes"), {"first": 1})
        quote = listed["quotes"]["nodes"][0]
        stale = {"quoteId": quote["id"], "version": quote["version"] + 1, "signatureName": "Olive Owner", "acceptTerms": True}
        refused = (await client.run(text("approve_quote"), stale | {"idempotencyKey": key()}))["approveQuote"]

    assert (quote["title"], quote["status"], len(quote["lines"])) == ("Replace switchboard", "OPEN", 3)
    assert (refused["__typename"], refused["code"], refused["fixBy"]) == ("QuoteChanged", "quote_changed", "CUSTOMER")
    assert refused["currentVersion"] == quote["version"]
    assert (await world.quote()).status == "open"


@pytest.mark.parametrize("name", CLIENTS)
async def test_a_client_of_npm_that_was_cut_off_comes_back_and_misses_nothing(
    packages: None, server: str, token: str, world: World, name: str
):
    quote = {"quoteId": gid("Quote", world.quote_id)}
    async with (
        socket(server, {"authorization": f"Bearer {token}"}) as uninterrupted,
        relay_to(server) as (relay, address),
        npm_client(name, f"http://{address}/graphql", token) as client,
    ):
        await subscribe(uninterrupted, text("quote_changed"), quote)
        client.follow(text("quote_changed"), quote)
        first = await client.event()

        relay.cut()
        await world.approve()
        await world.deliver()
        expected = await _until_confirmed(uninterrupted)
        assert len(expected) > 2
        relay.mend()

        seen = [first] + [await client.event() for _ in expected[1:]]

    assert [(event["cursor"], event["revision"]) for event in seen] == expected
    assert seen[-1]["quote"]["delivery"]["status"] == "CONFIRMED"
    assert relay.carried > 1


async def _until_confirmed(uninterrupted: Any) -> list[tuple[str, int]]:
    """(cursor, revision) of each event until nothing has come for a second, the confirmation included."""
    seen: list[tuple[str, int]] = []
    status = None
    while True:
        try:
            message = await asyncio.wait_for(receive(uninterrupted), 20 if status != "CONFIRMED" else 1)
        except TimeoutError:
            return seen
        event = message["payload"]["data"]["quoteChanged"]
        seen.append((event["cursor"], event["revision"]))
        status = (event["quote"]["delivery"] or {}).get("status")


async def test_apollo_sends_a_text_once_and_its_hash_from_then_on(packages: None, server: str, token: str, world: World):
    async with npm_client("apollo_persisted", f"http://{server}/graphql", token) as client:
        first = await client.run(text("quotes"), {"first": 1})
        again = await client.run(text("quotes"), {"first": 1})

    assert first["quotes"] == again["quotes"]
    assert [nodes["title"] for nodes in again["quotes"]["nodes"]] == ["Replace switchboard"]
    assert [request["method"] for request in first["requests"]] == ["GET", "POST"]
    [hashed] = again["requests"]
    assert (hashed["method"], hashed["status"]) == ("GET", 200)
    assert hashed["etag"]
