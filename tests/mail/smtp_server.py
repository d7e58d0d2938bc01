"""A small SMTP server on a loopback port (RFC 5321, as much as one mail needs); a test says how it answers."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage


@dataclass
class SmtpServer:
    """`answers` replaces what is said to a command: {"RCPT": "550 unknown here"}."""

    port: int = 0
    answers: dict[str, str] = field(default_factory=dict)
    received: list[EmailMessage] = field(default_factory=list)
    recipients: list[str] = field(default_factory=list)
    commands: list[str] = field(default_factory=list)

    async def converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 test\r\n")
        while line := (await reader.readline()).decode().strip():
            self.commands.append(line)
            verb = line.split(" ")[0].upper().partition(":")[0]
            if verb == "DATA" and verb not in self.answers:
                writer.write(b"354 go on\r\n")
                self.received.append(message_from_bytes(await _data(reader), policy=policy.default))
            if verb == "RCPT":
                self.recipients.append(line)
            writer.write(f"{self.answers.get(verb, _ANSWERS.get(verb, '250 ok'))}\r\n".encode())
            await writer.drain()
            if verb == "QUIT":
                break
        writer.close()


_ANSWERS = {"QUIT": "221 bye", "EHLO": "250-test\r\n250 AUTH PLAIN LOGIN", "AUTH": "235 welcome"}


async def _data(reader: asyncio.StreamReader) -> bytes:
    lines = []
    while (line := await reader.readline()) != b".\r\n":
        lines.append(line[1:] if line.startswith(b"..") else line)
    return b"".join(lines)


@asynccontextmanager
async def running_smtp_server() -> AsyncIterator[SmtpServer]:
    smtp = SmtpServer()
    server = await asyncio.start_server(smtp.converse, "127.0.0.1", 0)
    smtp.port = server.sockets[0].getsockname()[1]
    async with server:
        yield smtp
