"""What plans assume of organizations."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from app.migrations import run_folder

ID = "2026-11-22T03:00:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "Any organization may be large"


async def forwards() -> MigrationManager:
    return run_folder("owners", MigrationManager(migration_id=ID, app_name="crosswalk", description=DESCRIPTION))
