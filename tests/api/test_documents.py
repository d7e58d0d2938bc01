"""Documents by name and by hash: trusted ones, those that clients register, and a deployment that answers no others."""

import json
import tomllib
from hashlib import sha256
from pathlib import Path
from typing import Any

import httpx
import pytest
from graphql import parse, print_ast

from app.actors import Actor
from app.api.gate import documents
from app.api.gate.documents import PREFIX, TrustedDocuments, trusted_documents
from app.api.gate.persisted import PersistedDocuments
from app.bootstrap import Hub
from app.main import create_app
from tests import factories
from tests.api.client import GraphQLClient
from tests.api.conftest import make_token, serving
from tests.api.operations import NAMES, text
from tests.api.streams import events, receive, socket
from tests.api.variants import asking, with_settings

VIEWER = {"viewer": {"name": "A token for owner"}}
OWN = "query Mine { viewer { name } }"


def digest(query: str) -> str:
    return sha256(query.encode()).hexdigest()


def persisted(query: str) -> dict[str, Any]:
    return {"extensions": {"persistedQuery": {"version": 1, "sha256Hash": digest(query)}}}


async def _post(client: GraphQLClient, **body: Any) -> httpx.Response:
    return await client.http.post("/graphql", json=body, headers={"Authorization": f"Bearer {client.token}"})


def _code(response: httpx.Response) -> str:
    [error] = response.json()["errors"]
    code: str = error["extensions"]["code"]
    return code


@pytest.mark.parametrize("name", NAMES)
def test_every_operation_is_trusted_by_its_names_and_its_hash(name: str):
    trusted = trusted_documents(None)
    operation = "".join(part.capitalize() for part in name.split("_"))

    for document_id in (name, operation, f"sha256:{digest(text(name))}", f"sha256:{digest(text(name).strip())}"):
        assert trusted.text(document_id) == text(name)
    assert text(name) in trusted
    assert text(name) + " " not in trusted


def test_the_wheel_carries_the_operations_where_they_are_looked_for():
    root = Path(documents.__file__).parents[3]
    wheel = tomllib.loads((root / "pyproject.toml").read_text())["tool"]["hatch"]["build"]["targets"]["wheel"]

    assert {root / source: root / target for source, target in wheel["sources"].items()} == {documents.CHECKOUT: documents.PACKAGED}
    assert set(wheel["sources"]) <= set(wheel["only-include"])


async def test_a_trusted_document_is_asked_for_by_name_and_by_hash(api: GraphQLClient):
    for document_id in ("Viewer", "viewer", f"sha256:{digest(text('viewer'))}"):
        response = await _post(api, documentId=document_id)
        assert response.json()["data"]["viewer"]["name"] == "A token for owner"


async def test_a_document_that_is_not_there_or_comes_with_a_text_is_refused(api: GraphQLClient):
    assert _code(await _post(api, documentId="Nothing")) == "DOCUMENT_NOT_FOUND"
    assert _code(await _post(api, documentId=f"sha256:{digest('nothing')}")) == "DOCUMENT_NOT_FOUND"
    both = await _post(api, documentId="Viewer", query=OWN)
    assert (both.status_code, _code(both)) == (400, "BAD_REQUEST")


async def test_a_client_registers_a_document_as_apollo_does(api: GraphQLClient):
    query = f"{OWN} # {factories.key()}"

    unknown = await _post(api, **persisted(query))
    registering = await _post(api, query=query, **persisted(query))
    known = await _post(api, **persisted(query))
    by_id = await _post(api, documentId=f"sha256:{digest(query)}")

    assert unknown.status_code == 200
    assert unknown.json() == {
        "errors": [{"message": "PersistedQueryNotFound", "extensions": {"code": "PERSISTED_QUERY_NOT_FOUND", "fixBy": "CUSTOMER"}}]
    }
    assert registering.json() == known.json() == by_id.json() == {"data": VIEWER}


async def test_a_registered_document_is_known_to_other_processes_but_to_no_other_organization(
    hub: Hub, api: GraphQLClient, token: str, http: httpx.AsyncClient
):
    query = f"{OWN} # {factories.key()}"
    await _post(api, query=query, **persisted(query))
    stranger = GraphQLClient(http, await make_token(hub, await factories.make_organization(hub), "owner"))

    async with asking(with_settings(hub), token) as elsewhere:
        assert (await elsewhere.post("/graphql", json=persisted(query))).json() == {"data": VIEWER}
    assert _code(await _post(stranger, **persisted(query))) == "PERSISTED_QUERY_NOT_FOUND"


async def test_a_hash_of_something_else_and_a_text_that_is_not_valid_are_not_registered(api: GraphQLClient):
    other = await _post(api, query=OWN, **persisted("{ viewer { role } }"))
    wrong = f"{{ nothing }} # {factories.key()}"
    await _post(api, query=wrong, **persisted(wrong))

    assert (other.status_code, _code(other)) == (400, "BAD_REQUEST")
    assert _code(await _post(api, **persisted(wrong))) == "PERSISTED_QUERY_NOT_FOUND"
    assert _code(await _post(api, extensions={"persistedQuery": {"version": 2}})) == "PERSISTED_QUERY_NOT_SUPPORTED"
    assert _code(await _post(api, extensions={"persistedQuery": {"version": 1, "sha256Hash": "x"}})) == "BAD_REQUEST"


async def test_of_registered_documents_the_longest_unused_is_forgotten(hub: Hub, owner: Actor):
    texts = {digest(str(number)): f"text {number}" for number in range(5)}
    first, second, *_ = texts
    documents = PersistedDocuments(hub.redis, 3)
    for each in (first, second):
        await documents.keep(owner.organization_id, each, texts[each])
    await PersistedDocuments(hub.redis, 3).find(owner.organization_id, first)
    for each in list(texts)[2:4]:
        await documents.keep(owner.organization_id, each, texts[each])

    fresh = PersistedDocuments(hub.redis, 3)
    found = {each: await fresh.find(owner.organization_id, each) for each in texts}

    assert found[first] == "text 0"
    assert found[second] is None
    assert sum(found[each] is not None for each in texts) == 3
    assert 0 < await hub.redis.ttl(f"crosswalk:documents:{{{owner.organization_id}}}:{first}") <= 30 * 24 * 3600


ONLY = {"trusted_documents_only": True}
TRUSTED_SENTENCE = "Only trusted documents are answered here: ask for one by its name or hash in `documentId`."


async def test_a_deployment_that_trusts_only_its_own_documents_refuses_all_others(hub: Hub, token: str):
    async with asking(with_settings(hub, **ONLY), token) as client:
        refused = [
            await client.post("/graphql", json={"query": OWN}),
            await client.get("/graphql", params={"query": OWN}),
            await client.post("/graphql", json={"query": "{ __schema { types { name } } }"}),
        ]
        registering = await client.post("/graphql", json={"query": OWN, **persisted(OWN)})
        unknown = await client.post("/graphql", json=persisted(OWN))
        answered = [
            await client.post("/graphql", json={"documentId": "Viewer"}),
            await client.post("/graphql", json={"query": text("viewer")}),
            await client.post("/graphql", json=persisted(text("viewer"))),
            await client.get("/graphql", params={"documentId": "Viewer"}),
        ]

    assert [(_code(response), response.json()["errors"][0]["message"]) for response in refused] == [
        ("DOCUMENT_NOT_TRUSTED", TRUSTED_SENTENCE)
    ] * 3
    assert _code(registering) == _code(unknown) == "PERSISTED_QUERY_NOT_SUPPORTED"
    assert unknown.json()["errors"][0]["message"] == "PersistedQueryNotSupported"
    assert [response.json()["data"]["viewer"]["name"] for response in answered] == ["A token for owner"] * 4


async def test_the_same_holds_for_event_streams_and_websockets(hub: Hub, token: str):
    async with serving(create_app(with_settings(hub, **ONLY))) as server:
        async with events(server, token, OWN, {}) as stream:
            _, answer = await anext(stream)
        async with socket(server, {"authorization": f"Bearer {token}"}) as opened:
            await opened.send(json.dumps({"id": "1", "type": "subscribe", "payload": {"query": OWN}}))
            refused = await receive(opened)
            await opened.send(json.dumps({"id": "2", "type": "subscribe", "payload": {"query": text("viewer")}}))
            answered = await receive(opened)

    assert answer["errors"][0]["extensions"]["code"] == "DOCUMENT_NOT_TRUSTED"
    assert (refused["type"], refused["payload"][0]["message"]) == ("error", TRUSTED_SENTENCE)
    assert answered["payload"]["data"]["viewer"]["name"] == "A token for owner"


async def test_an_event_stream_by_get_names_its_document(server: str, token: str):
    headers = {"Authorization": f"Bearer {token}", "Accept": "text/event-stream"}
    async with httpx.AsyncClient(base_url=f"http://{server}", headers=headers) as client:
        answered = await client.get("/graphql", params={"documentId": "Viewer"})
        refused = await client.get("/graphql", params={"documentId": "Nothing"})

    assert answered.headers["content-type"].startswith("text/event-stream")
    assert "A token for owner" in answered.text
    assert (refused.status_code, _code(refused)) == (400, "DOCUMENT_NOT_FOUND")


async def test_a_websocket_names_documents_too(server: str, token: str):
    query = f"{OWN} # {factories.key()}"
    payloads = [
        {"documentId": "Viewer"},
        persisted(text("viewer")),
        {"documentId": "Nothing"},
        persisted(query),
        {"query": query, **persisted(query)},
        persisted(query),
    ]
    answers = []
    async with socket(server, {"authorization": f"Bearer {token}"}) as opened:
        for number, payload in enumerate(payloads):
            await opened.send(json.dumps({"id": str(number), "type": "subscribe", "payload": payload}))
            answers.append(await receive(opened))
            if answers[-1]["type"] == "next":
                assert await receive(opened) == {"id": str(number), "type": "complete"}

    assert [answer["type"] for answer in answers] == ["next", "next", "error", "error", "next", "next"]
    assert answers[0]["payload"]["data"]["viewer"]["name"] == "A token for owner"
    assert answers[2]["payload"][0]["extensions"]["code"] == "DOCUMENT_NOT_FOUND"
    assert answers[3]["payload"][0]["message"] == "PersistedQueryNotFound"
    assert answers[5]["payload"]["data"] == VIEWER


async def test_a_folder_adds_documents_of_the_deployment(hub: Hub, token: str, tmp_path: Path):
    (tmp_path / "front_page.graphql").write_text("query FrontPage { viewer { name } }\n")
    async with asking(with_settings(hub, **ONLY, trusted_documents_dir=tmp_path), token) as client:
        answers = [await client.post("/graphql", json={"documentId": each}) for each in ("FrontPage", "front_page", "Viewer")]

    assert [answer.json()["data"]["viewer"]["name"] for answer in answers] == ["A token for owner"] * 3


def test_an_operation_that_has_a_file_keeps_its_own_name():
    trusted = TrustedDocuments({"a": "query One { x }", "b": "query One { y }"})

    assert trusted.text("One") == "query One { x }"
    assert trusted.text("b") == "query One { y }"


def test_a_trusted_document_is_known_as_graphql_js_prints_it():
    written = "query Quote($id: ID!) { quote(id: $id) { id } }  # asked by the front end\n"
    printed = print_ast(parse(written))

    trusted = TrustedDocuments({"quote": written})

    assert printed != written
    assert printed in trusted
    assert trusted.text(PREFIX + digest(printed)) == written
