"""A piece of network that a test can cut: what connects to it is carried to the server until somebody cuts the line."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress


class Relay:
    """Listens on loopback. While it is cut, whoever connects is hung up on."""

    def __init__(self, target: str) -> None:
        host, _, port = target.rpartition(":")
        self._target = (host, int(port))
        self._open: set[asyncio.StreamWriter] = set()
        self.is_cut = False
        self.carried = 0
        """How many connections were carried so far."""

    def cut(self) -> None:
        """Break every connection, without a word from either side, and take no new one."""
        self.is_cut = True
        for writer in self._open:
            writer.transport.abort()

    def mend(self) -> None:
        self.is_cut = False

    async def carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.is_cut:
            writer.transport.abort()
            return
        self.carried += 1
        far_reader, far_writer = await asyncio.open_connection(*self._target)
        both = {writer, far_writer}
        self._open |= both
        await asyncio.gather(_copy(reader, far_writer), _copy(far_reader, writer))
        self._open -= both


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(ConnectionError):
        while chunk := await reader.read(65536):
            writer.write(chunk)
            await writer.drain()
    writer.close()


@asynccontextmanager
async def relay_to(target: str) -> AsyncIterator[tuple[Relay, str]]:
    """The relay, and its address as host:port."""
    relay = Relay(target)
    listening = await asyncio.start_server(relay.carry, "127.0.0.1", 0)
    try:
        yield relay, f"127.0.0.1:{listening.sockets[0].getsockname()[1]}"
    finally:
        relay.cut()
        listening.close()
        await listening.wait_closed()
