"""The web application: the API and the portal over one opened hub. `uvicorn --factory app.main:build` runs it.

Run uvicorn without its own proxy headers (`--no-proxy-headers`): CROSSWALK_TRUSTED_PROXIES decides whom to believe.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware

from app.api.errors import http_error, surprise
from app.api.middleware import BodyLimit, SecurityHeaders
from app.api.proxies import TrustedProxies
from app.api.routes import routes as api_routes
from app.bootstrap import Hub
from app.settings import Settings
from portal.routes import routes as portal_routes


def create_app(hub: Hub) -> Starlette:
    """The application over a hub, which its lifespan opens and closes. A test that has an open hub leaves that out."""

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        async with hub:
            yield

    app = Starlette(
        routes=[*api_routes(hub.settings), *portal_routes],
        middleware=[
            Middleware(TrustedProxies, networks=hub.settings.trusted_proxies),
            Middleware(SecurityHeaders, https=hub.settings.public_url.startswith("https://")),
            Middleware(BodyLimit, limit=hub.settings.limit_body),
        ],
        exception_handlers={HTTPException: http_error, Exception: surprise},
        lifespan=lifespan,
    )
    app.state.hub = hub
    return app


def build() -> Starlette:
    """For uvicorn's --factory: settings from the environment."""
    return create_app(Hub(Settings.from_environment()))
