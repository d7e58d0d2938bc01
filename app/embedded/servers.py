"""What a caller holds: where the servers are, and, for their supervisor, how to stop them."""

import os
import signal
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType

from app.embedded.lifeline import watch


@dataclass(frozen=True, slots=True)
class Running:
    """One server process that this process started."""

    name: str
    process: subprocess.Popen[str]
    ends_by: signal.Signals
    log: Path
    lifeline: int | None


def running(name: str, process: subprocess.Popen[str], ends_by: signal.Signals, log: Path) -> Running:
    """Hold a server that was just started; on systems whose kernel does not tie it to us, a helper does from here on."""
    return Running(name, process, ends_by, log, watch(process.pid, ends_by))


@dataclass(slots=True)
class Embedded:
    """Running servers of one data directory. The URLs hold passwords: they are for clients, not for logs."""

    data_dir: Path
    owner_url: str = field(repr=False)
    app_url: str = field(repr=False)
    redis_url: str = field(repr=False)
    # Postgres' superuser, for backups and for tests that make databases of their own.
    admin_url: str = field(repr=False)
    processes: tuple[Running, ...] = ()
    on_stop: Callable[[], None] | None = field(default=None, repr=False)
    on_restart: "Callable[[], Embedded] | None" = field(default=None, repr=False)

    @property
    def supervised_here(self) -> bool:
        """Whether this process started the servers, and they end with it; false where it only attached."""
        return self.on_stop is not None

    def died(self) -> str | None:
        """A sentence about the first server that ended by itself, None while all run."""
        for server in self.processes:
            if (status := server.process.poll()) is not None:
                return f"{server.name} ended by itself (status {status}); its log is {server.log}."
        return None

    def stop(self) -> None:
        """Stop both servers and wait for them; nothing happens where this process only attached, or a second time."""
        if self.on_stop is None:
            return
        on_stop, self.on_stop = self.on_stop, None
        on_stop()

    def restart(self) -> None:
        """Stop what still runs and start both again, at the same addresses; only their supervisor can."""
        self.stop()
        if self.on_restart is not None:
            fresh = self.on_restart()
            self.processes, self.on_stop = fresh.processes, fresh.on_stop

    def __enter__(self) -> "Embedded":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.stop()


def end(server: Running, *, seconds: float) -> None:
    """Ask a server to end, wait for it, and kill it if it does not; Postgres then recovers at its next start."""
    if server.process.poll() is None:
        os.kill(server.process.pid, server.ends_by)
        try:
            server.process.wait(seconds)
        except subprocess.TimeoutExpired:
            server.process.kill()
            server.process.wait()
    if server.lifeline is not None:
        os.close(server.lifeline)
