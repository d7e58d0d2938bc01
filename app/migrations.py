"""Applies Piccolo's migrations: one at a time across processes, all or nothing, with bounded waits for locks."""

import contextlib
import io
from pathlib import Path
from typing import Any

from piccolo.apps.migrations.auto.migration_manager import MigrationManager
from piccolo.apps.migrations.commands.forwards import run_forwards
from piccolo.engine import engine_finder

# Any number will do, as long as nothing else in the database uses it.
_LOCK = 7_240_115
_FOLDER = Path(__file__).resolve().parent.parent / "piccolo_migrations"


def expected() -> frozenset[str]:
    """The ids of this release's migrations, as Piccolo notes them in the database once they are applied."""
    files = (path for path in _FOLDER.glob("*.py") if path.name != "__init__.py")
    return frozenset(line.split('"')[1] for file in files for line in file.read_text().splitlines() if line.startswith("ID = "))


async def migrate(owner_url: str) -> None:
    """Bring the database that `owner_url` owns up to date. Safe to run from many processes at once."""
    import piccolo_conf  # sits beside the packages so that Piccolo's own command line finds it

    piccolo_conf.DB.config = {"dsn": owner_url}
    async with piccolo_conf.DB.transaction() as transaction:
        await transaction.connection.execute("SET LOCAL statement_timeout = '5min'")
        await transaction.connection.execute(f"SELECT pg_advisory_xact_lock({_LOCK})")
        await transaction.connection.execute("SET LOCAL lock_timeout = '5s'")
        with contextlib.redirect_stdout(io.StringIO()):
            result = await run_forwards("crosswalk")
        if not result.success:
            raise RuntimeError(result.message or "A migration failed.")


def run_folder(name: str, migration: MigrationManager) -> MigrationManager:
    """The migration that runs all SQL of the folder `piccolo_migrations/<name>`, in the order of the files' names."""

    async def run() -> None:
        engine: Any = engine_finder()
        current = engine.current_transaction.get()
        for file in sorted((_FOLDER / name).glob("*.sql")):
            await current.connection.execute(file.read_text())

    migration.add_raw(run)
    return migration
