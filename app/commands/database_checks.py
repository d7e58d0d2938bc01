"""Whether the database is one that the hub can trust: version, role, walls, migrations, clock."""

import time
from collections.abc import AsyncIterator

import asyncpg

from app.commands.findings import Finding, attention, bad, good
from app.migrations import expected

OLDEST, NEWEST = 15, 18
MOST_SKEW_SECONDS = 2.0

ROLE = """
SELECT rolname, rolsuper OR rolbypassrls AS passes_walls,
       EXISTS (SELECT FROM pg_class WHERE relowner = pg_roles.oid AND relnamespace = 'public'::regnamespace) AS owns_tables
FROM pg_roles WHERE rolname = current_user
"""

UNWALLED = """
SELECT relname FROM pg_class
WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') AND relname <> 'migration'
  AND NOT (relrowsecurity AND relforcerowsecurity)
ORDER BY relname
"""


async def check_database(url: str) -> AsyncIterator[Finding]:
    """Look at the database as the application's login does; the first finding says whether it can be reached."""
    try:
        connection = await asyncpg.connect(url, timeout=5)
    except (OSError, TimeoutError, ValueError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        yield bad(
            "Database", f"It cannot be reached: {type(error).__name__}: {error}. Check CROSSWALK_DATABASE_URL and that the server runs."
        )
        return
    try:
        yield _version(connection.get_server_version().major)
        yield await _role(connection)
        if await connection.fetchval("SELECT to_regclass('public.migration') IS NULL"):
            yield bad("Migrations", "The database is empty; run `crosswalk migrate`.")
        else:
            yield await _walls(connection)
            yield await _migrations(connection)
        yield await _clock(connection)
    finally:
        await connection.close()


def _version(major: int) -> Finding:
    if OLDEST <= major <= NEWEST:
        return good("Database", f"Postgres {major} answers.")
    return bad("Database", f"This is Postgres {major}; the hub needs {OLDEST} to {NEWEST}.")


async def _role(connection: asyncpg.Connection) -> Finding:
    role = await connection.fetchrow(ROLE)
    if role["passes_walls"]:
        return bad("Database role", f"{role['rolname']} is a superuser or bypasses row-level security; use a login such as crosswalk_app.")
    if role["owns_tables"]:
        return attention("Database role", f"{role['rolname']} owns tables; the hub steps down from it, but a login without is safer.")
    return good("Database role", f"{role['rolname']} owns nothing and cannot pass the walls.")


async def _walls(connection: asyncpg.Connection) -> Finding:
    open_tables = [row["relname"] for row in await connection.fetch(UNWALLED)]
    if open_tables:
        return bad("Row-level security", f"It is not forced on {', '.join(open_tables)}.")
    return good("Row-level security", "It is forced on every table.")


async def _migrations(connection: asyncpg.Connection) -> Finding:
    applied = {row["name"] for row in await connection.fetch("SELECT name FROM migration WHERE app_name = 'crosswalk'")}
    missing = expected() - applied
    if missing:
        return bad("Migrations", f"{len(missing)} are not applied; run `crosswalk migrate`.")
    if applied - expected():
        return attention("Migrations", "The database is newer than this release; update the hub.")
    return good("Migrations", f"All {len(applied)} are applied.")


async def _clock(connection: asyncpg.Connection) -> Finding:
    before = time.time()
    theirs = float(await connection.fetchval("SELECT extract(epoch FROM clock_timestamp())"))
    skew = abs(theirs - (before + time.time()) / 2)
    if skew > MOST_SKEW_SECONDS:
        return attention(
            "Clock", f"This machine and the database differ by {skew:.0f} s, and so will links and schedules; use NTP on both."
        )
    return good("Clock", "This machine and the database agree.")
