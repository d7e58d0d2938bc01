"""A process that holds the embedded servers, for tests that kill it, run two of it, or run it as another user.

    python -m tests.platform.holder DATA_DIR [--as-uid UID] [--start | --start-or-attach]

It prints one JSON line when it has the servers (or an error's name), and stops them when its standard input ends.
"""

import argparse
import ctypes
import json
import os
import sys
from pathlib import Path

import app.embedded.supervisor  # noqa: F401  # imported before the user changes, who may not read this checkout
from app import embedded
from app.errors import HubError

PR_SET_DUMPABLE = 4


def main() -> None:
    arguments = _arguments()
    if arguments.as_uid is not None:
        _become(arguments.as_uid, arguments.programs)
    take = embedded.start if arguments.start else embedded.start_or_attach
    try:
        servers = take(arguments.data_dir)
    except HubError as error:
        _say({"error": type(error).__name__, "message": error.message})
        return
    urls = {"owner": servers.owner_url, "app": servers.app_url, "redis": servers.redis_url}
    pids = [running.process.pid for running in servers.processes]
    _say({**urls, "supervised_here": servers.supervised_here, "pids": pids})
    sys.stdin.read()
    servers.stop()


def _become(uid: int, programs: Path) -> None:
    """Another user for good; `programs` is a copy of the binaries that this user can reach."""
    sys.path = [str(programs)]
    os.setgroups([])
    os.setgid(uid)
    os.setuid(uid)
    ctypes.CDLL(None).prctl(PR_SET_DUMPABLE, 1)  # as after an exec; without it /proc/self stays root's


def _say(answer: dict[str, object]) -> None:
    print(json.dumps(answer), flush=True)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("data_dir", type=Path)
    parser.add_argument("--as-uid", type=int)
    parser.add_argument("--programs", type=Path)
    parser.add_argument("--start", action="store_true")
    return parser.parse_args()


if __name__ == "__main__":
    main()
