"""Large sets: what a page costs does not grow with how many pages there are, and a long push goes in batches that are seen to move."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from app import database
from app.syncs.push_walk import PAGE as BATCH
from tests import factories
from tests.connectors.metakocka.company import add_offer
from tests.two_way.office import Office

PAGE = 20
LINES = 3
"""Of an offer; they are stored with the quote that it is."""
MOST_FOR_A_PAGE = 45
"""Statements for one more page of a pull, its leases and progress included."""


@contextmanager
def noted() -> Iterator[list[Any]]:
    """What is sent to the database meanwhile, on connections that were open already."""
    found: list[Any] = []
    connections = [holder._con for holder in database._pool()._holders if holder._con is not None]
    for connection in connections:
        connection.add_query_logger(found.append)
    try:
        yield found
    finally:
        for connection in connections:
            connection.remove_query_logger(found.append)


async def _fill(office: Office, stream: str, number: int) -> None:
    if stream == "partners":
        await asyncio.gather(*(office.add(f"Partner {place}") for place in range(number)))
        return
    partner = await office.sandbox.partner(await office.add("Acme"))
    for place in range(number):
        await add_offer(office.sandbox, partner, title=f"Offer {place}")


@pytest.mark.requirement("MKD-34", "MKC-55")
@pytest.mark.parametrize("stream", ["partners", "offers"])
async def test_a_page_costs_the_same_number_of_statements_and_carries_no_more_than_a_page_however_many_follow(
    hub, operator, metakocka, stream: str
):
    office = await Office.open(hub, operator, metakocka, page_size=PAGE)
    costs, largest = [], []
    for number, added in ((PAGE, PAGE), (3 * PAGE, 2 * PAGE)):
        await _fill(office, stream, added)
        with noted() as statements:
            run = await office.run(streams=(stream,))
        assert run.counts.read == number
        costs.append(len(statements))
        largest.append(max(len(value) for one in statements for value in one.args or () if isinstance(value, list)))

    with noted() as statements:
        unchanged = await office.run(streams=(stream,))

    assert (costs[1] - costs[0]) / 2 <= MOST_FOR_A_PAGE, costs
    assert max(largest) <= PAGE * LINES
    assert unchanged.counts.unchanged == 3 * PAGE
    assert len(statements) <= costs[1]
    assert not [one.query for one in statements if "INSERT INTO record " in one.query or "UPDATE record " in one.query]


@pytest.mark.requirement("MKC-20", "MKC-21")
async def test_a_long_push_goes_in_batches_whose_progress_only_rises(office: Office):
    number = BATCH + 10
    ids = await asyncio.gather(*(office.add(f"Partner {place}") for place in range(number)))
    await office.run()
    for mk_id in ids:
        await office.edit(await office.record(mk_id), notes="", registration_number="1234567000")
    run = await office.hub.syncs.start(office.operator, office.connection.id, streams=["partners"], direction="push")

    ending = asyncio.create_task(factories.ended(office.hub, office.operator, run, seconds=170))
    seen = [run]
    while not ending.done():
        seen.append(await office.hub.syncs.run(office.operator, run.id))
        await asyncio.sleep(0.05)
    seen.append(await ending)

    assert seen[-1].counts.updated == number
    assert sorted({one.counts.read for one in seen}) == [0, BATCH, number]
    assert [one.progress for one in seen] == sorted(one.progress for one in seen)
    assert any(0 < one.progress < 100 for one in seen)
