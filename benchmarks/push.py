"""Push of changed contacts to Metakocka's sandbox: how much of the allowed rate is used, and whether anything is refused.

    .venv/bin/python benchmarks/push.py [--contacts 500] [--per-second 50] [--limit minute|second] [--workers 1,2]

Pulls partners, changes each one's mobile number in the hub, and pushes. The sandbox's limit is switched on for the push only: so
many requests in each of its seconds, or sixty times so many in each of its minutes. The connection is set to the same rate.

With two workers there are two connections to two companies, each with half of the contacts and a limit of its own, and each
run is advanced by a process of its own. A run shorter than two minutes says little of a limit that counts minutes: the first
minute's requests may go at once.
"""

import argparse
import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from uuid import UUID

import structlog

from app.actors import Actor, ActorKind, Role, Scope
from app.bootstrap import Hub
from app.connections.models import Connection
from app.connectors.metakocka.sandbox.config import CompanyConfig, SandboxConfig, Sizes
from app.connectors.metakocka.sandbox.testing import RunningSandbox, start_sandbox
from app.database import fetch
from app.embedded import Embedded
from app.syncs.models import SyncRun
from benchmarks.pulling import Where, connect, hub_of
from benchmarks.servers import own_servers
from tests.factories import ended, make_organization, sync

Outcome = dict[str, float]
"""What became of a run: contacts by outcome, seconds."""
COMPANIES = tuple(CompanyConfig(company_id=number, secret_key=f"mk-sandbox-secret-{number}") for number in ("16", "17"))


def main() -> None:
    arguments = _arguments()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    if arguments.advance:
        print(json.dumps(asyncio.run(_advance(json.load(sys.stdin), *map(UUID, arguments.advance)))))
        return
    print(f"load before: {os.getloadavg()[0]:.2f}")
    seconds = {workers: _measure(arguments, workers) for workers in arguments.workers}
    for workers, took in list(seconds.items())[1:]:
        print(f"time of {workers} workers and connections against {arguments.workers[0]}: {took / seconds[arguments.workers[0]]:.2f}")
    print(f"load after: {os.getloadavg()[0]:.2f}")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--contacts", type=int, default=500)
    parser.add_argument("--per-second", type=int, default=50)
    parser.add_argument("--limit", choices=["minute", "second"], default="minute")
    parser.add_argument("--workers", type=lambda text: [int(one) for one in text.split(",")], default=[1, 2])
    parser.add_argument("--advance", nargs=2, metavar=("ORGANIZATION", "RUN"), help="advance one run (used by itself)")
    return parser.parse_args()


def _measure(arguments: argparse.Namespace, workers: int) -> float:
    """Seconds that the push took."""
    each = arguments.contacts // workers
    sandbox = start_sandbox(SandboxConfig(companies=COMPANIES[:workers], sizes=Sizes(partners=each), broken_records=False))
    try:
        with own_servers() as (folder, servers):
            return asyncio.run(_push(arguments, _where(sandbox, servers, folder), sandbox, workers))
    finally:
        sandbox.stop()


def _where(sandbox: RunningSandbox, servers: Embedded, folder: Path) -> Where:
    return {"database_url": servers.app_url, "redis_url": servers.redis_url, "data_dir": str(folder), "sandbox_url": sandbox.url}


async def _push(arguments: argparse.Namespace, where: Where, sandbox: RunningSandbox, workers: int) -> float:
    async with hub_of(where) as hub:
        owner = await make_organization(hub)
        connections = [await _changed(hub, owner, where, company, arguments.per_second) for company in COMPANIES[:workers]]
        await _limit(sandbox, arguments)
        runs = [await hub.syncs.start(owner, connection.id, streams=["partners"], direction="push") for connection in connections]
        outcomes = await asyncio.gather(*(asyncio.to_thread(_worker, where, run) for run in runs))
        counters = await sandbox.counters()
    _print(arguments, outcomes, counters)
    return max(outcome["seconds"] for outcome in outcomes)


async def _changed(hub: Hub, owner: Actor, where: Where, company: CompanyConfig, per_second: int) -> Connection:
    """A connection whose contacts have been pulled, with nothing in the way, and all been changed in the hub since."""
    credentials = {"company_id": company.company_id, "secret_key": company.secret_key}
    connection = await connect(hub, owner, where | credentials, requests_per_minute=60 * per_second)
    pulled = await sync(hub, owner, connection, streams=["partners"])
    assert pulled.status == "completed", pulled
    rows = await fetch(
        owner.scope,
        "SELECT id, version FROM record WHERE organization_id = $1 AND connection_id = $2 ORDER BY id",
        owner.organization_id,
        connection.id,
    )
    for number, row in enumerate(rows):
        await hub.edits.update(owner, row["id"], version=row["version"], changes={"mobile": f"068 {number:06d}"})
    return connection


async def _limit(sandbox: RunningSandbox, arguments: argparse.Namespace) -> None:
    """Switch the limit on, and count from here."""
    many = {"minute": {"quota_per_minute": 60 * arguments.per_second}, "second": {"requests_per_second": arguments.per_second}}
    await sandbox.control("DELETE", "ledger")
    await sandbox.settings(**many[arguments.limit])


def _worker(where: Where, run: SyncRun) -> Outcome:
    """Advance a run in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.push", "--advance", str(run.organization_id), str(run.id)]
    root = Path(__file__).resolve().parents[1]
    done = subprocess.run(command, input=json.dumps(where), stdout=subprocess.PIPE, text=True, check=True, cwd=root)
    outcome: Outcome = json.loads(done.stdout.splitlines()[-1])
    return outcome


async def _advance(where: Where, organization_id: UUID, run_id: UUID) -> Outcome:
    actor = Actor(Scope(organization_id), ActorKind.SYSTEM, Role.OWNER, "benchmark")
    async with hub_of(where) as hub:
        wall, cpu = time.perf_counter(), time.process_time()
        run = await ended(hub, actor, await hub.syncs.run(actor, run_id), seconds=7200)
        seconds, cpu_seconds = time.perf_counter() - wall, time.process_time() - cpu
        return {"updated": run.counts.updated, "failed": run.counts.failed, "seconds": seconds, "cpu_seconds": cpu_seconds}


def _print(arguments: argparse.Namespace, outcomes: Sequence[Outcome], counters: dict[str, Any]) -> None:
    seconds, refused = max(outcome["seconds"] for outcome in outcomes), sum(counters["refused"].values())
    done = sum(counters["by_path"].values()) - refused
    allowed = arguments.per_second * len(outcomes) * seconds
    counted, failed = (sum(int(outcome[name]) for outcome in outcomes) for name in ("updated", "failed"))
    written = sum(counters["effects"].values())
    print(
        f"{len(outcomes)} worker(s): {written} changes seen by the sandbox, {counted} counted by the runs,"
        f" {failed} failed, in {seconds:.1f} s;"
        f" {done} requests ({done / max(written, 1):.2f} for each), {done / allowed:.0%} of the rate; {refused} refused;"
        f" CPU {sum(outcome['cpu_seconds'] for outcome in outcomes):.1f} s"
    )


if __name__ == "__main__":
    main()
