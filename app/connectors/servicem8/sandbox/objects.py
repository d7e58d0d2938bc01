"""The five things one can ask of an object type: list, create, read, update, delete.

See https://developer.servicem8.com/reference and, for cursors, https://developer.servicem8.com/docs/pagination
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice

from app.connectors.sandbox_kit.delivery import Answer

from . import changes
from .answers import done, invalid, method_not_allowed, not_found, unknown_object
from .changes import Effect
from .config import SandboxConfig
from .filters import matching, parse
from .schema import OBJECT_TYPES, RECORD_ALIASES
from .store import Account, is_uuid
from .table import Record, Table, Values
from .validation import changed_values, new_values

FIRST_PAGE = "-1"


@dataclass(frozen=True, slots=True)
class Target:
    """What a path names: a table and, for a single record, its id."""

    table: Table
    uuid: str | None


@dataclass(frozen=True, slots=True)
class Written:
    """What a write did."""

    answer: Answer
    uuid: str
    effect: Effect


def target_of(account: Account, name: str, uuid: str | None) -> Target:
    """The object that a path names in any letter case; a 400 for an unknown one."""
    lowered = name.lower()
    if uuid is not None:
        lowered = RECORD_ALIASES.get(lowered, lowered)
    if lowered not in OBJECT_TYPES:
        raise unknown_object(name)
    return Target(account.tables[lowered], uuid.lower() if uuid is not None else None)


def read(config: SandboxConfig, target: Target, query: Mapping[str, str]) -> Answer:
    """A list, or one record."""
    if target.uuid is None:
        return _list(config, target.table, query)
    record = _existing(target)
    if not record.active and config.deleted_reads_answer_404:
        raise not_found()
    return Answer(200, record.encoded)


def write(config: SandboxConfig, account: Account, target: Target, method: str, given: Values) -> Written:
    """Create, update or delete."""
    if method not in (("POST",) if target.uuid is None else ("POST", "DELETE")) or not target.table.type.writable:
        raise method_not_allowed(method)
    if target.uuid is None:
        record = changes.create(account, target.table, new_values(account, target.table, given))
        return Written(done(record.uuid), record.uuid, Effect.CREATED)
    record = _existing(target)
    if method == "DELETE":
        effect = changes.delete(account, target.table, record, restores=config.second_delete_restores)
    else:
        effect = changes.update(account, target.table, record, changed_values(account, target.table, record, given))
    return Written(done(), record.uuid, effect)


def _existing(target: Target) -> Record:
    record = target.table.get(target.uuid or "")
    if record is None:
        raise not_found()
    return record


def _list(config: SandboxConfig, table: Table, query: Mapping[str, str]) -> Answer:
    conditions = parse(query["$filter"], table.type) if query.get("$filter", "").strip() else []
    cursor = query.get("cursor")
    rows = matching(table, conditions, _start(cursor), ne_excludes=config.ne_excludes)
    # Without a cursor the old way applies: everything at once.
    return _page(rows, config.page_size) if cursor else _array(list(rows))


def _start(cursor: str | None) -> str:
    if not cursor or cursor == FIRST_PAGE:
        return ""
    if not is_uuid(cursor):
        raise invalid("Invalid cursor")
    return cursor.lower()


def _page(rows: Iterator[Record], size: int) -> Answer:
    page = list(islice(rows, size))
    answer = _array(page)
    return answer.with_headers(x_next_cursor=page[-1].uuid) if next(rows, None) else answer


def _array(records: list[Record]) -> Answer:
    return Answer(200, b"[" + b",".join([record.encoded for record in records]) + b"]")
