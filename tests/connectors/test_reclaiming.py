"""Cancelled requests leave nothing behind: others still find a connection, however many were cancelled, and however often."""

import asyncio
import gc
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import httpx
import pytest

from app.connectors.guard import OutboundGuard
from app.connectors.transport import GuardedTransport

LIMITS = httpx.Limits(max_connections=4, max_keepalive_connections=4, keepalive_expiry=30)
BODY = b"x" * 100_000


class Hesitant:
    """A provider that takes a moment for the head of its answer and for the rest."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.connections = 0
        self.url = ""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        with suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            while await reader.readuntil(b"\r\n\r\n"):
                await asyncio.sleep(self.random.random() * 0.003)
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(BODY) + BODY[:100])
                await writer.drain()
                await asyncio.sleep(self.random.random() * 0.002)
                writer.write(BODY[100:])
                await writer.drain()
        writer.close()


@asynccontextmanager
async def hesitant(seed: int) -> AsyncIterator[Hesitant]:
    provider = Hesitant(seed)
    server = await asyncio.start_server(provider.serve, "127.0.0.1", 0)
    provider.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with server:
        yield provider


async def _ask(transport: GuardedTransport, url: str, pool_seconds: float = 5) -> int:
    timeouts = httpx.Timeout(5, pool=pool_seconds).as_dict()
    response = await transport.handle_async_request(httpx.Request("GET", url, extensions={"timeout": timeouts}))
    try:
        return len(b"".join([piece async for piece in response.aiter_bytes()]))
    finally:
        await response.aclose()


# A socket whose closing was cancelled closes when it is collected.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("times", [1, 2, 3])
async def test_a_pool_serves_others_after_many_requests_were_cancelled(times: int):
    async with hesitant(times) as provider:
        transport = GuardedTransport(OutboundGuard(sandbox_urls=[provider.url]), limits=LIMITS)
        for _ in range(150):
            waves = [asyncio.create_task(_ask(transport, provider.url)) for _ in range(provider.random.choice([1, 1, 6]))]
            await asyncio.sleep(provider.random.random() * 0.006)
            for _ in range(times):
                for request in waves:
                    request.cancel()
                await asyncio.sleep(0)
            await asyncio.gather(*waves, return_exceptions=True)

        answered = await asyncio.gather(*(_ask(transport, provider.url, pool_seconds=2) for _ in range(12)))

        assert answered == [len(BODY)] * 12
        assert transport._pools["http"]._under_way == {}
        await transport.aclose()
    gc.collect()


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
async def test_who_waits_for_a_connection_gets_the_place_of_one_that_was_left_behind():
    only_one = httpx.Limits(max_connections=1, max_keepalive_connections=1, keepalive_expiry=30)
    async with hesitant(5) as provider:
        transport = GuardedTransport(OutboundGuard(sandbox_urls=[provider.url]), limits=only_one)
        for _ in range(30):
            first = asyncio.create_task(_ask(transport, provider.url))
            await asyncio.sleep(provider.random.random() * 0.004)
            second = asyncio.create_task(_ask(transport, provider.url, pool_seconds=2))
            await asyncio.sleep(0)
            for _ in range(2):
                first.cancel()
                await asyncio.sleep(0)

            assert await second == len(BODY)
        await transport.aclose()
    gc.collect()


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("turns", range(1, 6))
async def test_who_waits_gets_the_place_of_one_that_was_given_up_while_its_connection_closed(turns: int):
    only_one = httpx.Limits(max_connections=1, max_keepalive_connections=1, keepalive_expiry=30)
    async with hesitant(6) as provider:
        transport = GuardedTransport(OutboundGuard(sandbox_urls=[provider.url]), limits=only_one)
        response = await transport.handle_async_request(httpx.Request("GET", provider.url))
        waiting = asyncio.create_task(_ask(transport, provider.url, pool_seconds=2))
        await asyncio.sleep(0.01)
        closing = asyncio.create_task(response.aclose())
        for _ in range(turns):
            await asyncio.sleep(0)
        closing.cancel()

        assert await waiting == len(BODY)
        await asyncio.gather(closing, return_exceptions=True)
        await transport.aclose()
    gc.collect()


async def test_what_is_under_way_is_left_alone():
    async with hesitant(4) as provider:
        transport = GuardedTransport(OutboundGuard(sandbox_urls=[provider.url]), limits=LIMITS)

        answered = await asyncio.gather(*(_ask(transport, provider.url) for _ in range(60)))

        assert answered == [len(BODY)] * 60
        assert provider.connections == 4, "connections are used again"
        await transport.aclose()
