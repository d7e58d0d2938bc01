"""Reads by GET: answers that a browser keeps and asks about again."""

import json

import httpx
import pytest

from app.bootstrap import Hub
from tests.api.client import GraphQLClient
from tests.api.operations import text
from tests.api.test_documents import OWN, digest


async def _get(api: GraphQLClient, parameters: dict[str, str], **headers: str) -> httpx.Response:
    return await api.http.get("/graphql", params=parameters, headers={"Authorization": f"Bearer {api.token}", **headers})


@pytest.mark.parametrize(
    "parameters",
    [
        {"query": OWN},
        {"query": "query ($n: Int!) { viewer { name } quotes(first: $n) { nodes { id } } }", "variables": '{"n": 3}'},
        {"documentId": "Viewer"},
        {"extensions": json.dumps({"persistedQuery": {"version": 1, "sha256Hash": digest(text("viewer"))}})},
    ],
)
async def test_a_read_by_get_is_answered_with_a_validator(api: GraphQLClient, parameters: dict[str, str]):
    first = await _get(api, parameters)
    again = await _get(api, parameters, **{"If-None-Match": f'"other", W/{first.headers["etag"]}'})

    assert first.json()["data"]["viewer"]["name"] == "A token for owner"
    assert first.headers["cache-control"] == "private, no-cache"
    assert {"Authorization", "Cookie", "Accept"} <= {name.strip() for name in first.headers["vary"].split(",")}
    assert (again.status_code, again.content) == (304, b"")
    assert {name: again.headers[name] for name in ("etag", "cache-control")} == {
        name: first.headers[name] for name in ("etag", "cache-control")
    }


async def test_an_answer_that_changed_is_sent_again(hub: Hub, api: GraphQLClient, owner):
    parameters = {"query": "{ apiTokens { name } }"}
    first = await _get(api, parameters)
    await hub.organizations.create_token(owner, name="Another", role="viewer")

    again = await _get(api, parameters, **{"If-None-Match": first.headers["etag"]})

    assert again.status_code == 200
    assert again.headers["etag"] != first.headers["etag"]
    assert {"name": "Another"} in again.json()["data"]["apiTokens"]


async def test_what_failed_and_what_came_by_post_is_not_kept(api: GraphQLClient):
    failed = await _get(api, {"query": "{ nothing }"})
    posted = await api.send(OWN)

    for response in (failed, posted):
        assert "etag" not in response.headers
        assert response.headers["cache-control"] == "no-store"


async def test_who_may_not_ask_gets_no_304(api: GraphQLClient):
    etag = (await _get(api, {"query": OWN})).headers["etag"]

    response = await api.http.get("/graphql", params={"query": OWN}, headers={"If-None-Match": etag})

    assert response.status_code == 401


async def test_the_media_type_is_part_of_what_was_asked_for(api: GraphQLClient):
    response = await _get(api, {"query": OWN}, Accept="application/graphql-response+json")

    assert response.headers["content-type"] == "application/graphql-response+json; charset=utf-8"
    assert response.headers["etag"]


@pytest.mark.parametrize(
    "parameters",
    [
        {"query": OWN, "variables": "{"},
        {"query": OWN, "variables": "[]"},
        {"query": OWN, "extensions": "7"},
        {"query": ""},
        {"documentId": "Nothing", "query": OWN},
    ],
)
async def test_parameters_that_are_none_are_the_callers_mistake(api: GraphQLClient, parameters: dict[str, str]):
    response = await _get(api, parameters)

    assert response.status_code == 400
    assert response.json()["errors"][0]["extensions"]["code"] == "BAD_REQUEST"
