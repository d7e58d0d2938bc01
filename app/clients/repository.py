"""Every query on clients, their contacts and sites."""

from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

from app.actors import Scope
from app.clients.models import Client, ClientContact, Site
from app.database import execute, fetch, fetch_row, fetch_value
from app.ids import new_id

_CLIENT = "id, name, contact_record_id, created_at"
_CONTACT = "id, client_id, email, name, created_at, disabled_at"
_SITE = "id, client_id, name, address, created_at"


async def page(scope: Scope, *, first: int, after: tuple[str, UUID] | None) -> list[Client]:
    """By name; one more than `first`, to see whether there are more."""
    name, last_id = after or (None, None)
    rows = await fetch(
        scope,
        f"""
        SELECT {_CLIENT} FROM client WHERE organization_id = $1 AND ($2::text IS NULL OR (name, id) > ($2, $3::uuid))
        ORDER BY name, id LIMIT $4
        """,
        scope.organization_id,
        name,
        last_id,
        first + 1,
    )
    return await _whole(scope, [dict(row) for row in rows])


async def get_many(scope: Scope, client_ids: Sequence[UUID]) -> list[Client]:
    rows = await fetch(
        scope, f"SELECT {_CLIENT} FROM client WHERE organization_id = $1 AND id = ANY($2::uuid[])", scope.organization_id, client_ids
    )
    return await _whole(scope, [dict(row) for row in rows])


async def _whole(scope: Scope, clients: Sequence[dict[str, Any]]) -> list[Client]:
    """With their contacts and sites: three statements for any number of clients."""
    ids = [client["id"] for client in clients]
    contacts = [ClientContact(**row) for row in await _children(scope, "client_contact", _CONTACT, ids)] if ids else []
    sites = [Site(**row) for row in await _children(scope, "site", _SITE, ids)] if ids else []
    return [Client(**client, contacts=_of(client["id"], contacts), sites=_of(client["id"], sites)) for client in clients]


async def _children(scope: Scope, table: str, columns: str, client_ids: Sequence[UUID]) -> Sequence[Any]:
    return await fetch(
        scope,
        f"SELECT {columns} FROM {table} WHERE organization_id = $1 AND client_id = ANY($2::uuid[]) ORDER BY name, id",
        scope.organization_id,
        client_ids,
    )


def _of(client_id: UUID, children: Iterable[Any]) -> tuple[Any, ...]:
    return tuple(child for child in children if child.client_id == client_id)


async def contact_record_name(scope: Scope, record_id: UUID) -> str | None:
    """The name of a contact record that exists."""
    row = await fetch_row(
        scope,
        "SELECT name FROM record WHERE organization_id = $1 AND id = $2 AND entity = 'contact' AND deleted_at IS NULL",
        scope.organization_id,
        record_id,
    )
    return str(row["name"]) if row else None


async def lock_clients(scope: Scope) -> None:
    """Who is a client stays so until the transaction ends.

    Quotes that are being written wait for this, or this for them (app/quotes/client_store.py: hold_clients).
    """
    await execute(scope, "SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", f"{scope.organization_id}/clients")


async def client_of(scope: Scope, record_id: UUID) -> UUID | None:
    """The client that this contact record is."""
    sql = "SELECT id FROM client WHERE organization_id = $1 AND contact_record_id = $2"
    found: UUID | None = await fetch_value(scope, sql, scope.organization_id, record_id)
    return found


async def set_contact_record(scope: Scope, client_id: UUID, record_id: UUID) -> None:
    """The client is another contact record now."""
    sql = "UPDATE client SET contact_record_id = $3 WHERE organization_id = $1 AND id = $2"
    await execute(scope, sql, scope.organization_id, client_id, record_id)


async def children_of(scope: Scope, client_id: UUID) -> tuple[list[UUID], list[UUID]]:
    """The client's contacts and its sites."""
    contacts, sites = [await _children(scope, table, "id, name", [client_id]) for table in ("client_contact", "site")]
    return [row["id"] for row in contacts], [row["id"] for row in sites]


async def move_children(scope: Scope, client_id: UUID, contact_ids: Sequence[UUID], site_ids: Sequence[UUID]) -> None:
    """These contacts and sites are this client's now."""
    for table, ids in (("client_contact", contact_ids), ("site", site_ids)):
        sql = f"UPDATE {table} SET client_id = $2 WHERE organization_id = $1 AND id = ANY($3::uuid[])"
        await execute(scope, sql, scope.organization_id, client_id, list(ids))


async def client_for(scope: Scope, record_id: UUID, name: str) -> UUID:
    """The client that this contact record is, made if needed. Locked: its quotes are given to it in the same transaction."""
    await lock_clients(scope)
    row = await fetch_row(
        scope,
        """
        INSERT INTO client (id, organization_id, name, contact_record_id) VALUES ($2, $1, $3, $4)
        ON CONFLICT (organization_id, contact_record_id) DO UPDATE SET name = client.name
        RETURNING id
        """,
        scope.organization_id,
        new_id(),
        name,
        record_id,
    )
    if row is None:
        raise RuntimeError("An upsert always returns its row.")
    return UUID(str(row["id"]))


async def add_contact(scope: Scope, client_id: UUID, *, email: str, name: str) -> ClientContact | None:
    """A new contact, or the one with this address, let in again. None when the address belongs to another client's contact."""
    row = await fetch_row(
        scope,
        f"""
        INSERT INTO client_contact (id, organization_id, client_id, email, name) VALUES ($2, $1, $3, $4, $5)
        ON CONFLICT (organization_id, email) DO UPDATE SET name = excluded.name, disabled_at = NULL
        WHERE client_contact.client_id = excluded.client_id
        RETURNING {_CONTACT}
        """,
        scope.organization_id,
        new_id(),
        client_id,
        email,
        name,
    )
    return ClientContact(**row) if row else None


async def contact(scope: Scope, contact_id: UUID) -> ClientContact | None:
    row = await fetch_row(
        scope, f"SELECT {_CONTACT} FROM client_contact WHERE organization_id = $1 AND id = $2", scope.organization_id, contact_id
    )
    return ClientContact(**row) if row else None


async def disable_contact(scope: Scope, contact_id: UUID) -> ClientContact | None:
    """Shuts the contact out at once: sessions and links are refused from the next look on."""
    row = await fetch_row(
        scope,
        f"""
        UPDATE client_contact SET disabled_at = coalesce(disabled_at, now()) WHERE organization_id = $1 AND id = $2
        RETURNING {_CONTACT}
        """,
        scope.organization_id,
        contact_id,
    )
    if row is None:
        return None
    await execute(
        scope,
        "UPDATE session SET ended_at = now() WHERE organization_id = $1 AND client_contact_id = $2 AND ended_at IS NULL",
        scope.organization_id,
        contact_id,
    )
    return ClientContact(**row)


async def add_site(scope: Scope, client_id: UUID, *, name: str, address: str) -> Site | None:
    """None when there is no such client."""
    row = await fetch_row(
        scope,
        f"""
        INSERT INTO site (id, organization_id, client_id, name, address)
        SELECT $2, $1, id, $4, $5 FROM client WHERE organization_id = $1 AND id = $3
        RETURNING {_SITE}
        """,
        scope.organization_id,
        new_id(),
        client_id,
        name,
        address,
    )
    return Site(**row) if row else None
