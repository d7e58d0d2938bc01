"""Subscribers of one sync run, beside a bare Starlette loop that sends the same bytes to as many WebSockets.

    .venv/bin/python benchmarks/streams.py [--subscribers 2000] [--rounds 3] [--events 100] [--memory-events 100000]

Each subject is one uvicorn process as `crosswalk serve` runs it; the listeners (benchmarks/listeners.py), Postgres and the
one who commits the events are processes of their own. Throughput: so many events as fast as they go, the two subjects in
turn. Delay: ten events a second, from just before the worker's COMMIT until a listener has the frame. Memory: the web
process after many events, with a few listeners and one that reads nothing.
"""

import argparse
import asyncio
import contextlib
import json
import os
import resource
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import structlog
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from app.actors import Actor
from app.bootstrap import Hub
from app.commands.serving import options
from app.connectors.servicem8.sandbox.config import SandboxConfig
from app.connectors.servicem8.sandbox.testing import start_sandbox
from app.database import fetch_value, transaction
from app.settings import Secret, Settings
from app.syncs.models import SyncRun
from benchmarks.servers import own_servers
from tests.api.client import gid
from tests.factories import make_connection, make_organization

ROOT = Path(__file__).resolve().parents[1]
DOCUMENT = (ROOT / "graphql" / "operations" / "sync_run_progress.graphql").read_text()


def main() -> None:
    arguments = _arguments()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(40))
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    if arguments.serve:
        _serve(arguments.serve, arguments.port)
        return
    sandbox = start_sandbox(SandboxConfig(limits_factor=None))
    try:
        with own_servers() as (folder, servers):
            settings = Settings(
                database_url=Secret(servers.app_url),
                redis_url=Secret(servers.redis_url),
                data_dir=folder,
                sandboxes=True,
                sandbox_urls=(sandbox.url,),
            )
            asyncio.run(_measure(arguments, settings, sandbox))
    finally:
        sandbox.stop()


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--subscribers", type=int, default=2000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--events", type=int, default=100, help="events of one round of throughput")
    parser.add_argument("--seconds", type=float, default=20, help="how long the delay is measured")
    parser.add_argument("--memory-events", type=int, default=100_000, help="0 leaves the memory out")
    parser.add_argument("--serve", choices=["hub", "bare"], help="be one of the two servers (used by itself)")
    parser.add_argument("--port", type=int, default=0)
    return parser.parse_args()


def _serve(subject: str, port: int) -> None:
    from app.main import build

    app, websockets = (build(), options()["ws"]) if subject == "hub" else (_bare_app(), "auto")
    uvicorn.run(app, host="127.0.0.1", port=port, **options() | {"log_level": "error", "ws": websockets})


def _bare_app() -> Starlette:
    """The simplest thing that sends texts to many WebSockets."""
    sockets: dict[WebSocket, None] = {}
    tasks: set[asyncio.Task[None]] = set()

    async def listen(websocket: WebSocket) -> None:
        await websocket.accept(subprotocol="graphql-transport-ws")
        sockets[websocket] = None
        with contextlib.suppress(WebSocketDisconnect):
            while True:
                await websocket.receive_text()
        del sockets[websocket]

    async def send_all(texts: list[str]) -> None:
        for text in texts:
            for websocket in list(sockets):
                await websocket.send_text(text)
            await asyncio.sleep(0)

    async def send(request: Request) -> JSONResponse:
        task = asyncio.create_task(send_all((await request.json())["texts"]))
        tasks.add(task)
        task.add_done_callback(tasks.discard)
        return JSONResponse({"sockets": len(sockets)})

    return Starlette(routes=[WebSocketRoute("/graphql", listen), Route("/send", send, methods=["POST"])])


class _Process:
    """A server or the listeners."""

    def __init__(self, arguments: list[str], **environment: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, *arguments], cwd=ROOT, env=os.environ | environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def cpu_seconds(self) -> float:
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(") ")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def megabytes(self) -> float:
        lines = Path(f"/proc/{self.process.pid}/status").read_text().splitlines()
        return int(next(line for line in lines if line.startswith("VmRSS")).split()[1]) / 1024

    async def ask(self, do: str, **values: Any) -> dict[str, Any]:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps({"do": do, **values}) + "\n")
        self.process.stdin.flush()
        answer: dict[str, Any] = json.loads(await asyncio.to_thread(self.process.stdout.readline))
        return answer

    def stop(self) -> None:
        self.process.kill()
        self.process.wait()


@contextlib.contextmanager
def _running(arguments: list[str], **environment: str) -> Iterator[_Process]:
    process = _Process(arguments, **environment)
    try:
        yield process
    finally:
        process.stop()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


async def _until_it_answers(port: int) -> None:
    async with httpx.AsyncClient() as client:
        for _ in range(600):
            with contextlib.suppress(httpx.HTTPError):
                await client.get(f"http://127.0.0.1:{port}/health/live")
                return
            await asyncio.sleep(0.05)
    raise RuntimeError("The server does not answer.")


def _environment(settings: Settings) -> dict[str, str]:
    assert settings.database_url is not None
    assert settings.redis_url is not None
    return {
        "CROSSWALK_DATABASE_URL": settings.database_url,
        "CROSSWALK_REDIS_URL": settings.redis_url,
        "CROSSWALK_DATA_DIR": str(settings.data_dir),
        "CROSSWALK_SANDBOXES": "true",
        "CROSSWALK_STREAMS_PER_CALLER": "100000",
        "CROSSWALK_STREAMS_PER_ORGANIZATION": "100000",
        "CROSSWALK_RATE_COST_PER_MINUTE": "0",
        "CROSSWALK_LOG_LEVEL": "error",
    }


class _Stage:
    """A sync run whose events are committed as a worker does."""

    def __init__(self, hub: Hub, owner: Actor, run: SyncRun, token: str) -> None:
        self.hub, self.owner, self.run, self.token = hub, owner, run, token
        self.revision = run.revision

    @classmethod
    async def made(cls, hub: Hub, sandbox: Any) -> "_Stage":
        owner = await make_organization(hub)
        connection = await make_connection(hub, owner, sandbox)
        run = await hub.syncs.start(owner, connection.id)
        _, token = await hub.organizations.create_token(owner, name="Listeners", role="viewer")
        return cls(hub, owner, run, token)

    def greetings(self) -> list[str]:
        return [
            json.dumps({"type": "connection_init", "payload": {"authorization": f"Bearer {self.token}"}}),
            json.dumps(
                {"id": "1", "type": "subscribe", "payload": {"query": DOCUMENT, "variables": {"runId": gid("SyncRun", self.run.id)}}}
            ),
        ]

    async def commit(self, events: int = 1) -> dict[int, int]:
        """Move the run so often, in one transaction. Revision → when, just before the COMMIT."""
        scope, moved = self.owner.scope, {}
        async with transaction(scope):
            for _ in range(events):
                self.revision += 1
                await self.hub.feed.publish(scope, topic="sync_run", subject_id=self.run.id, revision=self.revision)
                moved[self.revision] = 0
            sql = "UPDATE sync_run SET revision = $3 WHERE organization_id = $1 AND id = $2 RETURNING revision"
            await fetch_value(scope, sql, scope.organization_id, self.run.id, self.revision)
            now = time.monotonic_ns()
        return dict.fromkeys(moved, now)


async def _measure(arguments: argparse.Namespace, settings: Settings, sandbox: Any) -> None:
    ports = {"hub": _free_port(), "bare": _free_port()}
    serve = [__file__, "--serve"]
    async with Hub(settings) as hub:
        stage = await _Stage.made(hub, sandbox)
        with (
            _running([*serve, "hub", "--port", str(ports["hub"])], **_environment(settings)) as web,
            _running([*serve, "bare", "--port", str(ports["bare"])]) as bare,
        ):
            for port in ports.values():
                await _until_it_answers(port)
            with _running(["benchmarks/listeners.py"]) as crowd, _running(["benchmarks/listeners.py"]) as bare_crowd:
                text = await _sample(stage, ports["hub"])
                began = time.monotonic()
                await crowd.ask(
                    "connect",
                    host="127.0.0.1",
                    port=ports["hub"],
                    path="/graphql",
                    count=arguments.subscribers,
                    greetings=stage.greetings(),
                )
                await crowd.ask("wait", messages=arguments.subscribers, seconds=120, idle=10)
                print(
                    f"{arguments.subscribers} subscribers were up after {time.monotonic() - began:.1f} s; one event is {len(text)} bytes\n"
                )
                await bare_crowd.ask(
                    "connect", host="127.0.0.1", port=ports["bare"], path="/graphql", count=arguments.subscribers, greetings=[]
                )
                await _throughput(arguments, stage, {"hub": web, "bare": bare}, {"hub": crowd, "bare": bare_crowd}, ports["bare"], text)
                await _delay(arguments, stage, web, crowd)
            if arguments.memory_events:
                await _memory(arguments, stage, web, ports["hub"])


async def _sample(stage: _Stage, port: int) -> str:
    """One frame as the hub sends it."""
    from websockets.asyncio.client import connect

    async with connect(f"ws://127.0.0.1:{port}/graphql", subprotocols=["graphql-transport-ws"], compression=None) as opened:  # type: ignore[list-item]
        for text in stage.greetings():
            await opened.send(text)
        await opened.recv()
        return str(await opened.recv())


async def _throughput(
    arguments: argparse.Namespace, stage: _Stage, servers: dict[str, _Process], crowds: dict[str, _Process], bare_port: int, text: str
) -> None:
    results: dict[str, list[tuple[float, float]]] = {"hub": [], "bare": []}
    wanted = arguments.events * arguments.subscribers
    print("| round | subject | messages | messages/s | CPU µs a message | left out |\n|---|---|---|---|---|---|")
    for number in range(-2, arguments.rounds * 2):
        subject = ("hub", "bare", "bare", "hub")[number % 4]
        crowd, server = crowds[subject], servers[subject]
        await crowd.ask("reset")
        cpu = server.cpu_seconds()
        await _send(arguments.events, stage if subject == "hub" else None, bare_port, text)
        await crowd.ask("wait", messages=wanted, seconds=120, idle=5)
        report = await crowd.ask("report", commits={})
        cpu = server.cpu_seconds() - cpu
        if not report["messages"]:
            raise RuntimeError("The listeners heard nothing.")
        if number < 0:  # both have warmed up
            continue
        rate, cost = report["messages"] / report["seconds"], cpu / report["messages"] * 1e6
        results[subject].append((rate, cost))
        left_out = wanted - report["messages"]
        print(f"| {number // 2 + 1} | {subject} | {report['messages']:,} | {rate:,.0f} | {cost:.1f} | {left_out:,} |", flush=True)
    ratios = [hub[0] / bare[0] for hub, bare in zip(results["hub"], results["bare"], strict=True)]
    costs = [bare[1] / hub[1] for hub, bare in zip(results["hub"], results["bare"], strict=True)]
    print(f"\nmessages/s of the bare loop's: {statistics.median(ratios):.2f} (rounds: {', '.join(f'{ratio:.2f}' for ratio in ratios)});")
    print(f"by CPU: {statistics.median(costs):.2f} (rounds: {', '.join(f'{ratio:.2f}' for ratio in costs)})\n")


async def _send(events: int, stage: _Stage | None, bare_port: int, text: str) -> None:
    """So many events at once, by the hub or by the bare loop."""
    if stage is not None:
        await stage.commit(events)
        return
    texts = [text.replace('"revision":1', f'"revision":{revision}', 1) for revision in range(1, events + 1)]
    async with httpx.AsyncClient() as client:
        await client.post(f"http://127.0.0.1:{bare_port}/send", json={"texts": texts})


async def _delay(arguments: argparse.Namespace, stage: _Stage, web: _Process, crowd: _Process) -> None:
    await crowd.ask("reset")
    commits: dict[int, int] = {}
    cpu, began = web.cpu_seconds(), time.monotonic()
    for number in range(int(arguments.seconds * 10)):
        await asyncio.sleep(max(0.0, began + number / 10 - time.monotonic()))
        commits |= await stage.commit()
    await crowd.ask("wait", messages=len(commits) * arguments.subscribers, seconds=30, idle=5)
    report = await crowd.ask("report", commits=commits)
    busy = (web.cpu_seconds() - cpu) / (time.monotonic() - began)
    delays = report["delays_ms"]
    print(
        f"10 events/s for {arguments.seconds:.0f} s: {report['messages']:,} of {len(commits) * arguments.subscribers:,} messages,"
        f" delay p50 {delays['50']:.0f} ms, p90 {delays['90']:.0f} ms, p99 {delays['99']:.0f} ms, slowest {report['slowest_ms']:.0f} ms;"
        f" {report['missed']} told of left-out events; the web process used {busy:.0%} of a core\n"
    )


async def _memory(arguments: argparse.Namespace, stage: _Stage, web: _Process, port: int) -> None:
    """A few who listen, and one who reads nothing."""
    with _running(["benchmarks/listeners.py"]) as crowd:
        await crowd.ask("connect", host="127.0.0.1", port=port, path="/graphql", count=20, greetings=stage.greetings())
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        await _subscribe_and_stop_reading(writer, stage)
        await asyncio.sleep(2)
        steps = [f"at first {web.megabytes():.0f}"]
        for number in range(arguments.memory_events // 100):
            await stage.commit(100)
            if (number + 1) % max(1, arguments.memory_events // 500) == 0:
                steps.append(f"{(number + 1) * 100:,}: {web.megabytes():.0f}")
        report = await crowd.ask("report", commits={})
        print(
            f"memory in MB after events: {', '.join(steps)}; {report['messages']:,} messages, {report['missed']:,} told of left-out events"
        )
        writer.transport.abort()
        del reader


async def _subscribe_and_stop_reading(writer: asyncio.StreamWriter, stage: _Stage) -> None:
    from benchmarks.listeners import _frame

    writer.write(
        b"GET /graphql HTTP/1.1\r\nHost: bench\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
        b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: graphql-transport-ws\r\n\r\n"
    )
    await asyncio.sleep(0.5)
    for text in stage.greetings():
        writer.write(_frame(text))
    await asyncio.sleep(1)
    writer.transport.pause_reading()  # type: ignore[attr-defined]


if __name__ == "__main__":
    main()
