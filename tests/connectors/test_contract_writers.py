"""What every connector promises of writing records, tried on every stream that has a writer. The sandbox's ledger is the witness."""

import secrets
from dataclasses import replace

import pytest

from app.connectors.base import Account, Reading, RecordWrite, Writer
from tests.connectors.contract import Provider, each_writer
from tests.connectors.killing import Killed, KillSwitch
from tests.connectors.kit import Wrap
from tests.connectors.subject import WritingSubject

Made = tuple[WritingSubject, Writer]


def writing(provider: Provider, stream: str) -> Made:
    writer, subject = provider.connector.streams[stream].writer, provider.subject
    assert writer is not None
    return subject, writer  # type: ignore[return-value]


async def write_one(
    provider: Provider, stream: str, write: RecordWrite, account: Account, *, attempted: bool = False, wrap: Wrap = lambda it: it
) -> Reading:
    """One attempt as the engine makes it: what is updated is read afresh before."""
    reads, (_, writer) = provider.connector.streams[stream], writing(provider, stream)
    async with provider.session(account=account) as opened:
        before = await reads.read_one(opened.session, write.external_id) if write.external_id else None
    async with provider.session(wrap=wrap, account=account) as opened:
        return await writer.write(opened.session, replace(write, before=before, attempted=attempted))


def new(document: dict[str, object]) -> RecordWrite:
    return RecordWrite(secrets.token_hex(16), None, document, frozenset(document), None)


@pytest.fixture
async def account(provider: Provider) -> Account:
    async with provider.session() as opened:
        found = opened.session.account
    assert found is not None
    return found


@each_writer
async def test_what_is_written_is_shown_and_found_again(provider: Provider, stream: str, account: Account):
    subject, writer = writing(provider, stream)
    write = new(await subject.new_document(provider.sandbox, stream))
    made = await write_one(provider, stream, write, account)
    async with provider.session(account=account) as opened:
        found = await writer.find(opened.session, write.document, write.key)
        shown = await provider.connector.streams[stream].read_one(opened.session, made.item.external_id)

    assert [one.item.external_id for one in found] == [made.item.external_id]
    assert shown == made
    assert await subject.written(provider.sandbox, stream) == [("created", made.item.external_id)]


@pytest.mark.parametrize("after_answer", [False, True])
@each_writer
async def test_something_new_is_made_once_wherever_the_first_attempt_is_killed(
    provider: Provider, stream: str, after_answer: bool, account: Account
):
    subject, _ = writing(provider, stream)
    for request in range(1, 50):
        write, before = new(await subject.new_document(provider.sandbox, stream)), await subject.written(provider.sandbox, stream)
        try:
            await write_one(provider, stream, write, account, wrap=lambda inner, n=request: KillSwitch(inner, n, after_answer=after_answer))
        except Killed:
            made = await write_one(provider, stream, write, account, attempted=True)
        else:
            assert request > 1
            return
        assert await subject.written(provider.sandbox, stream) == [*before, ("created", made.item.external_id)], request
    pytest.fail("the write never ended")


@pytest.mark.parametrize("after_answer", [False, True])
@each_writer
async def test_a_change_is_written_once_wherever_the_first_attempt_is_killed(
    provider: Provider, stream: str, after_answer: bool, account: Account
):
    subject, _ = writing(provider, stream)
    reads = provider.connector.streams[stream]
    for request in range(1, 50):
        made = await write_one(provider, stream, new(await subject.new_document(provider.sandbox, stream)), account)
        before = await subject.written(provider.sandbox, stream)
        document, changed = subject.edit(stream, reads.assemble(made.item.payload, made.parts, account))
        write = RecordWrite(secrets.token_hex(16), made.item.external_id, document, changed, None)
        try:
            await write_one(provider, stream, write, account, wrap=lambda inner, n=request: KillSwitch(inner, n, after_answer=after_answer))
        except Killed:
            after = await write_one(provider, stream, write, account, attempted=True)
        else:
            assert request > 1
            return
        shown = reads.assemble(after.item.payload, after.parts, account)
        assert {name: shown[name] for name in changed} == {name: document[name] for name in changed}
        assert await subject.written(provider.sandbox, stream) == [*before, ("changed", made.item.external_id)], request
    pytest.fail("the write never ended")


@each_writer
async def test_what_the_provider_can_remove_is_removed_once(provider: Provider, stream: str, account: Account):
    subject, writer = writing(provider, stream)
    if writer.deletes is None:
        return
    made = await write_one(provider, stream, new(await subject.new_document(provider.sandbox, stream)), account)
    async with provider.session(account=account) as opened:
        await writer.remove(opened.session, made.item.external_id)
        await writer.remove(opened.session, made.item.external_id)
        left = await provider.connector.streams[stream].read_one(opened.session, made.item.external_id)

    assert left is None or left.item.deleted
    assert [effect for effect, _ in await subject.written(provider.sandbox, stream)] == ["created", "deleted"]
