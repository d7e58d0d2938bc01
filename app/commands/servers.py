"""Settings whose servers run: those that the environment names, or the hub's own."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from app import embedded
from app.embedded import Embedded
from app.settings import Secret, SettingInvalid, Settings


def names_servers(settings: Settings) -> bool:
    """Whether the environment names the servers; naming one of the two is a mistake and raises SettingInvalid."""
    if bool(settings.database_url) != bool(settings.redis_url):
        raise SettingInvalid("Set both CROSSWALK_DATABASE_URL and CROSSWALK_REDIS_URL, or neither: then the hub runs its own servers.")
    return bool(settings.database_url)


@contextmanager
def with_servers(settings: Settings) -> Iterator[Settings]:
    """The settings, completed by the hub's own servers where none are named; those run at least as long as this lasts.

    Called from the main thread. Our own servers' schema is brought up to date, since nobody else looks after it.
    """
    if names_servers(settings):
        yield settings
        return
    with embedded.start_or_attach(settings.data_dir) as servers:
        completed = completed_by(settings, servers)
        migrate_now(completed)
        yield completed


def completed_by(settings: Settings, servers: Embedded) -> Settings:
    """The settings with the URLs of these servers."""
    return replace(
        settings,
        database_url=Secret(servers.app_url),
        database_owner_url=Secret(servers.owner_url),
        redis_url=Secret(servers.redis_url),
    )


def migrate_now(settings: Settings) -> None:
    """Apply what is missing of the migrations, as the login that owns the tables."""
    import asyncio

    from app.migrations import migrate

    owner_url = settings.database_owner_url or settings.database_url
    if owner_url is None:
        raise SettingInvalid("CROSSWALK_DATABASE_OWNER_URL or CROSSWALK_DATABASE_URL must name the database to migrate.")
    asyncio.run(migrate(owner_url))
