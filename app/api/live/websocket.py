"""WebSockets: the first message says who it is, and whoever may no longer ask is cut off.

Close codes, as graphql-transport-ws has them: 4400 a message that is none, 4401 a subscription before the first message
was answered, or a caller that is not signed in any more (clients do not come back by themselves), 4403 a first message
that does not say who it is, 4406 another protocol, 4408 no first message in time, 4409 an id that is taken, 4429 a second
first message, 4500 a mistake of ours. Beside them: 1009 a message that is too long.
"""

import asyncio
from collections.abc import Awaitable
from contextlib import ExitStack, aclosing, suppress
from dataclasses import replace
from typing import Any

import msgspec
from graphql import GraphQLError
from starlette.types import Message, Receive, Send
from starlette.websockets import WebSocket
from strawberry.exceptions import ConnectionRejectionError
from strawberry.subscriptions.protocols.graphql_transport_ws.handlers import BaseGraphQLTransportWSHandler, Operation
from strawberry.types.execution import ExecutionResult, PreExecutionError

from app.actors import Actor
from app.api.asked import BadRequest, from_object
from app.api.context import Context
from app.api.execution import HubSchema
from app.api.gate.admission import Gate
from app.api.live.eager import begin
from app.api.live.followed import Following
from app.api.live.frames import door_of
from app.api.live.groups import Live
from app.api.live.presses import Printed
from app.api.live.streams import TooManyStreams, Viewer
from app.api.masking import extensions_of, log_surprise
from app.errors import NotSignedIn, Refusal

UNAUTHORIZED = 4401
INTERNAL_ERROR = 4500
MESSAGE_TOO_BIG = 1009

STUCK_SECONDS = 30.0
"""A peer that takes nothing for so long is hung up on."""


async def authorize(context: Context) -> None:
    """By `{"authorization": "Bearer …"}` in connection_init, else by what the handshake carried.

    Raises ConnectionRejectionError, which closes the socket with 4403: clients may try again with another token.
    """
    given = context.connection_params.get("authorization")
    try:
        await context.sign_in(context.caller.credential() if given is None else context.caller.token(given))
    except NotSignedIn as refusal:
        raise ConnectionRejectionError({"message": refusal.message}) from None


class PeerGone(Exception):
    """Nobody reads this socket any more, or nobody has for too long."""


class SocketSink:
    """The `next` messages of one operation. The text of the answer goes in as it is."""

    __slots__ = ("_head", "_is_gone", "_rest", "_websocket", "_write")

    def __init__(self, websocket: WebSocket, operation_id: str) -> None:
        self._websocket = websocket
        self._head = f'{{"id":{msgspec.json.encode(operation_id).decode()},"type":"next","payload":'
        self._rest: Awaitable[None] | None = None
        self._is_gone = False
        self._write = door_of(websocket.scope)

    def offer(self, printed: Printed) -> bool:
        if self._write is not None and self._write(printed.frame(self._head)):
            return True
        try:
            self._rest = begin(self._websocket.send(self._message(printed)))
        except Exception:
            self._is_gone = True
            return False
        return self._rest is None

    async def send(self, printed: Printed) -> None:
        await _in_time(self._websocket.send(self._message(printed)))

    async def drained(self) -> None:
        if self._is_gone:
            raise PeerGone
        rest, self._rest = self._rest, None
        if rest is not None:
            await _in_time(rest)

    def _message(self, printed: Printed) -> Message:
        return {"type": "websocket.send", "text": printed.message(self._head)}


async def _in_time(sending: Awaitable[None]) -> None:
    try:
        async with asyncio.timeout(STUCK_SECONDS):
            await sending
    except Exception as error:
        raise PeerGone from error


class LiveHandler(BaseGraphQLTransportWSHandler[Context, None]):
    """The protocol as Strawberry speaks it; subscriptions are sent from here, as texts that their group shares."""

    schema: HubSchema

    def __init__(self, **values: Any) -> None:
        super().__init__(**values)
        self._live: Live = self.view.live  # type: ignore[attr-defined]  # the view is app/api/http.py's
        self._viewer: Viewer | None = None
        self._watching = ExitStack()
        self._tasks: set[asyncio.Task[None]] = set()

    async def handle(self) -> None:
        talking = asyncio.ensure_future(super().handle())
        self._tasks.add(talking)
        with self._watching:
            try:
                await asyncio.wait({talking})
            finally:
                await _ended(talking)
        if not talking.cancelled() and (error := talking.exception()) is not None:
            log_surprise(error)
            with suppress(Exception):
                await self.websocket.close(INTERNAL_ERROR, "Something went wrong on our side.")

    async def handle_message(self, message: Any) -> None:
        if not isinstance(message, dict) or not _is_readable(message):
            await self.handle_invalid_message("Failed to parse message")
            return
        await super().handle_message(message)  # type: ignore[arg-type]  # checked above as far as it is read

    async def handle_connection_init(self, message: Any) -> None:
        await super().handle_connection_init({"type": "connection_init", "payload": message.get("payload") or {}})
        context = self.context
        if self.connection_acknowledged and self._viewer is None and context.credential is not None:
            self._viewer = Viewer(context.actor)
            self._watching.enter_context(self._live.watches.watching(context.hub, context.credential, self._hear))

    def _hear(self, found: Actor | NotSignedIn) -> None:
        """Who it is now, every few seconds."""
        if isinstance(found, NotSignedIn):
            self._begin(self._cut_off(found))
            return
        actor = replace(found, ip=self.context.caller.ip, user_agent=self.context.caller.headers.get("user-agent"))
        self.context.known_actor = actor
        if self._viewer is not None:
            self._viewer.become(actor)

    def _begin(self, work: Any) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _cut_off(self, refusal: Refusal) -> None:
        for operation_id in list(self.operations):
            await self.cleanup_operation(operation_id)
        # A close frame holds at most 123 bytes of text.
        with suppress(Exception):
            await self.websocket.close(UNAUTHORIZED, refusal.message.encode()[:120].decode(errors="ignore"))

    async def handle_subscribe(self, message: Any) -> None:
        if self.connection_acknowledged:
            try:
                await self.context.check_again()
            except NotSignedIn as refusal:
                await self._cut_off(refusal)
                return
        try:
            message["payload"] = await self._with_text(message)
            await super().handle_subscribe(message)
        except Refusal as refusal:
            error = GraphQLError(refusal.message, extensions=extensions_of(refusal))
            await self.send_message({"id": message["id"], "type": "error", "payload": [error.formatted]})

    async def _with_text(self, message: Any) -> Any:
        """The payload, with the text of the document that it names. Raises what Gate.text raises."""
        payload, asked = message["payload"], from_object(message["payload"])
        if not self.connection_acknowledged or message["id"] in self.operations or not asked.names_elsewhere:
            return payload
        return {**payload, "query": await Gate.of(self.context.hub).text(asked, self.context, self.schema._schema)}

    async def run_operation(self, operation: Operation[Context, None]) -> None:
        """Run it to its end, which is its last message: `complete` or `error`."""
        context = self.context.copy()
        context.variables = operation.variables
        try:
            results = await self.schema.stream(
                operation.query, variable_values=operation.variables, context_value=context, operation_name=operation.operation_name
            )
            async with aclosing(results):
                async for result in results:
                    await self._send_result(operation, result)
            if context.following is not None and not operation.completed:
                await self._follow(operation, context, context.following)
            await operation.send_operation_message({"id": operation.id, "type": "complete"})
        except PeerGone:
            self.operations.pop(operation.id, None)
            self._hang_up()
        except Exception as error:
            log_surprise(error)
            with suppress(Exception):
                await operation.send_operation_message({"id": operation.id, "type": "complete"})

    async def _send_result(self, operation: Operation[Context, None], result: Any) -> None:
        if isinstance(result, PreExecutionError):
            errors = result.errors or []
            if reason := self._get_pre_execution_close_reason(errors[0]):
                operation.completed = True
                self.operations.pop(operation.id, None)
                await self.websocket.close(4400, reason.encode()[:120].decode(errors="ignore"))
            else:
                await operation.send_initial_errors(errors)
        elif isinstance(result, ExecutionResult):
            await operation.send_next(result)

    async def _follow(self, operation: Operation[Context, None], context: Context, following: Following[Any]) -> None:
        viewer = self._viewer or Viewer(context.actor)
        sink = SocketSink(self.websocket.ws, operation.id)  # type: ignore[attr-defined]  # the adapter of strawberry.asgi has it
        try:
            with self._live.streams.counted(context.actor):
                await self._live.follow(context, following, viewer, sink)
        except TooManyStreams as refusal:
            await operation.send_initial_errors([GraphQLError(refusal.message, extensions=refusal.extensions)])

    def _hang_up(self) -> None:
        for task in self._tasks:
            task.cancel()


async def _ended(task: "asyncio.Future[None]") -> None:
    """Cancel it, and wait until it has cleaned up."""
    task.cancel()
    with suppress(asyncio.CancelledError, Exception):
        await task


def _is_readable(message: dict[str, Any]) -> bool:
    """Whether the parts that the protocol reads have the right types."""
    kind, payload = message.get("type"), message.get("payload")
    if kind == "complete":
        return isinstance(message.get("id"), str)
    if kind != "subscribe":
        return isinstance(payload, dict | None)
    try:
        return isinstance(message.get("id"), str) and isinstance(payload, dict) and from_object(payload).names_a_document
    except BadRequest:
        return False


def sized(receive: Receive, send: Send, limit: int) -> Receive:
    """Ends a WebSocket that sends a message of more than `limit` characters."""

    async def receive_sized() -> Message:
        message = await receive()
        if message["type"] == "websocket.receive" and len(message.get("text") or message.get("bytes") or "") > limit:
            await send({"type": "websocket.close", "code": MESSAGE_TOO_BIG, "reason": "This message is too long."})
            return {"type": "websocket.disconnect", "code": MESSAGE_TOO_BIG}
        return message

    return receive_sized
