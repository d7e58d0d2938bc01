"""GET /health/live and /health/ready, for whoever keeps the hub running. Neither needs a token, neither tells a secret."""

import asyncio
from collections.abc import Awaitable, Callable
from uuid import UUID

from starlette.requests import Request
from starlette.responses import JSONResponse

from app.actors import Scope
from app.bootstrap import Hub
from app.database import fetch
from app.migrations import expected

# A probe asks every few seconds; an answer that takes longer than this is a no.
PATIENCE_SECONDS = 2.0
_NOBODY = Scope(UUID(int=0))


async def live(request: Request) -> JSONResponse:
    """The process answers. It says nothing about what it depends on: restarting it would not help there."""
    return JSONResponse({"status": "live"}, headers={"Cache-Control": "no-store"})


async def ready(request: Request) -> JSONResponse:
    """200 when requests can be served, else 503 with a sentence for each thing that is missing."""
    hub: Hub = request.app.state.hub
    checks = {"database": _database, "redis": lambda: _redis(hub), "migrations": _migrations}
    sentences = await asyncio.gather(*(_sentence(check) for check in checks.values()))
    problems = [sentence for sentence in sentences if sentence]
    body = {
        "status": "not ready" if problems else "ready",
        "checks": {name: sentence or "ok" for name, sentence in zip(checks, sentences, strict=True)},
    }
    return JSONResponse(body, 503 if problems else 200, {"Cache-Control": "no-store"})


async def _sentence(check: Callable[[], Awaitable[str | None]]) -> str | None:
    """What is wrong, or None. Whatever a server says stays in the log: it may name users and addresses."""
    try:
        return await asyncio.wait_for(check(), PATIENCE_SECONDS)
    except TimeoutError:
        return f"No answer within {PATIENCE_SECONDS:g} seconds."
    except Exception as error:  # any failure of a dependency means: not ready
        return f"Not reachable ({type(error).__name__})."


async def _database() -> str | None:
    await fetch(_NOBODY, "SELECT 1 AS one")
    return None


async def _redis(hub: Hub) -> str | None:
    await hub.redis.ping()
    return None


async def _migrations(wanted: frozenset[str] | None = None) -> str | None:
    """Files are compared with what the database says was applied."""
    applied = {row["name"] for row in await fetch(_NOBODY, "SELECT name FROM migration WHERE app_name = 'crosswalk'")}
    missing = len((expected() if wanted is None else wanted) - applied)
    return f"Migrations that are not applied: {missing}. Run `crosswalk migrate`." if missing else None
