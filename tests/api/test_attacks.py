"""The attacks of the OWASP GraphQL cheat sheet and of graphql-cop: each is refused by name, and refusing it costs little.

https://cheatsheetseries.owasp.org/cheatsheets/GraphQL_Cheat_Sheet.html, https://github.com/dolevf/graphql-cop
"""

import copy
import json
import time
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest

from app.actors import Actor
from app.bootstrap import Hub
from tests import factories
from tests.api.client import GraphQLClient, gid
from tests.api.variants import asking, with_settings

SECONDS = 0.05
"""CPU time that a refusal may take, the client's included."""
TRIES = 5


async def _refused(send: Callable[[int], Awaitable[httpx.Response]]) -> httpx.Response:
    """The answer, asked for several times with another text each time; the cheapest must have been cheap."""
    taken = []
    for number in range(TRIES):
        before = time.process_time()
        response = await send(number)
        taken.append(time.process_time() - before)
    assert min(taken) < SECONDS, f"{min(taken) * 1000:.0f} ms of CPU"
    return response


async def _errors(api: GraphQLClient, query: str, **body: Any) -> list[dict[str, Any]]:
    response = await _refused(lambda number: _post(api, {"query": f"{query} # {number} {factories.key()}", **body}))
    assert "data" not in response.json()
    found: list[dict[str, Any]] = response.json()["errors"]
    return found


def _post(api: GraphQLClient, body: Any) -> Awaitable[httpx.Response]:
    headers = {"Authorization": f"Bearer {api.token}", "Content-Type": "application/json"}
    return api.http.post("/graphql", content=json.dumps(body).encode(), headers=headers)


def _limit(error: dict[str, Any]) -> tuple[str, int, int]:
    extensions = error["extensions"]
    assert extensions["code"] == "LIMIT_EXCEEDED"
    for number in (extensions["allowed"], extensions["measured"]):
        assert f"{number:,}" in error["message"]
    return extensions["limit"], extensions["allowed"], extensions["measured"]


def _aliased(times: int) -> str:
    return "{ " + " ".join(f"a{number}: viewer {{ name }}" for number in range(times)) + " }"


async def test_alias_overload(api: GraphQLClient):
    [many] = await _errors(api, _aliased(1000))
    [few] = await _errors(api, _aliased(101))

    assert _limit(many) == ("tokens", 2000, 6002)
    assert _limit(few) == ("aliases", 30, 101)


async def test_array_based_batching(api: GraphQLClient):
    response = await _refused(lambda _: _post(api, [{"query": "{ viewer { name } }"}] * 10))

    assert response.status_code == 400
    assert _limit(response.json()["errors"][0]) == ("batch", 1, 10)


async def test_directive_overload(api: GraphQLClient):
    [unknown] = await _errors(api, "{ viewer { name " + "@aa " * 900 + "} }")
    [known] = await _errors(api, "{ viewer { name " + "@skip(if: false) " * 10 + "} }")

    assert _limit(unknown) == ("directives", 30, 900)
    assert _limit(known) == ("directives_per_place", 4, 10)


async def test_circular_fragments(api: GraphQLClient):
    spreads = " ".join(f"...f{number}" for number in range(10))
    circle = " ".join(f"fragment f{number} on Viewer {{ {spreads} }}" for number in range(10))

    [error, *_] = await _errors(api, "{ viewer { ...f0 } } " + circle)

    assert error["message"].startswith("Cannot spread fragment 'f0' within itself")


@pytest.mark.parametrize("levels", [18, 45])
async def test_fragments_that_double_at_each_level(api: GraphQLClient, levels: int):
    doubling = " ".join(f"fragment f{n} on SyncRun {{ ...f{n + 1} ...f{n + 1} }}" for n in range(levels))

    [error] = await _errors(api, "{ syncRuns { nodes { ...f0 } } } " + doubling + f" fragment f{levels} on SyncRun {{ id }}")

    assert error["extensions"]["limit"] == "repeats"
    assert error["extensions"]["measured"] == min(2**levels, 1_000_000)


async def test_deep_introspection(hub: Hub, api: GraphQLClient):
    deep = "{ __schema { types " + "{ fields { type " * 8 + "{ name }" + " } }" * 8 + " } }"

    closed = await _errors(api, deep)
    async with asking(with_settings(hub, introspection=True), api.token) as client:
        opened = await _errors(GraphQLClient(client, api.token), deep)

    assert closed[0]["message"].startswith("GraphQL introspection has been disabled")
    assert opened[0]["message"] == "Maximum introspection depth exceeded"


async def test_deep_nesting(api: GraphQLClient):
    [deep] = await _errors(
        api, "{ syncRuns { nodes { connection " + "{ runs { nodes { connection " * 5 + "{ id }" + " } } }" * 5 + " } } }"
    )
    [brackets] = await _errors(api, "{ viewer " + "{ a " * 600 + "} " * 600 + "}")
    [lists] = await _errors(api, "{ nodes(ids: " + "[" * 900 + "]" * 900 + ") { id } }")

    assert _limit(deep)[0] == "depth"
    assert _limit(brackets) == ("nesting", 60, 601)
    assert _limit(lists) == ("nesting", 60, 902)


async def test_field_duplication(api: GraphQLClient):
    [flat] = await _errors(api, "{ viewer { " + "name " * 1000 + "} }")
    nested = "viewer { " + "name " * 6 + "} "
    [tree] = await _errors(api, "{ " + nested * 6 + "}")
    [spread] = await _errors(api, "{ viewer { " + ("... on Viewer { " + "name " * 5 + "} ") * 10 + "} }")

    assert _limit(flat) == ("repeats", 30, 1000)
    assert _limit(tree) == ("repeats", 30, 36)
    assert _limit(spread) == ("repeats", 30, 50)


async def test_pages_inside_pages(api: GraphQLClient):
    pages = " ".join(f"a{number}: syncRuns(first: 100) {{ nodes {{ streams {{ name }} }} }}" for number in range(5))
    [error] = await _errors(api, "{ " + pages + " }")

    assert _limit(error) == ("cost", 5000, 5505)


async def test_field_suggestions(api: GraphQLClient):
    typos = ("{ viewr { name } }", "{ viewer { nme } }", "{ quotes(frst: 1) { nodes { id } } }", "{ quotes(status: OPN) { nodes { id } } }")
    for query in typos:
        errors = await _errors(api, query)
        assert "Did you mean" not in json.dumps(errors)
    long = await _errors(api, "{ " + " ".join(f"viewr{number}" for number in range(500)) + " }")
    assert len(long) <= 21


@pytest.fixture
async def cookie(hub: Hub, owner: Actor) -> dict[str, str]:
    link = await hub.organizations.make_link(owner, person_id=owner.id)
    signed_in = await hub.organizations.use_link(link.rpartition("/")[2], ip=None, user_agent=None)
    return {"Cookie": f"crosswalk_session={signed_in.cookie}"}


CHANGE = 'mutation { createApiToken(name: "Stolen", role: VIEWER, idempotencyKey: "k") { __typename } }'
FROM_ELSEWHERE = {"Origin": "http://evil.test", "Sec-Fetch-Site": "cross-site"}
FROM_HERE = {"Origin": "http://hub.test", "Sec-Fetch-Site": "same-origin"}


async def _token_names(hub: Hub, owner: Actor) -> list[str]:
    return [token.name for token in await hub.organizations.tokens(owner)]


@pytest.mark.parametrize(("origin", "status"), [(FROM_ELSEWHERE, 401), (FROM_HERE, 405)])
async def test_csrf_by_get(hub: Hub, owner: Actor, http: httpx.AsyncClient, cookie: dict[str, str], origin: dict[str, str], status: int):
    response = await _refused(lambda _: http.get("/graphql", params={"query": CHANGE}, headers=cookie | origin))

    assert response.status_code == status
    assert "Stolen" not in await _token_names(hub, owner)


@pytest.mark.parametrize("origin", [FROM_ELSEWHERE, FROM_HERE])
@pytest.mark.parametrize(
    ("media_type", "content"),
    [
        ("application/x-www-form-urlencoded", httpx.QueryParams(query=CHANGE)),
        ("text/plain", json.dumps({"query": CHANGE})),
        ("multipart/form-data; boundary=b", f'--b\r\nContent-Disposition: form-data; name="query"\r\n\r\n{CHANGE}\r\n--b--\r\n'),
        ("text/plain; application/json", json.dumps({"query": CHANGE})),
    ],
)
async def test_csrf_by_form(
    hub: Hub, owner: Actor, http: httpx.AsyncClient, cookie: dict[str, str], media_type: str, content: Any, origin: dict[str, str]
):
    headers = cookie | origin | {"Content-Type": media_type}
    response = await _refused(lambda _: http.post("/graphql", content=str(content).encode(), headers=headers))

    assert response.status_code == (415 if origin is FROM_HERE else 401)
    assert response.json()["errors"][0]["extensions"]["code"] in {"BAD_REQUEST", "NOT_SIGNED_IN"}
    assert "Stolen" not in await _token_names(hub, owner)


@pytest.mark.parametrize("accept", ["text/html", "*/*", "text/html,application/xhtml+xml;q=0.9"])
@pytest.mark.parametrize("path", ["/graphql", "/graphiql", "/playground", "/console/graphql"])
async def test_ide_exposure(api: GraphQLClient, path: str, accept: str):
    headers = {"Authorization": f"Bearer {api.token}", "Accept": accept}
    response = await _refused(lambda _: api.http.get(path, headers=headers))

    assert response.status_code in {303, 404}
    assert "graphiql" not in response.text.lower()


async def test_traces_and_debug_information(hub: Hub, api: GraphQLClient):
    headers = {"Authorization": f"Bearer {api.token}", "X-Debug": "1", "Debug": "true", "apollo-federation-include-trace": "ftv1"}
    body = {"query": "{ viewer { name } }", "extensions": {"tracing": True, "debug": True}}
    response = await _refused(lambda _: api.http.post("/graphql", json=body, headers=headers))

    assert response.json() == {"data": {"viewer": {"name": "A token for owner"}}}
    assert not {name for name in response.headers if "debug" in name or "trace" in name or name == "x-powered-by"}


_QUOTE = gid("Quote", "01a1fdb0-59f4-79e0-90aa-0d2a268ab5b8")
_DECISION = f'quoteId: "{_QUOTE}", version: 1, signatureName: "x", acceptTerms: true, idempotencyKey: "k"'
_APPROVE = {"query": f"mutation {{ approveQuote({_DECISION}) {{ __typename }} }}"}


async def test_what_fails_unexpectedly_says_nothing_of_itself(hub: Hub, token: str):
    broken = copy.copy(hub)
    broken.quotes = None  # type: ignore[assignment]  # the planted mistake: 'NoneType' object has no attribute …
    async with asking(broken, token) as client:
        response = await _refused(lambda _: client.post("/graphql", json=_APPROVE))

    [error] = response.json()["errors"]
    assert error["extensions"]["code"] == "INTERNAL_SERVER_ERROR"
    assert error["message"] == f"Something went wrong on our side (reference {error['extensions']['reference']})."
    assert "NoneType" not in response.text
    assert "Traceback" not in response.text


async def test_more_values_than_an_operation_may_bring(api: GraphQLClient):
    query = "query ($id: ID!, $lines: [ID!]!) { quoteTotals(quoteId: $id, lineIds: $lines) { chosen } }"
    [error] = await _errors(api, query, variables={"id": "x", "lines": ["y"] * 150_000})

    assert _limit(error) == ("values", 10_000, 150_002)


@pytest.mark.parametrize("content", [b"[" * 500_000, b'{"query":' * 100_000, b'{"query": "' + b"{ a " * 200_000 + b'"}', b" " * 900_000])
async def test_big_bodies_that_are_none(api: GraphQLClient, content: bytes):
    headers = {"Authorization": f"Bearer {api.token}", "Content-Type": "application/json"}
    response = await _refused(lambda _: api.http.post("/graphql", content=content, headers=headers))

    assert response.status_code in {200, 400}
    assert response.json()["errors"][0]["extensions"]["code"] in {"BAD_REQUEST", "LIMIT_EXCEEDED"}


@pytest.mark.parametrize(
    "query",
    [
        "#" + "x" * 49_000 + "\n{ nothing }",
        '{ contacts(search: """' + "x\n" * 24_000 + '""") { nothing } }',
        '{ contacts(search: "' + "\\u0041" * 8000 + '") { nothing } }',
        "{ " + "x" * 49_000 + " }",
        "query (" + " ".join(f"$v{number}: Nothing" for number in range(450)) + ") { viewer { name } }",
        "{ viewer(" + " ".join(f"a{number}: 1" for number in range(450)) + ") { name } }",
        "mutation { createSync(streams: [" + " ".join(f"v{number}" for number in range(1500)) + "]) { __typename } }",
    ],
)
async def test_long_documents_that_say_nothing(api: GraphQLClient, query: str):
    response = await _refused(lambda number: _post(api, {"query": f"{query}\n# {number} {factories.key()}"}))

    assert response.json()["errors"]
