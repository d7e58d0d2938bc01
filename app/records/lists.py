"""Every query that lists records, page by page."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from app.actors import Scope
from app.database import fetch
from app.records.models import Record
from app.records.repository import COLUMNS, as_record

NAME_BEGINS = "{item}.name_folded >= lower({value}) AND {item}.name_folded < lower({value}) || chr(1114111)"
"""Whose name begins like this, whatever the case. The last character of Unicode ends the range; a LIKE is not leakproof, so
under row-level security it finds nothing by an index."""
OF_CONTACT = """SELECT DISTINCT m.connection_id, m.external_id FROM mapping AS m
    WHERE m.organization_id = {organization} AND m.record_id = ANY (ARRAY(
        SELECT r.id FROM record AS r WHERE r.organization_id = {organization} AND r.merged_into = {contact}
        UNION ALL SELECT {contact}))"""
"""What a contact, with those merged into it, is called at each of its connections. Its jobs and documents are those whose provider
says so by that name."""
SAYS_CONTACT = "{item}.connection_id = {range}.connection_id AND {item}.contact_external_id = {range}.external_id"
"""A job or document of one of those names. They are found name by name, each in their order by an index, and then put together:
asked for at once, all that a contact has would be read and sorted."""

KIND = {"job": "{item}.kind IS NULL", "sales_document": "{item}.kind IS NOT NULL"}
"""What the indexes know jobs and sales documents by: those of a contact have one each."""
_NOT_GONE = "record.organization_id = $1 AND record.deleted_at IS NULL"


@dataclass(slots=True)
class _Query:
    """One page of an entity's records."""

    scope: Scope
    entity: str
    order: str
    arguments: list[Any] = field(default_factory=list)
    conditions: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.arguments.append(self.scope.organization_id)
        self.conditions += [_NOT_GONE, f"record.entity = '{self.entity}'"]

    def place(self, value: Any) -> str:
        self.arguments.append(value)
        return f"${len(self.arguments)}"

    def where(self, condition: str, *values: Any) -> None:
        """A condition with places for its values; it counts if they are not None."""
        if None not in values:
            self.conditions.append(condition.format(*map(self.place, values)))

    async def page(self, first: int, contact_id: UUID | None = None) -> list[Record]:
        """One more than `first`, to see whether there are more; of one contact where that is given."""
        ranges = contact_id and OF_CONTACT.format(organization="$1", contact=self.place(contact_id))
        where = " AND ".join([*self.conditions, SAYS_CONTACT.format(item="record", range="at")] if ranges else self.conditions)
        rows = f"SELECT * FROM record WHERE {where} ORDER BY {self.order} LIMIT {first + 1:d}"
        if ranges:
            rows = f"SELECT record.* FROM ({ranges}) AS at CROSS JOIN LATERAL ({rows}) AS record ORDER BY {self.order} LIMIT {first + 1:d}"
        found = await fetch(self.scope, f"SELECT {COLUMNS} FROM ({rows}) AS record ORDER BY {self.order}", *self.arguments)
        return [as_record(row) for row in found]


async def by_name(
    scope: Scope, entity: str, *, first: int, after: tuple[str, UUID] | None, connection_id: UUID | None, search: str | None = None
) -> list[Record]:
    """Contacts, products or inventory levels by name, whatever the case; `search` is the beginning of a name."""
    query = _Query(scope, entity, "record.name_folded, record.id")
    query.where("record.connection_id = {}", connection_id)
    query.where("(record.name_folded, record.id) > ({}, {})", *(after or (None, None)))
    query.where(NAME_BEGINS.format(item="record", value="{0}"), search)
    return await query.page(first)


async def by_time(
    scope: Scope,
    entity: str,
    *,
    first: int,
    after: UUID | None,
    connection_id: UUID | None,
    contact_id: UUID | None,
    status: str | None,
    kind: str | None = None,
    oldest_first: bool = False,
    in_step: bool = False,
) -> list[Record]:
    """Jobs or sales documents, newest first or oldest first; of one contact where `contact_id` is given.

    `in_step`: only those that some connection has as the hub has them. Nearly all are, so that they are found by walking.
    """
    behind, order = (">", "record.id") if oldest_first else ("<", "record.id DESC")
    query = _Query(scope, entity, order)
    query.where("record.connection_id = {}", connection_id)
    query.where(f"record.id {behind} {{}}", after)
    query.where("record.status = {}", status)
    query.where("record.kind = {}", kind)
    query.where(KIND[entity].format(item="record"))
    if in_step:
        query.where(_IN_STEP)
    return await query.page(first, contact_id)


_IN_STEP = "(SELECT true FROM mapping WHERE organization_id = $1 AND record_id = record.id AND status = 'synced' LIMIT 1)"
"""Not EXISTS, which the planner may turn into a join that reads all mappings first."""


async def by_standing(
    scope: Scope,
    entity: str,
    streams: Sequence[str],
    status: str,
    *,
    first: int,
    after: UUID | None,
    connection_id: UUID | None,
    kind: str | None,
) -> list[Record]:
    """Records, newest first, that stand so at one of these streams, in a connection if one is given. Not for `synced`."""
    query = _Query(scope, entity, "record.id DESC")
    query.where("mapping.status = {}", status)
    query.where("mapping.connection_id = {}", connection_id)
    query.where("mapping.record_id < {}", after)
    query.where("record.kind = {}", kind)
    where = " AND ".join(query.conditions)
    found = await fetch(
        scope,
        f"""
        SELECT DISTINCT ON (record.id) {COLUMNS}
        FROM unnest({query.place(streams)}::text[]) AS of (stream) CROSS JOIN LATERAL (
            SELECT DISTINCT ON (mapping.record_id) record.* FROM mapping JOIN record ON record.organization_id = $1
                AND record.id = mapping.record_id
            WHERE mapping.organization_id = $1 AND mapping.stream = of.stream AND mapping.status <> 'synced' AND {where}
            ORDER BY mapping.record_id DESC LIMIT {first + 1:d}
        ) AS record
        ORDER BY record.id DESC LIMIT {first + 1:d}
        """,
        *query.arguments,
    )
    return [as_record(row) for row in found]
