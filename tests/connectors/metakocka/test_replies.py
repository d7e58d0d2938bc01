"""What Metakocka's answers mean, and what of them is shown."""

import json

import msgspec
import pytest

from app.connectors.auth import in_body
from app.connectors.base import Session
from app.connectors.errors import (
    AddressRefused,
    ConnectorError,
    CredentialsRefused,
    OutcomeUnknown,
    ProviderUnavailable,
    RateLimited,
    UnexpectedResponse,
)
from app.connectors.metakocka.connector import MetakockaSettings, check, connector, limits_of, make_client
from app.connectors.metakocka.replies import Refused, ReplyCodes
from tests.connectors.kit import NoLimit, client_of, guarded
from tests.connectors.raw_server import answer, raw_server

KEY = "very-secret-key-1234"
HTML = answer("200 OK", b"<!DOCTYPE html><h1>Nadgradnja</h1>", "Content-Type: text/html")


def reply(code: str, words: str = f"Wrong value {KEY}") -> bytes:
    return answer("200 OK", json.dumps({"opr_code": code, "opr_desc": words}).encode())


@pytest.mark.parametrize(
    ("body", "error"),
    [
        (reply("1"), ProviderUnavailable),
        (reply("2"), Refused),
        (reply("3"), CredentialsRefused),
        (reply("4"), AddressRefused),
        (reply("5"), RateLimited),
        (reply("6"), Refused),
        (reply("8"), Refused),
        (reply("77"), Refused),
        (HTML, ProviderUnavailable),
        (answer("200 OK", b"{"), UnexpectedResponse),
        (answer("404 Not Found", b"<html>", "Content-Type: text/html"), AddressRefused),
        (answer("503 Busy", b"<html>", "Content-Type: text/html"), ProviderUnavailable),
    ],
)
@pytest.mark.requirement("MKC-14")
@pytest.mark.parametrize("is_write", [False, True])
async def test_each_answer_becomes_the_error_that_says_who_can_fix_it(body: bytes, error: type[ConnectorError], is_write: bool):
    settings = MetakockaSettings(company_id="16", secret_key=KEY, attempts=1)
    async with raw_server(body) as server, guarded(server.url) as transport:
        client = make_client(_at(settings, server.url), transport, NoLimit(), _Log())
        with pytest.raises(error) as raised:
            await (client.post("/x", {}) if is_write and error is not UnexpectedResponse else client.read_by_post("/x", {}))

    assert KEY not in raised.value.message + repr(raised.value) + repr(client) + repr(settings)


@pytest.mark.parametrize("body", [reply("1"), HTML, answer("200 OK", b"{"), answer("500 Oops", b""), b""])
async def test_a_write_whose_outcome_is_not_known_is_not_sent_again(body: bytes):
    async with raw_server(body) as server, guarded(server.url) as transport:
        client = make_client(_at(MetakockaSettings(company_id="16", secret_key=KEY), server.url), transport, NoLimit(), _Log())
        with pytest.raises(OutcomeUnknown):
            await client.post("/x", {})

    assert len(server.requests) == 1


async def test_a_read_is_tried_again_and_carries_company_and_key():
    async with (
        raw_server(reply("1"), answer("200 OK", b'{"opr_code":"0"}')) as server,
        client_of(server.url, answers=ReplyCodes()) as client,
    ):
        client._authorization = in_body({"secret_key": KEY}, company_id="16")
        await client.read_by_post("/x", {"limit": "1"})

    assert len(server.requests) == 2
    assert json.loads(server.requests[1].split(b"\r\n\r\n", 1)[1]) == {"company_id": "16", "secret_key": KEY, "limit": "1"}


@pytest.mark.parametrize("body", [b"{}", b"[]", b'{"warehouse_list":[]}', b"hello"])
async def test_an_answer_that_is_not_metakockas_is_no_account(body: bytes):
    settings = MetakockaSettings(company_id="16", secret_key=KEY, attempts=1)
    async with raw_server(answer("200 OK", body)) as server, guarded(server.url) as transport:
        client = make_client(_at(settings, server.url), transport, NoLimit(), _Log())
        with pytest.raises(UnexpectedResponse):
            await check(Session(client, settings, None))


def test_the_limits_follow_the_settings():
    minute, pace = limits_of(MetakockaSettings(company_id="16", secret_key=KEY, requests_per_minute=300))

    assert (minute.requests, minute.seconds, minute.reserved) == (300, 60, 20)
    assert (pace.requests - pace.reserved, pace.seconds) == (25, 5)
    assert connector.rate_limits[0].requests == 60


def test_the_defaults_are_those_that_the_form_shows():
    settings = MetakockaSettings(company_id="16", secret_key=KEY)
    shown = {setting.name: setting.default for setting in connector.settings if not setting.required}

    assert shown == {name: getattr(settings, name) for name in shown}


class _Log:
    async def add(self, call: object) -> None: ...


def _at(settings: MetakockaSettings, url: str) -> MetakockaSettings:

    return msgspec.structs.replace(settings, base_url=url, delay_seconds=0.001)
