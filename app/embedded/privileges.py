"""Starts a server so that it runs as an unprivileged user and ends with the process that started it."""

import grp
import os
import pwd
import signal
import subprocess
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from app.embedded.errors import EmbeddedUnavailable
from app.embedded.lifeline import with_parent
from app.embedded.platform_support import INSTEAD

# Debian's policy keeps these group ids free of groups, and a user namespace of 65,536 ids still holds them.
PRIVATE_GROUPS = range(65000, 65534)

TOOL_SECONDS = 60.0
LONGEST_LOG_BYTES = 10_000_000

# What the servers and their tools see of our environment: PG* variables and the caller's locale would change them.
ENVIRONMENT = {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}


@dataclass(frozen=True, slots=True)
class Account:
    """The user and group that the servers run as when root starts them."""

    uid: int
    gid: int


def server_account(seed: int) -> Account | None:
    """The account for the servers; None where they run as ourselves because we are not root.

    The user is `nobody`, which other services use too, so the group is one that nothing else has: it alone opens the
    servers' directory. `seed` spreads the groups of several data directories.
    """
    if os.geteuid() != 0:
        return None
    try:
        uid = pwd.getpwnam("nobody").pw_uid
    except KeyError:
        raise EmbeddedUnavailable(f"Postgres does not run as root, and this machine has no user `nobody` to run it as. {INSTEAD}") from None
    taken = {group.gr_gid for group in grp.getgrall()}
    free = [gid for gid in PRIVATE_GROUPS if gid not in taken]
    return Account(uid, free[seed % len(free)])


def run_tool(
    command: Sequence[str | Path],
    *,
    account: Account | None,
    cwd: Path,
    environment: Mapping[str, str] | None = None,
    stdin: str = "",
    before: Callable[[], None] | None = None,
) -> subprocess.CompletedProcess[str]:
    """Run a short-lived program to its end and return what it said; its exit status is the caller's to judge.

    `before` runs in the child before the program.
    """
    return subprocess.run(
        command,
        cwd=cwd,
        env={**ENVIRONMENT, **(environment or {})},
        input=stdin,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=TOOL_SECONDS,
        preexec_fn=before,
        umask=0o077,
        user=account.uid if account else None,
        group=account.gid if account else None,
        extra_groups=[] if account else None,
    )


def spawn_server(
    command: Sequence[str | Path], *, account: Account | None, cwd: Path, log: Path, ends_by: signal.Signals, stdin: str = ""
) -> subprocess.Popen[str]:
    """Start a server in a session of its own (a Ctrl-C at the terminal is ours to handle) that dies with us.

    `ends_by` is the signal on which it shuts down cleanly; it gets it even if we are killed with SIGKILL.
    """
    if threading.current_thread() is not threading.main_thread():
        raise RuntimeError("Servers start from the main thread: they end with the thread that started them, not with the process.")
    _begin_anew_if_long(log)
    with open(log, "a", opener=_for_owner_only) as output:
        server = subprocess.Popen(
            command,
            cwd=cwd,
            env=ENVIRONMENT,
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
            preexec_fn=with_parent(ends_by),
            umask=0o077,
            user=account.uid if account else None,
            group=account.gid if account else None,
            extra_groups=[] if account else None,
        )
    _give(server.stdin, stdin)
    return server


def _give(pipe: IO[str] | None, text: str) -> None:
    if pipe is not None:
        with pipe:
            pipe.write(text)


def _begin_anew_if_long(log: Path) -> None:
    """Keep one earlier log, so that a hub that runs for years fills no disk."""
    if log.exists() and log.stat().st_size > LONGEST_LOG_BYTES:
        log.replace(log.with_suffix(".log.1"))


def _for_owner_only(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
