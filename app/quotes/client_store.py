"""Every query on whom quotes are for: contacts at the provider, and the clients that they are."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from app.actors import Scope
from app.database import execute, fetch, fetch_value
from app.feed.models import NewEvent
from app.quotes.repository import event_of


@dataclass(frozen=True, slots=True)
class Contact:
    """Whom quotes are for."""

    name: str
    client_id: UUID | None


async def hold_clients(scope: Scope) -> None:
    """Nobody becomes a client until the transaction ends: a new client would miss the quotes that are being written."""
    await execute(scope, "SELECT pg_advisory_xact_lock_shared(hashtextextended($1, 0))", f"{scope.organization_id}/clients")


async def contacts(scope: Scope, connection_id: UUID, external_ids: Sequence[str]) -> dict[str, Contact]:
    """The contacts with those ids at the connection, or those that they were merged into, and the clients that they are.

    Which stream maps contacts is the connector's matter, so the id is looked up in every stream of the connection.
    """
    rows = await fetch(
        scope,
        """
        SELECT given.external_id, contact.name, client.id AS client_id
        FROM unnest($3::text[]) AS given (external_id)
        CROSS JOIN LATERAL (
            SELECT record_id FROM mapping
            WHERE organization_id = $1 AND mapping.external_id = given.external_id AND connection_id = $2 OFFSET 0
        ) AS mapped
        CROSS JOIN LATERAL (
            SELECT coalesce(merged_into, id) AS id FROM record WHERE organization_id = $1 AND id = mapped.record_id LIMIT 1
        ) AS held
        CROSS JOIN LATERAL (
            SELECT id, name, entity FROM record WHERE organization_id = $1 AND id = held.id LIMIT 1
        ) AS contact
        LEFT JOIN LATERAL (
            SELECT id FROM client WHERE organization_id = $1 AND contact_record_id = contact.id LIMIT 1
        ) AS client ON true
        WHERE contact.entity = 'contact'
        """,
        scope.organization_id,
        connection_id,
        list(external_ids),
    )
    return {row["external_id"]: Contact(row["name"] or "", row["client_id"]) for row in rows}


async def has_quotes(scope: Scope, connection_id: UUID) -> bool:
    """Whether any quote is from there; before the first, nobody's name is shown on one."""
    sql = "SELECT EXISTS (SELECT FROM quote WHERE organization_id = $1 AND connection_id = $2)"
    return bool(await fetch_value(scope, sql, scope.organization_id, connection_id))


async def rename_contacts(scope: Scope, connection_id: UUID, names: dict[str, str]) -> list[NewEvent]:
    """Quotes show their contact's present name. Returns what to tell the feed."""
    changed = await fetch(
        scope,
        """
        UPDATE quote SET contact_name = given.name, revision = revision + 1, updated_at = now()
        FROM unnest($3::text[], $4::text[]) AS given (external_id, name)
        WHERE quote.organization_id = $1 AND quote.connection_id = $2 AND quote.contact_external_id = given.external_id
          AND quote.contact_name <> given.name
        RETURNING quote.id, quote.revision, quote.status, quote.version, quote.client_id
        """,
        scope.organization_id,
        connection_id,
        list(names),
        list(names.values()),
    )
    return [event_of(row) for row in changed]


async def assign(scope: Scope, client_id: UUID, contact_record_id: UUID) -> list[NewEvent]:
    """Give the client its quotes: those for its contact, and what was merged into it, that no client has yet.

    Returns what to tell the feed.
    """
    changed = await fetch(
        scope,
        """
        UPDATE quote SET client_id = $2, revision = revision + 1, updated_at = now()
        FROM mapping
        WHERE mapping.organization_id = $1 AND quote.organization_id = $1
          AND mapping.record_id = ANY(ARRAY(SELECT id FROM record WHERE organization_id = $1 AND merged_into = $3) || $3::uuid)
          AND quote.connection_id = mapping.connection_id AND quote.contact_external_id = mapping.external_id
          AND quote.client_id IS NULL
        RETURNING quote.id, quote.revision, quote.status, quote.version, quote.client_id
        """,
        scope.organization_id,
        client_id,
        contact_record_id,
    )
    await _assign_children(scope, client_id, [row["id"] for row in changed])
    return [event_of(row) for row in changed]


async def _assign_children(scope: Scope, client_id: UUID, quote_ids: Sequence[UUID]) -> None:
    for table in _CHILDREN:
        await execute(
            scope,
            f"UPDATE {table} SET client_id = $2 WHERE organization_id = $1 AND quote_id = ANY($3::uuid[]) AND client_id IS NULL",
            scope.organization_id,
            client_id,
            list(quote_ids),
        )


async def survivors(scope: Scope, contact_record_ids: Sequence[UUID]) -> list[UUID]:
    """Those of the contacts into which others were merged."""
    sql = "SELECT DISTINCT merged_into FROM record WHERE organization_id = $1 AND merged_into = ANY($2::uuid[])"
    return [row["merged_into"] for row in await fetch(scope, sql, scope.organization_id, list(contact_record_ids))]


async def follow(scope: Scope, contact_record_ids: Sequence[UUID]) -> list[NewEvent]:
    """Quotes for these contacts, and for those merged into them, get their name and client, with their whole past.

    Returns what to tell the feed.
    """
    found = await fetch(scope, _ASTRAY, scope.organization_id, list(contact_record_ids))
    rows = [dict(row) for row in found]
    changed = await fetch(
        scope,
        """
        UPDATE quote SET client_id = given.client_id, contact_name = given.contact_name, revision = revision + 1, updated_at = now()
        FROM jsonb_to_recordset($2::jsonb) AS given (id uuid, client_id uuid, contact_name text)
        WHERE quote.organization_id = $1 AND quote.id = given.id
        RETURNING quote.id, quote.revision, quote.status, quote.version, quote.client_id
        """,
        scope.organization_id,
        rows,
    )
    for table in _CHILDREN:
        await execute(
            scope,
            f"""
            UPDATE {table} SET client_id = given.client_id FROM jsonb_to_recordset($2::jsonb) AS given (id uuid, client_id uuid)
            WHERE {table}.organization_id = $1 AND {table}.quote_id = given.id AND {table}.client_id IS DISTINCT FROM given.client_id
            """,
            scope.organization_id,
            rows,
        )
    return [event_of(row) for row in changed]


async def count_for(scope: Scope, contact_record_id: UUID) -> int:
    """How many quotes are for this contact, with those that were merged into it."""
    found: int = await fetch_value(
        scope,
        """
        SELECT count(*) FROM mapping JOIN quote ON quote.organization_id = $1 AND quote.connection_id = mapping.connection_id
            AND quote.contact_external_id = mapping.external_id
        WHERE mapping.organization_id = $1 AND mapping.record_id = ANY(ARRAY(
            SELECT id FROM record WHERE organization_id = $1 AND merged_into = $2 UNION ALL SELECT $2))
        """,
        scope.organization_id,
        contact_record_id,
    )
    return found


_CHILDREN = ("quote_line", "quote_version", "quote_decision", "delivery")
_ASTRAY = """
    SELECT quote.id, client.id AS client_id, coalesce(holder.name, '') AS contact_name
    FROM record AS member
    JOIN record AS holder ON holder.organization_id = $1 AND holder.id = coalesce(member.merged_into, member.id)
    JOIN mapping ON mapping.organization_id = $1 AND mapping.record_id = member.id
    JOIN quote ON quote.organization_id = $1 AND quote.connection_id = mapping.connection_id
        AND quote.contact_external_id = mapping.external_id
    LEFT JOIN client ON client.organization_id = $1 AND client.contact_record_id = holder.id
    WHERE member.organization_id = $1
      AND member.id = ANY(ARRAY(SELECT id FROM record WHERE organization_id = $1 AND merged_into = ANY($2::uuid[])) || $2::uuid[])
      AND (quote.client_id IS DISTINCT FROM client.id OR quote.contact_name <> coalesce(holder.name, ''))
    ORDER BY quote.id FOR NO KEY UPDATE OF quote
"""


async def move(scope: Scope, moved: Sequence[tuple[UUID, UUID | None]]) -> None:
    """A quote is for another client now. Its lines and present version go along; its past stays with whom it was for."""
    ids, clients = [quote_id for quote_id, _ in moved], [client_id for _, client_id in moved]
    await execute(
        scope,
        """
        UPDATE quote_line SET client_id = given.client_id FROM unnest($2::uuid[], $3::uuid[]) AS given (id, client_id)
        WHERE quote_line.organization_id = $1 AND quote_line.quote_id = given.id
        """,
        scope.organization_id,
        ids,
        clients,
    )
    await execute(
        scope,
        """
        UPDATE quote_version SET client_id = given.client_id
        FROM unnest($2::uuid[], $3::uuid[]) AS given (id, client_id), quote
        WHERE quote.organization_id = $1 AND quote.id = given.id AND quote_version.organization_id = $1
          AND quote_version.quote_id = given.id AND quote_version.version = quote.version
        """,
        scope.organization_id,
        ids,
        clients,
    )
