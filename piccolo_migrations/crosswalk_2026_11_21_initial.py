"""The first schema: every table, both walls, and the roles that the walls are for."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from app.migrations import run_folder

ID = "2026-11-21T08:00:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "The first schema"


async def forwards() -> MigrationManager:
    return run_folder("initial", MigrationManager(migration_id=ID, app_name="crosswalk", description=DESCRIPTION))
