"""What every statement says of whose rows it is about: the scope, the second wall, and a plan that any owner can have."""

import re
from functools import lru_cache

from app.actors import Scope


def set_scope(scope: Scope) -> str:
    """What a transaction begins with; it holds until the transaction ends."""
    client = "*" if scope.client_id is None else str(scope.client_id)
    return (
        f"SELECT set_config('crosswalk.organization_id', '{scope.organization_id}', true),"
        f" set_config('crosswalk.client_id', '{client}', true)"
    )


def of_client(table: str) -> str:
    """The second wall as a predicate: rows of the scope's client, or of every client for the organization's own people.

    Every statement that a client's contact can cause carries it, beside the policies that say the same. Without a
    scope there are no rows. Why coalesce is there: piccolo_migrations/initial/07_walls.sql.
    """
    return f"coalesce(current_setting('crosswalk.client_id', true) IN ('*', {table}.client_id::text), false)"


@lru_cache(1000)
def scoped(sql: str, arguments: int) -> str:
    """For a read outside a transaction: one statement that sets the scope and then reads.

    The inner query hangs on a column of the first node through OFFSET 0 (which keeps it from being pulled up), so
    Postgres evaluates the first node before it opens any scan; a test alternates organizations on one connection.
    """
    return (
        "WITH scope AS MATERIALIZED ("
        f"SELECT set_config('crosswalk.organization_id', ${arguments + 1}, true)"
        f" || set_config('crosswalk.client_id', ${arguments + 2}, true) AS is_set)"
        f" SELECT answer.* FROM scope CROSS JOIN LATERAL ("
        f"SELECT query.* FROM (\n{for_any_owner(sql)}\n) AS query WHERE scope.is_set <> '' OFFSET 0) AS answer"
    )


@lru_cache(1000)
def for_any_owner(sql: str) -> str:
    """The statement with a plan that does not depend on whose rows it is about.

    Of an organization or connection that is newer than the tables' statistics Postgres expects one row, whatever is looked for: every index
    that begins with it then seems as good as the key, and all of its rows are read for each that is wanted. The value of a subquery is not
    known when a plan is made; what is assumed then is the share of any owner (docs/decisions/0011-plans-for-any-owner.md).
    """
    return _OWNER.sub(r"\1 = (SELECT \2::uuid)", sql)


_OWNER = re.compile(r"\b(organization_id|connection_id) = (\$\d+)\b(?!::)")
"""With a cast it stays as it is: compiled reads begin with the organization's own rows, and choose an index by how many there are."""
