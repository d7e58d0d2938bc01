"""Live streams: who follows the same with the same rights is a group, and each event is rendered once for a group.

A subscriber first comes up to the end of the feed by itself, from its own place; then it joins its group, which hands every
event to all members. Whose connection has no room for an event leaves the group, waits until there is room, and comes up
by itself again. So each subscriber costs a place in the feed and at most one text that waits, however slow it is.
"""

import asyncio
from collections.abc import Awaitable, Callable, Hashable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any, Protocol, TypeVar

import asyncpg
from strawberry.schema import BaseSchema

from app.actors import Actor
from app.api.context import Context
from app.api.live.followed import Following
from app.api.live.presses import Press, Printed, Shelf
from app.api.live.streams import OpenStreams, Viewer, Watches, rights
from app.api.masking import log_surprise
from app.feed.models import Event, Interest
from app.feed.repository import FAR_BEHIND
from app.feed.service import FeedService
from app.feed.tails import Reader

T = TypeVar("T")

SLOW_BEHIND = 200
"""A subscriber that was too slow gets the latest of each subject when more events than this wait for it."""
AT_ONCE = 50
"""How many members get an event before others have their turn."""
_AWAY = (asyncpg.PostgresError, asyncpg.InterfaceError, OSError, TimeoutError)


class Sink(Protocol):
    """Where the texts of one subscriber go."""

    def offer(self, printed: Printed) -> bool:
        """Take it without waiting. False: it was taken, but there is no room for more until `drained`."""

    async def send(self, printed: Printed) -> None:
        """Take it, waiting for room. Raises what tells that nobody reads any more."""

    async def drained(self) -> None:
        """Wait until there is room. Raises as `send` does."""


class Member:
    """One subscriber, and up to which place it has everything."""

    def __init__(self, following: Following[Any], sink: Sink) -> None:
        self.sink = sink
        self.first = following.first
        self.position = following.place.sequence
        self.seen = following.place.revision
        self.far_behind = FAR_BEHIND
        self.ended = False
        self.has_other_rights = False
        self.left: asyncio.Future[None] | None = None

    def wants(self, event: Event) -> bool:
        return event.sequence > self.position and event.revision > self.seen

    def leave(self) -> None:
        """Not in the group any more; whoever serves it sees why."""
        if self.left is not None and not self.left.done():
            self.left.set_result(None)

    def change_rights(self) -> None:
        self.has_other_rights = True
        self.leave()


class Group:
    """Those who follow the same with the same rights."""

    def __init__(self, feed: FeedService, press: Press, interest: Interest) -> None:
        self.users = 0
        """Members, and those who are still coming up."""
        self.position = 0
        """Every member has everything up to here."""
        self.press = press
        self._feed = feed
        self._interest = interest
        self._members: dict[Member, None] = {}
        self._task: asyncio.Task[None] | None = None
        self._reading = ExitStack()

    async def serve(self, member: Member) -> None:
        """Hand a member everything from its place on, until it is at the end of all or has other rights."""
        while not (member.ended or member.has_other_rights):
            if await self._bring_up(member):
                try:
                    await member.left  # type: ignore[misc]  # made when it joined
                finally:
                    self._forget(member)
                await member.sink.drained()
                member.far_behind = SLOW_BEHIND

    async def _bring_up(self, member: Member) -> bool:
        """True when it has joined the others; False when there is nothing more to serve it."""
        if member.first is not None:
            first, member.first = member.first, None
            await self._send(member, first)
        with self._feed.reading(self._interest, member.position) as reader:
            while not (member.ended or member.has_other_rights):
                batch = await _patiently(lambda: reader.next(member.far_behind))
                for event in batch.events:
                    if member.wants(event) and not (member.ended or member.has_other_rights):
                        await self._send(member, event)
                if member.ended or member.has_other_rights:
                    break
                member.position = max(member.position, batch.position)
                if not batch.more:
                    if self._join(member):
                        return True
                    await reader.wait()
        return False

    async def _send(self, member: Member, event: Event) -> None:
        printed = await self.press.print(event)
        await member.sink.send(printed)
        member.position, member.ended = event.sequence, printed.last

    def _join(self, member: Member) -> bool:
        """False when the group is further: then the member has to read on."""
        if self._task is None:
            self.position = member.position
            reader = self._reading.enter_context(self._feed.reading(self._interest, member.position))
            self._task = asyncio.create_task(self._run(reader))
        if self.position > member.position:
            return False
        member.left = asyncio.get_running_loop().create_future()
        self._members[member] = None
        return True

    def _forget(self, member: Member) -> None:
        self._members.pop(member, None)
        member.left = None
        if not self._members:
            self.stop()

    def stop(self) -> None:
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
        self._reading.close()

    async def _run(self, reader: Reader) -> None:
        try:
            while True:
                batch = await _patiently(reader.next)
                for number, event in enumerate(batch.events):
                    printed = await self.press.print(event)
                    for upcoming in batch.events[number + 1 : number + 2]:
                        self.press.begin(upcoming)
                    self.position = event.sequence
                    await self._hand_out(event, printed)
                if not batch.more:
                    await reader.wait()
        except Exception as error:
            log_surprise(error)
            self._task = None
            self._reading.close()
            for member in list(self._members):
                member.ended = True
                member.leave()

    async def _hand_out(self, event: Event, printed: Printed) -> None:
        for count, member in enumerate(list(self._members), 1):
            if member.left is None or member.left.done():
                continue
            if member.wants(event):
                member.position = event.sequence
                has_room = member.sink.offer(printed)
                if printed.last or not has_room:
                    member.ended = printed.last
                    member.leave()
            elif printed.last:
                member.ended = True
                member.leave()
            if count % AT_ONCE == 0:
                await asyncio.sleep(0)


async def _patiently(ask: Callable[[], Awaitable[T]]) -> T:
    """A database that is away for a moment ends no stream."""
    while True:
        try:
            return await ask()
        except _AWAY:
            await asyncio.sleep(1)


class Live:
    """All live streams of a process."""

    def __init__(self, schema: BaseSchema, streams: OpenStreams) -> None:
        self.streams = streams
        self.watches = Watches()
        self._schema = schema
        self._shelf = Shelf()
        self._groups: dict[Hashable, Group] = {}

    async def follow(self, context: Context, following: Following[Any], viewer: Viewer, sink: Sink) -> None:
        """Give the sink each event once, until there can be no more or the viewer may not see them any longer."""
        if following.over:
            return
        member = Member(following, sink)
        with viewer.telling(member.change_rights):
            while not member.ended and viewer.actor is not None and viewer.actor.may(following.subject.permission):
                member.has_other_rights = False
                with self._group(context, following, viewer.actor) as group:
                    await group.serve(member)

    @contextmanager
    def _group(self, context: Context, following: Following[Any], actor: Actor) -> Iterator[Group]:
        key = (following.asked, rights(actor))
        group = self._groups.get(key)
        if group is None:
            group = self._groups[key] = self._new_group(context, following, actor)
        group.users += 1
        try:
            yield group
        finally:
            group.users -= 1
            if not group.users:
                del self._groups[key]
                group.stop()
                group.press.stop()

    def _new_group(self, context: Context, following: Following[Any], actor: Actor) -> Group:
        subject = following.subject
        rendering = context.copy()
        rendering.known_actor = actor
        rendering.press = Press(self._schema, following.asked, rendering, self._shelf)
        return Group(context.hub.feed, rendering.press, Interest(actor.scope, subject.topics, subject.subject_id))
