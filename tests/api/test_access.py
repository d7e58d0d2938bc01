"""Who may ask, and what a request must look like."""

import httpx
import pytest

from app.actors import Actor
from app.bootstrap import Hub
from app.connectors.servicem8.sandbox.testing import RunningSandbox
from tests.api.client import GraphQLClient, gid
from tests.api.conftest import make_token
from tests.quotes.world import make_world

ASK = {"query": "{ viewer { name } }"}


@pytest.mark.parametrize("query", ["{ viewer { name } }", "{ __schema { types { name } } }", "not even a query"])
async def test_every_operation_needs_a_token_or_session(http: httpx.AsyncClient, query: str):
    response = await http.post("/graphql", json={"query": query})

    assert response.status_code == 401
    assert response.headers["www-authenticate"].startswith("Bearer")
    [error] = response.json()["errors"]
    assert error["extensions"]["code"] == "NOT_SIGNED_IN"
    assert "Authorization: Bearer cw_" in error["message"]


@pytest.mark.parametrize("value", ["Bearer", "Bearer cw_nothing", "Basic dTpw", "Bearer " + "cw_" + "0" * 32 + "_x", "Bearer é"])
async def test_a_token_that_is_none_of_ours_is_refused(http: httpx.AsyncClient, value: str):
    response = await http.post("/graphql", json=ASK, headers={"Authorization": value.encode()})

    assert response.status_code == 401


async def test_a_revoked_token_is_refused_at_once(hub: Hub, owner: Actor, http: httpx.AsyncClient):
    token, secret = await hub.organizations.create_token(owner, name="Soon gone", role="viewer")
    client = GraphQLClient(http, secret)
    assert (await client.execute("{ viewer { name role } }"))["viewer"] == {"name": "Soon gone", "role": "VIEWER"}

    await hub.organizations.revoke_token(owner, token.id)

    assert (await client.send("{ viewer { name } }")).status_code == 401


async def _cookie(hub: Hub, owner: Actor) -> dict[str, str]:
    link = await hub.organizations.make_link(owner, person_id=owner.id)
    signed_in = await hub.organizations.use_link(link.rpartition("/")[2], ip=None, user_agent=None)
    return {"Cookie": f"crosswalk_session={signed_in.cookie}"}


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Sec-Fetch-Site": "same-origin"}, 200),
        ({"Origin": "http://hub.test"}, 200),
        ({"Sec-Fetch-Site": "cross-site", "Origin": "http://hub.test"}, 401),
        ({"Sec-Fetch-Site": "same-site"}, 401),
        ({"Origin": "http://evil.test"}, 401),
        ({"Origin": "null"}, 401),
        ({}, 401),
    ],
)
async def test_a_session_counts_only_for_requests_from_our_own_pages(
    hub: Hub, owner: Actor, http: httpx.AsyncClient, headers: dict[str, str], status: int
):
    response = await http.post("/graphql", json=ASK, headers=await _cookie(hub, owner) | headers)

    assert response.status_code == status, response.text


async def test_introspection_and_suggestions_are_for_developers(api: GraphQLClient):
    introspection, *_ = await api.errors("{ __schema { types { name } } }")
    [typo] = await api.errors("{ viewr { name } }")

    assert "introspection has been disabled" in introspection["message"]
    assert typo["message"] == "Cannot query field 'viewr' on type 'Query'."


async def test_introspection_works_where_the_setting_allows_it_but_not_without_a_token(open_server: str, token: str):
    async with httpx.AsyncClient(base_url=f"http://{open_server}") as client:
        query = {"query": "{ __schema { queryType { name } } }"}
        assert (await client.post("/graphql", json=query)).status_code == 401
        response = await client.post("/graphql", json=query, headers={"Authorization": f"Bearer {token}"})
        page = await client.get("/graphql", headers={"Authorization": f"Bearer {token}", "Accept": "text/html"})

    assert response.json() == {"data": {"__schema": {"queryType": {"name": "Query"}}}}
    assert "graphiql" in page.text.lower()


async def test_what_the_api_answers_carries_security_headers_and_is_kept_by_no_cache(api: GraphQLClient):
    headers = (await api.send("{ viewer { name } }")).headers

    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "DENY"
    assert "default-src 'none'" in headers["content-security-policy"]
    assert headers["cache-control"] == "no-store"


async def test_a_body_over_the_limit_is_refused_with_a_sentence(http: httpx.AsyncClient, token: str):
    async def endless():
        for _ in range(40):
            yield b" " * 50_000

    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    for content in (b" " * 1_000_001, endless()):
        response = await http.post("/graphql", content=content, headers=headers)
        assert response.status_code == 413
        assert "1,000,000 bytes is the limit" in response.json()["errors"][0]["message"]


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"null", b"[]", b"7", b'"text"', b'{"query": 7}', b'{"query": "{viewer{name}}", "variables": []}', b"\xff", b"[" * 5000],
)
async def test_a_body_that_is_no_request_is_the_callers_mistake(http: httpx.AsyncClient, token: str, body: bytes):
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    response = await http.post("/graphql", content=body, headers=headers)

    assert response.status_code == 400, response.text
    assert response.json()["errors"][0]["message"]


async def test_a_mutation_cannot_be_sent_by_get(http: httpx.AsyncClient, token: str):
    query = 'mutation { revokeApiToken(id: "x", idempotencyKey: "k") { __typename } }'
    response = await http.get("/graphql", params={"query": query}, headers={"Authorization": f"Bearer {token}"})

    assert (response.status_code, response.headers["allow"]) == (405, "POST")
    assert response.json()["errors"][0]["message"] == "Changes are not made by GET: send a mutation by POST."


async def test_text_that_the_database_cannot_hold_is_refused(api: GraphQLClient):
    for query, variables in (
        ('{ contacts(search: "a\\u0000b") { nodes { id } } }', {}),
        ("query ($s: String) { contacts(search: $s) { nodes { id } } }", {"s": "a\0b"}),
    ):
        [error] = await api.errors(query, **variables)
        assert error["extensions"]["code"] == "BAD_USER_INPUT"
        assert "U+0000" in error["message"]


async def test_limits_are_enforced_through_http(api: GraphQLClient):
    deep = await api.errors("{ syncRuns { nodes { " + "connection { connector { " * 6 + "title" + " } }" * 6 + " } } }")
    tokens = await api.errors("{ viewer { " + "name " * 2000 + "} }")

    assert "nested" in deep[0]["message"] or "Cannot query" in deep[0]["message"]
    assert "2,000 is the limit" in tokens[0]["message"]


async def test_a_clients_contact_sees_its_own_quotes_and_nothing_else(
    hub: Hub, owner: Actor, sandbox: RunningSandbox, http: httpx.AsyncClient
):
    world = await make_world(hub, owner, sandbox)
    link = await hub.organizations.make_link(owner, client_contact_id=world.contact.id)
    cookie = (await hub.organizations.use_link(link.rpartition("/")[2], ip=None, user_agent=None)).cookie
    headers = {"Cookie": f"crosswalk_session={cookie}", "Sec-Fetch-Site": "same-origin"}

    query = "{ viewer { role } quotes { nodes { number connection { id } client { name } lines { description } } } }"
    own = (await http.post("/graphql", json={"query": query}, headers=headers)).json()
    other = (await http.post("/graphql", json={"query": "{ connections { nodes { id } } }"}, headers=headers)).json()
    run = {"query": "query ($id: ID!) { node(id: $id) { id } }", "variables": {"id": gid("Connection", world.connection.id)}}

    assert own["data"]["viewer"] == {"role": "CLIENT_CONTACT"}
    [quote] = own["data"]["quotes"]["nodes"]
    assert (quote["connection"], quote["client"]) == (None, None)
    assert [line["description"] for line in quote["lines"]] == ["Switchboard", "Labour", "Surge arrester"]
    assert other["errors"][0]["extensions"]["code"] == "FORBIDDEN"
    assert (await http.post("/graphql", json=run, headers=headers)).json() == {"data": {"node": None}}


async def test_another_organizations_things_do_not_exist(hub: Hub, owner: Actor, sandbox: RunningSandbox, http: httpx.AsyncClient):
    from tests.factories import make_organization

    world = await make_world(hub, owner, sandbox)
    stranger = GraphQLClient(http, await make_token(hub, await make_organization(hub), "owner"))
    ids = [gid("Connection", world.connection.id), gid("Quote", world.quote_id)]

    found = await stranger.execute("query ($ids: [ID!]!, $c: ID!) { nodes(ids: $ids) { id } connection(id: $c) { id } }", ids=ids, c=ids[0])
    refused = await stranger.change("deleteConnection", "id: $id", "", id=("ID!", ids[0]))

    assert found == {"nodes": [None, None], "connection": None}
    assert refused["__typename"] == "NotFound"
