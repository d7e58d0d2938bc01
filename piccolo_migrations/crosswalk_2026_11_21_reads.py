"""What lists of sales documents and conflicts are found by."""

from pathlib import Path

from piccolo.apps.migrations.auto.migration_manager import MigrationManager
from piccolo.engine import engine_finder

ID = "2026-11-21T14:00:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "Indexes of lists"

FOLDER = Path(__file__).with_name("reads")


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="crosswalk", description=DESCRIPTION)

    async def run() -> None:
        current = engine_finder().current_transaction.get()
        for file in sorted(FOLDER.glob("*.sql")):
            await current.connection.execute(file.read_text())

    manager.add_raw(run)
    return manager
