"""What people work with: plans, failed records, held deletions, re-maps, comparisons."""

from pathlib import Path

from piccolo.apps.migrations.auto.migration_manager import MigrationManager
from piccolo.engine import engine_finder

ID = "2026-11-21T18:00:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "What operators work with"

FOLDER = Path(__file__).with_name("operators")


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="crosswalk", description=DESCRIPTION)

    async def run() -> None:
        current = engine_finder().current_transaction.get()
        for file in sorted(FOLDER.glob("*.sql")):
            await current.connection.execute(file.read_text())

    manager.add_raw(run)
    return manager
