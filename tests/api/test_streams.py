"""Live streams over WebSocket and server-sent events: resumed without gaps, ended when the caller may no longer listen."""

import asyncio
from contextlib import AsyncExitStack

import pytest
from strawberry.relay import GlobalID
from websockets.exceptions import ConnectionClosed

from app.actors import Actor
from app.bootstrap import Hub
from app.connectors.servicem8.sandbox.testing import RunningSandbox
from tests import factories
from tests.api.client import gid
from tests.api.operations import run, text
from tests.api.streams import events, receive, socket, subscribe
from tests.quotes.world import World, make_world


@pytest.fixture
async def world(hub: Hub, owner: Actor, sandbox: RunningSandbox) -> World:
    return await make_world(hub, owner, sandbox)


def _bearer(token: str) -> dict[str, str]:
    return {"authorization": f"Bearer {token}"}


async def _start(api, world: World) -> str:
    started = await run(api, "start_sync", connectionId=gid("Connection", world.connection.id), mode="FULL", idempotencyKey=factories.key())
    return started["run"]["id"]


async def _finish(hub: Hub, world: World, run_id: str) -> None:
    await factories.finish(hub, world.operator, await hub.syncs.run(world.operator, GlobalID.from_id(run_id).node_id))


async def _progress_by_socket(
    server: str, token: str, run_id: str, after: str | None = None, began: asyncio.Event | None = None
) -> list[dict]:  # fmt: skip
    """What a listener sees of a run until its end; `began` is set with the first of it."""
    seen = []
    async with socket(server, _bearer(token)) as opened:
        await subscribe(opened, text("sync_run_progress"), {"runId": run_id, "after": after})
        async with asyncio.timeout(20):
            while (message := await receive(opened))["type"] == "next":
                seen.append(message["payload"]["data"]["syncRunProgress"])
                if began:
                    began.set()
        assert message == {"id": "1", "type": "complete"}
    return seen


async def _progress_by_events(
    server: str, token: str, run_id: str, after: str | None = None, began: asyncio.Event | None = None
) -> list[dict]:  # fmt: skip
    """The same over server-sent events."""
    seen = []
    async with events(server, token, text("sync_run_progress"), {"runId": run_id, "after": after}) as stream, asyncio.timeout(20):
        async for event, data in stream:
            if event == "complete":
                return seen
            seen.append(data["data"]["syncRunProgress"])
            if began:
                began.set()
    raise AssertionError("The stream ended without saying that it is complete.")


@pytest.mark.parametrize("follow", [_progress_by_socket, _progress_by_events])
async def test_a_sync_run_is_followed_from_its_start_to_its_end(hub, server, token, api, world, follow):
    run_id = await _start(api, world)
    began = asyncio.Event()
    following = asyncio.create_task(follow(server, token, run_id, began=began))
    async with asyncio.timeout(20):
        await began.wait()

    await _finish(hub, world, run_id)
    seen = await following

    assert seen[0]["run"]["status"] == "QUEUED"
    assert (seen[-1]["run"]["status"], seen[-1]["run"]["progress"]) == ("COMPLETED", 100)
    revisions = [event["revision"] for event in seen]
    assert revisions == sorted(set(revisions))
    progress = [event["run"]["progress"] for event in seen]
    assert progress == sorted(progress)


async def test_whoever_comes_back_misses_nothing_and_gets_nothing_twice(hub, server, token, api, world):
    run_id = await _start(api, world)
    began = asyncio.Event()
    whole = asyncio.create_task(_progress_by_socket(server, token, run_id, began=began))
    async with asyncio.timeout(20):
        await began.wait()
    await _finish(hub, world, run_id)
    everything = [(event["cursor"], event["revision"]) for event in await whole]
    assert len(everything) > 3

    for place, (cursor, _) in enumerate(everything):
        rest = await _progress_by_events(server, token, run_id, cursor)
        assert [(event["cursor"], event["revision"]) for event in rest] == everything[place + 1 :]


async def test_quotes_are_followed_with_their_decision_and_delivery(hub, server, token, api, world):
    quote = gid("Quote", world.quote_id)
    async with socket(server, _bearer(token)) as opened, asyncio.timeout(20):
        await subscribe(opened, text("quote_changed"), {"quoteId": quote})
        first = (await receive(opened))["payload"]["data"]["quoteChanged"]
        await world.approve()
        decided = (await receive(opened))["payload"]["data"]["quoteChanged"]
        await world.deliver()
        delivered = decided
        while delivered["quote"]["delivery"]["status"] != "CONFIRMED":
            delivered = (await receive(opened))["payload"]["data"]["quoteChanged"]

    assert (first["quote"]["status"], first["quote"]["delivery"]) == ("OPEN", None)
    assert (decided["quote"]["status"], decided["quote"]["delivery"]["status"]) == ("APPROVED", "QUEUED")
    async with events(server, token, text("quote_changed"), {"after": first["cursor"]}) as stream, asyncio.timeout(20):
        cursors = [(await anext(stream))[1]["data"]["quoteChanged"]["cursor"] for _ in range(2)]
    assert cursors[0] == decided["cursor"]


async def test_a_cursor_of_somebody_elses_making_is_refused(server, token):
    async with events(server, token, text("quote_changed"), {"after": "nonsense"}) as stream:
        _, data = await anext(stream)

    assert data["errors"][0]["message"] == "This cursor is not one of ours; start again without it."


async def test_a_signed_in_browser_opens_a_websocket_from_our_own_page(hub, owner, server):
    link = await hub.organizations.make_link(owner, person_id=owner.id)
    cookie = (await hub.organizations.use_link(link.rpartition("/")[2], ip=None, user_agent=None)).cookie

    async with socket(server, None, Cookie=f"crosswalk_session={cookie}", Origin=f"http://{server}") as opened:
        await subscribe(opened, "{ viewer { role } }", {})
        assert (await receive(opened))["payload"]["data"] == {"viewer": {"role": "OWNER"}}


async def test_a_revoked_token_ends_open_streams_within_seconds(hub, owner, server, world):
    token, secret = await hub.organizations.create_token(owner, name="Watcher", role="viewer")
    async with AsyncExitStack() as stack:
        opened = await stack.enter_async_context(socket(server, _bearer(secret)))
        await subscribe(opened, text("quote_changed"), {})
        stream = await stack.enter_async_context(events(server, secret, text("quote_changed"), {"quoteId": gid("Quote", world.quote_id)}))
        assert (await anext(stream))[0] == "next"

        await hub.organizations.revoke_token(owner, token.id)

        async with asyncio.timeout(8):
            with pytest.raises(ConnectionClosed) as closed:
                await opened.recv()
            assert await anext(stream) == ("complete", None)
    assert closed.value.rcvd.code == 4401


async def test_a_session_that_has_ended_closes_its_websocket_at_its_next_operation(hub, owner, server):
    link = await hub.organizations.make_link(owner, person_id=owner.id)
    cookie = (await hub.organizations.use_link(link.rpartition("/")[2], ip=None, user_agent=None)).cookie
    signed_in = await hub.organizations.actor_for_session(cookie)

    async with socket(server, None, Cookie=f"crosswalk_session={cookie}", Origin=f"http://{server}") as opened:
        await hub.organizations.sign_out(signed_in.actor, signed_in.session.id)
        await subscribe(opened, "{ viewer { role } }", {})
        with pytest.raises(ConnectionClosed) as closed:
            await opened.recv()
    assert closed.value.rcvd.code == 4401
