"""Every query on organizations and people."""

from uuid import UUID

from app.actors import Role, Scope
from app.database import execute, fetch, fetch_row, system_fetch
from app.organizations.models import Organization, Person

_ORGANIZATION = "id, slug, name, time_zone, accent_color, terms, created_at"
_PERSON = "id, email, name, role, created_at, disabled_at"


async def organization_id_across_organizations(slug: str) -> UUID | None:
    """Whose address this is; asked before the organization is known."""
    rows = await system_fetch("SELECT id FROM organization WHERE slug = $1", slug)
    return rows[0]["id"] if rows else None


async def add_organization(scope: Scope, *, slug: str, name: str, time_zone: str, accent_color: str, terms: str) -> None:
    await execute(
        scope,
        "INSERT INTO organization (id, slug, name, time_zone, accent_color, terms) VALUES ($1, $2, $3, $4, $5, $6)",
        scope.organization_id,
        slug,
        name,
        time_zone,
        accent_color,
        terms,
    )
    await execute(scope, "INSERT INTO organization_counter (organization_id) VALUES ($1)", scope.organization_id)


async def organization(scope: Scope) -> Organization | None:
    row = await fetch_row(scope, f"SELECT {_ORGANIZATION} FROM organization WHERE id = $1", scope.organization_id)
    return Organization(**row) if row else None


async def change_organization(scope: Scope, *, name: str, time_zone: str, accent_color: str, terms: str) -> None:
    await execute(
        scope,
        "UPDATE organization SET name = $2, time_zone = $3, accent_color = $4, terms = $5 WHERE id = $1",
        scope.organization_id,
        name,
        time_zone,
        accent_color,
        terms,
    )


async def people(scope: Scope) -> list[Person]:
    rows = await fetch(scope, f"SELECT {_PERSON} FROM person WHERE organization_id = $1 ORDER BY name, id", scope.organization_id)
    return [_person(row) for row in rows]


async def person(scope: Scope, person_id: UUID) -> Person | None:
    row = await fetch_row(scope, f"SELECT {_PERSON} FROM person WHERE organization_id = $1 AND id = $2", scope.organization_id, person_id)
    return _person(row) if row else None


async def add_person(scope: Scope, person_id: UUID, *, email: str, name: str, role: Role) -> Person | None:
    """A new person, or a disabled one who comes back. None when the address is in use."""
    row = await fetch_row(
        scope,
        f"""
        INSERT INTO person (id, organization_id, email, name, role) VALUES ($2, $1, $3, $4, $5)
        ON CONFLICT (organization_id, email) DO UPDATE SET name = excluded.name, role = excluded.role, disabled_at = NULL
        WHERE person.disabled_at IS NOT NULL
        RETURNING {_PERSON}
        """,
        scope.organization_id,
        person_id,
        email,
        name,
        role,
    )
    return _person(row) if row else None


async def lock_owners(scope: Scope) -> set[UUID]:
    """The owners who may sign in, locked: two of them cannot both be the last to go."""
    rows = await fetch(
        scope,
        "SELECT id FROM person WHERE organization_id = $1 AND role = 'owner' AND disabled_at IS NULL ORDER BY id FOR UPDATE",
        scope.organization_id,
    )
    return {row["id"] for row in rows}


async def set_role(scope: Scope, person_id: UUID, role: Role) -> None:
    await execute(scope, "UPDATE person SET role = $3 WHERE organization_id = $1 AND id = $2", scope.organization_id, person_id, role)


async def disable_person(scope: Scope, person_id: UUID) -> None:
    """Shuts the person out at once: sessions and links are refused from the next look on."""
    await execute(
        scope,
        "UPDATE person SET disabled_at = now() WHERE organization_id = $1 AND id = $2 AND disabled_at IS NULL",
        scope.organization_id,
        person_id,
    )
    await execute(
        scope,
        "UPDATE session SET ended_at = now() WHERE organization_id = $1 AND person_id = $2 AND ended_at IS NULL",
        scope.organization_id,
        person_id,
    )


def _person(row: object) -> Person:
    values = dict(row)  # type: ignore[call-overload]  # asyncpg carries no types
    return Person(**(values | {"role": Role(values["role"])}))
