"""Live streams as server-sent events, and what both ways of following them share."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping
from contextlib import ExitStack, suppress
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.types import Message, Receive, Scope, Send
from strawberry.asgi import GraphQL
from strawberry.http.streaming import AsyncTextStream, HTTPStreamTransport, merge_stream_with_heartbeat
from strawberry.schema import BaseSchema

from app.actors import Actor
from app.api.context import Context
from app.api.live.groups import Live
from app.api.live.presses import Printed
from app.api.live.streams import OpenStreams, Viewer
from app.api.live.websocket import STUCK_SECONDS, LiveHandler
from app.api.masking import log_surprise, sentence_for
from app.errors import NotSignedIn
from app.settings import Settings

WAITING = 64
"""How many events wait for one reader in memory."""


class QueueSink:
    """Texts on their way to one reader of server-sent events. None is the end."""

    def __init__(self) -> None:
        self.texts: asyncio.Queue[str | None] = asyncio.Queue(WAITING)

    def offer(self, printed: Printed) -> bool:
        self.texts.put_nowait(printed.text)
        return not self.texts.full()

    async def send(self, printed: Printed) -> None:
        await self.texts.put(printed.text)

    async def drained(self) -> None:
        await self.texts.join()


class LiveResponse(StreamingResponse):
    """A stream that counts as open until it has ended, and ends when its reader takes nothing for too long."""

    def __init__(self, streams: OpenStreams, actor: Actor, stream: AsyncIterator[str], status: int, headers: Mapping[str, str]) -> None:
        super().__init__(stream, status_code=status, headers=headers)
        self._streams = streams
        self._actor = actor

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_in_time(message: Message) -> None:
            async with asyncio.timeout(STUCK_SECONDS):
                await send(message)

        with self._streams.counted(self._actor), suppress(TimeoutError):
            await super().__call__(scope, receive, send_in_time)


class LiveView(GraphQL[Context, None]):
    """What app/api/http.py has from here: live streams over both transports."""

    graphql_transport_ws_handler_class = LiveHandler
    schema: BaseSchema
    live: Live

    def open_live(self, settings: Settings) -> None:
        self.live = Live(self.schema, OpenStreams(settings.streams_per_caller, settings.streams_per_organization))

    async def execute_operation(self, *args: Any, **values: Any) -> Any:
        values["context"].variables = values["request_data"].variables
        return await super().execute_operation(*args, **values)

    async def create_streaming_response(
        self, request: Any, stream: Callable[[], AsyncIterator[str]], sub_response: Response, headers: Mapping[str, str]
    ) -> Response:
        actor = request.state.context.actor
        self.live.streams.room_for(actor)
        return LiveResponse(self.live.streams, actor, stream(), sub_response.status_code or 200, {**sub_response.headers, **headers})

    def _stream_result(self, request: Request, result: Any, transport: HTTPStreamTransport) -> AsyncTextStream:
        async def stream() -> AsyncGenerator[str, None]:
            async for value in result:
                answer, _ = await self._process_stream_result(request, value, [])
                yield transport.encode_next(answer, self.encode_json_string)
            async for text in self._events(request.state.context):
                yield transport.encode_next(text, str)  # type: ignore[arg-type]  # a text already
            yield transport.encode_complete()

        return merge_stream_with_heartbeat(
            stream,
            lambda: transport.heartbeat_message(self.encode_json_string),
            interval=transport.heartbeat_interval,
            send_initial_heartbeat=transport.send_initial_heartbeat,
        )

    async def _events(self, context: Context) -> AsyncGenerator[str, None]:
        """The texts of what the operation follows, if it follows something."""
        if context.following is None or context.credential is None:
            return
        viewer, sink = Viewer(context.actor), QueueSink()

        def hear(found: Actor | NotSignedIn) -> None:
            viewer.become(None if isinstance(found, NotSignedIn) else found)

        with ExitStack() as stack:
            stack.enter_context(self.live.watches.watching(context.hub, context.credential, hear))
            following = asyncio.create_task(self._follow(context, viewer, sink))
            stack.callback(following.cancel)
            while (text := await sink.texts.get()) is not None:
                yield text
                sink.texts.task_done()

    async def _follow(self, context: Context, viewer: Viewer, sink: QueueSink) -> None:
        try:
            if context.following is not None:
                await self.live.follow(context, context.following, viewer, sink)
        except Exception as error:
            message = sentence_for(log_surprise(error))
            await sink.texts.put(msgspec.json.encode({"data": None, "errors": [{"message": message}]}).decode())
        await sink.texts.put(None)
