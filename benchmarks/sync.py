"""Sync of 50,000 companies from the sandbox, beside the simplest loop that does the same work in the same run.

    .venv/bin/python benchmarks/sync.py [--companies 50000]

Both read the same pages over local HTTP without limits. The bare loop fetches, decodes and upserts into one table, a page
at a time, and does nothing else: no tenants, no mapping, no checkpoints, no payloads. The hub does all that it promises.
The sandbox and Postgres run in processes of their own; CPU seconds and peak memory are those of the measured process.
"""

import argparse
import asyncio
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import asyncpg
import httpx
import msgspec
import structlog

from app import embedded, migrations
from app.bootstrap import Hub
from app.connectors.servicem8.sandbox.config import SandboxConfig
from app.connectors.servicem8.sandbox.testing import start_sandbox
from app.settings import Secret, Settings
from tests.factories import make_connection, make_organization, sync

PAGE_SIZE = 1000


def main() -> None:
    arguments = _arguments()
    if arguments.subject:
        structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(40))
        print(json.dumps(asyncio.run(_SUBJECTS[arguments.subject](json.loads(sys.stdin.read())))))
        return
    with tempfile.TemporaryDirectory(prefix="cw-bench-") as folder:
        _compare(Path(folder), arguments.companies)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--companies", type=int, default=50_000)
    parser.add_argument("--subject", choices=["hub", "bare"], help="measure one of the two (used by itself)")
    return parser.parse_args()


def _compare(folder: Path, companies: int) -> None:
    sandbox = start_sandbox(SandboxConfig(limits_factor=None, page_size=PAGE_SIZE, seed="companies", seed_count=companies))
    try:
        with embedded.start(folder / "servers") as servers:
            asyncio.run(migrations.migrate(servers.owner_url))
            where = {
                "database_url": servers.app_url,
                "admin_url": servers.owner_url,
                "redis_url": servers.redis_url,
                "data_dir": str(folder),
                "sandbox_url": sandbox.url,
                "api_key": sandbox.api_key,
            }
            results = {subject: _measure(subject, where) for subject in ("bare", "hub")}
    finally:
        sandbox.stop()
    _print(companies, results)


def _measure(subject: str, where: dict[str, str]) -> dict[str, dict[str, float]]:
    done = subprocess.run(
        [sys.executable, __file__, "--subject", subject], input=json.dumps(where), capture_output=True, text=True, check=True
    )
    measured: dict[str, dict[str, float]] = json.loads(done.stdout.splitlines()[-1])
    return measured


def _print(companies: int, results: dict[str, dict[str, dict[str, float]]]) -> None:
    print(f"{companies} companies with their contacts, pages of {PAGE_SIZE}\n")
    print("| pass | subject | records/s | CPU s | peak MB | of the bare loop |\n|---|---|---|---|---|---|")
    for name in ("first", "unchanged"):
        for subject in ("bare", "hub"):
            figures = results[subject][name]
            ratio = figures["records_per_second"] / results["bare"][name]["records_per_second"]
            print(
                f"| {name} | {subject} | {figures['records_per_second']:,.0f} | {figures['cpu_seconds']:.1f}"
                f" | {figures['peak_megabytes']:.0f} | {ratio:.2f} |"
            )


class _Clock:
    """Wall and CPU seconds of this process since it was made."""

    def __init__(self) -> None:
        self.wall, self.cpu = time.perf_counter(), time.process_time()

    def figures(self, records: int) -> dict[str, float]:
        return {
            "records_per_second": records / (time.perf_counter() - self.wall),
            "cpu_seconds": time.process_time() - self.cpu,
            "peak_megabytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        }


async def _hub(where: dict[str, str]) -> dict[str, dict[str, float]]:
    settings = Settings(
        database_url=Secret(where["database_url"]),
        redis_url=Secret(where["redis_url"]),
        data_dir=Path(where["data_dir"]),
        sandboxes=True,
        sandbox_urls=(where["sandbox_url"],),
    )
    async with Hub(settings) as hub:
        owner = await make_organization(hub)
        connection = await make_connection(hub, owner, _Address(where))
        results = {}
        for name in ("first", "unchanged"):
            clock = _Clock()
            run = await sync(hub, owner, connection, streams=["companies"], mode="full")
            assert run.status in ("completed", "partially_completed"), run
            results[name] = clock.figures(run.streams[0].counts.read)
        return results


class _Address:
    """A sandbox in another process, as the factories want it."""

    def __init__(self, where: dict[str, str]) -> None:
        self.url, self.api_key = where["sandbox_url"], where["api_key"]


async def _bare(where: dict[str, str]) -> dict[str, dict[str, float]]:
    connection = await asyncpg.connect(where["admin_url"])
    await connection.execute("CREATE TABLE bare (kind text, id text, data jsonb, PRIMARY KEY (kind, id))")
    results = {}
    async with httpx.AsyncClient(base_url=where["sandbox_url"] + "/api_1.0", headers={"x-api-key": where["api_key"]}) as client:
        for name in ("first", "unchanged"):
            clock, records = _Clock(), 0
            for kind in ("companycontact", "company"):
                read = await _walk(client, connection, kind)
                records += read if kind == "company" else 0
            results[name] = clock.figures(records)
    await connection.close()
    return results


async def _walk(client: httpx.AsyncClient, connection: asyncpg.Connection, kind: str) -> int:
    cursor, read = "-1", 0
    while cursor:
        response = await client.get(f"/{kind}.json", params={"cursor": cursor})
        objects = msgspec.json.decode(response.content)
        await connection.execute(
            """
            INSERT INTO bare SELECT $1, given.id, given.data::jsonb FROM unnest($2::text[], $3::text[]) AS given (id, data)
            ON CONFLICT (kind, id) DO UPDATE SET data = excluded.data
            """,
            kind,
            [one["uuid"] for one in objects],
            [msgspec.json.encode(one).decode() for one in objects],
        )
        cursor, read = response.headers.get("x-next-cursor", ""), read + len(objects)
    return read


_SUBJECTS = {"hub": _hub, "bare": _bare}

if __name__ == "__main__":
    main()
