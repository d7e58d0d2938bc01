"""A read that comes again is answered by one statement, and nobody can tell by the answer."""

import json
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import httpx
import pytest

from app.actors import Actor
from app.api.gate.admission import Gate
from app.bootstrap import Hub
from app.connectors.servicem8.sandbox.testing import RunningSandbox
from app.database import execute, transaction
from app.ids import new_id
from tests import factories
from tests.api.client import Statements
from tests.api.conftest import make_token
from tests.api.operations import text
from tests.api.test_documents import digest
from tests.api.test_operations import READS, Scene
from tests.api.variants import asking, with_settings
from tests.conftest import Servers
from tests.quotes.world import make_world

GRAPHQL = {"Accept": "application/graphql-response+json"}
RESOLVED = {
    "api_tokens", "connection_statistics", "connectors", "contact_history", "contact_merges", "duplicates", "failed_record",
    "failed_record_causes", "failed_record_payload", "failed_records",
    "field_mapping", "field_mapping_back_test", "field_mapping_changes", "field_mapping_preview", "field_mapping_versions",
    "live_cursor", "merge_preview", "organization", "orphan_counts", "orphaned_mappings",
    "quarantined_deletions", "quote_totals", "schedule_preview",
    "stream_policy", "sync_status", "syncs", "unmapped_fields", "unsynced_objects", "unsynced_records", "viewer",
}  # fmt: skip
"""Operations with a part that only Python tells: they always take the long way."""
OWN = "query Own($first: Int) { quotes(first: $first) { nodes { id } } }"
DEAR = "query ($n: Int!) { quotes(first: $n) { nodes { client { quotes(first: $n) { nodes { id } } } } } }"

Ask = Callable[[httpx.AsyncClient], Any]


def _post(body: Any, **headers: str) -> Ask:
    return lambda client: client.post("/graphql", json=body, headers=headers)


def _get(values: dict[str, Any], **headers: str) -> Ask:
    parameters = {name: value if isinstance(value, str) else json.dumps(value) for name, value in values.items()}
    return lambda client: client.get("/graphql", params=parameters, headers=headers)


def _persisted(query: str) -> dict[str, Any]:
    return {"persistedQuery": {"version": 1, "sha256Hash": digest(query)}}


WAYS: dict[str, Callable[[str, str, dict[str, Any]], Ask]] = {
    "post": lambda name, query, variables: _post({"query": query, "variables": variables}),
    "post, graphql": lambda name, query, variables: _post({"query": query, "variables": variables}, **GRAPHQL),
    "get": lambda name, query, variables: _get({"query": query, "variables": variables}),
    "get, graphql": lambda name, query, variables: _get({"query": query, "variables": variables}, **GRAPHQL),
    "by name": lambda name, query, variables: _post({"documentId": name, "variables": variables}),
    "by hash": lambda name, query, variables: _get({"documentId": f"sha256:{digest(query)}", "variables": variables}),
    "registering": lambda name, query, variables: _post({"query": query, "extensions": _persisted(query), "variables": variables}),
    "registered": lambda name, query, variables: _get({"extensions": _persisted(query), "variables": variables}),
}
REFUSED: dict[str, Ask] = {
    "no document": _post({"variables": {}}),
    "no JSON": lambda client: client.post("/graphql", content=b"{", headers={"Content-Type": "application/json"}),
    "no object": _post("query"),
    "two operations at once": _post([{"query": OWN}, {"query": OWN}]),
    "a form": lambda client: client.post("/graphql", data={"query": OWN}),
    "no GraphQL": _post({"query": "{ quotes("}),
    "no GraphQL, graphql": _post({"query": "{ quotes("}, **GRAPHQL),
    "an unknown field": _post({"query": "{ nothing }"}, **GRAPHQL),
    "introspection": _post({"query": "{ __schema { types { name } } }"}),
    "nested too deep": _post({"query": "{ quotes { nodes " + "{ delivery { quote " * 8 + "{ id }" + "} }" * 8 + " } }"}),
    "too dear": _post({"query": "{ quotes(first: 100) { nodes { client { quotes(first: 100) { nodes { id } } } } } }"}),
    "too dear by a variable": _post({"query": DEAR, "variables": {"n": 100}}),
    "a wrong variable": _post({"query": OWN, "variables": {"first": "many"}}),
    "a wrong variable, graphql": _post({"query": OWN, "variables": {"first": "many"}}, **GRAPHQL),
    "a null that may not be": _post({"query": OWN, "variables": {"first": None}}),
    "a page too large": _post({"query": OWN, "variables": {"first": 101}}),
    "a number too large": _post({"query": OWN, "variables": {"first": 2**31}}),
    "a missing variable": _post({"query": "query ($id: ID!) { quote(id: $id) { id } }"}),
    "an id of nothing": _post({"query": "{ quote(id: \"nothing\") { id } }"}),
    "an id of another type": _get({"query": "query ($id: ID!) { quote(id: $id) { id } }", "variables": {"id": "Sm9iOjE="}}),
    "a wrong cursor": _post({"query": "{ quotes(after: \"MQ\") { nodes { id } } }"}),
    "U+0000": _post({"query": "query ($s: String) { contacts(search: $s) { nodes { id } } }", "variables": {"s": "a\0"}}),
    "half a character in a variable": lambda client: client.post(
        "/graphql",
        content=b'{"query": "query ($s: String) { contacts(search: $s) { nodes { id } } }", "variables": {"s": "\\ud800"}}',
        headers={"Content-Type": "application/json"},
    ),
    "half a character in a document": _post({"query": '{ contacts(search: "\\uD800") { nodes { id } } }'}),
    "U+0000 in a document": _post({"query": '{ contacts(search: "\\u0000") { nodes { id } } }'}),
    "an unknown operation": _post({"query": OWN, "operationName": "Other"}),
    "an unknown name": _post({"documentId": "Nothing"}),
    "a name and a text": _post({"documentId": "Quotes", "query": OWN}),
    "an unknown hash": _post({"extensions": _persisted("{ unknown }")}),
    "a hash of something else": _post({"query": OWN, "extensions": _persisted("{ other }")}),
    "a change by GET": _get({"query": 'mutation { revokeApiToken(id: "x", idempotencyKey: "k") { __typename } }'}),
    "a subscription": _post({"query": "subscription { connectionChanged { __typename } }"}),
    "another method": lambda client: client.put("/graphql", json={"query": OWN}),
}  # fmt: skip


@pytest.fixture(scope="module")
async def scene(hub: Hub, sandbox: RunningSandbox) -> Scene:
    owner = await factories.make_organization(hub)
    return Scene(hub, await make_world(hub, owner, sandbox), owner, sandbox)


@pytest.fixture
async def client(hub: Hub, token: str) -> AsyncIterator[httpx.AsyncClient]:
    """Of an application that has seen no caller yet."""
    async with asking(hub, token) as client:
        yield client


def _told(response: httpx.Response) -> Any:
    """All that a caller can see, without what differs each time."""
    headers = {name: value for name, value in response.headers.items() if name not in ("date", "content-length", "x-request-id")}
    return response.status_code, headers, response.json() if response.content else None


async def _twice(client: httpx.AsyncClient, ask: Ask) -> tuple[httpx.Response, httpx.Response, list[str]]:
    """The answer to a stranger, to one who was seen before, and the statements of that."""
    first, statements = await ask(client), Statements()
    with statements.counted():
        second = await ask(client)
    return first, second, statements.sent


@pytest.mark.parametrize("way", sorted(WAYS))
async def test_every_operation_is_answered_alike_when_it_comes_again(hub: Hub, scene: Scene, way: str):
    for name in sorted(READS):
        title = "".join(part.capitalize() for part in name.split("_"))
        ask = WAYS[way](title, text(name), await scene.variables(name))
        async with asking(hub, await make_token(hub, scene.owner, "owner")) as client:
            first, second, statements = await _twice(client, ask)

        assert _told(second) == _told(first), name
        assert "errors" not in first.json(), name
        assert (len(statements) == 1) is (name not in RESOLVED or READS[name] == 1), (name, statements)


@pytest.mark.parametrize("reason", REFUSED)
async def test_a_refusal_is_the_same_when_it_comes_again(client: httpx.AsyncClient, reason: str):
    await client.post("/graphql", json={"query": OWN})

    first, second, _ = await _twice(client, REFUSED[reason])

    assert _told(second) == _told(first)
    assert first.json()["errors"], reason


async def test_a_refusal_to_a_stranger_is_the_same_as_to_one_who_was_seen(hub: Hub, token: str):
    for reason, ask in REFUSED.items():
        async with asking(hub, token) as client:
            stranger = await ask(client)
            await client.post("/graphql", json={"query": OWN})
            assert _told(await ask(client)) == _told(stranger), reason


async def test_a_caller_who_has_the_answer_gets_304_on_either_way(client: httpx.AsyncClient):
    first = await _get({"query": OWN})(client)
    second = await _get({"query": OWN})(client)
    known = _get({"query": OWN}, **{"If-None-Match": first.headers["etag"]})
    _, again, statements = await _twice(client, known)

    assert second.headers["etag"] == first.headers["etag"]
    assert (again.status_code, again.content) == (304, b"")
    assert {name: again.headers[name] for name in ("etag", "cache-control", "vary")} == {
        name: first.headers[name] for name in ("etag", "cache-control", "vary")
    }
    assert len(statements) == 1


async def test_other_accepted_types_are_answered_alike(client: httpx.AsyncClient):
    for accept in ("*/*", "application/json", "application/*", "text/html", "text/event-stream", "application/graphql-response+json;q=0.1"):
        first, second, _ = await _twice(client, _post({"query": OWN}, Accept=accept))
        assert (second.status_code, second.headers["content-type"]) == (first.status_code, first.headers["content-type"]), accept
        assert second.text == first.text, accept


# Who may no longer ask.

STATEMENTS = {
    "revoked": "UPDATE api_token SET revoked_at = now() WHERE organization_id = $1 AND id = $2",
    "expired": "UPDATE api_token SET expires_at = now() - interval '1 second' WHERE organization_id = $1 AND id = $2",
    "made anew": "UPDATE api_token SET token_hash = sha256('another') WHERE organization_id = $1 AND id = $2",
    "deleted": "DELETE FROM api_token WHERE organization_id = $1 AND id = $2",
}
LESS = {
    "another role": "UPDATE api_token SET role = 'viewer' WHERE organization_id = $1 AND id = $2",
    "fewer permissions": "UPDATE api_token SET permissions = '{quotes:read}' WHERE organization_id = $1 AND id = $2",
}
ASK = {"query": "{ auditEntries(first: 1) { nodes { event } } }"}


async def _change(sql: str, actor: Actor) -> None:
    """As another process does it, which tells this one nothing."""
    async with transaction(actor.scope):
        assert await execute(actor.scope, sql, actor.organization_id, actor.id) == 1


async def _seen(hub: Hub, client: httpx.AsyncClient, token: str) -> Actor:
    """The caller, known to the short way."""
    _, answered, statements = await _twice(client, _post(ASK))
    assert "errors" not in answered.json()
    assert len(statements) == 1
    return await hub.organizations.actor_for_token(token)


@pytest.mark.parametrize("how", STATEMENTS)
async def test_a_token_that_no_longer_stands_is_refused_at_the_next_request(hub: Hub, client: httpx.AsyncClient, token: str, how: str):
    await _change(STATEMENTS[how], await _seen(hub, client, token))

    refused = await client.post("/graphql", json=ASK)

    assert refused.status_code == 401
    assert refused.json()["errors"][0]["extensions"]["code"] == "NOT_SIGNED_IN"


async def test_a_token_that_was_revoked_here_is_refused_at_the_next_request(hub: Hub, client: httpx.AsyncClient, token: str, owner: Actor):
    actor = await _seen(hub, client, token)
    assert actor.id
    await hub.organizations.revoke_token(owner, actor.id)

    assert (await client.post("/graphql", json=ASK)).status_code == 401


@pytest.mark.parametrize("how", LESS)
async def test_a_token_that_may_less_is_refused_at_the_next_request(hub: Hub, client: httpx.AsyncClient, token: str, how: str):
    await _change(LESS[how], await _seen(hub, client, token))

    for _ in range(2):
        [error] = (await client.post("/graphql", json=ASK)).json()["errors"]
        assert error["extensions"]["code"] == "FORBIDDEN"


async def test_a_token_that_may_more_is_answered_at_the_next_request(hub: Hub, owner: Actor):
    token = await make_token(hub, owner, "viewer")
    async with asking(hub, token) as client:
        for _ in range(2):
            [error] = (await client.post("/graphql", json=ASK)).json()["errors"]
            assert error["extensions"]["code"] == "FORBIDDEN"
        more = "UPDATE api_token SET role = 'owner' WHERE organization_id = $1 AND id = $2"
        await _change(more, await hub.organizations.actor_for_token(token))

        answers = [await client.post("/graphql", json=ASK) for _ in range(3)]

    assert all(answer.json()["data"]["auditEntries"]["nodes"] for answer in answers)


async def test_callers_do_not_get_each_others_answers(hub: Hub, client: httpx.AsyncClient):
    ask = {"query": "{ auditEntries(first: 100) { nodes { subjectId } } }"}
    owners = [await factories.make_organization(hub) for _ in range(3)]
    tokens = [await make_token(hub, owner, "owner") for owner in owners]
    found = []
    for turn in range(3):
        answers = [await client.post("/graphql", json=ask, headers={"Authorization": f"Bearer {token}"}) for token in tokens]
        found.append([{node["subjectId"] for node in answer.json()["data"]["auditEntries"]["nodes"]} for answer in answers])
        assert turn == 0 or found[turn] == found[0]

    assert all(found[0])
    assert not found[0][0] & found[0][1]


async def test_a_use_that_was_long_ago_is_written_down_again(hub: Hub, client: httpx.AsyncClient, token: str):
    actor = await _seen(hub, client, token)
    await _change("UPDATE api_token SET last_used_at = now() - interval '1 hour' WHERE organization_id = $1 AND id = $2", actor)

    answer = await client.post("/graphql", json=ASK)

    assert "errors" not in answer.json()
    used = [one.last_used_at for one in await hub.organizations.tokens(actor) if one.id == actor.id]
    assert used[0] > datetime.now(UTC) - timedelta(minutes=1)


# What goes wrong, and what it costs.


async def test_a_surprise_is_masked_on_either_way(hub: Hub, client: httpx.AsyncClient, owner: Actor):
    sql = "INSERT INTO record (organization_id, id, entity, data) VALUES ($1, $2, 'contact', $3)"
    async with transaction(owner.scope):
        await execute(owner.scope, sql, owner.organization_id, new_id(), {"name": "Odd", "is_individual": "perhaps"})

    first, second, statements = await _twice(client, _post({"query": "{ contacts { nodes { isIndividual } } }"}))

    assert len(statements) == 1
    for answer in (first, second):
        [error] = answer.json()["errors"]
        reference = error["extensions"].pop("reference")
        assert error["message"] == f"Something went wrong on our side (reference {reference})."
        assert error["extensions"] == {"code": "INTERNAL_SERVER_ERROR"}
        assert "perhaps" not in answer.text
    assert first.headers["content-type"] == second.headers["content-type"]
    assert first.json().keys() == second.json().keys()


async def test_a_read_that_takes_too_long_is_stopped_on_either_way(hub: Hub, token: str, servers: Servers):
    holder = await asyncpg.connect(servers.owner_url)
    async with asking(with_settings(hub, limit_read_seconds=0.3), token) as client:
        await client.post("/graphql", json={"query": "{ clients { nodes { id } } }"})
        async with holder.transaction():
            await holder.execute("LOCK TABLE site IN ACCESS EXCLUSIVE MODE")
            ask = _post({"query": "{ clients { nodes { sites { name } } } }"})
            known = await ask(client)
            async with asking(with_settings(hub, limit_read_seconds=0.3), token) as stranger:
                unknown = await ask(stranger)
    await holder.close()

    assert known.json()["errors"][0]["extensions"]["limit"] == "read_seconds"
    assert _told(known) == _told(unknown)


async def test_what_a_read_costs_is_counted_once_on_either_way(hub: Hub, token: str):
    slow = with_settings(hub, rate_cost_per_minute=6000)
    rates, actor = Gate.of(slow).rates, await hub.organizations.actor_for_token(token)
    ask = _post({"query": "{ quotes(first: 100) { nodes { id } } }"})
    counted = []
    async with asking(slow, token) as client:
        await ask(client)
        for _ in range(5):
            before = rates.used(actor)
            await ask(client)
            counted.append(rates.used(actor) - before)

    assert counted == pytest.approx([101] * 5, abs=20)


async def test_a_read_that_the_short_way_gives_up_is_counted_once(hub: Hub, token: str):
    slow = with_settings(hub, rate_cost_per_minute=6000)
    rates, ask = Gate.of(slow).rates, _post({"query": "{ quotes(first: 100) { nodes { number } } }"})
    async with asking(slow, token) as client:
        await ask(client)
        actor = await hub.organizations.actor_for_token(token)
        long_ago = "UPDATE api_token SET last_used_at = now() - interval '1 hour' WHERE organization_id = $1 AND id = $2"
        await _change(long_ago, actor)
        before = rates.used(actor)
        answer = await ask(client)

    assert "errors" not in answer.json()
    assert rates.used(actor) - before == pytest.approx(101, abs=20)
    await rates.settled()
    assert rates.used(actor) - before == pytest.approx(101, abs=30)


async def test_a_read_that_is_too_dear_is_counted_once(hub: Hub, token: str):
    poor = with_settings(hub, rate_cost_per_minute=600, limit_cost=3)
    rates, actor = Gate.of(poor).rates, await hub.organizations.actor_for_token(token)
    async with asking(poor, token) as client:
        await client.post("/graphql", json={"query": "{ quotes(first: 1) { nodes { id } } }"})
        await client.post("/graphql", json={"query": OWN})
        before = rates.used(actor)
        for _ in range(30):
            await client.post("/graphql", json={"query": OWN})

    assert 15 <= rates.used(actor) - before <= 31


async def test_who_asks_too_much_is_told_the_same_on_either_way(hub: Hub, token: str):
    poor = with_settings(hub, rate_cost_per_minute=400)
    ask = _post({"query": "{ quotes(first: 100) { nodes { id } } }"})
    async with asking(poor, token) as client:
        answers = [await ask(client) for _ in range(6)]
        async with asking(poor, token) as stranger:
            unknown = await ask(stranger)

    known = answers[-1]
    assert "errors" not in answers[1].json()
    assert (known.status_code, known.headers["content-type"]) == (unknown.status_code, unknown.headers["content-type"])
    assert known.status_code == 429
    assert int(known.headers["retry-after"]) == pytest.approx(int(unknown.headers["retry-after"]), abs=1)
    assert known.json()["errors"][0]["extensions"]["code"] == unknown.json()["errors"][0]["extensions"]["code"] == "RATE_LIMITED"


async def test_what_a_read_costs_is_told_whenever_it_is_asked(client: httpx.AsyncClient):
    ask = _post({"query": OWN, "variables": {"first": 7}, "extensions": {"cost": True}})

    first, second, _ = await _twice(client, ask)

    assert first.json()["extensions"]["cost"]["operation"] == second.json()["extensions"]["cost"]["operation"] == 8


async def test_people_at_a_browser_take_the_long_way(hub: Hub, client: httpx.AsyncClient):
    """A session is looked up each time; only tokens are remembered."""
    refused = await client.post("/graphql", json={"query": OWN}, headers={"Authorization": ""})

    assert refused.status_code == 401
