"""What every connector promises of reading, tried on every stream found, against the provider's sandbox over real HTTP."""

import json
import secrets

import msgspec
import pytest

from app.connectors.base import Mode, Page, Walk
from app.mappings.translate import Translator
from tests.connectors.contract import Provider, each_stream, items_of, parts_for, parts_of
from tests.connectors.killing import Killed, KillSwitch
from tests.connectors.kit import read_all, read_in_pieces


@pytest.mark.requirement("SM8-12", "SM8-66")
@each_stream
async def test_a_stream_gives_every_record_and_a_state_after_each_page(provider: Provider, stream: str):
    expected = await provider.subject.fill(provider.sandbox)
    async with provider.session() as opened:
        pages = await read_all(provider.connector.streams[stream], opened.session, Walk(Mode.FULL))

    assert set(items_of(pages)) == expected[stream]
    assert len(pages) > 2
    assert all(json.loads(json.dumps(page.state)) == page.state for page in pages)
    assert not any(page.bad for page in pages)


@pytest.mark.requirement("SM8-67", "SM8-69")
@each_stream
async def test_reading_again_from_the_last_state_gives_nothing_new(provider: Provider, stream: str):
    await provider.subject.fill(provider.sandbox)
    reads = provider.connector.streams[stream]
    async with provider.session() as opened:
        first = await read_all(reads, opened.session, Walk(Mode.FULL))
        again = await read_all(reads, opened.session, Walk(Mode.INCREMENTAL, saved=first[-1].state))
        once_more = await read_all(reads, opened.session, Walk(Mode.INCREMENTAL, saved=again[-1].state))

    # What is read again because stamps have seconds must be what was read before.
    known = {key: item.payload for key, item in items_of(first).items()}
    for pages in (again, once_more):
        assert {key: item.payload for key, item in items_of(pages).items()}.items() <= known.items()
        assert parts_of(pages).items() <= parts_of(first).items()


@pytest.mark.requirement("SM8-67", "SM8-69")
@each_stream
async def test_what_changed_or_was_deleted_comes_with_the_next_walk(provider: Provider, stream: str):
    await provider.subject.fill(provider.sandbox)
    reads = provider.connector.streams[stream]
    async with provider.session() as opened:
        first = await read_all(reads, opened.session, Walk(Mode.FULL))
        changed = await provider.subject.change(provider.sandbox, stream)
        second = await read_all(reads, opened.session, Walk(Mode.INCREMENTAL, saved=first[-1].state))
        removed = await provider.subject.remove(provider.sandbox, stream)
        third = await read_all(reads, opened.session, Walk(Mode.INCREMENTAL, saved=second[-1].state))

    assert items_of(second)[changed].payload != items_of(first)[changed].payload
    if removed:
        assert items_of(third)[removed].deleted


@each_stream
async def test_a_walk_that_is_dropped_after_any_page_and_taken_up_again_loses_nothing(provider: Provider, stream: str):
    await provider.subject.fill(provider.sandbox)
    reads = provider.connector.streams[stream]
    async with provider.session() as opened:
        whole = await read_all(reads, opened.session, Walk(Mode.FULL))
        pieces = await read_in_pieces(reads, opened.session, Walk(Mode.FULL))
        after_the_end = await read_all(reads, opened.session, Walk(Mode.FULL, resume=whole[-1].state))
        # The states may name moments that lie a second apart; what matters is that neither leaves a change out.
        later = [await read_all(reads, opened.session, Walk(Mode.INCREMENTAL, saved=walk[-1].state)) for walk in (whole, pieces)]

    assert items_of(pieces) == items_of(whole)
    assert parts_of(pieces) == parts_of(whole)
    assert items_of(later[0]).items() <= items_of(whole).items()
    assert items_of(later[1]).items() <= items_of(whole).items()
    assert after_the_end == []


@each_stream
async def test_a_walk_that_is_killed_at_any_request_goes_on_from_its_last_page(provider: Provider, stream: str):
    await provider.subject.fill(provider.sandbox)
    reads = provider.connector.streams[stream]
    async with provider.session() as opened:
        whole = await read_all(reads, opened.session, Walk(Mode.FULL))
        account = opened.session.account
    for request in range(1, len(opened.log.calls) + 1):
        pages: list[Page] = []
        async with provider.session(wrap=lambda inner, n=request: KillSwitch(inner, n, after_answer=True), account=account) as killed:
            with pytest.raises(Killed):
                async for page in reads.read(killed.session, Walk(Mode.FULL)):
                    pages.append(page)
        async with provider.session(account=account) as later:
            pages += await read_all(reads, later.session, Walk(Mode.FULL, resume=pages[-1].state if pages else None))

        assert items_of(pages) == items_of(whole)
        assert parts_of(pages) == parts_of(whole)


@each_stream
async def test_texts_in_every_script_arrive_as_they_are(provider: Provider, stream: str):
    await provider.subject.fill(provider.sandbox)
    reads = provider.connector.streams[stream]
    translator = Translator(reads.entity, reads.fields)
    async with provider.session() as opened:
        pages = await read_all(reads, opened.session, Walk(Mode.FULL))
    account = opened.session.account
    assert account is not None
    records = [
        translator.translate(reads.assemble(item.payload, parts_for(pages, item), account), account) for item in items_of(pages).values()
    ]

    text = msgspec.json.encode(records).decode()
    shown = [name for name in provider.subject.names if json.dumps(name, ensure_ascii=False)[1:-1] in text]
    assert len(shown) >= min(len(items_of(pages)), len(provider.subject.names))


@each_stream
async def test_one_record_read_by_its_id_is_what_the_walk_gave(provider: Provider, stream: str):
    await provider.subject.fill(provider.sandbox)
    reads = provider.connector.streams[stream]
    async with provider.session() as opened:
        pages = await read_all(reads, opened.session, Walk(Mode.FULL))
        wanted = list(items_of(pages).values())[:: len(items_of(pages)) - 1]
        readings = [await reads.read_one(opened.session, item.external_id) for item in wanted]
        missing = await reads.read_one(opened.session, secrets.token_hex(8))

    assert len(wanted) == 2
    assert [reading and reading.item for reading in readings] == wanted
    for item, reading in zip(wanted, readings, strict=True):
        assert reading is not None
        assert {part.external_id: part.payload for part in reading.parts} == {
            part.external_id: part.payload for part in parts_for(pages, item)
        }
    assert missing is None
