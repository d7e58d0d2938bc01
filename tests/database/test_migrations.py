"""The declared tables and the migrated database agree; migrating again or from many processes does no harm."""

import asyncio
import sys

import asyncpg

from app.piccolo_app import APP_CONFIG

_TYPES = {
    "UUID": "uuid",
    "Text": "text",
    "Timestamptz": "timestamp with time zone",
    "JSONB": "jsonb",
    "Integer": "integer",
    "BigInt": "bigint",
    "Boolean": "boolean",
    "Numeric": "numeric",
    "Bytea": "bytea",
    "Array": "ARRAY",
    "DoublePrecision": "double precision",
}


async def test_the_declared_tables_are_the_migrated_ones_column_by_column(servers):
    connection = await asyncpg.connect(servers.owner_url)
    columns = await connection.fetch(
        """
        SELECT table_name, column_name, data_type, is_nullable = 'YES' AS nullable
        FROM information_schema.columns WHERE table_schema = 'public' AND table_name <> 'migration'
        """
    )
    await connection.close()

    migrated = {(row["table_name"], row["column_name"], row["data_type"], row["nullable"]) for row in columns}
    declared = {
        (table._meta.tablename, column._meta.db_column_name, _TYPES[type(column).__name__], column._meta.null)
        for table in APP_CONFIG.table_classes
        for column in table._meta.columns
        if type(column).__name__ != "Serial"  # Piccolo's own idea of a key where ours has several columns
    }
    assert declared == migrated


async def test_plans_assume_the_same_of_every_organization(servers):
    connection = await asyncpg.connect(servers.owner_url)
    columns = await connection.fetch(
        """
        SELECT attrelid::regclass::text AS table, coalesce(attoptions, '{}') AS options FROM pg_attribute
        JOIN pg_class ON pg_class.oid = attrelid
        WHERE attname = 'organization_id' AND relkind = 'r' AND relnamespace = 'public'::regnamespace
        """
    )
    await connection.close()

    assert len(columns) > 30
    assert [row["table"] for row in columns if row["options"] != ["n_distinct=10"]] == []


async def test_migrating_from_four_processes_at_once_applies_each_migration_once(servers):
    script = "import asyncio, sys; from app.migrations import migrate; asyncio.run(migrate(sys.argv[1]))"
    processes = [await asyncio.create_subprocess_exec(sys.executable, "-c", script, servers.owner_url) for _ in range(4)]

    assert [await process.wait() for process in processes] == [0, 0, 0, 0]
    connection = await asyncpg.connect(servers.owner_url)
    applied = await connection.fetch("SELECT name FROM migration")
    await connection.close()
    assert len(applied) == len({row["name"] for row in applied}) > 0
