"""`crosswalk dev`: servers, web and worker in one terminal."""

import os
import socket
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import replace
from typing import Any

from app import embedded
from app.commands.processes import Child, Stopped, crosswalk, end_all, stop_on_signals
from app.commands.servers import completed_by, migrate_now, names_servers
from app.embedded import Embedded
from app.settings import SettingInvalid, Settings, variable_name

LOOK_SECONDS = 0.2

# Where `crosswalk sandbox servicem8` and `crosswalk sandbox metakocka` listen unless told otherwise.
USUAL_SANDBOXES = ("http://127.0.0.1:8100", "http://127.0.0.1:8110")

Tell = Callable[[str], None]


def settings_for_dev() -> Settings:
    """The environment's settings, with sandboxes, and with links that lead to the port that is used.

    Raises SettingInvalid when another program has that port.
    """
    settings = Settings.from_environment(sandboxes=True, introspection=True)
    if not port_is_free(settings.host, settings.port):
        raise SettingInvalid(f"Port {settings.port} is taken; set CROSSWALK_PORT to another.")
    own: dict[str, Any] = {"sandbox_urls": settings.sandbox_urls or USUAL_SANDBOXES}
    if variable_name("public_url") not in os.environ:
        own["public_url"] = f"http://127.0.0.1:{settings.port}"
    return replace(settings, **own)


def port_is_free(host: str, port: int) -> bool:
    """Whether one could listen there now."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as candidate:
        candidate.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            candidate.bind((host, port))
        except OSError:
            return False
    return True


def run(settings: Settings, tell: Tell) -> None:
    """Run everything until a signal; what ends by itself is started again."""
    stop_on_signals()
    with ExitStack() as stack:
        servers = None
        if not names_servers(settings):
            tell(f"Starting Postgres and Valkey on {settings.data_dir}")
            servers = stack.enter_context(embedded.start_or_attach(settings.data_dir))
            settings = completed_by(settings, servers)
        tell("Applying migrations")
        migrate_now(settings)
        tell(f"Starting web and worker: {settings.public_url}")
        children = web_and_worker(settings)
        try:
            for child in children:
                child.start()
            keep_running(children, servers, tell)
        except Stopped:
            tell("Stopping")
        finally:
            end_all(children)


def web_and_worker(settings: Settings) -> list[Child]:
    """The hub's two programs with these settings; they find the servers by the environment."""
    environment = environment_of(settings)
    return [Child("web", crosswalk("serve"), environment), Child("worker", crosswalk("worker"), environment)]


def environment_of(settings: Settings) -> dict[str, str]:
    """The variables that a child must have beside ours to run with the same servers, address and sandboxes."""
    settings = replace(settings, data_dir=settings.data_dir.absolute())
    named = {
        "CROSSWALK_DATABASE_URL": settings.database_url,
        "CROSSWALK_DATABASE_OWNER_URL": settings.database_owner_url,
        "CROSSWALK_REDIS_URL": settings.redis_url,
        "CROSSWALK_DATA_DIR": settings.data_dir,
        "CROSSWALK_HOST": settings.host,
        "CROSSWALK_PORT": settings.port,
        "CROSSWALK_PUBLIC_URL": settings.public_url,
        "CROSSWALK_SANDBOXES": settings.sandboxes,
        "CROSSWALK_INTROSPECTION": settings.introspection,
        "CROSSWALK_SANDBOX_URLS": ",".join(settings.sandbox_urls),
    }
    return {name: str(value) for name, value in named.items() if value is not None}


def keep_running(children: Sequence[Child], servers: Embedded | None, tell: Tell) -> None:
    """Watch the children and our servers until a signal; never returns by itself."""
    while True:
        for child in children:
            child.restart_when_due(tell)
        if servers is not None and (death := servers.died()):
            tell(f"{death} Both servers start again.")
            servers.restart()
        time.sleep(LOOK_SECONDS)
