"""Many who follow the same: rendered once, handed to all; who is slow gets the latest; who may not look is cut off."""

import asyncio
import copy
import json
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest
from starlette.applications import Starlette
from starlette.routing import WebSocketRoute
from websockets.exceptions import ConnectionClosed

from app.actors import Actor
from app.api.live.groups import Live
from app.bootstrap import Hub
from app.database import execute, transaction
from app.feed.models import NewEvent
from app.ids import new_id
from app.main import create_app
from tests import factories
from tests.api.client import Statements, gid
from tests.api.conftest import make_token, serving
from tests.api.operations import text
from tests.api.streams import events, receive, socket, subscribe

CHANGES = "subscription ($after: String) { connectionChanged(after: $after) { cursor revision missed } }"


def bearer(token: str) -> dict[str, str]:
    return {"authorization": f"Bearer {token}"}


async def publish(hub: Hub, owner: Actor, *revisions: int, subject_id: UUID | None = None, topic: str = "connection") -> None:
    """Things that happened, in one commit."""
    async with transaction(owner.scope):
        subject = subject_id or new_id()
        await hub.feed.publish_many(owner.scope, [NewEvent(topic, subject, revision) for revision in revisions])


async def followers(stack: AsyncExitStack, server: str, token: str, count: int, query: str = CHANGES, **variables: Any) -> list:
    """Sockets that follow, and are in step with the end of the feed."""
    opened = [await stack.enter_async_context(socket(server, bearer(token))) for _ in range(count)]
    for one in opened:
        await subscribe(one, query, variables)
    await asyncio.sleep(0.3 + count * 0.02)
    return opened


async def heard(opened: Any, count: int, field: str = "connectionChanged") -> list[dict[str, Any]]:
    async with asyncio.timeout(15):
        return [(await receive(opened))["payload"]["data"][field] for _ in range(count)]


def live_of(app: Starlette) -> Live:
    (route,) = [route for route in app.routes if isinstance(route, WebSocketRoute) and route.path == "/graphql"]
    return route.endpoint.live


@pytest.fixture
async def narrow(hub: Hub) -> AsyncIterator[str]:
    """A server of the same hub with room for few streams."""
    narrow_hub = copy.copy(hub)
    narrow_hub.settings = replace(hub.settings, streams_per_caller=2, streams_per_organization=3)
    async with serving(create_app(narrow_hub)) as address:
        yield address


async def test_an_event_is_rendered_once_for_all_who_ask_the_same(hub: Hub, owner: Actor, app, server, token):
    query = "subscription ($after: String) { connectionChanged(after: $after) { cursor revision connection { name } } }"
    statements = Statements()
    async with AsyncExitStack() as stack:
        opened = await followers(stack, server, token, 30, query)
        assert len(live_of(app)._groups) == 1
        with statements.counted():
            await publish(hub, owner, 7)
            answers = [await heard(one, 1) for one in opened]

    assert len({json.dumps(answer) for answer in answers}) == 1
    loads = [sql for sql in statements.sent if "FROM connection" in sql]
    assert len(loads) == 1


async def test_those_who_ask_something_else_or_may_see_less_are_rendered_apart(hub: Hub, owner: Actor, app, server, token):
    viewer = await make_token(hub, owner, "viewer")
    async with AsyncExitStack() as stack:
        await followers(stack, server, token, 2)
        await followers(stack, server, viewer, 2)
        await followers(stack, server, token, 2, "subscription { connectionChanged { cursor } }")
        assert len(live_of(app)._groups) == 3
        await followers(stack, server, token, 2, after="0.0")
        assert len(live_of(app)._groups) == 3


async def test_nothing_is_left_when_the_last_one_goes(hub: Hub, owner: Actor, app, server, token):
    async with AsyncExitStack() as stack:
        await followers(stack, server, token, 3)
        assert owner.organization_id in hub.feed._tails._tails
    await asyncio.sleep(0.3)

    assert not live_of(app)._groups
    assert not live_of(app).watches._watched
    assert not live_of(app).streams._open
    assert owner.organization_id not in hub.feed._tails._tails


async def test_a_late_one_joins_without_a_gap_and_without_hearing_twice(hub: Hub, owner: Actor, server, token):
    subject = new_id()
    writing = asyncio.create_task(_write_steadily(hub, owner, subject, 150))
    seen: list[list[int]] = []

    async def follow(delay: float) -> None:
        await asyncio.sleep(delay)
        async with socket(server, bearer(token)) as opened:
            await subscribe(opened, CHANGES, {"after": "0.0"})
            seen.append([change["revision"] for change in await heard(opened, 150)])

    await asyncio.gather(writing, *(follow(number * 0.05) for number in range(20)))

    assert seen == [list(range(1, 151))] * 20


async def _write_steadily(hub: Hub, owner: Actor, subject: UUID, count: int) -> None:
    for revision in range(1, count + 1):
        await publish(hub, owner, revision, subject_id=subject)
        await asyncio.sleep(0.005)


@pytest.mark.parametrize("way", ["socket", "events"])
async def test_one_that_reads_nothing_for_a_while_gets_the_latest_and_is_told(hub: Hub, owner: Actor, server, token, way):
    subject = new_id()
    fat = "subscription { " + "connectionChanged { revision missed " + " ".join(f"a{n}: cursor" for n in range(28)) + " } }"
    async with AsyncExitStack() as stack:
        (quick,) = await followers(stack, server, token, 1)
        if way == "socket":
            slow: Any = await stack.enter_async_context(socket(server, bearer(token)))
            await subscribe(slow, fat, {})
        else:
            slow = await stack.enter_async_context(events(server, token, fat, {}))
        await asyncio.sleep(0.5)
        for start in range(0, 6000, 100):
            await publish(hub, owner, *range(start + 1, start + 101), subject_id=subject)
            if way == "socket":
                slow.transport.pause_reading()
        last = 0
        async with asyncio.timeout(60):
            while last < 6000:
                last = (await heard(quick, 1))[0]["revision"]
        got = await _rest_of(slow, way, 6000)

    assert got[-1]["revision"] == 6000
    assert len(got) < 6000
    assert any(change["missed"] for change in got)
    revisions = [change["revision"] for change in got]
    assert revisions == sorted(set(revisions))


async def _rest_of(slow: Any, way: str, last: int) -> list[dict[str, Any]]:
    got: list[dict[str, Any]] = []
    if way == "socket":
        slow.transport.resume_reading()
    async with asyncio.timeout(30):
        while not got or got[-1]["revision"] < last:
            answer = (await receive(slow))["payload"] if way == "socket" else (await anext(slow))[1]
            got.append(answer["data"]["connectionChanged"])
    return got


@pytest.mark.alone
async def test_a_peer_that_is_stuck_holds_up_nobody(hub: Hub, owner: Actor, server, token):
    async with AsyncExitStack() as stack:
        stuck, *others = await followers(stack, server, token, 20)
        stuck.transport.pause_reading()
        began = time.monotonic()
        await publish(hub, owner, *range(1, 301), subject_id=new_id())
        answers = [await heard(one, 300) for one in others]
        took = time.monotonic() - began
        stuck.transport.resume_reading()

    assert all(answer == answers[0] for answer in answers)
    assert took < 15


async def test_a_role_that_changes_regroups_and_a_permission_that_goes_ends_the_stream(hub: Hub, owner: Actor, server):
    _, secret = await hub.organizations.create_token(owner, name="Narrow", role="viewer", permissions=["connections:read", "quotes:read"])
    async with AsyncExitStack() as stack:
        (opened,) = await followers(stack, server, secret, 1)
        async with transaction(owner.scope):
            sql = "UPDATE api_token SET permissions = ARRAY['quotes:read'] WHERE organization_id = $1 AND name = 'Narrow'"
            await execute(owner.scope, sql, owner.organization_id)
        async with asyncio.timeout(8):
            assert await receive(opened) == {"id": "1", "type": "complete"}
        await subscribe(opened, "{ viewer { role } }", {})
        assert (await receive(opened))["type"] == "next"


async def test_sockets_of_one_token_are_checked_together_and_all_are_cut_off(hub: Hub, owner: Actor, server, token):
    watched, secret = await hub.organizations.create_token(owner, name="Watched", role="viewer")
    statements = Statements()
    async with AsyncExitStack() as stack:
        opened = await followers(stack, server, secret, 25)
        with statements.counted():
            await asyncio.sleep(6.5)
        checks = [sql for sql in statements.sent if "api_token" in sql]
        assert 1 <= len(checks) <= 3

        await hub.organizations.revoke_token(owner, watched.id)
        for one in opened:
            async with asyncio.timeout(8):
                with pytest.raises(ConnectionClosed) as closed:
                    await one.recv()
            assert closed.value.rcvd.code == 4401


async def test_a_token_that_expires_ends_its_streams(hub: Hub, owner: Actor, server):
    _, secret = await hub.organizations.create_token(owner, name="Short", role="viewer", expires_at=hub.now() + timedelta(seconds=2))
    async with AsyncExitStack() as stack:
        (opened,) = await followers(stack, server, secret, 1)
        async with asyncio.timeout(10):
            with pytest.raises(ConnectionClosed) as closed:
                await opened.recv()
    assert closed.value.rcvd.code == 4401


async def test_one_caller_has_only_so_many_streams_over_both_ways(hub: Hub, owner: Actor, narrow: str):
    secret = await make_token(hub, owner, "viewer")
    async with AsyncExitStack() as stack:
        await followers(stack, narrow, secret, 1)
        await stack.enter_async_context(events(narrow, secret, text("quote_changed"), {}))
        (refused,) = await followers(stack, narrow, secret, 1)
        message = await receive(refused)
        assert message["type"] == "error"
        assert message["payload"][0]["extensions"] == {
            "code": "TOO_MANY_STREAMS",
            "fixBy": "CUSTOMER",
            "limit": "streams_per_caller",
            "allowed": 2,
        }
        async with httpx.AsyncClient(base_url=f"http://{narrow}") as client:
            headers = {**bearer(secret), "Accept": "text/event-stream"}
            answer = await client.post("/graphql", json={"query": text("quote_changed")}, headers=headers)
    assert answer.status_code == 429
    assert answer.json()["errors"][0]["extensions"]["code"] == "TOO_MANY_STREAMS"


async def test_an_organization_has_only_so_many_streams(hub: Hub, owner: Actor, narrow: str):
    tokens = [await make_token(hub, owner, "viewer") for _ in range(2)]
    async with AsyncExitStack() as stack:
        await followers(stack, narrow, tokens[0], 2)
        await followers(stack, narrow, tokens[1], 1)
        (refused,) = await followers(stack, narrow, tokens[1], 1)
        message = await receive(refused)
    assert message["payload"][0]["extensions"]["limit"] == "streams_per_organization"


async def test_streams_that_end_make_room(hub: Hub, owner: Actor, narrow: str):
    secret = await make_token(hub, owner, "viewer")
    for _ in range(3):
        async with AsyncExitStack() as stack:
            opened = await followers(stack, narrow, secret, 2)
            await publish(hub, owner, 1)
            assert [len(await heard(one, 1)) for one in opened] == [1, 1]
        await asyncio.sleep(0.3)


async def test_records_are_told_page_by_page_by_kind_and_connection(hub: Hub, owner: Actor, server, token, sandbox, api):
    await sandbox.reset()
    company = (await sandbox.create("company", name="Anton Ltd"))["uuid"]
    await sandbox.create("job", company_uuid=company, status="Quote", job_description="A job")
    connection = await factories.make_connection(hub, owner, sandbox)
    start = (await api.execute("{ liveCursor }"))["liveCursor"]
    await factories.sync(hub, owner, connection)
    await sandbox.edit("company", company, name="Berta Ltd")
    await factories.sync(hub, owner, connection)
    await sandbox.delete("company", company)
    await factories.sync(hub, owner, connection)

    variables = {"connectionId": gid("Connection", connection.id), "after": start}
    async with events(server, token, text("records_changed"), variables | {"entities": ["CONTACT"]}) as stream, asyncio.timeout(10):
        contacts = [(await anext(stream))[1]["data"]["recordsChanged"] for _ in range(3)]
    async with events(server, token, text("records_changed"), variables | {"entities": ["JOB"]}) as stream, asyncio.timeout(10):
        job = (await anext(stream))[1]["data"]["recordsChanged"]

    (contact_id,) = contacts[0]["created"]
    assert [(change["created"], change["updated"], change["deleted"]) for change in contacts] == [
        ([contact_id], [], []),
        ([], [contact_id], []),
        ([], [], [contact_id]),
    ]
    assert (job["entity"], len(job["created"]), job["total"]) == ("JOB", 1, 1)
    node = await api.execute("query ($id: ID!) { node(id: $id) { ... on Job { number } } }", id=job["created"][0])
    assert node["node"]


async def test_a_connection_is_followed_through_what_happens_to_it(hub: Hub, owner: Actor, server, token, sandbox):
    connection = await factories.make_connection(hub, owner, sandbox)
    variables = {"connectionId": gid("Connection", connection.id)}
    async with events(server, token, text("connection_changed"), variables) as stream, asyncio.timeout(10):
        now = (await anext(stream))[1]["data"]["connectionChanged"]
        await hub.connections.pause_until(owner.scope, connection.id, 60.0, "Its day is used up.")
        paused = (await anext(stream))[1]["data"]["connectionChanged"]
        await hub.connections.delete(owner, connection.id)
        deleted = (await anext(stream))[1]["data"]["connectionChanged"]

    assert [change["connection"]["status"] for change in (now, paused, deleted)] == ["ACTIVE", "PAUSED", "DISABLED"]
    assert paused["connection"]["statusMessage"] == "Its day is used up."
    assert now["revision"] < paused["revision"] < deleted["revision"]


async def test_a_wake_that_redis_lost_is_found_in_postgres(hub: Hub, owner: Actor, server, token):
    async with AsyncExitStack() as stack:
        (opened,) = await followers(stack, server, token, 1)
        await hub.redis.flushdb()
        await hub.redis.execute_command("CLIENT", "KILL", "TYPE", "pubsub")
        await publish(hub, owner, 1, 2, 3)
        assert [change["revision"] for change in await heard(opened, 3)] == [1, 2, 3]
        await publish(hub, owner, 4)
        assert [change["revision"] for change in await heard(opened, 1)] == [4]
