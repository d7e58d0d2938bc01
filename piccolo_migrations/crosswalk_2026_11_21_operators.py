"""What people work with: plans, failed records, held deletions, re-maps, comparisons."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from app.migrations import run_folder

ID = "2026-11-21T18:00:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "What operators work with"


async def forwards() -> MigrationManager:
    return run_folder("operators", MigrationManager(migration_id=ID, app_name="crosswalk", description=DESCRIPTION))
