"""What surrounds every request: security headers and the size of bodies."""

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.api.gate.limits import Excess

HEADERS = {
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
_ONE_YEAR = 365 * 24 * 3600


class SecurityHeaders:
    """Adds what a response does not say itself; nothing that the API answers may be kept by a cache."""

    def __init__(self, app: ASGIApp, https: bool) -> None:
        self.app = app
        headers = HEADERS | ({"Strict-Transport-Security": f"max-age={_ONE_YEAR}"} if https else {}) | {"Cache-Control": "no-store"}
        self.headers = [(name.lower().encode(), value.encode()) for name, value in headers.items()]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def send_secured(message: Message) -> None:
            if message["type"] == "http.response.start":
                said = {name.lower() for name, _ in message["headers"]}
                message["headers"] = [*message["headers"], *(header for header in self.headers if header[0] not in said)]
            await send(message)

        await self.app(scope, receive, send_secured)


class BodyTooBig(HTTPException):
    """A refusal that http_error (app/api/errors.py) answers with its limit and what was measured until then."""

    def __init__(self, excess: Excess) -> None:
        super().__init__(413, excess.sentence)
        self.extensions = excess.extensions


class BodyLimit:
    """Refuses a body of more than `limit` bytes: at once when it says its length, else when it passes the limit."""

    def __init__(self, app: ASGIApp, limit: int) -> None:
        self.app = app
        self.limit = limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        length = Headers(scope=scope).get("content-length", "")
        if length.isdigit():
            # The server hands on no more than a request says that it has.
            if int(length[:20]) > self.limit:
                await self._answer(int(length[:20]))(scope, receive, send)
            else:
                await self.app(scope, receive, send)
            return
        received = 0

        async def receive_counted() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > self.limit:
                raise self._refusal(received)
            return message

        await self.app(scope, receive_counted, send)

    def _answer(self, measured: int) -> JSONResponse:
        refusal = self._refusal(measured)
        return JSONResponse({"errors": [{"message": refusal.detail, "extensions": refusal.extensions}]}, 413)

    def _refusal(self, measured: int) -> "BodyTooBig":
        return BodyTooBig(Excess("body", self.limit, measured))
