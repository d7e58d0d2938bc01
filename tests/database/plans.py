"""How Postgres carries out the statements that a read sends, judged by what an index could have spared."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import asyncpg

from app import database

Plan = dict[str, Any]

BIG = 5_000
"""Rows of a table that are not to be read one by one."""
MOST = 550
"""Rows that a page may touch in one step: 51 items with ten of each kind of thing that belongs to an item, and some."""
PAGES = 3_000
"""Pages of 8 kB that a statement may look at, those of indexes included."""
TURNS = 7
"""Postgres plans a prepared statement for its arguments five times; then it may settle on a plan for any arguments."""


@dataclass(frozen=True)
class Statement:
    sql: str
    arguments: tuple[Any, ...]


@contextmanager
def noted() -> Iterator[list[Statement]]:
    """The reads that are sent meanwhile on connections that were open already, as they are sent."""
    found: list[Statement] = []

    def note(record: Any) -> None:
        if record.query.lstrip().startswith(("SELECT", "WITH")):
            found.append(Statement(record.query, tuple(record.args or ())))

    connections = [holder._con for holder in database._pool()._holders if holder._con is not None]
    for connection in connections:
        connection.add_query_logger(note)
    try:
        yield found
    finally:
        for connection in connections:
            connection.remove_query_logger(note)


class Judge:
    """Looks at plans over a connection of its own that has the application's role and no scope: a statement sets its own."""

    def __init__(self, connection: asyncpg.Connection, sizes: dict[str, int]) -> None:
        self.connection = connection
        self.sizes = sizes

    @classmethod
    async def open(cls, url: str) -> "Judge":
        connection = await asyncpg.connect(url, server_settings={"timezone": "UTC"})
        await database._prepare_connection(connection)
        tables = await connection.fetch("SELECT relname, reltuples::bigint AS size FROM pg_class WHERE relkind = 'r'")
        return cls(connection, {row["relname"]: row["size"] for row in tables})

    async def complaints(self, statement: Statement) -> list[str]:
        """What is wrong with the first plan, made for these arguments, and with the one that Postgres settles on."""
        plans = await self.plans(statement)
        found = {sentence: "" for sentence in self._of(plans[0])}
        found |= {sentence: "In the plan for any arguments: " for sentence in self._of(plans[-1]) if sentence not in found}
        return [f"{when}{sentence}\n{statement.sql}" for sentence, when in found.items()]

    async def repetitions(self, statement: Statement, owned: int) -> list[str]:
        """What is wrong with a plan that expects no rows: steps that look at more rows than the organization has of anything."""
        plans = await self.plans(statement)
        return [
            f"{node['Node Type']} {node.get('Relation Name', '')} looks at {found:,.0f} rows.\n{statement.sql}"
            for node, _ in walk(plans[0])
            if (found := rows(node) + thrown_away(node)) > owned
        ]

    async def plans(self, statement: Statement) -> list[Plan]:
        """The plans of one execution after the other."""
        await self.connection.execute(f"PREPARE judged AS {statement.sql}")
        try:
            arguments = await self._literals(statement.arguments)
            execute = f"EXECUTE judged({arguments})" if arguments else "EXECUTE judged"
            return [await self._explain(execute) for _ in range(TURNS)]
        finally:
            await self.connection.execute("DEALLOCATE judged")

    async def _explain(self, execute: str) -> Plan:
        found = await self.connection.fetchval(f"EXPLAIN (ANALYZE, BUFFERS, TIMING OFF, FORMAT JSON) {execute}")
        plan: Plan = found[0]["Plan"]
        return plan

    async def _literals(self, arguments: tuple[Any, ...]) -> str:
        types = await self.connection.fetchval("SELECT parameter_types::text[] FROM pg_prepared_statements WHERE name = 'judged'")
        if not types:
            return ""
        casts = ", ".join(f"quote_nullable(${place}::{kind}::text)" for place, kind in enumerate(types, 1))
        return ", ".join(await self.connection.fetchrow(f"SELECT {casts}", *arguments))

    def _of(self, plan: Plan) -> Iterator[str]:
        nodes = [(node, whole) for node, whole in walk(plan) if node["Actual Loops"]]
        for node, whole in nodes:
            yield from self._of_whole(node) if whole else self._of_page(node)
        pages = plan["Shared Hit Blocks"] + plan["Shared Read Blocks"]
        if pages > PAGES and all(rows(node) <= MOST for node, whole in nodes if whole):
            yield f"{pages:,} pages are touched."

    def _of_whole(self, node: Plan) -> Iterator[str]:
        """What is counted or listed as a whole has to be looked at, and not many times as much beside it."""
        if self._throws_away(node) > max(5 * rows(node), MOST):
            yield _sentence(node)
        if self._reads_all(node) and node["Actual Loops"] > 1:
            yield f"Every row of {node['Relation Name']} is read {node['Actual Loops']} times."

    def _of_page(self, node: Plan) -> Iterator[str]:
        kind, table = node["Node Type"], node.get("Relation Name", "")
        if self._reads_all(node):
            yield f"Every row of {table} is read."
        if self._throws_away(node) > MOST:
            yield _sentence(node)
        if kind == "Sort" and (sorted_ := sum(rows(child) for child in node["Plans"])) > MOST:
            yield f"{sorted_:,.0f} rows are sorted."
        if table and rows(node) > MOST:
            yield f"{kind} {table} finds {rows(node):,.0f} rows."

    def _throws_away(self, node: Plan) -> float:
        """Of a small table Postgres reads the few pages that it has, however often."""
        small = node["Node Type"] == "Seq Scan" and self.sizes[node["Relation Name"]] < BIG
        return 0 if small else thrown_away(node)

    def _reads_all(self, node: Plan) -> bool:
        return node["Node Type"] == "Seq Scan" and self.sizes[node["Relation Name"]] >= BIG


def walk(plan: Plan, whole: bool = False) -> Iterator[tuple[Plan, bool]]:
    """Every node, and whether all that it finds goes into one value, without a limit on the way."""
    yield plan, whole
    for child in plan.get("Plans", ()):
        yield from walk(child, plan["Node Type"] == "Aggregate" or (whole and plan["Node Type"] != "Limit"))


def rows(node: Plan, of: str = "Actual Rows") -> float:
    """In all loops together; EXPLAIN gives the average of one."""
    return float(node.get(of, 0)) * float(node["Actual Loops"])


def thrown_away(node: Plan) -> float:
    """Rows that were found and did not fit."""
    return sum(rows(node, f"Rows Removed by {by}") for by in ("Filter", "Join Filter", "Index Recheck"))


def _sentence(node: Plan) -> str:
    return f"{node['Node Type']} {node.get('Relation Name', '')} throws {thrown_away(node):,.0f} rows away."
