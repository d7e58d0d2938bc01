"""Every address of the API."""

from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.routing import BaseRoute, Route, WebSocketRoute

from app.api import health
from app.api.http import GraphQLEndpoint
from app.api.schema import schema
from app.settings import Settings


def routes(settings: Settings) -> list[BaseRoute]:
    endpoint = GraphQLEndpoint(schema(), settings)
    other_origins = Middleware(
        CORSMiddleware,
        allow_origins=settings.allowed_origins,
        allow_methods=["GET", "POST"],
        allow_headers=["authorization", "content-type"],
        allow_credentials=True,
        expose_headers=["etag", "retry-after"],
    )
    return [
        Route("/graphql", endpoint, middleware=[other_origins] if settings.allowed_origins else []),
        WebSocketRoute("/graphql", endpoint),
        Route("/health/live", health.live),
        Route("/health/ready", health.ready),
    ]
