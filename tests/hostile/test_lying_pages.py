"""Pages that are none: every walk ends, says why, and the next one has everything."""

import asyncio
import gzip
import time

import httpx
import pytest

from app.connectors.base import Mode, Walk
from app.connectors.client import BODY_LIMIT
from app.connectors.errors import UnexpectedResponse
from app.connectors.servicem8.streams import COMPANIES
from app.paging import PageRequest
from app.syncs.models import RunStatus
from tests.connectors.kit import client_of, servicem8, use_redis
from tests.factories import make_connection, sync
from tests.hostile.liar import edits, lying, says

ALL = PageRequest(100)

PAGES = {
    "a sign-in page": (b"<html>hotel</html>", {"content-type": "text/html"}),
    "nothing": (b"", {}),
    "null": (b"null", {}),
    "an object": (b'{"message": "fine"}', {}),
    "half a page": (b'[{"uuid": "x", "name": "Ha', {}),
    "brackets without end": (b"[" * 200_000, {}),
    "no gzip": (b"no gzip", {"content-encoding": "gzip"}),
    "a bomb": (gzip.compress(b"[" + b" " * (BODY_LIMIT + 1_000_000) + b"]"), {"content-encoding": "gzip"}),
    "UTF-16": ('[{"uuid": "x"}]'.encode("utf-16"), {}),
    "a redirect inside": (b"", {"location": "http://169.254.169.254/"}),
}


@pytest.mark.parametrize("page", PAGES)
async def test_a_page_that_is_none_ends_the_run_in_words_and_loses_nothing(hub, operator, clean_sandbox, page):
    await clean_sandbox.create("company", name="Acme")
    connection = await make_connection(hub, operator, clean_sandbox, attempts=1)
    body, headers = PAGES[page]

    with lying(hub, says("/company.json", body, status=302 if "location" in headers else 200, **headers)) as transport:
        run = await sync(hub, operator, connection)
    failed = run.status is RunStatus.FAILED
    again = await sync(hub, operator, connection) if failed else None

    assert not any("169.254" in asked for asked in transport.asked)
    assert failed or (run.status is RunStatus.RUNNING and "Waiting" in run.message)
    if again:
        assert len(run.error_message) < 1000
        assert "\x00" not in run.error_message
        assert "Traceback" not in run.error_message
        if again.status is RunStatus.COMPLETED:
            assert {contact.data["name"] for contact in (await hub.records.contacts(operator, ALL)).items} == {"Acme"}


@pytest.mark.parametrize("cursor", ["x' or '1' eq '1", "../../vendor", "&$filter=active eq 1", "%0d%0aX-Evil: 1", "x" * 5000, "#"])
async def test_a_cursor_is_only_a_cursor(hub, operator, clean_sandbox, cursor):
    """Whatever it holds, it stays one parameter of the same list."""
    connection = await make_connection(hub, operator, clean_sandbox, attempts=1)

    with lying(hub, edits("/company.json", lambda objects: objects, **{"x-next-cursor": cursor})) as transport:
        await sync(hub, operator, connection)

    asked = [httpx.URL(line.partition(" ")[2]) for line in transport.asked if "/company.json" in line]
    assert {url.path for url in asked} == {"/api_1.0/company.json"}
    assert all(set(url.params) == {"cursor"} and not url.fragment for url in asked)
    assert asked[-1].params["cursor"] == cursor


async def test_a_walk_in_circles_is_noticed_over_many_slices(clean_sandbox, servers):
    """Each slice reads less than one round, so none of them sees a cursor twice."""
    use_redis(servers.redis_url)

    class Circles(httpx.AsyncBaseTransport):
        def __init__(self, honest):
            self.honest = honest

        async def handle_async_request(self, request):
            if not request.url.path.endswith("/company.json"):
                return await self.honest.handle_async_request(request)
            asked = request.url.params["cursor"]
            number = int(asked.removeprefix("c")) if asked.startswith("c") else 0
            return httpx.Response(200, headers={"x-next-cursor": f"c{number % 7 + 1}"}, content=b"[]")

    async with servicem8(clean_sandbox, wrap=Circles) as opened:
        resume, pages = None, 0
        with pytest.raises(UnexpectedResponse, match="never end"):
            while pages < 60:
                reading = COMPANIES.read(opened.session, Walk(Mode.FULL, None, resume))
                resume = (await anext(reading)).state
                await reading.aclose()
                pages += 1


@pytest.mark.alone
async def test_a_body_that_drips_is_given_up_in_time():
    async def drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
        while not writer.is_closing():
            writer.write(b"[")
            await asyncio.sleep(0.05)

    server = await asyncio.start_server(drip, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    began = time.monotonic()
    async with client_of(url, timeout_seconds=0.5, attempts=1) as client:
        with pytest.raises(Exception, match="did not answer within"):
            await client.get("/api_1.0/company.json")
    server.close()

    assert time.monotonic() - began < 2
