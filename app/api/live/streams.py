"""Streams that stay open: how many there may be, and who still may read them."""

import asyncio
from collections import Counter
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from typing import Any

import structlog

from app.actors import Actor
from app.api.identity import Credential
from app.bootstrap import Hub
from app.errors import NotSignedIn, Refusal

CHECK_SECONDS = 3.0
"""A token that is revoked, or expires, ends its streams within this time."""

_log = structlog.get_logger("crosswalk.api")


class TooManyStreams(Refusal):
    """Too many streams are open; close some first."""

    code = "too_many_streams"

    def __init__(self, whose: str, limit: str, allowed: int) -> None:
        super().__init__(f"Too many streams are open for this {whose}: {allowed} are allowed at a time. Close some first.")
        self.details: dict[str, Any] = {"limit": limit, "allowed": allowed}

    @property
    def extensions(self) -> dict[str, Any]:
        return {"code": self.code.upper(), "fixBy": self.fix_by.upper(), **self.details}


class OpenStreams:
    """Counts what each caller, and each organization, has open in this process."""

    def __init__(self, per_caller: int, per_organization: int) -> None:
        self.per_caller = per_caller
        self.per_organization = per_organization
        self._open: Counter[Hashable] = Counter()

    def room_for(self, actor: Actor) -> None:
        """Raises TooManyStreams."""
        if self._open[_caller(actor)] >= self.per_caller:
            raise TooManyStreams("caller", "streams_per_caller", self.per_caller)
        if self._open[actor.organization_id] >= self.per_organization:
            raise TooManyStreams("organization", "streams_per_organization", self.per_organization)

    @contextmanager
    def counted(self, actor: Actor) -> Iterator[None]:
        """One more, for as long as the block lasts. Raises TooManyStreams."""
        self.room_for(actor)
        counted = (_caller(actor), actor.organization_id)
        self._open.update(counted)
        try:
            yield
        finally:
            for key in counted:
                self._open[key] -= 1
                if not self._open[key]:
                    del self._open[key]


def _caller(actor: Actor) -> Hashable:
    return actor.organization_id, actor.kind, actor.id


class Viewer:
    """Who reads a stream, which may change while it is open: None is nobody any more."""

    def __init__(self, actor: Actor) -> None:
        self.actor: Actor | None = actor
        self._told: set[Callable[[], None]] = set()

    def become(self, actor: Actor | None) -> None:
        before, self.actor = self.actor, actor
        if rights(before) != rights(actor):
            for tell in list(self._told):
                tell()

    @contextmanager
    def telling(self, tell: Callable[[], None]) -> Iterator[None]:
        """Calls `tell` whenever what the viewer may see has changed."""
        self._told.add(tell)
        try:
            yield
        finally:
            self._told.discard(tell)


def rights(actor: Actor | None) -> Hashable:
    """What decides what somebody sees: two with the same rights see the same."""
    return None if actor is None else (actor.scope, actor.kind, actor.role, actor.scopes)


Tell = Callable[[Actor | NotSignedIn], None]


class Watches:
    """Asks again who somebody is while a stream is open: once for all streams that rest on the same credential."""

    def __init__(self) -> None:
        self._watched: dict[Hashable, tuple[set[Tell], asyncio.Task[None]]] = {}

    @contextmanager
    def watching(self, hub: Hub, credential: Credential, tell: Tell) -> Iterator[None]:
        """`tell` hears every few seconds who it is, or that it is nobody any more."""
        key = (credential.secret, credential.is_token)
        if key not in self._watched:
            listeners: set[Tell] = set()
            self._watched[key] = listeners, asyncio.create_task(_watch(hub, credential, listeners))
        listeners, task = self._watched[key]
        listeners.add(tell)
        try:
            yield
        finally:
            listeners.discard(tell)
            if not listeners and self._watched.pop(key, None) is not None:
                task.cancel()


async def _watch(hub: Hub, credential: Credential, listeners: set[Tell]) -> None:
    while True:
        await asyncio.sleep(CHECK_SECONDS)
        try:
            found: Actor | NotSignedIn = await credential.actor(hub)
        except NotSignedIn as refusal:
            found = refusal
        except Exception as error:  # a database that is away for a moment is no reason to hang up
            _log.warning("stream_check_failed", error=type(error).__name__)
            continue
        for tell in list(listeners):
            tell(found)
