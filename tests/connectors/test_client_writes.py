"""Writes whose outcome is not known are never sent again unasked."""

import pytest

from app.connectors.calls import CallList
from app.connectors.errors import OutcomeUnknown, ProviderUnavailable, RateLimited
from tests.connectors.kit import client_of
from tests.connectors.raw_server import answer, raw_server

OK = answer("200 OK", b"[]")


async def test_a_write_without_an_answer_is_not_sent_again():
    async with raw_server(b"") as server, client_of(server.url) as client:
        with pytest.raises(OutcomeUnknown):
            await client.post("/a", {"x": 1})

    assert len(server.requests) == 1


@pytest.mark.parametrize("first", [b"", answer("500 Oops", b"{}"), answer("200 OK", b"{}", length=50) + b""])
async def test_a_write_that_may_be_repeated_is_repeated(first: bytes):
    closing = first.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n", 1)
    async with raw_server(closing, OK) as server, client_of(server.url) as client:
        await client.post("/a", {"x": 1}, replay_safe=True)

    assert len(server.requests) == 2


async def test_a_write_that_was_refused_for_now_is_sent_again():
    async with raw_server(answer("429 Too Many", b"", "Retry-After: 0"), OK) as server, client_of(server.url) as client:
        with pytest.raises(RateLimited):
            await client.post("/a", {"x": 1})
        await client.post("/a", {"x": 1})


async def test_a_write_to_a_closed_port_did_not_happen_and_is_repeated():
    async with raw_server(OK) as server:
        url = server.url
    log = CallList()
    async with client_of(url, log=log) as client:
        with pytest.raises(ProviderUnavailable) as refused:
            await client.post("/a", {"x": 1})

    assert not isinstance(refused.value, OutcomeUnknown)
    assert len(log.calls) == 3


async def test_a_write_in_doubt_stays_in_doubt_when_the_provider_goes_away():
    async with raw_server(b"") as server, client_of(server.url) as client:
        with pytest.raises(OutcomeUnknown):
            await client.post("/a", {"x": 1}, replay_safe=True)
