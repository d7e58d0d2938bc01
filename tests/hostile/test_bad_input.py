"""What bad input gets, through the API: a typed refusal with a clear sentence; nothing written, nothing leaked."""

import re
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from app.connections.repository import set_credentials
from app.database import fetch, transaction
from app.main import create_app
from tests.api.client import GraphQLClient, gid
from tests.api.operations import run
from tests.factories import key, make_connection, make_organization
from tests.hostile.liar import lying, says
from tests.quotes.world import World

SECRET = "smk-very-secret-key-1234567890"
LEAKS = re.compile(r"Traceback|File \"|asyncpg|SELECT |/work|/home|site-packages|10\.0\.0\.5|169\.254", re.IGNORECASE)
TABLES = ("connection", "sync_run", "quote", "quote_line", "quote_decision", "delivery", "client", "client_contact", "mail")


@pytest.fixture
async def api(hub, owner) -> AsyncIterator[GraphQLClient]:
    _, secret = await hub.organizations.create_token(owner, name="Operator", role="operator")
    transport = httpx.ASGITransport(create_app(hub), raise_app_exceptions=False, client=("192.0.2.9", 5000))
    async with httpx.AsyncClient(transport=transport, base_url="http://hub.test") as http:
        yield GraphQLClient(http, secret)


@pytest.fixture
async def stranger(hub, sandbox, world) -> dict[str, str]:
    """Ids of another organization's connection."""
    other = await make_organization(hub)
    connection = await make_connection(hub, other, sandbox)
    return {"connection": str(connection.id)}


async def _dump(world: World) -> dict[str, list[str]]:
    """Every row of the organization, as text."""
    scope = world.operator.scope
    return {
        table: [
            str(row["row"])
            for row in await fetch(
                scope, f"SELECT t::text AS row FROM {table} t WHERE organization_id = $1 ORDER BY id", scope.organization_id
            )
        ]
        for table in TABLES
    }


def _connection(**settings: Any) -> dict[str, Any]:
    return {"provider": "servicem8", "name": "New", "settings": settings, "credentials": {"api_key": SECRET}}


def _wrong_connections() -> dict[str, tuple[str, dict[str, Any]]]:
    create = {
        "an address that is none": _connection(base_url="nowhere"),
        "a user in an address": _connection(base_url="https://user:pass@api.servicem8.com"),
        "a number for an address": _connection(base_url=7),
        "an unknown setting": _connection(colour="red"),
        "a secret among the settings": _connection(api_key=SECRET),
        "no credentials": _connection() | {"credentials": {}},
        "credentials that are a list": _connection() | {"credentials": [SECRET]},
        "settings that are a text": _connection() | {"settings": "x"},
        "not a number": _connection(timeout_seconds="NaN"),
        "a number too great": _connection(attempts=10**30),
        "an over-long name": _connection() | {"name": "x" * 5000},
        "an empty name": _connection() | {"name": " \u200b "},
        "an unknown provider": _connection() | {"provider": "nobody"},
        "an unknown sandbox": _connection(base_url="http://10.0.0.5:8100") | {"mode": "SANDBOX"},
        "an over-long key": _connection() | {"credentials": {"api_key": SECRET * 1000}},
        "a key of another kind": _connection() | {"credentials": {"api_key": {"nested": SECRET}}},
    }
    return {f"create: {name}": ("create_connection", values) for name, values in create.items()}


def _wrong_decisions() -> dict[str, tuple[str, dict[str, Any]]]:
    approve = {
        "a stale version": {"version": 0},
        "a version to come": {"version": 2**31 - 1},
        "no line": {"lineIds": []},
        "a foreign line": {"lineIds": [gid("QuoteLine", "01a1fd31-c9b2-73ca-9af3-1f84cd6103f2")]},
        "a line that is no id": {"lineIds": ["%%%"]},
        "a line that is a quote": {"lineIds": ["{quote}"]},
        "no signature": {"signatureName": " "},
        "a signature that nobody sees": {"signatureName": "\u200b\u2060\ufeff"},
        "a signature too long": {"signatureName": "x" * 5000},
        "an over-long note": {"note": "x" * 100_000},
        "terms not accepted": {"acceptTerms": False},
        "a quote that is no id": {"quoteId": "none"},
        "a quote that is something else": {"quoteId": gid("Connection", "01a1fd31-c9b2-73ca-9af3-1f84cd6103f2")},
        "an unknown quote": {"quoteId": gid("Quote", "01a1fd31-c9b2-73ca-9af3-1f84cd6103f2")},
        "an empty key": {"idempotencyKey": ""},
        "an over-long key": {"idempotencyKey": "x" * 5000},
    }
    return {f"approve: {name}": ("approve_quote", values) for name, values in approve.items()}


def _wrong_syncs() -> dict[str, tuple[str, dict[str, Any]]]:
    start = {
        "an unknown stream": {"streams": ["nothing"]},
        "no stream": {"streams": []},
        "somebody else's connection": {"connectionId": "{stranger}"},
        "a connection that is no id": {"connectionId": "nowhere"},
    }
    return {f"start: {name}": ("start_sync", values) for name, values in start.items()}


WRONG = _wrong_connections() | _wrong_decisions() | _wrong_syncs()


@pytest.mark.parametrize("wrong", WRONG)
async def test_bad_input_is_refused_in_words_and_leaves_no_trace(world, api, stranger, wrong):
    operation, values = WRONG[wrong]
    quote = await world.quote()
    usual = {
        "create_connection": {},
        "approve_quote": {"quoteId": gid("Quote", quote.id), "version": quote.version, "signatureName": "Olive", "acceptTerms": True},
        "start_sync": {"connectionId": gid("Connection", world.connection.id)},
    }[operation]
    ids = {"{quote}": gid("Quote", quote.id), "{stranger}": gid("Connection", stranger["connection"])}
    given = {"idempotencyKey": key()} | usual | values
    given = {
        name: [ids.get(one, one) for one in value]
        if isinstance(value, list)
        else ids.get(value, value)
        if isinstance(value, str)
        else value
        for name, value in given.items()
    }
    before = await _dump(world)

    answer = await run(api, operation, **given)

    assert not answer["__typename"].endswith("Success"), answer
    assert len(answer["message"]) > 10
    assert answer["message"].rstrip()[-1] in ".!?”"
    assert answer["code"]
    assert SECRET not in str(answer)
    assert not LEAKS.search(answer["message"].replace(str(values), ""))
    assert await _dump(world) == before


@pytest.mark.parametrize(
    ("base_url", "expected"),
    [
        ("https://127.0.0.1", "public address"),
        ("https://[::ffff:169.254.169.254]", "public address"),
        ("https://localhost.", "public address|spelling"),
        ("https://0x7f000001", "public address"),
        ("https://no-such-host.invalid", "could not be|spelling|looked up"),
    ],
)
async def test_an_address_that_cannot_be_reached_is_said_by_the_test(world, api, base_url, expected):
    values = {"provider": "servicem8", "settings": {"base_url": base_url}, "credentials": {"api_key": SECRET}, "idempotencyKey": key()}

    answer = await run(api, "test_connection_settings", **values)

    text = str(answer)
    assert re.search(expected, text)
    assert SECRET not in text


@pytest.mark.parametrize(
    ("status", "body", "headers"),
    [
        (200, b"<html>sign in</html>", {}),
        (200, b"", {}),
        (200, b"[]", {}),
        (200, b'[{"uuid": 7}]', {}),
        (200, b"\x00" * 1000, {}),
        (200, b"[" * 100_000, {}),
        (200, b"\x1f\x8b broken", {"content-encoding": "gzip"}),
        (302, b"", {"location": "http://169.254.169.254/latest/meta-data"}),
        (401, SECRET.encode(), {}),
        (418, b"\x00\xff" + SECRET.encode() * 100, {}),
        (500, b'{"message": {"deep": ["' + SECRET.encode() + b'"]}}', {}),
        (599, b"", {}),
    ],
)
async def test_whatever_a_provider_answers_a_test_of_the_connection_says_so(world, api, status, body, headers):
    async with transaction(world.operator.scope):
        await set_credentials(world.operator.scope, world.connection.id, world.hub.vault.seal({"api_key": SECRET}))

    with lying(world.hub, says("/vendor.json", body, status=status, **headers)):
        answer = await run(api, "test_connection", id=gid("Connection", world.connection.id), idempotencyKey=key())

    assert answer["test"]["ok"] is False
    assert len(answer["test"]["message"]) > 10
    assert answer["test"]["fixBy"] in {"CUSTOMER", "TIME", "US"}
    assert SECRET not in str(answer)
    assert "\x00" not in str(answer)
