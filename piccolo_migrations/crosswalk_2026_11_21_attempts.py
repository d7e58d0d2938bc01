"""What attempts have left that nobody could confirm."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from app.migrations import run_folder

ID = "2026-11-21T23:00:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "What attempts have left"


async def forwards() -> MigrationManager:
    return run_folder("attempts", MigrationManager(migration_id=ID, app_name="crosswalk", description=DESCRIPTION))
