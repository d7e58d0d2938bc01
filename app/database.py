"""The one wrapper around Piccolo's engine and asyncpg: scopes, transactions, reads in one round trip.

Every statement runs inside a scope. Row-level security shows rows only of the organization (and, for a client's
contact, of the client) that `crosswalk.organization_id` and `crosswalk.client_id` name; both are set for one
transaction only, so a pooled connection remembers nothing.

Piccolo's own transactions are not used: a failed COMMIT keeps its connection, and a nested one is no savepoint.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

import asyncpg
import msgspec
from piccolo.engine.postgres import PostgresEngine

from app.actors import Scope
from app.errors import FixBy, Refusal
from app.statements import for_any_owner, scoped, set_scope

APP_ROLE = "crosswalk_app"
SYSTEM_ROLE = "crosswalk_system"
# A worker frozen inside a transaction holds row locks; the server ends its transaction after this time.
IDLE_IN_TRANSACTION_SECONDS = 15
# Frozen between the messages of one statement, it counts neither as idle nor as late: no setting of the server's before
# transaction_timeout (PostgreSQL 17) ends that.
_CUT_OFF = """
    SELECT pid, pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE datname = current_database() AND usename = session_user AND application_name = 'crosswalk'
      AND state = 'active' AND wait_event = 'ClientRead'
      AND state_change < now() - make_interval(secs => $1)
"""


class ReadTooSlow(Refusal):
    """This read took too long and was stopped."""

    code = "limit_exceeded"
    fix_by = FixBy.CUSTOMER

    def __init__(self, seconds: float | None) -> None:
        super().__init__(f"This read was stopped after {seconds:g} seconds, the limit. Ask for less at once.")
        self.details = {"limit": "read_seconds", "allowed": seconds, "measured": seconds}


class _Connection(asyncpg.Connection):  # type: ignore[misc]  # asyncpg carries no types
    """No session state is ever set on a pooled connection, so there is nothing to reset: one round trip less."""

    def get_reset_query(self) -> str:
        return ""


_LastWrite = Callable[[Scope, list[Any]], Awaitable[object]]


@dataclass(eq=False)
class _Transaction:
    scope: Scope
    connection: asyncpg.Connection
    task: asyncio.Task[Any] | None
    savepoints: int = 0
    hooks: list[Callable[[], Awaitable[object]]] = field(default_factory=list)
    last_writes: list[tuple[_LastWrite, Any]] = field(default_factory=list)


_read_seconds: ContextVar[float | None] = ContextVar("read_seconds", default=None)
_current: ContextVar[_Transaction | None] = ContextVar("transaction", default=None)
_engine: PostgresEngine | None = None


async def open_database(url: str, *, min_size: int = 1, max_size: int = 10) -> None:
    """Open this process's pool. `url` is the application's login, which owns nothing."""
    global _engine
    _engine = PostgresEngine(config={"dsn": url}, log_queries=False, extensions=())
    await _engine.start_connection_pool(
        min_size=min_size,
        # Compiled reads are long, and prepared once for each connection; the plans of many kinds of documents are kept.
        statement_cache_size=150,
        max_cacheable_statement_size=60_000,  # characters; what is longer is rare and large, and planned each time
        max_size=max_size,
        connection_class=_Connection,
        init=_prepare_connection,
        server_settings={
            "application_name": "crosswalk",
            "statement_timeout": "60s",
            "lock_timeout": "20s",
            "idle_in_transaction_session_timeout": f"{IDLE_IN_TRANSACTION_SECONDS}s",
            "timezone": "UTC",
            # Compiling a statement takes longer than any of ours runs.
            "jit": "off",
        },
    )


async def close_database() -> None:
    """Close the pool. A connection that is still in use after 10 s is cut."""
    global _engine
    engine, _engine = _engine, None
    if engine is not None and engine.pool is not None:
        try:
            await asyncio.wait_for(engine.pool.close(), 10)
        except TimeoutError:
            engine.pool.terminate()


def _pool() -> asyncpg.Pool:
    if _engine is None or _engine.pool is None:
        raise RuntimeError("The database is not open; `async with hub:` opens it.")
    return _engine.pool


async def _prepare_connection(connection: asyncpg.Connection) -> None:
    """JSON columns travel as Python objects; an owner's or superuser's login steps down to the application's role."""
    for name in ("json", "jsonb"):
        await connection.set_type_codec(name, encoder=_encode_json, decoder=msgspec.json.decode, schema="pg_catalog")
    if await connection.fetchval("SELECT session_user <> $1", APP_ROLE):
        await connection.execute(f"SET ROLE {APP_ROLE}")


def _encode_json(value: Any) -> str:
    return msgspec.json.encode(value).decode()


@asynccontextmanager
async def transaction(scope: Scope) -> AsyncIterator[None]:
    """A transaction within the scope; inside another one of the same task and scope, a savepoint."""
    outer = _active()
    if outer is None:
        async with _outermost(scope):
            yield
    elif outer.scope != scope:
        raise RuntimeError("A transaction cannot reach from one scope into another.")
    else:
        async with _savepoint(outer):
            yield


def _active() -> _Transaction | None:
    """The transaction of this task. A child task inherits the variable but must not share the connection."""
    current = _current.get()
    return current if current is not None and current.task is asyncio.current_task() else None


@asynccontextmanager
async def _outermost(scope: Scope) -> AsyncIterator[None]:
    async with _pool().acquire() as connection:
        current = _Transaction(scope, connection, asyncio.current_task())
        token = _current.set(current)
        try:
            await connection.execute(f"BEGIN; {set_scope(scope)}")
            yield
            while current.last_writes:  # one of them may cause another
                waiting, current.last_writes = current.last_writes, []
                for write, items in _by_write(waiting).items():
                    await write(scope, items)
            await connection.execute("COMMIT")
        except BaseException:
            await _roll_back(connection)
            raise
        finally:
            _current.reset(token)
    for hook in current.hooks:
        await hook()


async def _roll_back(connection: asyncpg.Connection) -> None:
    """Leave the transaction whatever its state is; a broken connection is thrown away by the pool, maybe already."""
    try:
        if not connection.is_closed() and connection.is_in_transaction():
            await connection.execute("ROLLBACK")
    except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError):
        with suppress(asyncpg.InterfaceError):
            connection.terminate()


@asynccontextmanager
async def _savepoint(current: _Transaction) -> AsyncIterator[None]:
    current.savepoints += 1
    name, hooks, last_writes = f"level_{current.savepoints}", len(current.hooks), len(current.last_writes)
    await current.connection.execute(f"SAVEPOINT {name}")
    try:
        yield
    except BaseException:
        del current.hooks[hooks:], current.last_writes[last_writes:]
        await current.connection.execute(f"ROLLBACK TO SAVEPOINT {name}; RELEASE SAVEPOINT {name}")
        raise
    await current.connection.execute(f"RELEASE SAVEPOINT {name}")


def after_commit(hook: Callable[[], Awaitable[object]]) -> None:
    """Run the hook once the outermost transaction has committed; a rollback forgets it."""
    current = _active()
    if current is None:
        raise RuntimeError("after_commit needs a transaction.")
    current.hooks.append(hook)


def before_commit(scope: Scope, write: _LastWrite, items: Iterable[Any]) -> None:
    """Run the write as one of the last of the outermost transaction, once with all items that were given to it; a rollback forgets them.

    For what locks a row that everybody of an organization needs: every other lock is held by then, so two
    transactions cannot wait for each other, and the row is held for moments only.
    """
    current = _active()
    if current is None:
        raise RuntimeError("before_commit needs a transaction.")
    _same_scope(current, scope)
    current.last_writes += [(write, item) for item in items]


def _by_write(last_writes: Iterable[tuple[_LastWrite, Any]]) -> dict[_LastWrite, list[Any]]:
    items: dict[_LastWrite, list[Any]] = {}
    for write, item in last_writes:
        items.setdefault(write, []).append(item)
    return items


@contextmanager
def reads_within(seconds: float) -> Iterator[None]:
    """Each read outside a transaction that begins in here, also in tasks made in here, may take so long."""
    token = _read_seconds.set(seconds)
    try:
        yield
    finally:
        _read_seconds.reset(token)


async def fetch(scope: Scope, sql: str, *arguments: Any) -> list[asyncpg.Record]:
    """The rows of a statement. Outside a transaction it must be a SELECT and takes one round trip."""
    current = _active()
    if current is not None:
        _same_scope(current, scope)
        rows: list[asyncpg.Record] = await current.connection.fetch(for_any_owner(sql), *arguments)
        return rows
    client = "*" if scope.client_id is None else str(scope.client_id)
    seconds = _read_seconds.get()
    async with _pool().acquire() as connection:
        try:
            return list(
                await connection.fetch(scoped(sql, len(arguments)), *arguments, str(scope.organization_id), client, timeout=seconds)
            )
        except TimeoutError:
            raise ReadTooSlow(seconds) from None


async def fetch_row(scope: Scope, sql: str, *arguments: Any) -> asyncpg.Record | None:
    """The first row, or None."""
    rows = await fetch(scope, sql, *arguments)
    return rows[0] if rows else None


async def fetch_value(scope: Scope, sql: str, *arguments: Any) -> Any:
    """The first column of the first row, or None."""
    row = await fetch_row(scope, sql, *arguments)
    return row[0] if row is not None else None


async def execute(scope: Scope, sql: str, *arguments: Any) -> int:
    """Write; needs a transaction. Returns the number of rows touched."""
    current = _active()
    if current is None:
        raise RuntimeError("A write needs a transaction.")
    _same_scope(current, scope)
    status: str = await current.connection.execute(for_any_owner(sql), *arguments)
    return int(status.rpartition(" ")[2]) if status[-1:].isdigit() else 0


def _same_scope(current: _Transaction, scope: Scope) -> None:
    if current.scope != scope:
        raise RuntimeError("A statement cannot reach from one scope into another.")


async def system_fetch(sql: str, *arguments: Any) -> Sequence[asyncpg.Record]:
    """A read across organizations, as the role that can only list what is due and find an address."""
    async with _pool().acquire() as connection, connection.transaction(readonly=True):
        await connection.execute(f"SET LOCAL ROLE {SYSTEM_ROLE}")
        return list(await connection.fetch(sql, *arguments))


async def end_half_statements(seconds: float = IDLE_IN_TRANSACTION_SECONDS) -> list[int]:
    """Cut off those of the hub's sessions whose process has sent a part of a statement and then nothing for so long: it is frozen.

    Returns their numbers at the server. Whoever is thawed finds its connection closed.
    """
    async with _pool().acquire() as connection, connection.transaction():
        await connection.execute("SET LOCAL ROLE NONE")  # sessions are the login's, not the role's that it steps down to
        return [row["pid"] for row in await connection.fetch(_CUT_OFF, seconds)]
