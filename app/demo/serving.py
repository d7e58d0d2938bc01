"""What the demo's providers do alike when they are started: serve on the loopback interface, with a memory."""

import argparse
from collections.abc import Callable
from pathlib import Path

from starlette.types import ASGIApp

from app.connectors.sandbox_kit.program import serve


def serve_sandbox(name: str, make_app: Callable[[Path], ASGIApp]) -> None:
    """Serve until a signal what `make_app` makes of the memory's file."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--memory", type=Path, required=True)
    arguments = parser.parse_args()
    serve(name, "127.0.0.1", arguments.port, make_app(arguments.memory))
