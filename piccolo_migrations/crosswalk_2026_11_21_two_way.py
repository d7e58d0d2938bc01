"""Two-way sync: conflicts, policies, quarantine, field mappings, and deliveries of records."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from app.migrations import run_folder

ID = "2026-11-21T13:30:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "Two-way sync"


async def forwards() -> MigrationManager:
    return run_folder("two_way", MigrationManager(migration_id=ID, app_name="crosswalk", description=DESCRIPTION))
