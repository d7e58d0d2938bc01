"""No request leaves after somebody else may have taken over the work that it is for."""

import httpx
import pytest

from app.connectors import hold as holding
from app.connectors.hold import HeldTransport, Hold
from app.errors import LeaseLost


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    time = [100.0]
    monkeypatch.setattr(holding, "now", lambda: time[0])
    return time


async def test_a_request_leaves_while_the_lease_lasts_and_not_after_it(clock: list[float]):
    sent: list[str] = []
    transport = HeldTransport(httpx.MockTransport(lambda request: sent.append(request.method) or httpx.Response(200)), Hold(100.0, 3))
    request = httpx.Request("DELETE", "http://provider.test/line")

    await transport.handle_async_request(request)
    clock[0] = 103.0
    with pytest.raises(LeaseLost):
        await transport.handle_async_request(request)

    assert sent == ["DELETE"]


async def test_a_lease_that_ended_while_the_connection_was_made_stops_the_first_byte(clock: list[float], sandbox):
    """Frozen between the look and the writing: what is asked last is asked when the headers are about to be written."""
    await sandbox.clear_ledger()

    class Slow(httpx.AsyncHTTPTransport):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            clock[0] += 10
            return await super().handle_async_request(request)

    async with Slow() as inner:
        transport = HeldTransport(inner, Hold(100.0, 3))
        url = httpx.URL(f"{sandbox.url}/api_1.0/company.json")
        with pytest.raises(LeaseLost):
            await transport.handle_async_request(httpx.Request("POST", url, json={"name": "Too late"}))

    assert await sandbox.ledger() == []


async def test_an_extended_lease_lets_requests_out_again(clock: list[float]):
    hold = Hold(100.0, 3)
    clock[0] = 104.0
    hold.extend(103.5, 3)

    hold.check()
