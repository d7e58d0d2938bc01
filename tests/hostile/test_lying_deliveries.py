"""A provider that lies while a decision is carried out: the decision arrives once and whole, or is said not to have."""

from decimal import Decimal

import httpx
import pytest

from app.database import execute, transaction
from app.paging import PageRequest
from tests.factories import sync
from tests.hostile.liar import lying, says

ALL = PageRequest(100)
HTML = b"<html><body>Please sign in to the hotel's network</body></html>"


async def _due(world):
    async with transaction(world.operator.scope):
        await execute(
            world.operator.scope,
            "UPDATE delivery SET next_attempt_at = now() WHERE organization_id = $1 AND status = 'queued'",
            world.operator.organization_id,
        )


async def _deliver(world, *, attempts=1):
    for _ in range(attempts):
        await _due(world)
        await world.hub.deliveries.deliver(world.operator.organization_id, (await world.delivery()).id)
        if (await world.delivery()).status != "queued":
            break
    return await world.delivery()


@pytest.mark.parametrize("answer", [HTML, b"", b"\x00\x01", b'{"message": "OK"}'])
@pytest.mark.parametrize("path", ["job/{job}.json", "note.json", "jobmaterial/{line}.json"])
async def test_an_ok_to_a_write_that_never_arrived_confirms_nothing(world, path, answer):
    """A network in between answers 200 to everything that is written."""
    quote = await world.quote()
    declined = next(line for line in quote.lines if line.description == "Labour")
    await world.approve(lines=[line.id for line in quote.lines if line is not declined])

    def swallow(request: httpx.Request) -> bool:
        return request.method != "GET" and request.url.path.endswith(path.format(job=world.job, line=declined.external_id))

    with lying(world.hub) as transport:
        honest = transport.honest

        class Swallowing(httpx.AsyncBaseTransport):
            async def handle_async_request(self, request):
                if swallow(request):
                    return httpx.Response(200, content=answer)
                return await honest.handle_async_request(request)

        transport.honest = Swallowing()
        lost = await _deliver(world)
    arrived = await _deliver(world, attempts=3)

    assert (lost.status, lost.confirmation) == ("queued", None)
    assert arrived.status == "confirmed"
    assert await world.materials() == {"Switchboard", "Surge arrester"}
    assert len(await world.notes()) == 1


@pytest.mark.parametrize("page", [HTML, b"", b"[", b"[{]", b"null", b"\xff" * 100, b"[" * 5000])
async def test_a_look_that_shows_nonsense_writes_nothing(world, page):
    await world.sandbox.clear_ledger()
    await world.approve()

    with lying(world.hub, says("/job.json", page)):
        delivery = await _deliver(world)

    assert (delivery.status, delivery.fix_by) == ("queued", "us")
    assert "Traceback" not in delivery.error_message
    assert await world.sandbox.ledger() == []
    assert (await _deliver(world)).status == "confirmed"


async def test_a_decision_on_many_lines_gets_through_though_each_attempt_is_cut_short(world):
    """The minute's limit ends every attempt: what is done must not be looked at again from the beginning."""
    for number in range(20):
        await world.sandbox.add_line(world.job, name=f"Extra {number}", quantity="1", price="1")
    await sync(world.hub, world.operator, world.connection)
    quote = await world.quote()
    await world.sandbox.clear_ledger()
    await world.approve(lines=[line.id for line in quote.lines if not line.description.startswith("Extra")])

    attempts = 0
    while (await world.delivery()).status == "queued" and attempts < 12:
        left = [14]

        def ends(request: httpx.Request, answer: httpx.Response, left=left) -> None:
            left[0] -= 1
            if request.method == "GET" and left[0] < 0:
                raise httpx.ReadError("cut")

        with lying(world.hub, ends):
            await _deliver(world)
        attempts += 1

    assert (await world.delivery()).status == "confirmed"
    assert await world.materials() == {"Switchboard", "Labour", "Surge arrester"}
    deleted = [write["uuid"] for write in await world.sandbox.ledger() if write["effect"] == "deleted"]
    assert len(deleted) == len(set(deleted)) == 20


async def test_taking_back_many_lines_gets_through_too(world):
    for number in range(20):
        await world.sandbox.add_line(world.job, name=f"Extra {number}", quantity="1", price="1")
    await sync(world.hub, world.operator, world.connection)
    quote = await world.quote()
    await world.approve(lines=[line.id for line in quote.lines if not line.description.startswith("Extra")])
    before = await world.materials()

    attempts = 0
    while (await world.delivery()).status == "queued" and attempts < 16:
        left = [60 if attempts == 0 else 14]

        def ends(request: httpx.Request, answer: httpx.Response, left=left) -> None:
            left[0] -= 1
            if request.method == "GET" and left[0] < 0:
                raise httpx.ReadError("cut")

        with lying(world.hub, ends, says(f"/job/{world.job}.json", b'{"message": "No"}', status=400, method="POST")):
            # The status is refused for good, before it does anything.
            await world.sandbox.fault("402", method="POST", path=f"*job/{world.job}.json", times=1)
            await _deliver(world)
        attempts += 1
    await world.sandbox.clear_faults()

    assert (await world.delivery()).status == "failed"
    assert await world.materials() == before


@pytest.mark.parametrize("lines", [0, 500])
async def test_a_quote_of_any_length_is_shown_and_can_be_declined(world, lines):
    job = await world.sandbox.create("job", company_uuid=world.company, status="Quote", job_description="Any length")
    for number in range(lines):
        price = "-1.005" if number % 2 else "1999999.9999"
        await world.sandbox.add_line(job["uuid"], name=f"Line {number}", quantity="0.3333", price=price)
    await world.sync()
    (quote,) = [quote for quote in (await world.hub.quotes.quotes(world.contact, ALL)).items if quote.title == "Any length"]
    quote = await world.hub.quotes.quote(world.contact, quote.id)

    await world.hub.quotes.reject(world.contact, quote.id, version=quote.version, reason="Too long", idempotency_key=f"{lines}")

    assert len(quote.lines) == lines
    assert quote.total == sum((line.total for line in quote.lines), Decimal(0))
