"""Sends an answer, or as much of it as a fault leaves."""

from starlette.types import Receive, Scope, Send

from .answers import Answer

# The server's extension to ASGI that closes the connection under an answer.
CLOSE_CONNECTION = "crosswalk.close_connection"


async def send_whole(send: Send, answer: Answer) -> None:
    await _start(send, answer)
    await send({"type": "http.response.body", "body": answer.body})


async def send_half(scope: Scope, receive: Receive, send: Send, answer: Answer) -> None:
    """Announce the whole body, send half of it, and hang up."""
    await _start(send, answer)
    await send({"type": "http.response.body", "body": answer.body[: len(answer.body) // 2], "more_body": True})
    await hang_up(scope, receive)


async def hang_up(scope: Scope, receive: Receive) -> None:
    """Close the connection. A server without the extension sees an answer that was never finished, which comes near it."""
    if extension := scope.get("extensions", {}).get(CLOSE_CONNECTION):
        extension["close"]()
        while (await receive())["type"] != "http.disconnect":
            continue


async def _start(send: Send, answer: Answer) -> None:
    headers = {"content-type": answer.content_type, "content-length": str(len(answer.body))} | answer.headers
    await send(
        {
            "type": "http.response.start",
            "status": answer.status,
            "headers": [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()],
        }
    )
