"""What benchmarks/sync.py measures, each in a process of its own: the hub, and the simplest loop that does the same work.

The process reads where everything is as JSON, and writes its figures as JSON.
"""

import asyncio
import json
import resource
import sys
import time
from pathlib import Path

import asyncpg
import httpx
import msgspec
import structlog

from app.actors import Actor, Scope
from app.bootstrap import Hub
from app.commands.serving import keep_what_is_loaded
from app.connections.models import Connection
from app.database import fetch_value
from app.settings import Secret, Settings
from tests.factories import key, make_organization, sync

PAGE_SIZE = 1000
PASSES = ("first", "unchanged")

Where = dict[str, str]
"""Addresses and credentials of the servers and of the sandbox."""


class Clock:
    """Wall and CPU seconds of this process since it was made."""

    def __init__(self) -> None:
        self.wall, self.cpu = time.perf_counter(), time.process_time()

    def figures(self, records: int) -> dict[str, float]:
        return {
            "records": records,
            "records_per_second": records / (time.perf_counter() - self.wall),
            "cpu_seconds": time.process_time() - self.cpu,
            "peak_megabytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        }


def hub_of(where: Where) -> Hub:
    """The hub on the benchmark's servers; only the sandbox may be asked."""
    return Hub(
        Settings(
            database_url=Secret(where["database_url"]),
            redis_url=Secret(where["redis_url"]),
            data_dir=Path(where["data_dir"]),
            sandboxes=True,
            sandbox_urls=(where["sandbox_url"],),
        )
    )


async def connect(hub: Hub, owner: Actor, where: Where, **settings: object) -> Connection:
    """A tested connection to the Metakocka sandbox; by default with a budget that never makes it wait."""
    connection = await hub.connections.create(
        owner,
        provider="metakocka",
        name=f"Metakocka {key()[-6:]}",
        mode="sandbox",
        settings={
            "base_url": where["sandbox_url"],
            "company_id": where["company_id"],
            "requests_per_minute": 100_000,
            "page_size": PAGE_SIZE,
            **settings,
        },
        credentials={"secret_key": where["secret_key"]},
        idempotency_key=key(),
    )
    result = await hub.connections.test(owner, connection.id)
    assert result.ok, result.message
    return await hub.connections.get(owner, connection.id)


async def pull_with_hub(where: Where) -> dict[str, dict[str, float]]:
    keep_what_is_loaded()  # as `crosswalk worker` does
    async with hub_of(where) as hub:
        owner = await make_organization(hub)
        connection = await connect(hub, owner, where)
        results = {}
        for name in where["passes"].split():
            before = await _next_transaction(owner.scope)
            clock = Clock()
            run = await sync(hub, owner, connection, streams=["partners"], mode="full")
            assert run.status == "completed", run
            results[name] = clock.figures(run.streams[0].counts.read)
            results[name]["rows_written"] = await _rows_written(owner.scope, before)
        assert results["first"]["rows_written"] >= 2 * results["first"]["records"], "a record and a mapping for each were not seen"
        return results


async def _next_transaction(scope: Scope) -> int:
    """Its number; the cluster is new, so none has come round again."""
    return int(await fetch_value(scope, "SELECT pg_snapshot_xmax(pg_current_snapshot())::text::bigint AS number"))


async def _rows_written(scope: Scope, since: int) -> int:
    """The organization's records, versions, mappings, parts and failed records that this transaction or a later one has written."""
    tables = ("record", "record_version", "mapping", "part", "failed_record")
    counts = [await fetch_value(scope, f"SELECT count(*) FROM {table} WHERE xmin::text::bigint >= $1", since) for table in tables]
    return sum(counts)


async def pull_with_bare_loop(where: Where) -> dict[str, dict[str, float]]:
    connection = await asyncpg.connect(where["admin_url"])
    await connection.execute("CREATE TABLE bare (id text PRIMARY KEY, data jsonb)")
    results = {}
    async with httpx.AsyncClient(base_url=where["sandbox_url"]) as client:
        for name in where["passes"].split():
            clock = Clock()
            results[name] = clock.figures(await _walk(client, connection, where))
    await connection.close()
    return results


async def _walk(client: httpx.AsyncClient, connection: asyncpg.Connection, where: Where) -> int:
    offset = 0
    while True:
        body = {"secret_key": where["secret_key"], "company_id": where["company_id"], "offset": str(offset), "limit": str(PAGE_SIZE)}
        response = await client.post("/rest/eshop/v1/get_partner", json=body)
        partners = msgspec.json.decode(response.content).get("partner_list")
        if not partners:  # "No partner with such properties."
            return offset
        await connection.execute(
            """
            INSERT INTO bare SELECT given.id, given.data::jsonb FROM unnest($1::text[], $2::text[]) AS given (id, data)
            ON CONFLICT (id) DO UPDATE SET data = excluded.data
            """,
            [one["mk_id"] for one in partners],
            [msgspec.json.encode(one).decode() for one in partners],
        )
        offset += len(partners)


_SUBJECTS = {"hub": pull_with_hub, "bare": pull_with_bare_loop}

if __name__ == "__main__":
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(40))
    print(json.dumps(asyncio.run(_SUBJECTS[sys.argv[1]](json.load(sys.stdin)))))
