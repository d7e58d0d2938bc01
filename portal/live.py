"""Live parts of a page: server-sent events that a browser resumes where it left off."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

# A stream ends after this time and the browser comes back: so a session that ended is noticed.
LIFETIME_SECONDS = 60.0
# Proxies close what is silent.
CALM_SECONDS = 15.0
# A person reads no faster; progress that comes quicker is left out.
PAUSE_SECONDS = 0.25


@dataclass(frozen=True, slots=True)
class Message:
    """Some HTML to swap in, or with a `name` an event; `id` is the place in the feed to resume from."""

    html: str
    id: int | None = None
    name: str = ""


DONE = Message("", name="done")


def position(request: Request) -> int | None:
    """The last event that the browser saw, or what the page was made from."""
    text = request.headers.get("last-event-id") or request.query_params.get("after") or ""
    return int(text) if text.isdigit() else None


def event_stream(messages: AsyncIterator[Message]) -> Response:
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return StreamingResponse(_written(messages), media_type="text/event-stream", headers=headers)


async def _written(messages: AsyncIterator[Message]) -> AsyncIterator[bytes]:
    """The messages on the wire, with comments while there is nothing to say."""
    ends_at = asyncio.get_running_loop().time() + LIFETIME_SECONDS
    yield b": open\n\n"
    upcoming = _next(messages)
    try:
        while (left := ends_at - asyncio.get_running_loop().time()) > 0:
            done, _ = await asyncio.wait({upcoming}, timeout=min(left, CALM_SECONDS))
            if not done:
                yield b": calm\n\n"
                continue
            message = upcoming.result()
            if message is None:
                return
            yield encode(message)
            upcoming = _next(messages)
    finally:
        upcoming.cancel()
        await asyncio.gather(upcoming, return_exceptions=True)


def _next(messages: AsyncIterator[Message]) -> "asyncio.Task[Message | None]":
    async def take() -> Message | None:
        return await anext(messages, None)

    return asyncio.create_task(take())


def encode(message: Message) -> bytes:
    """As the standard writes it: https://html.spec.whatwg.org/multipage/server-sent-events.html."""
    lines = [f"id: {message.id}"] if message.id is not None else []
    lines += [f"event: {message.name}"] if message.name else []
    lines += [f"data: {line}" for line in message.html.splitlines() or [""]]
    return ("\n".join(lines) + "\n\n").encode()
