"""Retries, errors, limits and silence of the HTTP client, over real sockets."""

import asyncio
import gzip
import ssl
import time

import httpx
import pytest

from app.connectors.answers import Response
from app.connectors.auth import api_key
from app.connectors.calls import CallList
from app.connectors.client import ApiClient, segment
from app.connectors.errors import (
    AddressRefused,
    ConnectorError,
    CredentialsRefused,
    ObjectMissing,
    ProviderUnavailable,
    QuotaExhausted,
    RateLimited,
    RequestRejected,
    UnexpectedResponse,
)
from app.connectors.servicem8.connector import connector
from app.connectors.servicem8.sandbox.testing import RunningSandbox
from tests.connectors.kit import SECRET, NoLimit, client_of, guarded, servicem8
from tests.connectors.raw_server import answer, raw_server

OK = answer("200 OK", b"[]")


@pytest.mark.requirement("SM8-03", "SM8-52")
@pytest.mark.parametrize("fault", ["500", "503", "drop-request", "cut"])
async def test_a_read_is_repeated_with_a_growing_delay_until_the_provider_answers(sm8: RunningSandbox, fault: str):
    async with servicem8(sm8, delay_seconds=0.2) as opened:
        await sm8.fault(fault, times=2)
        assert (await opened.session.client.get("/api_1.0/vendor.json")).status == 200

    calls = opened.log.calls
    assert [call.attempt for call in calls] == [1, 2, 3]
    assert [call.error is None for call in calls] == [False, False, True]
    assert 100 <= calls[1].waited_ms <= 300
    assert 200 <= calls[2].waited_ms <= 500


@pytest.mark.requirement("SM8-03", "SM8-52")
@pytest.mark.parametrize("fault", ["500", "drop-request", "cut"])
async def test_a_provider_that_stays_away_is_an_error_of_time_after_the_last_attempt(sm8: RunningSandbox, fault: str):
    async with servicem8(sm8, attempts=4) as opened:
        await sm8.fault(fault, times=None)
        with pytest.raises(ProviderUnavailable):
            await opened.session.client.get("/api_1.0/vendor.json")

    assert len(opened.log.calls) == 4


async def test_a_read_whose_answer_cannot_be_used_is_repeated():
    def check(response: Response) -> None:
        if response.content != b"[]":
            raise UnexpectedResponse("This is no list.")

    async with raw_server(answer("200 OK", b"<html>"), OK) as server, client_of(server.url) as client:
        assert (await client.get("/a", check=check)).content == b"[]"


async def test_a_minute_limit_is_waited_for_when_its_end_is_near():
    over = answer("429 Too Many", b"Number of allowed API requests per minute exceeded", "Date: Sat, 21 Nov 2026 07:00:58 GMT")
    log, budget = CallList(), NoLimit()
    async with raw_server(over, OK) as server, guarded(server.url) as transport:
        settings = connector.settings_class(api_key=SECRET, base_url=server.url)
        await connector.make_client(settings, transport=transport, budget=budget, log=log).get("/a")

    assert 2_500 <= log.calls[1].waited_ms <= 3_500
    assert budget.pauses == []


@pytest.mark.requirement("SM8-51")
async def test_a_minute_limit_whose_end_is_far_hands_the_work_back(sm8: RunningSandbox):
    async with servicem8(sm8) as found:
        await _second_of_the_minute(2, 48)
        await sm8.fault("429-minute", times=1)
        with pytest.raises(RateLimited, match="per minute exceeded") as refused:
            await found.session.client.get("/api_1.0/vendor.json")
        with pytest.raises(RateLimited):
            await found.session.client.get("/api_1.0/vendor.json")

    assert 10 < refused.value.retry_after <= 61
    assert len(found.log.calls) == 1


async def _second_of_the_minute(first: int, last: int) -> None:
    """Wait until the clock stands within these seconds of its minute."""
    while not first <= time.time() % 60 <= last:
        await asyncio.sleep(0.2)


@pytest.mark.requirement("SM8-04", "SM8-51")
async def test_a_day_limit_pauses_the_connection_at_once(sm8: RunningSandbox):
    async with servicem8(sm8) as found:
        await sm8.fault("429-day", times=1)
        with pytest.raises(QuotaExhausted) as refused:
            await found.session.client.get("/api_1.0/vendor.json")

        with pytest.raises(QuotaExhausted) as held:
            await found.session.client.get("/api_1.0/vendor.json")

    assert refused.value.retry_after == 3600
    assert held.value.retry_after == pytest.approx(3600, abs=5)
    assert len(found.log.calls) == 1


@pytest.mark.requirement("SM8-53")
@pytest.mark.parametrize("fault", ["402", "403"])
async def test_refused_credentials_are_told_at_once_and_never_tried_again(sm8: RunningSandbox, fault: str):
    async with servicem8(sm8) as found:
        await sm8.fault(fault, times=None)
        with pytest.raises(CredentialsRefused) as refused:
            await found.session.client.get("/api_1.0/vendor.json")

    assert f"HTTP {fault}" in refused.value.message
    assert "reconnect" in refused.value.message
    assert len(found.log.calls) == 1


@pytest.mark.requirement("SM8-54")
async def test_a_refused_request_quotes_the_providers_words(sm8: RunningSandbox):
    async with servicem8(sm8) as found:
        client = found.session.client
        with pytest.raises(RequestRejected, match="status must be one of") as refused:
            await client.post("/api_1.0/job.json", {"status": "Parked"})
        with pytest.raises(RequestRejected, match="authorised object type"):
            await client.get("/api_1.0/nonsense.json")
        with pytest.raises(ObjectMissing):
            await client.get("/api_1.0/job/00000000-0000-4000-8000-000000000000.json")

    assert refused.value.status == 400
    assert len(found.log.calls) == 3


@pytest.mark.parametrize(
    ("status", "error"), [("301 Moved", AddressRefused), ("418 Teapot", RequestRejected), ("599 Odd", ProviderUnavailable)]
)
async def test_every_status_is_some_error(status: str, error: type[ConnectorError]):
    async with raw_server(answer(status, b"why")) as server, client_of(server.url, attempts=1) as client:
        with pytest.raises(error):
            await client.get("/a")


async def test_retry_after_is_obeyed():
    log = CallList()
    async with raw_server(answer("429 Too Many", b"slow down", "Retry-After: 1"), OK) as server, client_of(server.url, log=log) as client:
        await client.get("/a")

    assert log.calls[1].waited_ms >= 1000


async def test_retry_after_may_be_a_time_and_is_counted_by_the_providers_clock():
    date, later = "Sat, 21 Nov 2020 07:00:00 GMT", "Sat, 21 Nov 2020 07:05:00 GMT"
    budget = NoLimit()
    async with (
        raw_server(answer("429 Too Many", b"", f"Date: {date}", f"Retry-After: {later}")) as server,
        client_of(server.url, budget=budget) as client,
    ):
        with pytest.raises(RateLimited) as refused:
            await client.get("/a")

    assert refused.value.retry_after == 300
    assert budget.pauses == [(300, False)]


@pytest.mark.alone
async def test_an_answer_that_never_ends_is_cut_at_the_time_limit():
    async with raw_server(answer("200 OK", b"[", length=100)) as server, client_of(server.url, timeout_seconds=0.2, attempts=1) as client:
        started = time.monotonic()
        with pytest.raises(ProviderUnavailable, match=r"within 0\.2 seconds"):
            await client.get("/a")

    assert time.monotonic() - started < 1


async def test_a_cut_answer_is_not_taken_for_a_whole_one():
    cut = answer("200 OK", b'[{"uuid":"1"}]', "Connection: close", length=500)
    async with raw_server(cut, cut) as server, client_of(server.url, attempts=2) as client:
        with pytest.raises(ProviderUnavailable, match="cut off"):
            await client.get("/a")


async def test_an_answer_larger_than_the_limit_is_refused_also_when_it_was_compressed():
    bomb = gzip.compress(b"[" + b" " * 5_000_000 + b"]")
    async with (
        raw_server(answer("200 OK", bomb, "Content-Encoding: gzip", "Connection: close")) as server,
        client_of(server.url, body_limit=1_000_000, attempts=1) as client,
    ):
        with pytest.raises(UnexpectedResponse, match="larger than"):
            await client.get("/a")


async def test_a_compressed_answer_is_read():
    async with (
        raw_server(answer("200 OK", gzip.compress("Žiga 🙂".encode()), "Content-Encoding: gzip")) as server,
        client_of(server.url) as client,
    ):
        assert (await client.get("/a")).content.decode() == "Žiga 🙂"


async def test_every_sending_is_logged_with_its_attempt_time_and_size():
    log = CallList()
    async with raw_server(answer("500 Oops", b"broken"), answer("200 OK", b"[1,2]")) as server, client_of(server.url, log=log) as client:
        await client.get("/a", {"cursor": "-1", "$filter": "name eq 'Ž'"})

    failed, worked = log.calls
    assert (failed.method, failed.status, failed.attempt) == ("GET", 500, 1)
    assert "broken" in (failed.error or "")
    assert (worked.status, worked.attempt, worked.bytes_received, worked.error) == (200, 2, 5, None)
    assert worked.duration_ms > 0
    assert worked.url.endswith("/a?cursor=-1&$filter=name%20eq%20%27%C5%BD%27")


async def test_a_cancelled_request_is_logged_too():
    log = CallList()
    async with raw_server(answer("200 OK", b"[", length=100)) as server, client_of(server.url, log=log) as client:
        task = asyncio.create_task(client.get("/a"))
        await asyncio.sleep(0.05)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    assert [call.error for call in log.calls] == ["The request was cancelled."]


async def test_no_secret_appears_in_errors_logs_or_reprs_even_when_the_provider_repeats_it():
    log = CallList()
    echo = answer("400 Bad", f'{{"message":"bad key {SECRET} in smk-very%2Fsecret%2Bkey%3D1234 {"x" * 600}"}}'.encode())
    async with raw_server(echo) as server, client_of(server.url, log=log) as client:
        with pytest.raises(RequestRejected) as refused:
            await client.get("/a", {"key": SECRET})
        shown = [refused.value.message, repr(refused.value), repr(client), repr(vars(client)), repr(log.calls), str(server.url)]

    assert SECRET.encode() in server.requests[0]
    for text in shown:
        assert "very" not in text
    assert len(refused.value.message) < 600
    assert "[hidden]" in refused.value.message


async def test_a_key_that_no_header_can_hold_is_refused_without_showing_it():
    async with guarded("http://127.0.0.1:9") as transport:
        for key in ("smk-line\nbreak", "smk-ščž-secret"):
            settings = connector.settings_class(api_key=key)
            with pytest.raises(CredentialsRefused) as refused:
                connector.make_client(settings, transport=transport, budget=NoLimit(), log=CallList())
            assert "smk" not in refused.value.message


async def test_a_certificate_that_cannot_be_verified_is_the_customers_to_see_to():
    class BadCertificate(httpx.AsyncBaseTransport):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            raise httpx.ConnectError("failed") from ssl.SSLCertVerificationError("self-signed")

    client = ApiClient("https://a.test", api_key("K", SECRET), transport=BadCertificate(), budget=NoLimit(), log=CallList())
    with pytest.raises(AddressRefused, match="certificate"):
        await client.get("/a")


@pytest.mark.parametrize(("identifier", "expected"), [("a-1", "a-1"), ("../x", "..%2Fx"), ("..", "%2E%2E"), ("a?b#c", "a%3Fb%23c")])
def test_an_identifier_cannot_leave_its_segment(identifier: str, expected: str):
    assert segment(identifier) == expected
