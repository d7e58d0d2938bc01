"""`crosswalk demo` from start to end."""

import asyncio
import os
import sys
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from app import embedded
from app.bootstrap import Hub
from app.commands.dev import environment_of, keep_running
from app.commands.processes import Child, Stopped, crosswalk, end_all, stop_on_signals
from app.commands.servers import completed_by, migrate_now, names_servers
from app.demo import addresses, once
from app.demo.addresses import Addresses
from app.demo.content import METAKOCKA, SERVICEM8
from app.demo.load import load
from app.demo.settings import ADDRESSES, DemoRefused, claim, demo_settings, url_of
from app.demo.steps import Steps
from app.demo.waiting import wait_until_it_answers
from app.embedded import Embedded
from app.logs import configure_logs
from app.settings import Settings

START_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Options:
    """What was asked for on the command line."""

    port: int | None = None
    fresh: bool = False
    once: bool = False
    external: bool = False


def run(options: Options) -> bool:
    """Start everything and run until a signal; with `once`, exercise the main job instead, and whether all of it happened."""
    if options.external and options.fresh:
        raise DemoRefused("--fresh empties the demo's own servers only; empty the database that the environment names yourself.")
    stop_on_signals()
    configure_logs("warning")
    steps = Steps(_console(options))
    demo = _Demo(options, steps)
    try:
        return demo.run()
    except Stopped:
        steps.say("Stopping")
        return not options.once
    finally:
        demo.end()


def _console(options: Options) -> Console:
    """Standard output, which with `once` is left to the JSON line. Where there is no terminal, lines need no wrapping."""
    console = Console(stderr=options.once)
    return console if console.is_terminal else Console(stderr=options.once, width=140)


class _Demo:
    """The demo's processes and what they need; each method is a step."""

    def __init__(self, options: Options, steps: Steps) -> None:
        self.options, self.steps = options, steps
        named = "CROSSWALK_DATA_DIR" in os.environ
        environment = Settings.from_environment()
        self.settings, self.ports = demo_settings(environment, data_dir_named=named, port=options.port, external=options.external)
        self.children: list[Child] = []
        self.servers: Embedded | None = None
        self.stack = ExitStack()

    def run(self) -> bool:
        claim(self.settings.data_dir, fresh=self.options.fresh)
        previous = addresses.read(self.settings)
        self._servers()
        sandboxes = self._sandboxes()
        self._child("worker", crosswalk("worker"))
        web = self._child("web", crosswalk("serve"))
        found = asyncio.run(self._load(sandboxes, previous))
        addresses.write(self.settings, found)
        self._wait_for_web(web)
        if self.options.once:
            return once.exercise(found, self.steps)
        self._tell(found)
        keep_running(self.children, self.servers, self.steps.say)
        return True

    def end(self) -> None:
        """End every process; what was loaded stays for the next time."""
        end_all(self.children)
        self.stack.close()

    def _servers(self) -> None:
        with self.steps.step("Postgres and Valkey") as step:
            step.said = "those that the environment names"
            if not names_servers(self.settings):
                step.said = _short(self.settings.data_dir)
                self.servers = self.stack.enter_context(_start(self.settings))
                self.settings = completed_by(self.settings, self.servers)
        with self.steps.step("Migrations") as step:
            migrate_now(self.settings)
            step.said = "the database is up to date"

    def _sandboxes(self) -> dict[str, str]:
        """Start the sandboxes at the same time; their URLs by provider."""
        servicem8 = self._sandbox("ServiceM8 sandbox", "app.demo.provider", self.ports.servicem8, SERVICEM8)
        metakocka = self._sandbox("Metakocka sandbox", "app.demo.metakocka", self.ports.metakocka, METAKOCKA)
        return {
            SERVICEM8: self._wait_for_sandbox(servicem8, self.ports.servicem8, "_control/counters"),
            METAKOCKA: self._wait_for_sandbox(metakocka, self.ports.metakocka, "sandbox/counters"),
        }

    def _sandbox(self, name: str, module: str, port: int, provider: str) -> Child:
        """What it remembers is in a file of the provider's name."""
        memory = str(self.settings.data_dir / f"{provider}.json")
        return self._child(name, [sys.executable, "-P", "-m", module, "--port", str(port), "--memory", memory])

    def _wait_for_sandbox(self, child: Child, port: int, path: str) -> str:
        with self.steps.step(child.name) as step:
            step.said = url_of(port)
            wait_until_it_answers(f"{step.said}/{path}", child, seconds=START_SECONDS)
        return step.said

    async def _load(self, sandboxes: Mapping[str, str], previous: Addresses | None) -> Addresses:
        async with Hub(self.settings) as hub:
            return await load(hub, self.steps, sandboxes, previous)

    def _wait_for_web(self, child: Child) -> None:
        with self.steps.step("Web and worker") as step:
            wait_until_it_answers(f"{self.settings.public_url}/health/ready", child, seconds=START_SECONDS)
            step.said = self.settings.public_url

    def _child(self, name: str, command: list[str]) -> Child:
        log = self.settings.data_dir / f"{name.lower().replace(' ', '-')}.log"
        log.unlink(missing_ok=True)
        child = Child(name, command, environment_of(self.settings) | {"CROSSWALK_SMTP_URL": ""}, log)
        child.start()
        self.children.append(child)
        return child

    def _tell(self, found: Addresses) -> None:
        say = self.steps.say
        say()
        say(f"Crosswalk is ready after {self.steps.seconds:.1f} s. Ctrl-C stops it; what is in it stays until --fresh.")
        say()
        for name, address in (
            ("Console", found.console_url),
            ("Client portal", found.portal_url),
            ("GraphQL API", found.graphql_url),
            ("ServiceM8 sandbox", f"{found.servicem8_sandbox_url}/_control/"),
            ("Metakocka sandbox", f"{found.metakocka_sandbox_url}/sandbox/"),
        ):
            say(f"  {name:<18} {address}")
        say()
        say("Try the API:")
        say()
        say(f"  {found.curl}")
        say()


def _start(settings: Settings) -> Embedded:
    try:
        return embedded.start(settings.data_dir)
    except embedded.AlreadySupervised:
        where = settings.data_dir / ADDRESSES
        raise DemoRefused(f"The demo runs on {settings.data_dir} already; {where} tells its addresses.") from None


def _short(path: Path) -> str:
    """The path as a person would type it from here."""
    return os.path.relpath(path) if path.is_relative_to(Path.cwd()) else str(path)
