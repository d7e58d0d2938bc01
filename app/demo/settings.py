"""The demo's own settings: its own data directory, loopback only, no mail, and never somebody's real database."""

import shutil
from collections.abc import Collection
from dataclasses import dataclass, replace
from pathlib import Path

from app import embedded
from app.commands.dev import port_is_free
from app.encryption import KEY_FILE
from app.errors import FixBy, HubError
from app.settings import Settings

DEFAULT_DATA_DIR = Path(".crosswalk-demo")
MARK = "demo"
ADDRESSES = "demo.json"
HOST = "127.0.0.1"
SERVICEM8_PORT = 8100
METAKOCKA_PORT = 8110
PORTS_TO_TRY = 100


class DemoRefused(HubError):
    """The demo does not start with these settings."""

    code = "demo_refused"
    fix_by = FixBy.CUSTOMER


@dataclass(frozen=True, slots=True)
class SandboxPorts:
    """Where the demo's providers listen."""

    servicem8: int
    metakocka: int


def demo_settings(environment: Settings, *, data_dir_named: bool, port: int | None, external: bool) -> tuple[Settings, SandboxPorts]:
    """The settings of this demo and the ports of its providers. Raises DemoRefused.

    `environment` is what the environment says; of it the demo keeps named servers only if `external` asks for them.
    """
    named = [environment.database_url, environment.database_owner_url, environment.redis_url]
    if any(named) and not external:
        raise DemoRefused(
            "CROSSWALK_DATABASE_URL or CROSSWALK_REDIS_URL is set, and the demo fills what they name with invented records. "
            "Unset them, or add --external if that is what you want."
        )
    web = free_port(port or environment.port)
    servicem8 = free_port(SERVICEM8_PORT, but_not=(web,))
    metakocka = free_port(METAKOCKA_PORT, but_not=(web, servicem8))
    settings = replace(
        environment,
        data_dir=(environment.data_dir if data_dir_named else DEFAULT_DATA_DIR).expanduser().absolute(),
        host=HOST,
        port=web,
        public_url=url_of(web),
        smtp_url=None,
        sandboxes=True,
        introspection=True,
        sandbox_urls=(url_of(servicem8), url_of(metakocka)),
    )
    return settings, SandboxPorts(servicem8, metakocka)


def url_of(port: int) -> str:
    """Where a program of the demo answers on this port."""
    return f"http://{HOST}:{port}"


def claim(data_dir: Path, *, fresh: bool) -> None:
    """Make the data directory the demo's, emptied if `fresh`. Raises DemoRefused if a hub that is no demo lives there."""
    mark = data_dir / MARK
    if not mark.exists() and (embedded.exists(data_dir) or (data_dir / KEY_FILE).exists()):
        raise DemoRefused(f"{data_dir} holds a hub that is not the demo's; choose another CROSSWALK_DATA_DIR.")
    if fresh:
        _empty(data_dir)
    data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    mark.touch()


def _empty(data_dir: Path) -> None:
    try:
        embedded.erase(data_dir)
    except embedded.AlreadySupervised:
        raise DemoRefused(f"The demo runs on {data_dir} already; stop it first.") from None
    if (data_dir / MARK).exists():
        shutil.rmtree(data_dir)


def free_port(wanted: int, *, but_not: Collection[int] = ()) -> int:
    """The first port from `wanted` on that nobody listens on. Raises DemoRefused."""
    for port in range(wanted, min(wanted + PORTS_TO_TRY, 65536)):
        if port not in but_not and port_is_free(HOST, port):
            return port
    raise DemoRefused(f"No port from {wanted} on is free.")
