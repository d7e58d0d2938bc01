"""`crosswalk serve` and `crosswalk worker`: one web process, one worker process."""

import gc
from contextlib import suppress
from typing import Any

import structlog
import uvicorn

from app.api.live.frames import SharedFrames
from app.bootstrap import Hub
from app.commands.processes import Stopped, stop_on_signals
from app.commands.servers import with_servers
from app.logs import configure_logs
from app.settings import Settings

logger = structlog.get_logger(__name__)

# How long requests that are being answered may go on after SIGTERM; open subscriptions and event streams are then cut.
FINISH_SECONDS = 5
NEW_OBJECTS = 20_000
"""Containers that are made before the collector looks through them; by then most of a page's have gone by themselves."""


def serve(settings: Settings) -> None:
    """Answer requests until a signal."""
    from app.main import create_app

    configure_logs(settings.log_level)
    stop_on_signals()
    with suppress(Stopped), with_servers(settings) as completed:
        logger.info("web starts", host=completed.host, port=completed.port, public_url=completed.public_url)
        app = create_app(Hub(completed))
        keep_what_is_loaded()
        uvicorn.run(app, host=completed.host, port=completed.port, **options())


def options() -> dict[str, Any]:
    """How uvicorn runs the hub. Proxy headers are the hub's own business (CROSSWALK_TRUSTED_PROXIES)."""
    return {
        "ws": SharedFrames,
        "proxy_headers": False,
        "server_header": False,
        "access_log": False,
        "log_config": None,
        "timeout_graceful_shutdown": FINISH_SECONDS,
    }


def work(settings: Settings) -> None:
    """Work off jobs until a signal."""
    from jobs.worker import run_worker

    configure_logs(settings.log_level)
    with with_servers(settings) as completed:
        keep_what_is_loaded()
        run_worker(completed)


def keep_what_is_loaded() -> None:
    """What a process has loaded stays as long as it runs: the collector does not look through it again, which takes a tenth of a second."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(NEW_OBJECTS, *gc.get_threshold()[1:])
