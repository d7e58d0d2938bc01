"""Takes the database's walls down and puts them up again."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

import asyncpg


@dataclass(frozen=True)
class Policy:
    """One policy of a table, as Postgres keeps it."""

    table: str
    name: str
    command: str
    using: str | None
    check: str | None

    def altered(self, using: str | None, check: str | None) -> str:
        parts = [f"USING ({using})"] if self.using and using else []
        parts += [f"WITH CHECK ({check})"] if self.check and check else []
        return f'ALTER POLICY "{self.name}" ON "{self.table}" {" ".join(parts)}'

    @property
    def made(self) -> str:
        parts = [f"USING ({self.using})"] if self.using else []
        parts += [f"WITH CHECK ({self.check})"] if self.check else []
        return f'CREATE POLICY "{self.name}" ON "{self.table}" FOR {self.command} TO crosswalk_app {" ".join(parts)}'


async def policies(admin: asyncpg.Connection, *tables: str) -> list[Policy]:
    """Those of the application's role, of these tables or of all."""
    rows = await admin.fetch(
        """
        SELECT tablename AS table, policyname AS name, cmd AS command, qual AS using, with_check AS check FROM pg_policies
        WHERE schemaname = 'public' AND 'crosswalk_app' = ANY(roles) AND (cardinality($1::text[]) = 0 OR tablename = ANY($1))
        """,
        list(tables),
    )
    return [Policy(**row) for row in rows]


@asynccontextmanager
async def opened(admin: asyncpg.Connection, *tables: str) -> AsyncIterator[None]:
    """The policies let everything through."""
    found = await policies(admin, *tables)
    async with _changed(admin, [each.altered("true", "true") for each in found], [each.altered(each.using, each.check) for each in found]):
        yield


@asynccontextmanager
async def dropped(admin: asyncpg.Connection, table: str) -> AsyncIterator[None]:
    """The policies are gone."""
    found = await policies(admin, table)
    async with _changed(admin, [f'DROP POLICY "{each.name}" ON "{table}"' for each in found], [each.made for each in found]):
        yield


@asynccontextmanager
async def switched_off(admin: asyncpg.Connection, table: str) -> AsyncIterator[None]:
    """Row-level security does not look at the table."""
    async with _changed(admin, [f'ALTER TABLE "{table}" DISABLE ROW LEVEL SECURITY'], [f'ALTER TABLE "{table}" ENABLE ROW LEVEL SECURITY']):
        yield


@asynccontextmanager
async def _changed(admin: asyncpg.Connection, down: Sequence[str], up: Sequence[str]) -> AsyncIterator[None]:
    await admin.execute(";".join(down))
    try:
        yield
    finally:
        await admin.execute(";".join(up))
