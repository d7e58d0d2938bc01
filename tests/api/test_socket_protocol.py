"""graphql-transport-ws, rule by rule: https://github.com/enisdenjo/graphql-ws/blob/master/PROTOCOL.md"""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from app.api.live.websocket import LiveHandler
from app.database import transaction
from app.ids import new_id
from tests.api.operations import text
from tests.api.streams import PROTOCOL, receive, socket, subscribe

INIT = {"type": "connection_init"}
FOREVER = "subscription { quoteChanged { cursor } }"


@asynccontextmanager
async def raw(server: str, **headers: str) -> AsyncIterator[ClientConnection]:
    """A WebSocket on which nothing was said."""
    async with connect(f"ws://{server}/graphql", subprotocols=[PROTOCOL], additional_headers=headers) as opened:
        yield opened


async def close_code(opened: ClientConnection, *messages: Any) -> int:
    """With which code the server hangs up after these messages, whatever it answers before."""
    for message in messages:
        await opened.send(message if isinstance(message, str | bytes) else json.dumps(message))
    async with asyncio.timeout(15):
        with pytest.raises(ConnectionClosed) as closed:
            while True:
                await opened.recv()
    return closed.value.rcvd.code


def bearer(token: str) -> dict[str, str]:
    return {"authorization": f"Bearer {token}"}


async def quiet(opened: ClientConnection, seconds: float = 0.4) -> bool:
    """Whether nothing comes."""
    try:
        async with asyncio.timeout(seconds):
            await opened.recv()
    except TimeoutError:
        return True
    return False


async def test_whoever_says_who_it_is_is_acknowledged(server, token):
    async with raw(server) as opened:
        await opened.send(json.dumps(INIT | {"payload": bearer(token)}))
        assert await receive(opened) == {"type": "connection_ack"}
        assert opened.subprotocol == PROTOCOL


async def test_a_first_message_with_null_for_a_payload_counts_as_one_without(server, token):
    async with raw(server, **bearer(token)) as opened:
        await opened.send(json.dumps(INIT | {"payload": None}))
        assert await receive(opened) == {"type": "connection_ack"}


@pytest.mark.parametrize("payload", [None, {}, {"authorization": "Bearer cw_wrong"}, {"authorization": 7}])
async def test_4403_for_a_first_message_that_does_not_say_who_it_is(server, payload):
    async with raw(server) as opened:
        assert await close_code(opened, INIT if payload is None else INIT | {"payload": payload}) == 4403


async def test_4408_when_the_first_message_does_not_come(server):
    async with raw(server) as opened:
        began = time.monotonic()
        assert await close_code(opened) == 4408
    assert time.monotonic() - began >= 9


async def test_4429_for_a_second_first_message(server, token):
    async with socket(server, bearer(token)) as opened:
        assert await close_code(opened, INIT) == 4429


@pytest.mark.parametrize("query", ["{ viewer { name } }", FOREVER])
async def test_4401_for_a_subscription_before_the_acknowledgement(server, query):
    async with raw(server) as opened:
        assert await close_code(opened, {"id": "1", "type": "subscribe", "payload": {"query": query}}) == 4401


async def test_4409_for_an_id_that_is_in_use(server, token):
    async with socket(server, bearer(token)) as opened:
        await subscribe(opened, FOREVER, {})
        assert await close_code(opened, {"id": "1", "type": "subscribe", "payload": {"query": FOREVER}}) == 4409


async def test_4406_for_another_protocol(server):
    async with connect(f"ws://{server}/graphql", subprotocols=["graphql-ws"]) as opened:
        assert await close_code(opened) == 4406


@pytest.mark.parametrize(
    "message",
    [
        "nonsense",
        "[]",
        "7",
        b"{}",
        {},
        {"type": "unknown"},
        {"type": "subscribe"},
        {"type": "subscribe", "id": 7, "payload": {"query": "{ viewer { name } }"}},
        {"type": "subscribe", "id": "1", "payload": "x"},
        {"type": "subscribe", "id": "1", "payload": {"query": 7}},
        {"type": "subscribe", "id": "1", "payload": {"query": "{ viewer { name } }", "variables": []}},
        {"type": "subscribe", "id": "1", "payload": {"query": "{ viewer { name } }", "operationName": 7}},
        {"type": "complete"},
        {"type": "ping", "payload": 7},
        {"type": "next", "id": "1", "payload": {}},
        {"type": "connection_ack"},
    ],
    ids=str,
)
async def test_4400_for_a_message_that_is_none(server, token, message):
    async with socket(server, bearer(token)) as opened:
        assert await close_code(opened, message) == 4400


async def test_1009_for_a_message_that_is_too_long(server, token):
    async with socket(server, bearer(token)) as opened:
        assert await close_code(opened, '"' + "x" * 1_000_001 + '"') == 1009


async def test_4500_for_a_mistake_of_ours(server, token, monkeypatch):
    async def fail(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(LiveHandler, "handle_ping", fail)

    async with raw(server) as opened:
        assert await close_code(opened, INIT | {"payload": bearer(token)}, {"type": "ping"}) == 4500


async def test_pages_of_other_origins_cannot_open_one(server):
    with pytest.raises(InvalidStatus) as refused:
        await connect(f"ws://{server}/graphql", subprotocols=[PROTOCOL], origin="http://evil.test")
    assert refused.value.response.status_code == 403


async def test_a_ping_is_answered_before_and_after_the_acknowledgement(server, token):
    async with raw(server) as opened:
        for message in ({"type": "ping"}, {"type": "ping", "payload": {"n": 1}}, {"type": "ping", "payload": None}):
            await opened.send(json.dumps(message))
            assert (await receive(opened))["type"] == "pong"
    async with socket(server, bearer(token)) as opened:
        await opened.send('{"type": "ping"}')
        assert (await receive(opened))["type"] == "pong"


async def test_a_pong_that_nobody_asked_for_is_fine(server, token):
    async with socket(server, bearer(token)) as opened:
        await opened.send('{"type": "pong"}')
        await opened.send('{"type": "ping"}')
        assert (await receive(opened))["type"] == "pong"


async def test_a_query_gets_its_answer_and_is_complete_and_its_id_is_free_again(server, token):
    async with socket(server, bearer(token)) as opened:
        for _ in range(2):
            await subscribe(opened, "{ viewer { role } }", {})
            assert await receive(opened) == {"id": "1", "type": "next", "payload": {"data": {"viewer": {"role": "OWNER"}}}}
            assert await receive(opened) == {"id": "1", "type": "complete"}


async def test_a_mutation_gets_its_refusal_as_data(server, token):
    query = 'mutation { deleteSync(id: "x", idempotencyKey: "k") { __typename } }'
    async with socket(server, bearer(token)) as opened:
        await subscribe(opened, query, {})
        assert (await receive(opened))["payload"]["data"] == {"deleteSync": {"__typename": "InvalidInput"}}


async def test_a_document_that_is_not_valid_ends_with_an_error_message_and_nothing_else(server, token):
    async with socket(server, bearer(token)) as opened:
        await subscribe(opened, "{ nothing }", {})
        message = await receive(opened)
        assert (message["id"], message["type"]) == ("1", "error")
        assert "nothing" in message["payload"][0]["message"]
        assert await quiet(opened)
        await subscribe(opened, "{ viewer { role } }", {})
        assert (await receive(opened))["type"] == "next"


async def test_an_error_while_it_runs_comes_with_the_answer(server, token):
    async with socket(server, bearer(token)) as opened:
        await subscribe(opened, text("sync_run_progress"), {"runId": "nonsense"})
        payload = (await receive(opened))["payload"]
        assert payload["data"] is None
        assert payload["errors"][0]["extensions"]["code"] == "BAD_USER_INPUT"
        assert (await receive(opened))["type"] == "complete"


async def test_several_operations_run_beside_one_another(server, token):
    async with socket(server, bearer(token)) as opened:
        await subscribe(opened, FOREVER, {}, id="stream")
        for number in range(5):
            await subscribe(opened, "{ viewer { role } }", {}, id=f"q{number}")
        done = [message["id"] for message in [await receive(opened) for _ in range(10)] if message["type"] == "complete"]
        assert sorted(done) == [f"q{number}" for number in range(5)]


async def test_a_client_ends_its_subscription_and_hears_nothing_more(server, token, hub, owner):
    async with socket(server, bearer(token)) as opened:
        await subscribe(opened, "subscription { connectionChanged { revision } }", {})
        await asyncio.sleep(0.3)
        await opened.send('{"id": "1", "type": "complete"}')
        await asyncio.sleep(0.1)
        await publish(hub, owner)
        assert await quiet(opened)
        await subscribe(opened, "{ viewer { role } }", {})
        assert (await receive(opened))["payload"]["data"] == {"viewer": {"role": "OWNER"}}


async def test_completing_what_does_not_run_is_fine(server, token):
    async with socket(server, bearer(token)) as opened:
        await opened.send('{"id": "nothing", "type": "complete"}')
        await opened.send('{"type": "ping"}')
        assert (await receive(opened))["type"] == "pong"


async def test_text_comes_in_text_frames(server, token, hub, owner):
    async with socket(server, bearer(token)) as opened:
        await subscribe(opened, "subscription { connectionChanged { revision } }", {}, id='a "quoted" ü')
        await asyncio.sleep(0.3)
        await publish(hub, owner)
        frame = await opened.recv()
        assert isinstance(frame, str)
        assert json.loads(frame) == {"id": 'a "quoted" ü', "type": "next", "payload": {"data": {"connectionChanged": {"revision": 1}}}}


async def test_one_socket_has_only_so_many_operations(server, token):
    async with socket(server, bearer(token)) as opened:
        for number in range(21):
            await subscribe(opened, text("quote_changed"), {}, id=str(number))
        message = await receive(opened)
    assert (message["type"], message["id"]) == ("error", "20")
    assert message["payload"][0]["message"] == "Subscription limit reached"


async def publish(hub, owner) -> None:
    """Something happens to a connection."""
    async with transaction(owner.scope):
        await hub.feed.publish(owner.scope, topic="connection", subject_id=new_id(), revision=1)


async def test_a_read_gives_the_same_over_a_socket_as_over_http(server, token, api, connection):
    query = "{ connections { totalCount nodes { id name settings latestRuns { id } } } quotes(first: 3) { edges { cursor } } }"

    async with socket(server, bearer(token)) as opened:
        await subscribe(opened, query, {})
        message = await receive(opened)

    assert message == {"id": "1", "type": "next", "payload": {"data": await api.execute(query)}}
    assert message["payload"]["data"]["connections"]["totalCount"] == 1
