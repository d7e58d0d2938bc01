"""Server-sent events as the clients of npm read them."""

from strawberry.http.streaming import SSETransport

from app.api.accept import wants_event_stream


class EventStream(SSETransport):
    """The library's, for callers that name JSON too, and for readers that know one line ending."""

    def accepts(self, accept: str) -> bool:
        return wants_event_stream(accept)

    def encode_event(self, event: str, data: str | None = None) -> str:
        """urql looks for two line feeds; the library writes carriage returns between them, which the standard allows."""
        return super().encode_event(event, data).replace("\r\n", "\n")

    def encode_comment(self, comment: str) -> str:
        return super().encode_comment(comment).replace("\r\n", "\n")
