"""Every query on sessions and sign-in links."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from app.actors import Role, Scope
from app.database import execute, fetch_row
from app.organizations.models import Door, Organization, Recipient

# Whom a session or link belongs to; the alias `held` is the row of it.
_RECIPIENT = """
    coalesce(person.id, client_contact.id) AS id, coalesce(person.name, client_contact.name) AS name,
    coalesce(person.email, client_contact.email) AS email, coalesce(person.role, 'client_contact') AS role,
    client_contact.client_id, coalesce(person.disabled_at, client_contact.disabled_at) AS disabled_at
"""
_OF_RECIPIENT = """
    LEFT JOIN person ON person.organization_id = held.organization_id AND person.id = held.person_id
    LEFT JOIN client_contact
        ON client_contact.organization_id = held.organization_id AND client_contact.id = held.client_contact_id
"""


@dataclass(frozen=True, slots=True)
class FoundSession:
    """A session that is alive, whose it is, and in which organization."""

    id: UUID
    csrf_token: str
    last_seen_at: datetime
    expires_at: datetime
    recipient: Recipient
    organization: Organization


@dataclass(frozen=True, slots=True)
class FoundLink:
    """A link as it is stored, and whom it is for."""

    id: UUID
    next_path: str | None
    reusable: bool
    expires_at: datetime
    used_at: datetime | None
    disabled: bool
    recipient: Recipient


async def session(scope: Scope, token_hash: bytes, now: datetime) -> FoundSession | None:
    """A session that has not ended, of somebody who is not disabled. One round trip."""
    row = await fetch_row(
        scope,
        f"""
        SELECT held.id AS held_id, held.csrf_token, held.last_seen_at, held.expires_at, {_RECIPIENT},
            organization.slug, organization.name AS organization_name, organization.time_zone, organization.accent_color,
            organization.terms, organization.created_at
        FROM session AS held JOIN organization ON organization.id = held.organization_id {_OF_RECIPIENT}
        WHERE held.organization_id = $1 AND held.token_hash = $2 AND held.ended_at IS NULL AND held.expires_at > $3
          AND coalesce(person.disabled_at, client_contact.disabled_at) IS NULL
        """,
        scope.organization_id,
        token_hash,
        now,
    )
    if row is None:
        return None
    organization = Organization(
        scope.organization_id,
        row["slug"],
        row["organization_name"],
        row["time_zone"],
        row["accent_color"],
        row["terms"],
        row["created_at"],
    )
    return FoundSession(row["held_id"], row["csrf_token"], row["last_seen_at"], row["expires_at"], _recipient(row), organization)


async def add_session(
    scope: Scope,
    session_id: UUID,
    recipient: Recipient,
    *,
    token_hash: bytes,
    csrf_token: str,
    ip: str | None,
    user_agent: str | None,
    now: datetime,
    expires_at: datetime,
) -> None:
    await execute(
        scope,
        """
        INSERT INTO session (id, organization_id, person_id, client_contact_id, token_hash, csrf_token, ip, user_agent,
            created_at, last_seen_at, expires_at)
        VALUES ($2, $1, $3, $4, $5, $6, $7, $8, $9, $9, $10)
        """,
        scope.organization_id,
        session_id,
        recipient.person_id,
        recipient.client_contact_id,
        token_hash,
        csrf_token,
        ip,
        user_agent,
        now,
        expires_at,
    )


async def touch_session(scope: Scope, session_id: UUID, *, now: datetime, expires_at: datetime) -> None:
    """It was used now, and lives on; an ended session stays ended."""
    await execute(
        scope,
        "UPDATE session SET last_seen_at = $3, expires_at = $4 WHERE organization_id = $1 AND id = $2 AND ended_at IS NULL",
        scope.organization_id,
        session_id,
        now,
        expires_at,
    )


async def end_session(scope: Scope, session_id: UUID, holder_id: UUID | None, now: datetime) -> bool:
    """Whether it was the holder's and had not ended."""
    ended = await execute(
        scope,
        """
        UPDATE session SET ended_at = $4
        WHERE organization_id = $1 AND id = $2 AND coalesce(person_id, client_contact_id) = $3 AND ended_at IS NULL
        """,
        scope.organization_id,
        session_id,
        holder_id,
        now,
    )
    return ended == 1


async def recipient_by_email(scope: Scope, door: Door, email: str) -> Recipient | None:
    """Who may sign in at the door with this address."""
    source = "person" if door is Door.CONSOLE else "client_contact"
    row = await fetch_row(
        scope,
        f"SELECT {_columns_of(source)} FROM {source} WHERE organization_id = $1 AND email = $2 AND disabled_at IS NULL",
        scope.organization_id,
        email,
    )
    return _recipient(row) if row else None


async def recipient_by_id(scope: Scope, door: Door, recipient_id: UUID) -> Recipient | None:
    source = "person" if door is Door.CONSOLE else "client_contact"
    row = await fetch_row(
        scope,
        f"SELECT {_columns_of(source)} FROM {source} WHERE organization_id = $1 AND id = $2 AND disabled_at IS NULL",
        scope.organization_id,
        recipient_id,
    )
    return _recipient(row) if row else None


def _columns_of(source: str) -> str:
    if source == "person":
        return "id, name, email, role, NULL::uuid AS client_id"
    return "id, name, email, 'client_contact' AS role, client_id"


async def links_since(scope: Scope, recipient: Recipient, since: datetime) -> int:
    """How many links were made for the recipient. Nothing is locked, so requests at once may be a few too many."""
    row = await fetch_row(
        scope,
        """
        SELECT count(*) AS links FROM sign_in_link
        WHERE organization_id = $1 AND (person_id = $2 OR client_contact_id = $3) AND created_at > $4
        """,
        scope.organization_id,
        recipient.person_id,
        recipient.client_contact_id,
        since,
    )
    return int(row["links"]) if row else 0


async def add_link(
    scope: Scope,
    link_id: UUID,
    recipient: Recipient,
    *,
    token_hash: bytes,
    reusable: bool,
    next_path: str | None,
    now: datetime,
    expires_at: datetime,
) -> None:
    await execute(
        scope,
        """
        INSERT INTO sign_in_link (id, organization_id, person_id, client_contact_id, token_hash, reusable, next_path,
            created_at, expires_at)
        VALUES ($2, $1, $3, $4, $5, $6, $7, $8, $9)
        """,
        scope.organization_id,
        link_id,
        recipient.person_id,
        recipient.client_contact_id,
        token_hash,
        reusable,
        next_path,
        now,
        expires_at,
    )


async def link(scope: Scope, token_hash: bytes, *, lock: bool = False) -> FoundLink | None:
    """A link; locked, one of two browsers that use it at once is the first."""
    row = await fetch_row(
        scope,
        f"""
        SELECT held.id AS held_id, held.next_path, held.reusable, held.expires_at, held.used_at, {_RECIPIENT}
        FROM sign_in_link AS held {_OF_RECIPIENT}
        WHERE held.organization_id = $1 AND held.token_hash = $2 {"FOR UPDATE OF held" if lock else ""}
        """,
        scope.organization_id,
        token_hash,
    )
    if row is None:
        return None
    return FoundLink(
        row["held_id"],
        row["next_path"],
        row["reusable"],
        row["expires_at"],
        row["used_at"],
        row["disabled_at"] is not None,
        _recipient(row),
    )


async def use_link(scope: Scope, link_id: UUID, now: datetime) -> None:
    await execute(scope, "UPDATE sign_in_link SET used_at = $3 WHERE organization_id = $1 AND id = $2", scope.organization_id, link_id, now)


async def forget_before(scope: Scope, recipient: Recipient, before: datetime) -> None:
    """Links and sessions of the recipient that ended long ago."""
    for table in ("sign_in_link", "session"):
        await execute(
            scope,
            f"DELETE FROM {table} WHERE organization_id = $1 AND (person_id = $2 OR client_contact_id = $3) AND expires_at < $4",
            scope.organization_id,
            recipient.person_id,
            recipient.client_contact_id,
            before,
        )


def _recipient(row: object) -> Recipient:
    values = dict(row)  # type: ignore[call-overload]  # asyncpg carries no types
    return Recipient(values["id"], values["name"], values["email"], Role(values["role"]), values["client_id"])
