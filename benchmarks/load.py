"""Sends one request again and again on keep-alive connections, and measures; a process of its own, as light as possible.

    echo '{"port": 8000, "request": "GET / HTTP/1.1\\r\\n…", "connections": 16, "seconds": 3}' | python benchmarks/load.py

It reads no more of an answer than its length: the first answer of each connection is looked at, the others must be as long.
"""

import json
import select
import socket
import sys
import time
from collections.abc import Callable
from typing import Any


class Client:
    """One connection with one request under way."""

    def __init__(self, port: int, request: bytes) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.request = request
        self.expected = 0
        self.ask()

    def ask(self) -> None:
        self.received = 0
        self.began = time.perf_counter()
        self.socket.sendall(self.request)

    def receive(self) -> bool:
        """Take what has come. Whether the answer is whole. Raises ValueError for one that is not as it should be."""
        data = self.socket.recv(1 << 18)
        if not data:
            raise ValueError("The server closed the connection.")
        if not self.expected:
            data = self._first(data)
        self.received += len(data)
        if self.received > self.expected:
            raise ValueError(f"{self.received} bytes came where {self.expected} were due.")
        return self.received == self.expected

    def _first(self, data: bytes) -> bytes:
        """The first answer, whole: it says how long each has to be."""
        while b"\r\n\r\n" not in data:
            data += self.socket.recv(1 << 18)
        head, _, body = data.partition(b"\r\n\r\n")
        lines = head.lower().split(b"\r\n")
        [length] = [int(line.partition(b":")[2]) for line in lines if line.startswith(b"content-length:")]
        while len(body) < length:
            body += self.socket.recv(1 << 18)
        if b" 200 " not in lines[0] or b'"errors"' in body:
            raise ValueError(f"{head!r} {body[:1000]!r}")
        self.expected = len(head) + 4 + length
        return head + b"\r\n\r\n" + body


def run(port: int, request: bytes, connections: int, seconds: float) -> dict[str, Any]:
    """Requests answered, and the milliseconds that each took."""
    poll = select.epoll()
    clients = {}
    for _ in range(connections):
        client = Client(port, request)
        clients[client.socket.fileno()] = client
        poll.register(client.socket, select.EPOLLIN)
    began, taken = time.perf_counter(), list[float]()
    while clients:
        for descriptor, _ in poll.poll():
            client = clients[descriptor]
            if not client.receive():
                continue
            now = time.perf_counter()
            taken.append(now - client.began)
            if now < began + seconds:
                client.ask()
            else:
                clients.pop(descriptor).socket.close()
    return figures(taken, time.perf_counter() - began)


def figures(taken: list[float], seconds: float) -> dict[str, Any]:
    taken.sort()
    at: Callable[[float], float] = lambda part: taken[int(len(taken) * part)] * 1000  # noqa: E731
    return {"requests": len(taken), "per_second": len(taken) / seconds, "p50": at(0.5), "p99": at(0.99)}


if __name__ == "__main__":
    wanted = json.loads(sys.stdin.read())
    print(json.dumps(run(wanted["port"], wanted["request"].encode(), wanted["connections"], wanted["seconds"])))
