"""Every row of the database as a superuser sees it, whose it is, and the marks that are planted in its texts.

A mark names whose row it is, so that any answer that holds it can be judged: `zq`, the group, a random part, and the
number of the column. Ids need no mark: they are told apart as they are.
"""

import re
import secrets
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any
from uuid import UUID

import asyncpg
import msgspec

UUIDS = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_MARK = re.compile(r"zq([a-z]+)0[0-9a-f]{8}c(\d+)")
_NO_TEXT = re.compile(r"[-+.\d]*|\d{4}-\d\d-\d\d[T ]?[\d:.+Z-]*|[0-9a-f-]{32,}|zq.*")


class Group(StrEnum):
    """Whose a row is: one client's, another client's of the same organization, that organization's own, or shown to all of it."""

    OWN = "own"
    OTHER = "other"
    STAFF = "staff"
    SHARED = "shared"
    ABROAD = "abroad"


# What is no text for people: the hub reads it and would stumble, or it is an id or a secret's digest.
WORDS = {
    "person.role", "api_token.role", "api_token.permissions", "mail.status", "organization.time_zone", "organization.accent_color",
    "connection.provider", "connection.mode", "connection.status", "record.entity", "mapping.status", "mapping.stream", "part.stream",
    "part.kind", "sync.streams", "sync.direction", "sync.mode", "sync.schedule", "sync.time_zone", "sync_run.direction", "sync_run.mode",
    "sync_run.status", "sync_run.fix_by", "sync_run_stream.stream", "sync_run_stream.lock_stream", "sync_run_stream.direction",
    "sync_run_stream.status", "sync_page.stream", "stream_state.stream", "failed_record.stream", "failed_record.stage",
    "failed_record.tries", "failed_record.fix_by", "quote.provider", "quote.status", "quote.provider_status", "quote.currency",
    "quote_line.decision", "quote_decision.outcome", "quote_decision.currency",
    "delivery.provider", "delivery.action", "delivery.status", "delivery.fix_by",
    "event.topic", "idempotency_key.actor", "sync_page.direction", "conflict.stream", "conflict.field", "conflict.resolution",
    "stream_policy.stream", "stream_policy.conflicts", "stream_policy.provider_deletions", "stream_policy.hub_deletions",
    "quarantine.stream", "quarantine.status", "field_mapping.stream", "reconciliation.stream", "delivery.stream",
    "sync_run.task", "plan.kind", "plan.status", "plan_item.stream", "plan_item.record_stream", "plan_item.direction", "plan_item.kind",
    "plan_item.status", "plan_part.stream", "plan_part.kind",
}  # fmt: skip
IDS = {
    "mapping.external_id", "part.external_id", "part.parent_id", "sync_page.external_ids", "failed_record.external_id", "quote.external_id",
    "quote.contact_external_id", "quote_line.external_id", "conflict.external_id", "quarantine.external_ids",
    "plan_item.key", "plan_part.external_id", "plan_part.parent_id", "plan_part.former_parent_id",
}  # fmt: skip
DIGESTS = {
    "organization_counter.audit_hash", "session.token_hash", "session.csrf_token", "api_token.token_hash", "sign_in_link.token_hash",
    "connection.credentials", "mapping.fingerprint", "quote.content_hash", "quote_version.content_hash", "quote_decision.request_hash",
    "audit_entry.previous_hash", "audit_entry.hash", "idempotency_key.request_hash", "plan_item.effect", "plan_item.shown",
}  # fmt: skip
# The same inside JSON, by name.
_WORDS_IN_JSON = {
    "action", "base_url", "currency", "decision", "entity", "kind", "mode", "outcome", "role", "schedule", "status", "stream", "streams",
    "time_zone", "timezone",
}  # fmt: skip


Dump = dict[tuple[str, Group], set[str]]
"""Rows as text, by table and by whose they are."""


@dataclass(frozen=True)
class Owners:
    """The organizations and clients by which rows are told apart."""

    organization: UUID
    own_client: UUID
    other_client: UUID

    def group(self, table: str, row: dict[str, Any]) -> Group:
        if row["id" if table == "organization" else "organization_id"] != self.organization:
            return Group.ABROAD
        if table in ("organization", "organization_counter"):
            return Group.SHARED
        client = row["id"] if table == "client" else row.get("client_id")
        return {self.own_client: Group.OWN, self.other_client: Group.OTHER}.get(client, Group.STAFF)


@dataclass
class Database:
    """The whole database, past all walls."""

    admin: asyncpg.Connection
    columns: dict[str, dict[str, str]] = field(default_factory=dict)
    """table → column → type, without generated columns."""
    marked: dict[int, str] = field(default_factory=dict)
    """The number of a mark → table.column."""
    _secret: str = field(default_factory=lambda: secrets.token_hex(4))

    async def open(self) -> None:
        rows = await self.admin.fetch(
            """
            SELECT table_name, column_name, udt_name FROM information_schema.columns
            WHERE table_schema = 'public' AND table_name <> 'migration' AND is_generated = 'NEVER' ORDER BY 1, ordinal_position
            """
        )
        for row in rows:
            self.columns.setdefault(row["table_name"], {})[row["column_name"]] = row["udt_name"]

    async def rows(self, table: str) -> list[tuple[dict[str, Any], str]]:
        """Each row as a dict, with its place (ctid), and as text."""
        found = await self.admin.fetch(f'SELECT t.ctid::text AS place, t.*, t::text AS whole FROM "{table}" AS t')
        return [(dict(row), row["whole"]) for row in found]

    async def dump(self, owners: Owners) -> Dump:
        """Every row as text, by table and whose it is."""
        found: Dump = defaultdict(set)
        for table in self.columns:
            for row, whole in await self.rows(table):
                found[table, owners.group(table, row)].add(whole)
        return found

    # Marks.

    async def plant(self, owners: Owners) -> None:
        """A mark in every text of every row."""
        for table, columns in self.columns.items():
            chosen = {name: kind for name, kind in columns.items() if _is_text(f"{table}.{name}", kind)}
            for row, _ in await self.rows(table) if chosen else ():
                group = owners.group(table, row)
                values = [_planted(kind, row[name], self._mark(group, f"{table}.{name}")) for name, kind in chosen.items()]
                changes = ", ".join(f'"{name}" = ${number}' for number, name in enumerate(chosen, 2))
                await self.admin.execute(f'UPDATE "{table}" SET {changes} WHERE ctid = ($1::text)::tid', row["place"], *values)

    def _mark(self, group: Group, column: str) -> str:
        number = next((number for number, name in self.marked.items() if name == column), len(self.marked))
        self.marked[number] = column
        return f"zq{group}0{self._secret}c{number}"

    def marks_in(self, text: str) -> dict[Group, set[str]]:
        """Whose marks a text holds, and from which columns."""
        found: dict[Group, set[str]] = defaultdict(set)
        for group, number in _MARK.findall(text):
            found[Group(group)].add(self.marked[int(number)])
        return found


def ids_in(text: str) -> set[str]:
    return set(UUIDS.findall(text))


def _is_text(column: str, kind: str) -> bool:
    return kind in ("text", "_text", "jsonb", "bytea") and column not in WORDS | IDS | DIGESTS


def _planted(kind: str, value: Any, mark: str) -> Any:
    if kind == "text":
        return mark if value is None else f"{value}-{mark}"
    if kind == "_text":
        return [*(value or ()), mark]
    if kind == "bytea":
        return value and value.replace(b"{", b'{"planted": "%s", ' % mark.encode(), 1)
    return None if value is None else msgspec.json.encode(in_json(msgspec.json.decode(value), mark)).decode()


def in_json(value: Any, mark: str, name: str = "") -> Any:
    """The same with the mark at the end of every text that is for people."""
    if isinstance(value, dict):
        return {key: in_json(item, mark, key) for key, item in value.items()}
    if isinstance(value, list):
        return [in_json(item, mark, name) for item in value]
    if not isinstance(value, str) or name in _WORDS_IN_JSON or _NO_TEXT.fullmatch(value):
        return value
    return f"{value}-{mark}"


def differences(before: Dump, after: Dump, groups: Iterable[Group]) -> Iterator[str]:
    """A sentence for each table whose rows of these groups are not what they were."""
    wanted = set(groups)
    for table, group in sorted(before.keys() | after.keys()):
        changed = before.get((table, group), set()) ^ after.get((table, group), set())
        if group in wanted and changed:
            yield f"{len(changed)} rows of {table} ({group}) differ: {min(changed, key=len)[:200]}"
