"""The hub's application with three hand-written routes beside its GraphQL API, in one process: python -m benchmarks.route

A route finds out who asks as the API does, and sends the same JSON from one SQL statement, within the same walls and after
the same middleware. The process is run as `crosswalk serve` runs it, prints its port, and ends at SIGTERM.
"""

import socket
from collections.abc import Awaitable, Callable
from typing import Any

import uvicorn
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from app.actors import Scope
from app.api.identity import Caller
from app.api.ids import uuid_of
from app.bootstrap import Hub
from app.commands.serving import options
from app.database import fetch_value
from app.logs import configure_logs
from app.main import create_app
from app.settings import Settings


def _gid(type_name: str, column: str) -> str:
    return f"encode(convert_to('{type_name}:' || {column}, 'UTF8'), 'base64')"


def _time(column: str) -> str:
    return f"""to_char({column} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')"""


_QUOTE = f"""
    json_build_object('id', {_gid("Quote", "q.id")}, 'number', q.number, 'title', q.title,
        'status', CASE WHEN q.status = 'open' AND q.valid_until <= now() THEN 'EXPIRED' ELSE upper(q.status) END,
        'total', json_build_object('amount', q.total::text, 'currency', q.currency),
        'lines', (SELECT coalesce(json_agg(json_build_object('id', {_gid("QuoteLine", "l.id")}, 'description', l.description,
                'quantity', l.quantity::text, 'unitPrice', json_build_object('amount', l.unit_price::text),
                'total', json_build_object('amount', l.total::text), 'decision', upper(l.decision))
                ORDER BY l.position, l.external_id), '[]')
            FROM quote_line l WHERE l.organization_id = $1 AND l.quote_id = q.id))"""
QUOTES = f"""
    SELECT json_build_object('data', json_build_object('quotes', json_build_object('nodes', json_agg({_QUOTE} ORDER BY q.id DESC))))::text
    FROM (SELECT * FROM quote WHERE organization_id = $1 ORDER BY id DESC LIMIT $2) q"""
QUOTE = f"""
    SELECT json_build_object('data', json_build_object('quote', {_QUOTE}))::text FROM quote q WHERE q.organization_id = $1 AND q.id = $2"""
CONNECTIONS = f"""
    SELECT json_build_object('data', json_build_object('connections', json_build_object('nodes', json_agg(json_build_object(
        'id', {_gid("Connection", "c.id")}, 'name', c.name,
        'status', upper(CASE WHEN c.status = 'paused' AND c.paused_until <= now() THEN 'active' ELSE c.status END),
        'latestRuns', (SELECT coalesce(json_agg(json_build_object('id', {_gid("SyncRun", "r.id")}, 'status', upper(r.status),
                'progress', r.progress::float8, 'startedAt', {_time("r.started_at")}, 'finishedAt', {_time("r.finished_at")})
                ORDER BY r.id DESC), '[]')
            FROM (SELECT * FROM sync_run WHERE organization_id = $1 AND connection_id = c.id ORDER BY id DESC LIMIT $3) r))
        ORDER BY c.id))))::text
    FROM (SELECT * FROM connection WHERE organization_id = $1 AND deleted_at IS NULL ORDER BY id LIMIT $2) c"""


async def quotes(request: Request) -> Response:
    return await _answer(request, QUOTES, int(request.query_params["first"]))


async def quote(request: Request) -> Response:
    return await _answer(request, QUOTE, uuid_of(request.path_params["id"], "Quote"))


async def connections(request: Request) -> Response:
    return await _answer(request, CONNECTIONS, int(request.query_params["first"]), int(request.query_params["runs"]))


async def _answer(request: Request, sql: str, *arguments: Any) -> Response:
    scope = await _scope(request)
    return Response(await fetch_value(scope, sql, scope.organization_id, *arguments), media_type="application/json")


async def _scope(request: Request) -> Scope:
    actor = await Caller.of(request, ()).credential().actor(request.app.state.hub)
    return actor.scope


_ROUTES: dict[str, Callable[[Request], Awaitable[Response]]] = {
    "/benchmark/quotes": quotes,
    "/benchmark/quotes/{id}": quote,
    "/benchmark/connections": connections,
}


def main() -> None:
    configure_logs("warning")
    app = create_app(Hub(Settings.from_environment()))
    app.router.routes[:0] = [Route(path, endpoint) for path, endpoint in _ROUTES.items()]
    listening = socket.create_server(("127.0.0.1", 0))
    print(listening.getsockname()[1], flush=True)
    uvicorn.Server(uvicorn.Config(app, **options())).run(sockets=[listening])


if __name__ == "__main__":
    main()
