"""What is read and translated while the page before is written, of which object it counts, and what is written together."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from app.actors import Actor
from app.bootstrap import Hub
from app.connectors.base import Item, Page
from app.connectors.errors import ProviderUnavailable
from app.connectors.metakocka.sandbox.testing import RunningSandbox
from app.database import fetch, transaction
from app.syncs.ahead import translated_ahead
from app.syncs.batches import Ahead, Batch, joined
from app.syncs.pages import PageWriter
from app.syncs.prefetch import prefetched
from app.syncs.sources import Source
from tests.two_way.office import Office

FIRST = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
SECOND = FIRST + timedelta(seconds=1)


@pytest.fixture
async def office(hub: Hub, operator: Actor, metakocka: RunningSandbox) -> Office:
    return await Office.open(hub, operator, metakocka)


async def _source(office: Office) -> Source:
    hub, scope = office.hub, office.operator.scope
    connector = hub.connectors["metakocka"]
    async with hub.connections.open_session(scope, office.connection.id, priority="bulk") as session:
        return await hub.walker.source(scope, office.connection.id, connector, connector.streams["partners"], session, None)


async def _ahead(source: Source, *items: Item) -> Ahead:
    async def pages() -> AsyncIterator[Page]:
        yield Page(state={}, items=items)

    (batch,) = [batch async for batch in translated_ahead(source, pages())]
    return batch.ahead


async def _written(office: Office, source: Source, item: Item, ahead: Ahead) -> str:
    """The record's name once the item is written."""
    async with transaction(source.scope):
        await office.hub.walker.pages.write(source, Page(state={}, items=[item]), ahead)
    return str((await office.record(item.external_id)).data["name"])


def _partner(name: str) -> Item:
    return Item("7001", b'{"mk_id":"7001","customer":"%s"}' % name.encode())


async def test_a_translation_counts_for_the_very_object_that_it_was_made_of(office: Office):
    source, read_first, read_later = await _source(office), _partner("First"), _partner("Later")

    ahead = await _ahead(source, read_first)

    assert await _written(office, source, read_later, ahead) == "Later"


async def test_what_is_mapped_by_the_time_its_page_is_written_is_merged_as_ever(office: Office):
    source, before, after = await _source(office), _partner("Before"), _partner("After")
    ahead = await _ahead(source, after)
    await _written(office, source, before, {})
    record = await office.record("7001")
    await office.edit(record, email="hub@acme.test")

    assert await _written(office, source, after, ahead) == "After"
    assert (await office.record("7001")).data["email"] == "hub@acme.test"


async def test_what_cannot_be_translated_is_left_to_the_page_which_says_why(office: Office):
    source, good, nameless, broken = await _source(office), _partner("Good"), Item("7003", _partner("").payload), Item("7002", b'{"mk_id":')

    ahead = await _ahead(source, good, nameless, broken, Item("7004", b"{}", deleted=True))
    async with transaction(source.scope):
        counts = await office.hub.walker.write(source, Page(state={}, items=[good, nameless, broken]))

    assert list(ahead) == ["7001"]
    assert (counts.created, counts.failed) == (1, 2)


def _page(*ids: str, **values: Any) -> Page:
    return Page(state={"after": ids[-1]}, items=[Item(id, b"{}") for id in ids], **values)


def test_pages_that_wait_are_written_as_one():
    first, second = _page("1", "2", expected=4, read_after=FIRST), _page("3", "4", read_after=SECOND)

    (batch,) = joined([Batch(first), Batch(second)])

    assert [item.external_id for item in batch.page.items] == ["1", "2", "3", "4"]
    assert (batch.page.state, batch.page.expected, batch.page.read_after, batch.pages) == ({"after": "4"}, 4, FIRST, 2)


def test_an_object_that_comes_twice_keeps_its_pages_apart():
    batches = [Batch(_page("1", "2")), Batch(_page("2", "3")), Batch(_page("4"))]

    assert [[item.external_id for item in batch.page.items] for batch in joined(batches)] == [["1", "2"], ["2", "3", "4"]]


async def test_all_that_waits_is_taken_and_an_error_comes_behind_what_was_read_before_it():
    async def pages() -> AsyncIterator[int]:
        yield 1
        yield 2
        raise ProviderUnavailable("It fell over.")

    taken = []
    with pytest.raises(ProviderUnavailable):
        async with prefetched(pages(), 2) as waiting:
            async for one in waiting:
                taken.append(one)
                await asyncio.sleep(0.01)

    assert taken == [[1, 2]]


async def test_a_first_pull_counts_the_pages_that_it_writes_together(hub: Hub, operator: Actor, metakocka: RunningSandbox, monkeypatch):
    office = await Office.open(hub, operator, metakocka, page_size=4)
    for number in range(20):
        await office.add(f"Partner {number}")
    write = PageWriter.write

    async def write_slowly(*arguments: Any) -> Any:
        await asyncio.sleep(0.2)
        return await write(*arguments)

    monkeypatch.setattr(PageWriter, "write", write_slowly)
    run = await office.run()

    (stream,) = run.streams
    named = await fetch(operator.scope, "SELECT number, external_ids FROM sync_page WHERE sync_run_id = $1", run.id)
    ids = [id for row in named for id in row["external_ids"]]
    assert len(named) < stream.pages == max(row["number"] for row in named)
    assert len(ids) == len(set(ids)) == stream.counts.created
