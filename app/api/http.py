"""GraphQL over HTTP, WebSocket (graphql-transport-ws) and server-sent events, for callers that say who they are."""

import json
from datetime import timedelta
from typing import Any

import msgspec
from cross_web import AsyncHTTPRequestAdapter, HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket
from strawberry.asgi import GraphQL
from strawberry.http import GraphQLHTTPResponse, GraphQLRequestData, process_result
from strawberry.schema import BaseSchema
from strawberry.subscriptions import GRAPHQL_SSE_PROTOCOL, GRAPHQL_TRANSPORT_WS_PROTOCOL
from strawberry.types import ExecutionResult

from app.api.accept import GRAPHQL_RESPONSE, wants_graphql_response
from app.api.context import Context
from app.api.event_stream import EventStream
from app.api.identity import Caller
from app.api.loaders import Loaders
from app.api.streams import OpenStreams
from app.api.websocket import WatchedHandler, authorize, sized
from app.bootstrap import Hub
from app.errors import HubError, NotSignedIn
from app.settings import Settings

BODY_LIMIT = 1_000_000
OPERATIONS_PER_SOCKET = 20
STREAMS_PER_CALLER = 50

# The IDE page of Strawberry loads its scripts from a content network; it exists in debug mode only.
_IDE_POLICY = "default-src 'self' 'unsafe-inline' https:; img-src 'self' data: https:; connect-src 'self'"

_STREAMS = {GRAPHQL_SSE_PROTOCOL: EventStream}


class _Draft(Response):
    """What Strawberry lets a resolver write on, with what the answer must look like."""

    graphql_response = False


class GraphQLEndpoint(GraphQL[Context, None]):
    """The one endpoint. Everything that it answers, refusals too, is JSON or a stream."""

    graphql_transport_ws_handler_class = WatchedHandler
    stream_transport_classes_by_protocol = _STREAMS

    def __init__(self, schema: BaseSchema, settings: Settings) -> None:
        super().__init__(
            schema,
            graphql_ide="graphiql" if settings.debug else None,
            subscription_protocols=(GRAPHQL_TRANSPORT_WS_PROTOCOL, GRAPHQL_SSE_PROTOCOL),
            connection_init_wait_timeout=timedelta(seconds=10),
            max_subscriptions_per_connection=OPERATIONS_PER_SOCKET,
            allowed_origins=settings.allowed_origins,
        )
        self.settings = settings
        self.streams = OpenStreams(STREAMS_PER_CALLER)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await super().__call__(scope, sized(receive, send, BODY_LIMIT), send)
            return
        request = Request(scope, receive)
        try:
            response = await self.run(request)
        except NotSignedIn as refusal:
            response = _refused(401, refusal.message, refusal.code, {"WWW-Authenticate": 'Bearer realm="Crosswalk"'})
        except HubError as refusal:
            response = _refused(429 if refusal.code == "too_many_streams" else 400, refusal.message, refusal.code)
        except HTTPException as refusal:
            allow = {"Allow": "GET, POST"} if refusal.status_code == 405 else {}
            response = _refused(refusal.status_code, refusal.reason, "bad_request", allow)
        await response(scope, receive, send)

    async def get_context(self, request: Request | WebSocket, response: Response | WebSocket) -> Context:
        hub: Hub = request.app.state.hub
        context = Context(hub, Caller.of(request, self.settings.allowed_origins))
        context.loaders = Loaders(context)
        request.state.context = context
        if isinstance(request, WebSocket):
            return context
        await context.sign_in(context.caller.credential())
        return context

    async def on_ws_connect(self, context: Context) -> Any:
        await authorize(context)
        return await super().on_ws_connect(context)

    async def get_sub_response(self, request: Request | WebSocket) -> Response:
        draft = _Draft()
        draft.status_code = None  # type: ignore[assignment]  # Strawberry reads None as "nobody chose one"
        del draft.headers["content-length"]
        draft.graphql_response = wants_graphql_response(request.headers.get("accept"))
        return draft

    async def parse_http_body(self, request: AsyncHTTPRequestAdapter) -> GraphQLRequestData | list[GraphQLRequestData]:
        data = await super().parse_http_body(request)
        if isinstance(data, GraphQLRequestData) and not isinstance(data.operation_name, str | None):
            raise HTTPException(400, "The GraphQL operation's `operationName` must be a string or null, if provided.")
        return data

    async def process_result(self, request: Request, result: ExecutionResult) -> GraphQLHTTPResponse:
        data = process_result(result)
        if result.data is None and result.errors and all(error.path is None for error in result.errors):
            # The operation never ran: the specification wants no `data` at all.
            data.pop("data", None)
        return data

    def create_response(self, response_data: GraphQLHTTPResponse | list[GraphQLHTTPResponse], sub_response: Response) -> Response:
        response = super().create_response(response_data, sub_response)
        if isinstance(sub_response, _Draft) and sub_response.graphql_response:
            response.headers["content-type"] = f"{GRAPHQL_RESPONSE}; charset=utf-8"
            if "data" not in response_data:
                response.status_code = 400
        return response

    async def create_streaming_response(self, request: Any, stream: Any, sub_response: Response, headers: Any) -> Response:
        actor = request.state.context.actor
        self.streams.room_for((actor.kind, actor.id))
        return await super().create_streaming_response(
            request, self.streams.counting((actor.kind, actor.id), stream), sub_response, headers
        )

    async def render_graphql_ide(self, request: Request) -> Response:
        return HTMLResponse(self.graphql_ide_html, headers={"Content-Security-Policy": _IDE_POLICY})

    def parse_json(self, data: str | bytes) -> Any:
        value = super().parse_json(data)
        if not isinstance(value, dict | list | None):
            raise HTTPException(400, "This must be a JSON object.")
        return {} if value is None else value

    def decode_json(self, data: str | bytes) -> object:
        """Raises json.JSONDecodeError, as Strawberry expects, for all that is not JSON in UTF-8."""
        try:
            return msgspec.json.decode(data)
        except (ValueError, RecursionError) as error:
            raise json.JSONDecodeError(str(error), "", 0) from None

    def encode_json(self, data: object) -> str:
        return msgspec.json.encode(data).decode()


def _refused(status: int, sentence: str, code: str, headers: dict[str, str] | None = None) -> JSONResponse:
    return JSONResponse({"errors": [{"message": sentence, "extensions": {"code": code.upper()}}]}, status, headers)
