"""Keeps a few programs of ours running beside each other in one terminal: started together, restarted, ended together."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from app.embedded.lifeline import watch, with_parent

END_SECONDS = 30.0
FIRST_PAUSE_SECONDS = 0.5
LONGEST_PAUSE_SECONDS = 15.0
STEADY_SECONDS = 30.0  # whoever ran this long is started again at once


def crosswalk(*arguments: str) -> list[str]:
    """The command line that runs a command of this very installation, whatever lies in the current directory."""
    return [sys.executable, "-P", "-m", "app.cli", *arguments]


@dataclass(slots=True)
class Child:
    """One program that shall run; it ends when this process does."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)
    log: Path | None = None
    """Where its output goes; our own without one."""
    process: subprocess.Popen[bytes] | None = None
    pause: float = FIRST_PAUSE_SECONDS
    begun: float = 0.0
    due: float = 0.0
    lifeline: int | None = None

    def start(self) -> None:
        """Start it in a session of its own: a Ctrl-C at the terminal is for this process to handle."""
        self.begun = time.monotonic()
        with ExitStack() as stack:
            output = stack.enter_context(self.log.open("ab")) if self.log else None
            self.process = subprocess.Popen(
                self.command,
                env={**os.environ, **self.environment},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
                preexec_fn=with_parent(signal.SIGTERM),
            )
        self.lifeline = watch(self.process.pid, signal.SIGTERM)

    def ended(self) -> int | None:
        """Its exit status if it runs no longer."""
        return self.process.poll() if self.process is not None else None

    def end(self) -> None:
        """Ask it to end and wait; kill it if it does not."""
        if self.process is None or self.process.poll() is not None:
            return
        self.process.terminate()
        try:
            self.process.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def restart_when_due(self, tell: Callable[[str], None]) -> None:
        """Start it again after a pause that grows while it keeps ending; to be called often."""
        status, now = self.ended(), time.monotonic()
        if status is None:
            return
        if not self.due:
            self.pause = FIRST_PAUSE_SECONDS if now - self.begun > STEADY_SECONDS else min(self.pause * 2, LONGEST_PAUSE_SECONDS)
            self.due = now + self.pause
            tell(f"{self.name} ended (status {status}); it starts again in {self.pause:.0f} s.")
        elif now >= self.due:
            self.due = 0.0
            self.start()


class Stopped(Exception):
    """SIGTERM or SIGINT asked this process to end."""


def stop_on_signals() -> None:
    """From now on SIGTERM and SIGINT raise Stopped in the main thread."""

    def stop(*_: object) -> None:
        raise Stopped

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)


def end_all(children: Sequence[Child]) -> None:
    """End them together: all are asked before the first is waited for. Signals that repeat themselves change nothing."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    for child in children:
        if child.process is not None and child.process.poll() is None:
            child.process.terminate()
    for child in children:
        child.end()
