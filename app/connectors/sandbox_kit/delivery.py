"""An answer, and sending it, or as much of it as a fault leaves."""

from dataclasses import dataclass, field, replace

from starlette.types import Receive, Scope, Send

# The server's extension to ASGI that closes the connection under an answer.
CLOSE_CONNECTION = "crosswalk.close_connection"


@dataclass(frozen=True, slots=True)
class Answer:
    """One HTTP answer."""

    status: int
    body: bytes
    content_type: str = "application/json"
    headers: dict[str, str] = field(default_factory=dict)

    def with_headers(self, **headers: str) -> "Answer":
        """The same answer with further headers; an underscore stands for a hyphen."""
        return replace(self, headers=self.headers | {name.replace("_", "-"): value for name, value in headers.items()})


class Refusal(Exception):
    """The request is refused with this answer."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.status)
        self.answer = answer


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
