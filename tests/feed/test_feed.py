"""The feed: no gap, nothing twice, from any place, however fast or slow somebody reads."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from app.actors import Scope
from app.database import before_commit, transaction
from app.feed import repository
from app.feed.models import Event, NewEvent
from app.feed.repository import BATCH, FAR_BEHIND
from app.feed.service import FeedService
from app.ids import new_id

SUBJECT = new_id()


@pytest.fixture
async def feed(hub) -> AsyncIterator[FeedService]:
    """Another process's feed: it shares Redis and Postgres with the hub's, nothing else."""
    other = FeedService(hub.redis)
    yield other
    await other.close()


async def publish(hub, scope: Scope, count: int = 1, *, topic: str = "quote", subject_id=SUBJECT, client_id=None) -> None:
    async with transaction(scope):
        await hub.feed.publish_many(scope, [NewEvent(topic, subject_id, number + 1, {"n": number}, client_id) for number in range(count)])


async def take(changes: AsyncIterator[Event], count: int) -> list[Event]:
    async with asyncio.timeout(10):
        return [await anext(changes) for _ in range(count)]


async def nothing(changes: AsyncIterator[Event], seconds: float = 0.3) -> bool:
    """Whether nothing comes. Ends the iteration."""
    try:
        async with asyncio.timeout(seconds):
            await anext(changes)
    except TimeoutError:
        return True
    return False


async def test_events_are_numbered_without_gaps_by_writers_at_the_same_time(hub, scope, feed):
    start = await feed.head(scope)

    await asyncio.gather(*(publish(hub, scope, 3) for _ in range(20)))

    events = await take(feed.changes(scope, topics=["quote"], after=start), 60)
    assert [event.sequence for event in events] == list(range(start + 1, start + 61))


async def test_what_was_rolled_back_was_never_there(hub, scope, feed):
    start = await feed.head(scope)
    with pytest.raises(RuntimeError):
        async with transaction(scope):
            await hub.feed.publish(scope, topic="quote", subject_id=SUBJECT, revision=1)
            raise RuntimeError
    await publish(hub, scope)

    (event,) = await take(feed.changes(scope, topics=["quote"], after=start), 1)

    assert event.sequence == start + 1


async def test_all_of_a_transaction_is_written_at_once_but_for_what_a_savepoint_took_back(hub, scope, feed, monkeypatch):
    start, written, add = await feed.head(scope), [], repository.add

    async def noted(scope, events):
        written.append(len(events))
        return await add(scope, events)

    monkeypatch.setattr(repository, "add", noted)
    async with transaction(scope):
        await hub.feed.publish(scope, topic="quote", subject_id=SUBJECT, revision=1)
        with pytest.raises(RuntimeError):
            async with transaction(scope):
                await hub.feed.publish(scope, topic="quote", subject_id=SUBJECT, revision=2)
                raise RuntimeError
        await hub.feed.publish(scope, topic="quote", subject_id=SUBJECT, revision=3)

    events = await take(feed.changes(scope, topics=["quote"], after=start), 2)
    assert written == [2]
    assert [(event.sequence, event.revision) for event in events] == [(start + 1, 1), (start + 2, 3)]


async def test_a_last_write_that_causes_another_is_followed_by_it(hub, scope):
    order: list[str] = []

    async def second(scope, items):
        order.extend(items)

    async def first(scope, items):
        order.extend(items)
        before_commit(scope, second, ["second"])

    async with transaction(scope):
        before_commit(scope, first, ["first"])

    assert order == ["first", "second"]


async def test_without_a_place_only_what_comes_is_told(hub, scope, feed):
    await publish(hub, scope)
    changes = feed.changes(scope, topics=["quote"])
    waiting = asyncio.create_task(take(changes, 1))
    await asyncio.sleep(0.2)

    await publish(hub, scope)

    (event,) = await waiting
    assert event.sequence == await feed.head(scope)


async def test_a_wake_comes_much_sooner_than_the_next_look(hub, scope, feed):
    feed.look_seconds = 60
    waiting = asyncio.create_task(take(feed.changes(scope, topics=["quote"]), 1))
    await asyncio.sleep(0.3)

    await publish(hub, scope)

    await asyncio.wait_for(waiting, 1)


async def test_without_redis_events_come_with_the_next_look(hub, scope):
    from redis.asyncio import Redis

    deaf = FeedService(Redis.from_url("redis://127.0.0.1:1"), look_seconds=0.2)
    waiting = asyncio.create_task(take(deaf.changes(scope, topics=["quote"]), 2))
    await asyncio.sleep(0.1)

    await publish(hub, scope, 2)

    assert len(await asyncio.wait_for(waiting, 5)) == 2
    await deaf.close()


async def test_a_subscriber_that_comes_back_misses_nothing_and_gets_nothing_twice(hub, scope, feed):
    start, seen = await feed.head(scope), []
    writer = asyncio.create_task(_publish_slowly(hub, scope, 60))
    while len(seen) < 60:
        changes = feed.changes(scope, topics=["quote"], after=seen[-1] if seen else start)
        seen += [event.sequence for event in await take(changes, min(7, 60 - len(seen)))]
        await changes.aclose()
    await writer

    assert seen == list(range(start + 1, start + 61))


async def _publish_slowly(hub, scope, count: int) -> None:
    for _ in range(count):
        await publish(hub, scope)
        await asyncio.sleep(0.002)


async def test_topics_and_subjects_are_kept_apart(hub, scope, feed):
    other = new_id()
    start = await feed.head(scope)
    await publish(hub, scope, topic="sync_run")
    await publish(hub, scope, subject_id=other)
    await publish(hub, scope)

    about = feed.changes(scope, topics=["quote"], subject_id=SUBJECT, after=start)

    (event,) = await take(about, 1)
    assert (event.topic, event.subject_id) == ("quote", SUBJECT)
    assert await nothing(about)


async def test_a_client_hears_only_of_its_own(hub, owner, feed):
    mine, start = new_id(), await feed.head(owner.scope)
    await publish(hub, owner.scope)
    await publish(hub, owner.scope, client_id=new_id())
    await publish(hub, owner.scope, client_id=mine)

    changes = feed.changes(Scope(owner.organization_id, mine), topics=["quote"], after=start)

    (event,) = await take(changes, 1)
    assert event.sequence == start + 3
    assert await nothing(changes)


async def test_another_organization_hears_nothing(hub, scope, feed):
    await publish(hub, scope)

    assert await nothing(feed.changes(Scope(new_id()), topics=["quote"], after=0))


async def test_a_slow_subscriber_holds_one_batch_and_still_gets_everything(hub, scope, feed):
    start = await feed.head(scope)
    await publish(hub, scope, BATCH + 50)

    events = await take(feed.changes(scope, topics=["quote"], after=start), BATCH + 50)

    assert [event.sequence for event in events] == list(range(start + 1, start + BATCH + 51))
    assert not any(event.missed for event in events)


async def test_one_that_is_far_behind_gets_the_latest_of_each_subject_and_is_told(hub, scope, feed):
    start, rare = await feed.head(scope), new_id()
    await publish(hub, scope, subject_id=rare)
    await publish(hub, scope, FAR_BEHIND + 1)

    changes = feed.changes(scope, topics=["quote"], after=start)

    events = await take(changes, 2)
    assert [(event.subject_id, event.missed) for event in events] == [(rare, False), (SUBJECT, True)]
    assert events[1].sequence == await feed.head(scope)
    await publish(hub, scope)
    assert [event.missed for event in await take(changes, 1)] == [False]


async def test_a_place_that_does_not_exist_yet_is_the_end(hub, scope, feed):
    changes = feed.changes(scope, topics=["quote"], after=10**15)
    waiting = asyncio.create_task(take(changes, 1))
    await asyncio.sleep(0.2)

    await publish(hub, scope)

    assert len(await waiting) == 1
