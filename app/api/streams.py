"""Which stream of a connection is meant."""

from typing import Annotated
from uuid import UUID

import strawberry

from app.api.context import Info
from app.connectors.base import Stream
from app.errors import InvalidInput

StreamName = Annotated[str, strawberry.argument(description="The stream, as `connectors` names it.")]


async def stream_of(info: Info, connection_id: UUID, name: str) -> Stream:
    """Raises ConnectionNotFound, and InvalidInput for a stream that its provider does not have."""
    hub = info.context.hub
    connection = await hub.connections.get(info.context.actor, connection_id)
    streams = hub.connectors[connection.provider].streams
    if name not in streams:
        raise InvalidInput(fields={"stream": f"Choose from {', '.join(streams)}."})
    return streams[name]
