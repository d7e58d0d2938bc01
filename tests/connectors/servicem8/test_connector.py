"""ServiceM8's settings do what they say, and its account is read with care."""

import time

import msgspec
import pytest

from app.connectors.base import Account, Session
from app.connectors.errors import AddressRefused, ProviderUnavailable, RequestRejected, UnexpectedResponse
from app.connectors.servicem8.connector import ServiceM8Settings, check, connector
from app.connectors.servicem8.sandbox.testing import RunningSandbox
from tests.connectors.kit import client_of, open_session, servicem8
from tests.connectors.raw_server import answer, raw_server

NOBODY = Account(id="", name="")


def test_the_defaults_are_those_of_the_requirements():
    settings = ServiceM8Settings(api_key="smk-12345")

    assert settings.base_url == "https://api.servicem8.com"
    assert (settings.timeout_seconds, settings.attempts, settings.delay_seconds) == (30, 3, 1)
    shown = {setting.name: setting.default for setting in connector.settings if setting.kind != "secret"}
    assert shown == {name: getattr(settings, name) for name in shown}


@pytest.mark.alone
@pytest.mark.requirement("SM8-06")
async def test_attempts_delay_and_timeout_are_obeyed(sm8: RunningSandbox):
    async with servicem8(sm8, attempts=2, delay_seconds=0.4, timeout_seconds=1) as opened:
        await sm8.fault("slow", milliseconds=5000, times=None)
        started = time.monotonic()
        with pytest.raises(ProviderUnavailable, match="within 1 seconds"):
            await opened.session.client.get("/api_1.0/vendor.json")

    assert 2.2 <= time.monotonic() - started <= 3.5
    assert len(opened.log.calls) == 2


@pytest.mark.parametrize(
    "wrong", [{"api_key": "short"}, {"timeout_seconds": 0}, {"attempts": 0}, {"attempts": 11}, {"delay_seconds": -1}, {"base_url": ""}]
)
def test_settings_out_of_range_are_refused(wrong: dict[str, object]):
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({"api_key": "smk-12345", **wrong}, ServiceM8Settings)


async def test_a_private_address_is_refused(sm8: RunningSandbox):
    for address in ("http://169.254.169.254", "https://10.0.0.1", "http://localhost:6379"):
        settings = {"api_key": "smk-12345", "base_url": address}
        async with open_session(connector, sm8.url, settings, account=NOBODY) as opened:
            with pytest.raises(AddressRefused):
                await check(opened.session)


async def test_a_wrong_root_is_told_in_the_providers_words(sm8: RunningSandbox):
    settings = {"api_key": sm8.api_key, "base_url": sm8.url + "/api_1.0"}
    async with open_session(connector, sm8.url, settings, account=NOBODY) as opened:
        with pytest.raises(RequestRejected):
            await check(opened.session)


@pytest.mark.parametrize("body", [b"[]", b"{}", b"hello", b'[{"name":"no uuid"}]', b'[{"uuid":"a","timezone_name":"Mars/Olympus"}]'])
async def test_an_answer_that_is_no_account_is_refused(body: bytes):
    async with raw_server(answer("200 OK", body)) as server, client_of(server.url, attempts=1) as client:
        with pytest.raises(UnexpectedResponse):
            await check(Session(client, None, None))


@pytest.mark.parametrize(
    ("vendor", "currency", "zone"),
    [
        (b'{"uuid":"a","currency":"eur","timezone_name":"Europe/London"}', "EUR", "Europe/London"),
        (b'{"uuid":"a","currency":"","timezone_name":""}', "XXX", "UTC"),
        (b'{"uuid":"a","currency":"$$$"}', "XXX", "UTC"),
    ],
)
async def test_currency_and_time_zone_are_read_as_far_as_they_are_known(vendor: bytes, currency: str, zone: str):
    async with raw_server(answer("200 OK", b"[" + vendor + b"]")) as server, client_of(server.url) as client:
        account = await check(Session(client, None, None))

    assert (account.currency, account.time_zone) == (currency, zone)
