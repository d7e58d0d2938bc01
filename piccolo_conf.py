"""Where Piccolo looks for the engine and the apps. `crosswalk migrate` points the engine at the owner's login."""

import os

from piccolo.conf.apps import AppRegistry
from piccolo.engine.postgres import PostgresEngine


class _Engine(PostgresEngine):
    """Connects when it is used. Piccolo's own does so when this file is imported, to whatever server the machine has."""

    async def check_version(self) -> None:
        """The hub's own checks look at the version (`crosswalk doctor`)."""


DB = _Engine(
    config={"dsn": os.environ.get("CROSSWALK_DATABASE_OWNER_URL") or os.environ.get("CROSSWALK_DATABASE_URL") or ""},
    log_queries=False,
    extensions=(),
)

APP_REGISTRY = AppRegistry(apps=["app.piccolo_app"])
