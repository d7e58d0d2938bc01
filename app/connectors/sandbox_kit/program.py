"""What the command lines of all sandboxes do alike: read a configuration from their input, and end with it."""

import os
import sys
import threading
from typing import TypeVar

import msgspec
from starlette.types import ASGIApp

from .server import run

C = TypeVar("C")


def config_on_stdin(type: type[C]) -> C:
    """The configuration in one line of JSON; from now on the process ends when its input does.

    Whoever started this process may be killed: the end of its pipe is the sign. There is nothing to save.
    """
    config = msgspec.json.decode(sys.stdin.buffer.readline(), type=type)
    threading.Thread(target=_end_with_input, daemon=True).start()
    return config


def serve(name: str, host: str, port: int, app: ASGIApp) -> None:
    """Serve until a signal; say the address in one line, or in a sentence that the port is taken."""
    try:
        run(host, port, app, ready=lambda url: print(f"{name} sandbox ready at {url}", flush=True))
    except OSError as problem:
        sys.exit(f"The sandbox cannot listen on {host}:{port}: {problem.strerror}.")


def program_name(package: str | None) -> str:
    """How it was called: by itself, or by a command that set its own name."""
    return sys.argv[0] if " " in sys.argv[0] else f"python -m {package}"


def _end_with_input() -> None:
    sys.stdin.buffer.read()
    os._exit(0)
