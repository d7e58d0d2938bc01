"""Whether the hub says truthfully that it can work, and how it speaks of what nobody expected."""

import copy
from types import SimpleNamespace

import httpx
from redis.exceptions import ConnectionError as RedisConnectionError
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.routing import Route

from app.api import health
from app.api.errors import http_error, surprise
from app.api.masking import sentence_for
from app.bootstrap import Hub
from app.main import create_app
from tests.api.client import GraphQLClient


async def test_a_living_process_says_so_without_a_token(http: httpx.AsyncClient):
    response = await http.get("/health/live")

    assert (response.status_code, response.json()) == (200, {"status": "live"})


async def test_a_hub_with_all_that_it_needs_is_ready(http: httpx.AsyncClient):
    response = await http.get("/health/ready")

    assert response.status_code == 200
    assert response.json() == {"status": "ready", "checks": {"database": "ok", "redis": "ok", "migrations": "ok"}}


async def test_a_hub_whose_redis_is_away_is_not_ready_and_says_so(hub: Hub):
    class Away:
        async def ping(self) -> None:
            raise RedisConnectionError("Error connecting to redis://:secret@10.0.0.1")

    broken = copy.copy(hub)
    broken.redis = Away()
    transport = httpx.ASGITransport(create_app(broken))
    async with httpx.AsyncClient(transport=transport, base_url="http://hub.test") as client:
        response = await client.get("/health/ready")

    assert response.status_code == 503
    assert response.json()["checks"]["redis"] == "Not reachable (ConnectionError)."
    assert "secret" not in response.text


async def test_an_unknown_address_is_answered_in_json_or_as_a_page(http: httpx.AsyncClient):
    program = await http.get("/nothing", headers={"Accept": "application/json"})
    browser = await http.get("/nothing", headers={"Accept": "text/html,*/*"})

    assert (program.status_code, browser.status_code) == (404, 404)
    assert program.json()["errors"][0]["message"] == "There is nothing at this address."
    assert "There is nothing at this address." in browser.text


async def _fail(request: Request) -> None:
    raise RuntimeError("the password is hunter2")


async def test_a_surprise_outside_of_graphql_is_masked_and_can_be_found_by_its_reference(capsys):
    app = Starlette(routes=[Route("/fails", _fail)], exception_handlers={HTTPException: http_error, Exception: surprise})
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://hub.test") as client:
        response = await client.get("/fails")

    message = response.json()["errors"][0]["message"]
    reference = message.partition("reference ")[2].rstrip(").")
    assert response.status_code == 500
    assert message == sentence_for(reference)
    assert "hunter2" not in response.text
    assert response.headers["x-frame-options"] == "DENY"
    logged = capsys.readouterr()
    assert reference in logged.out + logged.err


async def test_a_surprise_in_a_resolver_is_masked_and_can_be_found_by_its_reference(hub: Hub, token: str, capsys):
    async def get(actor: object) -> None:
        raise RuntimeError("the password is hunter2")

    broken = copy.copy(hub)
    broken.organizations = SimpleNamespace(actor_for_token=hub.organizations.actor_for_token, get=get)
    transport = httpx.ASGITransport(create_app(broken))
    async with httpx.AsyncClient(transport=transport, base_url="http://hub.test") as client:
        [error] = await GraphQLClient(client, token).errors("{ organization { name } }")

    reference = error["extensions"]["reference"]
    assert error["message"] == sentence_for(reference)
    logged = capsys.readouterr()
    assert reference in logged.out + logged.err
    assert "hunter2" in logged.out + logged.err


async def test_a_database_without_its_migrations_is_not_ready(http: httpx.AsyncClient):
    sentence = await health._migrations(frozenset({"a migration of tomorrow"}))

    assert sentence == "Migrations that are not applied: 1. Run `crosswalk migrate`."
