"""What a killed supervisor may leave behind: servers still shutting down, zombies, files that name the dead.

Postgres and Valkey refuse to start beside a living predecessor, and Postgres also beside a dead one whose process id now
belongs to another process of the same user. /proc tells which: a server's working directory is its data directory.
"""

import contextlib
import os
import signal
import sys
import time
from pathlib import Path

from app.embedded.errors import EmbeddedUnavailable

GRACE_SECONDS = 30.0  # a fast shutdown writes a checkpoint; this is long for a slow disk
FIRST_PAUSE_SECONDS = 0.02
LONGEST_PAUSE_SECONDS = 0.5


def end_leftovers(directory: Path, pid_file: Path, ends_by: signal.Signals) -> None:
    """Return once no process works in this directory, and its stale pid file is gone; ask a living server to end.

    Only called by the holder of the supervisor's lock, so whoever works there has lost its supervisor.
    """
    if sys.platform != "linux":
        _wait_for(pid_file)
        return
    deadline = time.monotonic() + GRACE_SECONDS
    pause = FIRST_PAUSE_SECONDS
    while alive := processes_in(directory):
        if time.monotonic() > deadline:
            raise EmbeddedUnavailable(f"An earlier server still works in {directory} and does not end (process {alive[0]}).")
        _ask_to_end(alive, pid_file, ends_by)
        time.sleep(pause)
        pause = min(pause * 2, LONGEST_PAUSE_SECONDS)
    pid_file.unlink(missing_ok=True)


def processes_in(directory: Path) -> list[int]:
    """Ids of the living processes whose working directory this is; a zombie has none."""
    processes = (entry for entry in Path("/proc").iterdir() if entry.name.isdigit())
    return [int(entry.name) for entry in processes if _working_directory(entry) == str(directory)]


def _wait_for(pid_file: Path) -> None:
    """Without /proc: wait while the process in the file lives. It may be a stranger, so it gets no signal and the file
    stays: the watcher ends our server, and the next one judges the file.
    """
    deadline = time.monotonic() + GRACE_SECONDS
    while (server := _server_in(pid_file)) and _lives(server) and time.monotonic() < deadline:
        time.sleep(LONGEST_PAUSE_SECONDS)


def _server_in(pid_file: Path) -> int | None:
    try:
        return int(pid_file.read_text().split("\n")[0])
    except (OSError, ValueError):
        return None


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _working_directory(process: Path) -> str | None:
    try:
        return os.readlink(process / "cwd")
    except OSError:  # it ended meanwhile, is a zombie, or belongs to somebody else
        return None


def _ask_to_end(alive: list[int], pid_file: Path, ends_by: signal.Signals) -> None:
    """Signal the server alone: to its children the same signal means other things, and they end with it."""
    if (server := _server_in(pid_file)) in alive:
        with contextlib.suppress(ProcessLookupError):
            os.kill(server, ends_by)
