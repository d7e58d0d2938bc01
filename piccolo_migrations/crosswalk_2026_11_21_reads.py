"""What lists of sales documents and conflicts are found by."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from app.migrations import run_folder

ID = "2026-11-21T14:00:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "Indexes of lists"


async def forwards() -> MigrationManager:
    return run_folder("reads", MigrationManager(migration_id=ID, app_name="crosswalk", description=DESCRIPTION))
