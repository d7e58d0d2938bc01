"""Every subscription, followed by every role on own and foreign things: over WebSockets and as server-sent events."""

import asyncio
from datetime import UTC, datetime, timedelta
from uuid import UUID

import httpx
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from app.actors import Actor, Permission
from tests.api.streams import PROTOCOL
from tests.security.callers import Caller, Callers
from tests.security.documents import document
from tests.security.fields import SUBSCRIPTIONS, Field
from tests.security.matrix import Matrix, global_id, hidden_from
from tests.security.streams import SECONDS, WAYS, as_answer, first
from tests.security.world import World

ROLES = ["client_contact", "owner", "operator", "viewer"]
QUOTES = next(each for each in SUBSCRIPTIONS if each.name.endswith("quoteChanged"))


async def _problems(matrix: Matrix, way: str, server: str, caller: Caller, each: Field) -> list[str]:
    """What a caller hears of own things, of others' and of nothing, that it should not."""
    [(argument, kind)] = each.ids.items()
    world, found = matrix.world, list[str]()
    values = each.values(world)
    nothing = await first(way, server, caller, each, {argument: global_id(kind, world.unknown.ids[kind]), **values})
    for things in (world.own, world.other, world.abroad):
        answer = await first(way, server, caller, each, {argument: global_id(kind, things.ids[kind]), **values})
        found += matrix.leaks(caller, answer)
        if not each.needs <= caller.permissions:
            found += [] if answer.codes == ["FORBIDDEN"] else [f"it should have been refused: {answer.text}"]
        elif matrix.reaches(caller, kind, things):
            found += [] if answer.of(each) and matrix.world.database.marks_in(answer.text) else [f"it should have worked: {answer.text}"]
        elif answer.neutral != nothing.neutral:
            found.append(f"it answers otherwise than for ids of nothing: {answer.text} / {nothing.text}")
    return [f"{caller.name}, {each}, {way}: {problem}" for problem in found]


@pytest.mark.requirement("SM8-87", "SM8-88")
@pytest.mark.parametrize("way", list(WAYS))
@pytest.mark.parametrize("role", ROLES)
async def test_a_role_follows_its_own_and_nothing_else(matrix: Matrix, callers: Callers, server: str, role: str, way: str):
    caller = callers.roles[role]
    matrix.hidden = hidden_from(caller, await matrix.world.database.dump(matrix.world.owners))

    problems = [problem for each in SUBSCRIPTIONS for problem in await _problems(matrix, way, server, caller, each)]

    assert not problems, "\n".join(problems)


@pytest.mark.requirement("SM8-88")
@pytest.mark.parametrize("permission", [Permission.READ_QUOTES, Permission.READ_SYNCS])
@pytest.mark.parametrize("way", list(WAYS))
async def test_a_token_without_the_permission_follows_nothing(
    matrix: Matrix, callers: Callers, server: str, permission: Permission, way: str
):
    for each in SUBSCRIPTIONS:
        problems = await _problems(matrix, way, server, callers.lacking[permission], each)
        assert not problems, "\n".join(problems)


async def _move(world: World, owner: Actor, quote_id: UUID) -> int:
    """Something happens to a quote. Returns its revision."""
    changed = await world.hub.quotes.set_validity(owner, quote_id, valid_until=datetime.now(UTC) + timedelta(days=9))
    return changed.revision


@pytest.mark.requirement("SM8-87")
@pytest.mark.parametrize("way", list(WAYS))
@pytest.mark.parametrize("after", [None, "0.0"])
async def test_whoever_follows_all_quotes_hears_of_its_own_only(matrix: Matrix, callers: Callers, server: str, way: str, after: str | None):
    """What others' quotes do meanwhile, and what they did before, stays with them."""
    world, client = matrix.world, callers.roles["client_contact"]
    matrix.hidden = hidden_from(client, await world.database.dump(world.owners))
    variables = {} if after is None else {"after": after}
    heard = []

    async with asyncio.timeout(SECONDS), WAYS[way](server, client, document(QUOTES.name, tuple(variables)), variables) as stream:
        listening = asyncio.ensure_future(anext(stream))
        await asyncio.sleep(0.3)  # a subscription without `after` begins when the server has taken it up
        await _move(world, world.abroad_owner, world.abroad.ids["Quote"])
        await _move(world, world.owner, world.other.ids["Quote"])
        last = await _move(world, world.owner, world.own.ids["Quote"])
        while not heard or (_quote(heard[-1]), _revision(heard[-1])) != (global_id("Quote", world.own.ids["Quote"]), last):
            heard.append(await listening)
            listening = asyncio.ensure_future(anext(stream))
        listening.cancel()

    assert [leak for payload in heard for leak in matrix.leaks(client, as_answer(payload))] == []
    own = {global_id("Quote", world.own.ids[kind]) for kind in ("Quote", "OpenQuote")}
    assert {_quote(payload) for payload in heard} == (own if after else {global_id("Quote", world.own.ids["Quote"])})


def _quote(payload: dict) -> str:
    return payload["data"]["quoteChanged"]["quote"]["id"]


def _revision(payload: dict) -> int:
    return payload["data"]["quoteChanged"]["revision"]


@pytest.mark.requirement("SM8-88")
async def test_whoever_is_nobody_follows_nothing(callers: Callers, server: str):
    for name, caller in callers.strangers.items():
        with pytest.raises(ConnectionClosed) as closed:
            async with connect(f"ws://{server}/graphql", subprotocols=[PROTOCOL], additional_headers=caller.headers) as opened:
                await opened.send('{"type": "connection_init"}')
                await opened.recv()
        assert closed.value.rcvd.code == 4403, name
        async with httpx.AsyncClient(base_url=f"http://{server}") as client:
            body = {"query": document(QUOTES.name, ())}
            refused = await client.post("/graphql", json=body, headers={**caller.headers, "Accept": "text/event-stream"})
        assert refused.status_code == 401, name
