"""Serves the sandbox with the configuration it is given."""

from app.connectors.sandbox_kit.server import Protocol, Ready
from app.connectors.sandbox_kit.server import run as run_app

from .app import create_app
from .config import SandboxConfig

__all__ = ["Protocol", "Ready", "run"]


def run(host: str, port: int, config: SandboxConfig, ready: Ready | None = None) -> None:
    """Serve until a signal ends it; `ready` is called with the URL as soon as it answers."""
    run_app(host, port, create_app(config), ready)
