"""Three GraphQL reads, each beside the simplest SQL statement that gives the same data as JSON, in the same run.

    .venv/bin/python benchmarks/reads.py [--seconds 3]

Both are answered by Starlette over ASGI in one process (no sockets), from the same embedded Postgres, one request after
the other. The statement is sent without tenants' walls, limits, authentication or GraphQL; the API does all of them.
"""

import argparse
import asyncio
import json
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import structlog
from strawberry.relay import GlobalID

from app import embedded, migrations
from app.actors import Actor
from app.bootstrap import Hub
from app.connectors.servicem8.sandbox.config import SandboxConfig
from app.connectors.servicem8.sandbox.testing import RunningSandbox, start_sandbox
from app.main import create_app
from app.paging import PageRequest
from app.settings import Secret, Settings
from tests.factories import make_connection, make_organization, sync

QUOTES, LINES, CONNECTIONS, RUNS = 50, 5, 20, 5
WARM_UP = 30

_LINE = "id description quantity unitPrice { amount } total { amount } decision"
_QUOTES = f"{{ quotes(first: {QUOTES}) {{ nodes {{ id number title status total {{ amount currency }} lines {{ {_LINE} }} }} }} }}"
_QUOTE = f"query ($id: ID!) {{ quote(id: $id) {{ id number title status total {{ amount currency }} lines {{ {_LINE} }} }} }}"
_RUNS = f"""{{ connections(first: {CONNECTIONS}) {{ nodes {{ id name status
    latestRuns(first: {RUNS}) {{ id status progress startedAt finishedAt }} }} }} }}"""

_LINES_SQL = """
    (SELECT json_agg(json_build_object('id', l.id, 'description', l.description, 'quantity', l.quantity::text, 'unitPrice',
        json_build_object('amount', l.unit_price::text), 'total', json_build_object('amount', l.total::text), 'decision', l.decision)
        ORDER BY l.position) FROM quote_line l WHERE l.quote_id = q.id) AS lines"""
_QUOTE_SQL = (
    f"SELECT q.id, q.number, q.title, q.status, json_build_object('amount', q.total::text, 'currency', q.currency) AS total, {_LINES_SQL}"
)
_SQL = {
    "quotes": f"""SELECT json_agg(n)::text FROM ({_QUOTE_SQL} FROM quote q WHERE q.organization_id = $1
        ORDER BY q.id DESC LIMIT {QUOTES}) n""",
    "quote": f"SELECT row_to_json(n)::text FROM ({_QUOTE_SQL} FROM quote q WHERE q.organization_id = $1 AND q.id = $2) n",
    "connections": f"""SELECT json_agg(n)::text FROM (SELECT c.id, c.name, c.status,
        (SELECT json_agg(r) FROM (SELECT id, status, progress, started_at AS "startedAt", finished_at AS "finishedAt" FROM sync_run
            WHERE organization_id = $1 AND connection_id = c.id ORDER BY id DESC LIMIT {RUNS}) r) AS "latestRuns"
        FROM connection c WHERE c.organization_id = $1 AND c.deleted_at IS NULL ORDER BY c.id LIMIT {CONNECTIONS}) n""",
}


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seconds", type=float, default=3.0, help="how long each subject is measured")
    arguments = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(40))
    sandbox = start_sandbox(SandboxConfig(limits_factor=None))
    try:
        with tempfile.TemporaryDirectory(prefix="cw-bench-") as folder, embedded.start(Path(folder) / "servers") as servers:
            asyncio.run(migrations.migrate(servers.owner_url))
            asyncio.run(_measure(servers, sandbox, Path(folder), arguments.seconds))
    finally:
        sandbox.stop()


async def _measure(servers: embedded.Embedded, sandbox: RunningSandbox, folder: Path, seconds: float) -> None:
    settings = Settings(
        database_url=Secret(servers.app_url),
        redis_url=Secret(servers.redis_url),
        data_dir=folder,
        sandboxes=True,
        sandbox_urls=(sandbox.url,),
    )
    async with Hub(settings) as hub:
        owner = await make_organization(hub)
        quote_id = await _fill(hub, owner, sandbox)
        _, token = await hub.organizations.create_token(owner, name="benchmark", role="operator")
        plain = await asyncpg.connect(servers.admin_url, database="crosswalk")
        transport = httpx.ASGITransport(create_app(hub))
        async with httpx.AsyncClient(transport=transport, base_url="http://hub", headers={"authorization": f"Bearer {token}"}) as client:
            await _compare(client, plain, owner, quote_id, seconds)
        await plain.close()


async def _compare(client: httpx.AsyncClient, plain: asyncpg.Connection, owner: Actor, quote_id: Any, seconds: float) -> None:
    quote = {"id": str(GlobalID("Quote", str(quote_id)))}
    reads: dict[str, tuple[str, str, dict[str, Any], tuple[Any, ...]]] = {
        f"{QUOTES} quotes with {LINES} lines": ("quotes", _QUOTES, {}, (owner.organization_id,)),
        "one quote with its lines": ("quote", _QUOTE, quote, (owner.organization_id, quote_id)),
        f"{CONNECTIONS} connections with {RUNS} runs": ("connections", _RUNS, {}, (owner.organization_id,)),
    }
    print("| read | the statement alone, ms | the API, ms | API ÷ statement |\n|---|---|---|---|")
    for title, (name, query, variables, arguments) in reads.items():
        statement = await _milliseconds(lambda name=name, arguments=arguments: _select(plain, _SQL[name], arguments), seconds)
        api = await _milliseconds(lambda query=query, variables=variables: _ask(client, query, variables), seconds)
        print(f"| {title} | {statement:.2f} | {api:.2f} | {api / statement:.1f} |")


async def _milliseconds(call: Callable[[], Awaitable[object]], seconds: float) -> float:
    """The median of one call after the other."""
    for _ in range(WARM_UP):
        await call()
    times, end = [], time.perf_counter() + seconds
    while (began := time.perf_counter()) < end:
        await call()
        times.append(time.perf_counter() - began)
    return sorted(times)[len(times) // 2] * 1000


async def _select(plain: asyncpg.Connection, sql: str, arguments: tuple[Any, ...]) -> str:
    text: str = await plain.fetchval(sql, *arguments)
    assert text
    return text


async def _ask(client: httpx.AsyncClient, query: str, variables: dict[str, Any]) -> bytes:
    response = await client.post("/graphql", content=json.dumps({"query": query, "variables": variables}), headers=_JSON)
    assert response.status_code == 200, response.text
    assert b'"errors"' not in response.content, response.text
    return response.content


_JSON = {"content-type": "application/json"}


async def _fill(hub: Hub, owner: Actor, sandbox: RunningSandbox) -> Any:
    """Fifty quotes with five lines, twenty connections with five runs. One quote's id."""
    company = await sandbox.create("company", name="Acme")
    for number in range(QUOTES):
        job = await sandbox.create("job", company_uuid=company["uuid"], status="Quote", job_description=f"Work {number}")
        for line in range(LINES):
            await sandbox.add_line(job["uuid"], name=f"Line {line}", quantity="1.5", price=f"{100 + line}")
    for number in range(CONNECTIONS):
        connection = await make_connection(hub, owner, sandbox)
        for _ in range(RUNS):
            await sync(hub, owner, connection, streams=["companies"] if number else None)
    return (await hub.quotes.quotes(owner, PageRequest(1))).items[0].id


if __name__ == "__main__":
    main()
