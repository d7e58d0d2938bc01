"""Sessions on providers for tests of connectors: the real client, guard and budget, over real sockets."""

import secrets
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx
from redis.asyncio import Redis

from app.budget import RedisBudget
from app.connectors.auth import api_key
from app.connectors.base import Account, Connector, Page, RateLimit, Session, State, Stream, Walk
from app.connectors.budget import Budget, ConnectionBudget
from app.connectors.calls import CallList
from app.connectors.client import ApiClient
from app.connectors.guard import OutboundGuard
from app.connectors.servicem8.connector import connector as SERVICEM8
from app.connectors.servicem8.sandbox.testing import RunningSandbox
from app.connectors.transport import GuardedTransport

SECRET = "smk-very/secret+key=1234"


class NoLimit:
    """A budget that is never full; keeps the pauses that were asked for."""

    def __init__(self) -> None:
        self.pauses: list[tuple[float, bool]] = []

    async def acquire(self, priority: str) -> float:
        return 0.0

    async def pause(self, seconds: float, *, quota: bool = False) -> None:
        self.pauses.append((seconds, quota))


@asynccontextmanager
async def guarded(url: str) -> AsyncIterator[GuardedTransport]:
    """A transport that may reach this sandbox and public addresses."""
    transport = GuardedTransport(OutboundGuard((), [url]))
    try:
        yield transport
    finally:
        await transport.aclose()


@asynccontextmanager
async def client_of(url: str, **options: Any) -> AsyncIterator[ApiClient]:
    """A client with a secret key; waits between attempts are short."""
    given = {"budget": NoLimit(), "log": CallList(), "delay_seconds": 0.001, "timeout_seconds": 5} | options
    async with guarded(url) as transport:
        yield ApiClient(url, api_key("X-API-Key", SECRET), transport=transport, **given)


def budget_of(redis: Redis, limits: Sequence[RateLimit] = ()) -> ConnectionBudget:
    """A budget that no other test uses."""
    return ConnectionBudget(RedisBudget(redis), secrets.token_hex(8), limits)


@dataclass
class Opened:
    """A session and what it did."""

    session: Session
    log: CallList


Wrap = Callable[[httpx.AsyncBaseTransport], httpx.AsyncBaseTransport]


@dataclass
class _RedisInUse:
    url: str = ""


_redis = _RedisInUse()


def use_redis(url: str) -> None:
    """From now on sessions have real budgets there; conftest.py says so as soon as a test needs a sandbox."""
    _redis.url = url


@asynccontextmanager
async def open_session(
    connector: Connector,
    url: str,
    settings: dict[str, Any],
    *,
    budget: Budget | None = None,
    account: Account | None = None,
    wrap: Wrap = lambda it: it,
) -> AsyncIterator[Opened]:
    """A session as the hub opens it, with a budget of its own. Without an account, the account is asked first, and not in the log."""
    log, decoded = CallList(), connector.settings_class(**settings)
    async with guarded(url) as transport, Redis.from_url(_redis.url) as redis:
        budget = budget or budget_of(redis, connector.limits(decoded))
        if account is None:
            plain = connector.make_client(decoded, transport=transport, budget=budget, log=CallList())
            account = await connector.check(Session(plain, decoded, None))
        client = connector.make_client(decoded, transport=wrap(transport), budget=budget, log=log)
        yield Opened(Session(client, decoded, account), log)


async def read_all(stream: Stream, session: Session, walk: Walk) -> list[Page]:
    return [page async for page in stream.read(session, walk)]


async def read_in_pieces(stream: Stream, session: Session, walk: Walk) -> list[Page]:
    """The same, but the walk is dropped after every page and taken up from that page's state."""
    pages: list[Page] = []
    resume: State | None = walk.resume
    while True:
        reading = stream.read(session, Walk(walk.mode, walk.saved, resume, walk.narrowed_to))
        page = await anext(reading, None)
        await reading.aclose()
        if page is None:
            return pages
        pages.append(page)
        resume = page.state


@asynccontextmanager
async def servicem8(
    sandbox: RunningSandbox, *, budget: Budget | None = None, wrap: Wrap = lambda it: it, **settings: Any
) -> AsyncIterator[Opened]:
    """A session on the first account of a ServiceM8 sandbox, or on that of another `api_key`."""
    given = {"api_key": sandbox.api_key, "base_url": sandbox.url, "delay_seconds": 0.01} | settings
    async with open_session(SERVICEM8, sandbox.url, given, budget=budget, wrap=wrap) as opened:
        yield opened
