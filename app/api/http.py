"""GraphQL over HTTP, WebSocket (graphql-transport-ws) and server-sent events, for callers that say who they are."""

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import msgspec
from cross_web import AsyncHTTPRequestAdapter, HTTPException, StarletteRequestAdapter
from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket
from strawberry.http import GraphQLHTTPResponse, GraphQLRequestData, process_result
from strawberry.schema.exceptions import InvalidOperationTypeError
from strawberry.subscriptions import GRAPHQL_SSE_PROTOCOL, GRAPHQL_TRANSPORT_WS_PROTOCOL
from strawberry.types import ExecutionResult
from strawberry.types.graphql import OperationType

from app.api.accept import wants_event_stream, wants_graphql_response
from app.api.answers import conditional, headers_of, media_type, status_of
from app.api.asked import Asked, BadRequest, from_address, from_body
from app.api.context import Context
from app.api.execution import HubSchema
from app.api.gate.admission import DocumentRefused, Gate
from app.api.gate.rates import RateLimited
from app.api.identity import Caller
from app.api.live.event_stream import EventStream
from app.api.live.streams import TooManyStreams
from app.api.live.view import LiveView
from app.api.live.websocket import authorize, sized
from app.api.loaders import Loaders
from app.api.masking import extensions_of
from app.api.schema import reads
from app.api.short_way import ShortWay
from app.bootstrap import Hub
from app.database import reads_within
from app.errors import HubError, NotSignedIn
from app.settings import Settings

OPERATIONS_PER_SOCKET = 20

# The IDE page of Strawberry loads its scripts from a content network; it exists in debug mode only.
_IDE_POLICY = "default-src 'self' 'unsafe-inline' https:; img-src 'self' data: https:; connect-src 'self'"

_STREAMS = {GRAPHQL_SSE_PROTOCOL: EventStream}


class WrongMethod(BadRequest):
    """Changes are not made by GET: send a mutation by POST."""

    status = 405


class NeedsStream(BadRequest):
    """A subscription is answered by a stream: send `Accept: text/event-stream`, or open a WebSocket."""


class _Draft(Response):
    """What Strawberry lets a resolver write on, with what the answer must look like."""

    graphql_response = False
    is_get = False
    if_none_match: str | None = None


class _Adapter(StarletteRequestAdapter):
    """The library's view of a request, with the request."""

    def __init__(self, request: Request) -> None:
        super().__init__(request)
        self.request = request


class GraphQLEndpoint(LiveView):
    """The one endpoint. Everything that it answers, refusals too, is JSON or a stream."""

    schema: HubSchema
    request_adapter_class = _Adapter
    stream_transport_classes_by_protocol = _STREAMS

    def __init__(self, schema: HubSchema, settings: Settings) -> None:
        super().__init__(
            schema,
            graphql_ide="graphiql" if settings.debug else None,
            subscription_protocols=(GRAPHQL_TRANSPORT_WS_PROTOCOL, GRAPHQL_SSE_PROTOCOL),
            connection_init_wait_timeout=timedelta(seconds=10),
            max_subscriptions_per_connection=OPERATIONS_PER_SOCKET,
            allowed_origins=settings.allowed_origins,
        )
        self.settings = settings
        self.short_way = ShortWay(schema._schema, reads())
        self.open_live(settings)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        with reads_within(self.settings.limit_read_seconds):
            if scope["type"] == "http":
                await (await self._answer(Request(scope, receive)))(scope, receive, send)
            else:
                await super().__call__(scope, sized(receive, send, self.settings.limit_body), send)

    async def _answer(self, request: Request) -> Response:
        """The answer to a request, refusals of the request itself included."""
        try:
            return await self.short_way.answer(request, Caller.of(request, self.settings.allowed_origins)) or await self.run(request)
        except ClientDisconnect:
            return Response(status_code=400)  # nobody is there to read it
        except NotSignedIn as refusal:
            # Nobody knows yet who asks, so this is not an answer to an operation: it keeps its own code.
            return _refused(401, refusal.message, {"code": refusal.code.upper()}, {"WWW-Authenticate": 'Bearer realm="Crosswalk"'})
        except HubError as refusal:
            return _refused(_status(refusal, request), refusal.message, extensions_of(refusal), _headers(refusal))
        except HTTPException as refusal:
            allow = {404: {}, 405: {"Allow": "GET, POST"}}.get(refusal.status_code, {})
            return _refused(refusal.status_code, refusal.reason, {"code": "BAD_REQUEST"}, allow)

    async def get_context(self, request: Request | WebSocket, response: Response | WebSocket) -> Context:
        hub: Hub = request.app.state.hub
        context = Context(hub, Caller.of(request, self.settings.allowed_origins))
        context.loaders = Loaders(context)
        request.state.context = context
        if isinstance(request, WebSocket):
            return context
        await context.sign_in(context.caller.credential())
        self.short_way.remember(context)
        return context

    async def on_ws_connect(self, context: Context) -> Any:
        await authorize(context)
        return await super().on_ws_connect(context)

    async def get_sub_response(self, request: Request | WebSocket) -> Response:
        draft = _Draft()
        draft.status_code = None  # type: ignore[assignment]  # Strawberry reads None as "nobody chose one"
        del draft.headers["content-length"]
        draft.graphql_response = wants_graphql_response(request.headers.get("accept"))
        draft.is_get = request.scope.get("method") == "GET"
        draft.if_none_match = request.headers.get("if-none-match")
        return draft

    def should_render_graphql_ide(self, request: Any) -> bool:
        return super().should_render_graphql_ide(request) and not {"documentId", "extensions"} & set(request.query_params)

    async def parse_http_body(self, request: AsyncHTTPRequestAdapter) -> GraphQLRequestData:
        assert isinstance(request, _Adapter)
        asked = await _asked(request)
        text = await Gate.of(request.request.app.state.hub).text(asked, request.request.state.context, self.schema._schema)
        if not text:
            raise BadRequest("This request holds no GraphQL document: send `query` or `documentId`.")
        transport = self._get_stream_transport_from_headers(request.headers)
        data = GraphQLRequestData(text, asked.variables, asked.operation_name, asked.extensions)
        return replace(data, protocol=transport.protocol) if transport else data

    async def execute_single(self, *args: Any, **values: Any) -> ExecutionResult:
        try:
            return await super().execute_single(*args, **values)
        except HTTPException as refusal:
            wrong = refusal.__cause__.args[0] if isinstance(refusal.__cause__, InvalidOperationTypeError) else None
            if wrong is OperationType.MUTATION:
                raise WrongMethod from None
            if wrong is OperationType.SUBSCRIPTION:
                raise NeedsStream from None
            raise

    async def process_result(self, request: Request, result: ExecutionResult) -> GraphQLHTTPResponse:
        data = process_result(result)
        if result.data is None and result.errors and all(error.path is None for error in result.errors):
            # The operation never ran: the specification wants no `data` at all.
            data.pop("data", None)
        return data

    def create_response(self, response_data: GraphQLHTTPResponse | list[GraphQLHTTPResponse], sub_response: Response) -> Response:
        response = super().create_response(response_data, sub_response)
        if not isinstance(sub_response, _Draft) or not isinstance(response_data, dict):
            return response
        response.status_code = sub_response.status_code or status_of(response_data, graphql_response=sub_response.graphql_response)
        response.headers["content-type"] = media_type(sub_response.graphql_response)
        response.headers.update(headers_of(response_data))
        if sub_response.is_get and response.status_code == 200 and "errors" not in response_data:
            return conditional(response, sub_response.if_none_match)
        return response

    async def render_graphql_ide(self, request: Request) -> Response:
        return HTMLResponse(self.graphql_ide_html, headers={"Content-Security-Policy": _IDE_POLICY})

    def decode_json(self, data: str | bytes) -> object:
        """Raises json.JSONDecodeError, as Strawberry expects, for all that is not JSON in UTF-8."""
        try:
            return msgspec.json.decode(data)
        except (ValueError, RecursionError) as error:
            raise json.JSONDecodeError(str(error), "", 0) from None

    def encode_json(self, data: object) -> str:
        return msgspec.json.encode(data).decode()


async def _asked(request: _Adapter) -> Asked:
    if request.method == "GET":
        return from_address(request.request.query_params)
    return from_body(request.content_type, await request.get_body())


def _status(refusal: HubError, request: Request) -> int:
    """429 for what time heals. Clients that register documents expect a missing one as the answer to an operation: 200."""
    if isinstance(refusal, RateLimited | TooManyStreams):
        return 429
    accept = request.headers.get("accept")
    if isinstance(refusal, DocumentRefused) and not (wants_graphql_response(accept) or wants_event_stream(accept)):
        return 200
    return refusal.status if isinstance(refusal, BadRequest) else 400


def _headers(refusal: HubError) -> dict[str, str]:
    if isinstance(refusal, RateLimited):
        return {"Retry-After": str(refusal.retry_after_seconds)}
    return {"Allow": "POST"} if isinstance(refusal, WrongMethod) else {}


def _refused(status: int, sentence: str, extensions: dict[str, Any], headers: dict[str, str] | None = None) -> JSONResponse:
    return JSONResponse({"errors": [{"message": sentence, "extensions": extensions}]}, status, headers)
