"""WebSockets: the first message says who it is, and whoever may no longer ask is cut off."""

import asyncio
from contextlib import suppress
from typing import Any

import structlog
from starlette.types import Message, Receive, Send
from strawberry.exceptions import ConnectionRejectionError
from strawberry.subscriptions.protocols.graphql_transport_ws.handlers import BaseGraphQLTransportWSHandler

from app.api.context import Context
from app.api.streams import CHECK_SECONDS
from app.errors import NotSignedIn, Refusal

UNAUTHORIZED = 4401
MESSAGE_TOO_BIG = 1009

_log = structlog.get_logger("crosswalk.api")


async def authorize(context: Context) -> None:
    """By `{"authorization": "Bearer …"}` in connection_init, else by what the handshake carried.

    Raises ConnectionRejectionError, which closes the socket with 4403: clients may try again with another token.
    """
    given = context.connection_params.get("authorization")
    try:
        await context.sign_in(context.caller.credential() if given is None else context.caller.token(given))
    except NotSignedIn as refusal:
        raise ConnectionRejectionError({"message": refusal.message}) from None


class WatchedHandler(BaseGraphQLTransportWSHandler[Context, None]):
    """The protocol as Strawberry speaks it, for callers that are checked again and again."""

    async def handle(self) -> None:
        self.context.is_watched = True
        watch = asyncio.create_task(self._watch())
        try:
            await super().handle()
        finally:
            watch.cancel()
            with suppress(asyncio.CancelledError):
                await watch

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(CHECK_SECONDS)
            if not self.connection_acknowledged:
                continue
            try:
                await self.context.check_again()
            except NotSignedIn as refusal:
                await self._cut_off(refusal)
                return
            except Exception as error:  # a database that is away for a moment is no reason to hang up
                _log.warning("websocket_check_failed", error=type(error).__name__)

    async def _cut_off(self, refusal: Refusal) -> None:
        for operation_id in list(self.operations):
            await self.cleanup_operation(operation_id)
        # A close frame holds at most 123 bytes of text.
        await self.websocket.close(UNAUTHORIZED, refusal.message.encode()[:120].decode(errors="ignore"))

    async def handle_message(self, message: Any) -> None:
        if not isinstance(message, dict) or not _is_readable(message):
            await self.handle_invalid_message("Failed to parse message")
            return
        await super().handle_message(message)  # type: ignore[arg-type]  # checked above as far as it is read

    async def handle_subscribe(self, message: Any) -> None:
        if self.connection_acknowledged:
            try:
                await self.context.check_again()
            except NotSignedIn as refusal:
                await self._cut_off(refusal)
                return
        await super().handle_subscribe(message)


def _is_readable(message: dict[str, Any]) -> bool:
    """Whether the parts that the protocol reads have the right types."""
    if message.get("type") == "complete":
        return isinstance(message.get("id"), str)
    if message.get("type") != "subscribe":
        return True
    payload = message.get("payload")
    return (
        isinstance(message.get("id"), str)
        and isinstance(payload, dict)
        and isinstance(payload.get("query"), str)
        and isinstance(payload.get("variables"), dict | None)
        and isinstance(payload.get("operationName"), str | None)
    )


def sized(receive: Receive, send: Send, limit: int) -> Receive:
    """Ends a WebSocket that sends a message of more than `limit` characters."""

    async def receive_sized() -> Message:
        message = await receive()
        if message["type"] == "websocket.receive" and len(message.get("text") or message.get("bytes") or "") > limit:
            await send({"type": "websocket.close", "code": MESSAGE_TOO_BIG, "reason": "This message is too long."})
            return {"type": "websocket.disconnect", "code": MESSAGE_TOO_BIG}
        return message

    return receive_sized
