"""The line of deliveries before each connection: an index for it, and the sweeper may see which connection one is for."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager
from piccolo.engine import engine_finder

ID = "2026-11-21T10:20:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "The line of deliveries before each connection"

SQL = """
CREATE INDEX delivery_in_line ON delivery (organization_id, connection_id, id) WHERE status IN ('queued', 'sending');
GRANT SELECT (connection_id) ON delivery TO crosswalk_system;
"""


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="crosswalk", description=DESCRIPTION)

    async def run() -> None:
        await engine_finder().current_transaction.get().connection.execute(SQL)

    manager.add_raw(run)
    return manager
