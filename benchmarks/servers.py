"""Servers of a benchmark's own: made empty, migrated, and gone with their data at the end."""

import asyncio
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from app import embedded, migrations
from app.embedded import Embedded


@contextmanager
def own_servers() -> Iterator[tuple[Path, Embedded]]:
    """A folder for the hub's data, and running servers. Root's servers keep their data elsewhere than in the folder."""
    with tempfile.TemporaryDirectory(prefix="cw-bench-") as name:
        folder = Path(name)
        try:
            with embedded.start(folder / "servers") as servers:
                asyncio.run(migrations.migrate(servers.owner_url))
                yield folder, servers
        finally:
            embedded.erase(folder / "servers")
