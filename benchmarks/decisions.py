"""Decisions during a bulk pull and a bulk push of the same connection: how long until the provider sees the first write of each.

    .venv/bin/python benchmarks/decisions.py [--decisions 200] [--scale 1] [--per-minute 600] [--partners 3000]

A worker process pulls all partners of a Metakocka sandbox again and again and pushes contacts that somebody keeps editing, so that the
connection's requests are used up throughout. Meanwhile a client decides on an offer every five seconds, half of them by approving. The
time is that from the return of the decision, which has been committed then, to the first write in the sandbox's ledger that carries it.

The sandbox allows so many requests in each of its minutes, and the connection is set to the same rate. With `--scale 2.5` the sandbox's
clock runs that much faster: a decision in two seconds, and so many more requests. The hub's own times are what they are: what it sends in
stretches of five seconds is more of a shorter minute, so that the connection is set lower by two of them.
Who asks for more than a limit lets through at all measures the limit: an approval takes ten requests, a rejection six.
"""

import argparse
import asyncio
import contextlib
import itertools
import json
import math
import os
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import structlog

from app.actors import Actor
from app.bootstrap import Hub
from app.connections.models import Connection
from app.connectors.metakocka.connector import PACE_SECONDS
from app.connectors.metakocka.document_bodies import mark_of
from app.connectors.metakocka.sandbox.config import SandboxConfig, Sizes
from app.connectors.metakocka.sandbox.testing import RunningSandbox, start_sandbox
from app.database import fetch
from app.quotes.models import Quote
from app.syncs.service import SyncInProgress
from benchmarks.pulling import Where, connect, hub_of
from benchmarks.servers import own_servers
from tests.factories import key, make_organization, sync

EVERY = 5.0
"""Seconds of the sandbox's time between decisions."""
WANTED_SECONDS = 2.0
PAGE_SIZE = 100
ROOT = Path(__file__).resolve().parents[1]


@dataclass(frozen=True)
class Decided:
    """A decision, and when it had been committed."""

    quote: Quote
    marks: tuple[str, ...]
    """One of these is in every write that carries it."""
    at: float


def main() -> None:
    arguments = _arguments()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    print(f"load before: {os.getloadavg()[0]:.2f}")
    # Most are not open, or not any more.
    sizes = Sizes(partners=arguments.partners, offers=6 * arguments.decisions + 40, orders=0, bills=0)
    sandbox = start_sandbox(SandboxConfig(sizes=sizes, broken_records=False))
    try:
        with own_servers() as (folder, servers):
            where = {
                "database_url": servers.app_url,
                "redis_url": servers.redis_url,
                "data_dir": str(folder),
                "sandbox_url": sandbox.url,
                "company_id": sandbox.company_id,
                "secret_key": sandbox.secret_key,
            }
            asyncio.run(_measure(arguments, where, sandbox))
    finally:
        sandbox.stop()
    print(f"load after: {os.getloadavg()[0]:.2f}")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--decisions", type=int, default=200)
    parser.add_argument("--scale", type=float, default=1.0, help="sandbox seconds in a second")
    parser.add_argument("--per-minute", type=int, default=600, help="requests in a minute of the sandbox's")
    parser.add_argument("--partners", type=int, default=3000)
    return parser.parse_args()


async def _measure(arguments: argparse.Namespace, where: Where, sandbox: RunningSandbox) -> None:
    minute = 60 / arguments.scale
    slack = minute / (minute + 2 * PACE_SECONDS) if arguments.scale > 1 else 1.0
    per_minute = int(arguments.per_minute * arguments.scale * slack)
    async with hub_of(where) as hub:
        owner = await make_organization(hub)
        connection = await connect(hub, owner, where, requests_per_minute=per_minute, page_size=PAGE_SIZE)
        pulled = await sync(hub, owner, connection, streams=["partners", "offers"], mode="full")
        assert pulled.status == "completed", pulled
        await sandbox.settings(quota_per_minute=arguments.per_minute)
        await sandbox.set_clock(scale=arguments.scale)
        begun = datetime.now(UTC)
        await sandbox.clear_ledger()
        with _worker(where):
            async with bulk(hub, owner, connection) as done:
                await under_way(sandbox, per_minute // 4)
                decided = await decide(hub, owner, arguments.decisions, EVERY / arguments.scale)
                seconds = await first_writes(sandbox, decided, begun, arguments.scale, patience=60)
        _print(arguments, seconds, await sandbox.counters(), (datetime.now(UTC) - begun).total_seconds(), done)


async def under_way(sandbox: RunningSandbox, requests: int) -> None:
    """The bulk work has asked so much that it waits for its limits."""
    for _ in range(360):
        if sum((await sandbox.counters())["by_path"].values()) >= requests:
            return
        await asyncio.sleep(0.5)
    raise TimeoutError("The bulk work has not begun.")


async def decide(hub: Hub, owner: Actor, count: int, every: float) -> list[Decided]:
    """Approve and reject open quotes in turn, one in so many seconds, whatever becomes of the one before."""
    sql = """
        SELECT id FROM quote
        WHERE organization_id = $1 AND status = 'open' AND (valid_until IS NULL OR valid_until > now() + interval '1 hour')
        ORDER BY id LIMIT $2
    """
    found = await fetch(owner.scope, sql, owner.organization_id, count)
    assert len(found) == count, f"only {len(found)} offers are open"
    decided, begun = [], time.monotonic()
    for number, row in enumerate(found):
        await asyncio.sleep(max(0.0, begun + number * every - time.monotonic()))
        decided.append(await _decide(hub, owner, await hub.quotes.quote(owner, row["id"]), approve=number % 2 == 0))
    return decided


async def _decide(hub: Hub, owner: Actor, quote: Quote, *, approve: bool) -> Decided:
    if approve:
        decision = await hub.quotes.approve(
            owner, quote.id, version=quote.version, lines=None, signature_name="Ana Žagar", accept_terms=True, idempotency_key=key()
        )
    else:
        decision = await hub.quotes.reject(owner, quote.id, version=quote.version, reason="Too late", idempotency_key=key())
    return Decided(quote, (quote.external_id, quote.number, mark_of(str(decision.id))), datetime.now(UTC).timestamp())


async def first_writes(
    sandbox: RunningSandbox, decided: Sequence[Decided], begun: datetime, scale: float, *, patience: float
) -> list[float]:  # fmt: skip
    """Seconds from each decision to the sandbox's first write that carries it; infinite for one that has not come in time."""
    deadline = time.monotonic() + patience
    while True:
        seen = [(_moment(write["at"], begun, scale), json.dumps(write["sent"])) for write in await sandbox.ledger()]
        found = [next((at for at, sent in seen if any(mark in sent for mark in one.marks)), math.inf) for one in decided]
        if math.inf not in found or time.monotonic() > deadline:
            return [at - one.at for at, one in zip(found, decided, strict=True)]
        await asyncio.sleep(0.5)


def _moment(at: str, begun: datetime, scale: float) -> float:
    """A time of the sandbox's as one of ours: its clock was set when it was given its scale."""
    return begun.timestamp() + (datetime.fromisoformat(at) - begun).total_seconds() / scale


@contextlib.asynccontextmanager
async def bulk(hub: Hub, owner: Actor, connection: Connection) -> AsyncIterator[dict[str, int]]:
    """Keep a full pull and a push of the connection's contacts going, and edit contacts for the push. Yields what was done."""
    done = {"pulls": 0, "pushes": 0, "edits": 0}
    tasks = [
        asyncio.create_task(_keep_going(hub, owner, connection, "pull", done)),
        asyncio.create_task(_keep_going(hub, owner, connection, "push", done)),
        asyncio.create_task(_keep_editing(hub, owner, connection, done)),
    ]
    try:
        yield done
        broken = [task.exception() for task in tasks if task.done()]
        assert not broken, broken
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _keep_going(hub: Hub, owner: Actor, connection: Connection, direction: str, done: dict[str, int]) -> None:
    while True:
        with contextlib.suppress(SyncInProgress):
            await hub.syncs.start(owner, connection.id, streams=["partners"], mode="full", direction=direction)
            done["pulls" if direction == "pull" else "pushes"] += 1
        await asyncio.sleep(0.1)


async def _keep_editing(hub: Hub, owner: Actor, connection: Connection, done: dict[str, int]) -> None:
    """So many at once that a push has always something to write, and no more than it can."""
    rows = await fetch(
        owner.scope,
        "SELECT id FROM record WHERE organization_id = $1 AND connection_id = $2 AND entity = 'contact' ORDER BY id",
        owner.organization_id,
        connection.id,
    )
    for number, row in enumerate(itertools.cycle(rows)):
        with contextlib.suppress(Exception):  # the pull or the push has just changed it
            record = await hub.records.get(owner, row["id"])
            await hub.edits.update(owner, record.id, version=record.version, changes={"mobile": f"068 {number:06d}"})
            done["edits"] += 1
        await asyncio.sleep(0.03)


@contextlib.contextmanager
def _worker(where: Where) -> Iterator[None]:
    """A worker process as `crosswalk worker` runs it."""
    environment = os.environ | {
        "CROSSWALK_DATABASE_URL": where["database_url"],
        "CROSSWALK_REDIS_URL": where["redis_url"],
        "CROSSWALK_DATA_DIR": where["data_dir"],
        "CROSSWALK_SANDBOXES": "true",
        "CROSSWALK_SANDBOX_URLS": where["sandbox_url"],
        "CROSSWALK_LOG_LEVEL": "error",
    }
    process = subprocess.Popen([sys.executable, "-m", "app.cli", "worker"], cwd=ROOT, env=environment)
    try:
        yield
        assert process.poll() is None, "the worker has ended"
    finally:
        process.terminate()
        process.wait(60)


def _print(arguments: argparse.Namespace, seconds: list[float], counters: dict[str, Any], took: float, done: dict[str, int]) -> None:
    ordered = sorted(seconds)
    refused = sum(counters["refused"].values())
    requests = sum(counters["by_path"].values()) - refused
    share = requests / (arguments.per_minute * arguments.scale / 60 * took)
    print(
        f"{len(ordered)} decisions in {took:.0f} s: first write after {_quantile(ordered, 0.5):.2f} s at the median,"
        f" {_quantile(ordered, 0.99):.2f} s at the 99th percentile, {ordered[-1]:.2f} s at most"
        f" ({WANTED_SECONDS:g} s wanted at the 99th percentile)\n"
        f"{requests} requests meanwhile, {share:.0%} of the rate; {refused} refused; {counters['effects']} effects;"
        f" {done['pulls']} pulls and {done['pushes']} pushes begun, {done['edits']} edits"
    )


def _quantile(ordered: Sequence[float], share: float) -> float:
    return ordered[min(len(ordered) - 1, math.ceil(share * len(ordered)) - 1)]


if __name__ == "__main__":
    main()
