"""A hub with servers of its own, which a test may restart one by one while workers use them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from app import database as pool
from app import embedded, migrations
from app.bootstrap import Hub
from app.embedded import postgres, supervisor, valkey
from app.embedded.home import home_of, socket_directory
from app.embedded.passwords import read_passwords
from app.embedded.servers import Embedded, end, running
from app.settings import Secret, Settings

SPAWNS = {"Postgres": (postgres.spawn_postgres, postgres.ENDS_BY), "Valkey": (valkey.spawn_valkey, valkey.ENDS_BY)}


@dataclass
class Hall:
    """The hub, what its workers are told, and its servers."""

    hub: Hub
    settings: Settings
    servers: Embedded

    async def restart(self, name: str) -> None:
        """Stop this server as its administrator would, and start it again; who uses it is cut off."""
        home = home_of(self.servers.data_dir)
        programs, passwords, sockets = supervisor._programs(home), read_passwords(home.passwords), socket_directory(home)
        old = next(server for server in self.servers.processes if server.name == name)
        spawn, ends_by = SPAWNS[name]
        end(old, seconds=30)
        arguments = (home, programs, sockets, passwords) if name == "Valkey" else (home, programs, sockets)
        fresh = running(name, spawn(*arguments), ends_by, old.log)  # type: ignore[operator]
        self.servers.processes = tuple(fresh if server is old else server for server in self.servers.processes)
        while not supervisor._both_answer(programs, sockets, passwords):
            await asyncio.sleep(0.1)


@asynccontextmanager
async def open_hall(settings: Settings, folder: Path) -> AsyncIterator[Hall]:
    """Beside the tests' hub, which is back afterwards."""
    servers = embedded.start(folder / "servers")
    before, pool._engine = pool._engine, None
    try:
        await migrations.migrate(servers.owner_url)
        own = replace(settings, database_url=Secret(servers.app_url), redis_url=Secret(servers.redis_url), data_dir=folder)
        async with Hub(own) as hub:
            yield Hall(hub, own, servers)
    finally:
        pool._engine = before
        for server in servers.processes:  # also those that were started again
            end(server, seconds=30)
        servers.stop()
        embedded.erase(folder / "servers")
