"""The one Piccolo app: every table of the hub, and the folder of migrations."""

from pathlib import Path

from piccolo.conf.apps import AppConfig, table_finder

APP_CONFIG = AppConfig(
    app_name="crosswalk",
    migrations_folder_path=str(Path(__file__).resolve().parent.parent / "piccolo_migrations"),
    table_classes=table_finder(
        modules=[
            "app.organizations.tables",
            "app.connections.tables",
            "app.records.tables",
            "app.mappings.tables",
            "app.syncs.tables",
            "app.conflicts.tables",
            "app.quotes.tables",
            "app.deliveries.tables",
            "app.audit.tables",
        ]
    ),
)
