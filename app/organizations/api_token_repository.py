"""Every query on API tokens."""

from datetime import datetime
from functools import cache
from typing import Any
from uuid import UUID

from app.actors import Actor, Permission, Role, Scope
from app.database import execute, fetch, fetch_row
from app.organizations.models import ApiToken

_API_TOKEN = "id, name, role, permissions, last_four, created_at, last_used_at, expires_at, revoked_at"


async def find(scope: Scope, token_hash: bytes, now: datetime) -> ApiToken | None:
    """A token that is neither revoked nor expired. One round trip."""
    row = await fetch_row(
        scope,
        f"""
        SELECT {_API_TOKEN} FROM api_token
        WHERE organization_id = $1 AND token_hash = $2 AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > $3)
        """,
        scope.organization_id,
        token_hash,
        now,
    )
    return _api_token(row) if row else None


@cache
def standing(first: int) -> str:
    """The condition that a token is still what it was, from the parameter `first` on; its values are `standing_values`."""
    organization, token_hash, id, role, permissions, now, seen = (f"${number}" for number in range(first, first + 7))
    return f"""EXISTS (SELECT FROM api_token WHERE organization_id = {organization} AND token_hash = {token_hash}
        AND id = {id} AND role = {role} AND permissions IS NOT DISTINCT FROM {permissions}::text[]
        AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > {now}) AND last_used_at > {seen})"""


def standing_values(actor: Actor, token_hash: bytes, now: datetime, seen: datetime) -> list[Any]:
    """The values of `standing` for the actor that the token made; it was used after `seen`."""
    permissions = None if actor.scopes is None else sorted(actor.scopes)
    return [actor.organization_id, token_hash, actor.id, actor.role, permissions, now, seen]


async def all_of(scope: Scope) -> list[ApiToken]:
    rows = await fetch(scope, f"SELECT {_API_TOKEN} FROM api_token WHERE organization_id = $1 ORDER BY id DESC", scope.organization_id)
    return [_api_token(row) for row in rows]


async def add(
    scope: Scope,
    token_id: UUID,
    *,
    name: str,
    token_hash: bytes,
    last_four: str,
    role: Role,
    permissions: frozenset[Permission] | None,
    created_by: UUID | None,
    now: datetime,
    expires_at: datetime | None,
) -> ApiToken:
    row = await fetch_row(
        scope,
        f"""
        INSERT INTO api_token (id, organization_id, name, token_hash, last_four, role, permissions, created_by, created_at, expires_at)
        VALUES ($2, $1, $3, $4, $5, $6, $7, $8, $9, $10)
        RETURNING {_API_TOKEN}
        """,
        scope.organization_id,
        token_id,
        name,
        token_hash,
        last_four,
        role,
        None if permissions is None else sorted(permissions),
        created_by,
        now,
        expires_at,
    )
    return _api_token(row)


async def touch(scope: Scope, token_id: UUID, now: datetime) -> None:
    await execute(
        scope, "UPDATE api_token SET last_used_at = $3 WHERE organization_id = $1 AND id = $2", scope.organization_id, token_id, now
    )


async def revoke(scope: Scope, token_id: UUID, now: datetime) -> ApiToken | None:
    """The token, revoked now or earlier; None when it does not exist."""
    row = await fetch_row(
        scope,
        f"""
        UPDATE api_token SET revoked_at = coalesce(revoked_at, $3) WHERE organization_id = $1 AND id = $2
        RETURNING {_API_TOKEN}
        """,
        scope.organization_id,
        token_id,
        now,
    )
    return _api_token(row) if row else None


def _api_token(row: object) -> ApiToken:
    values = dict(row)  # type: ignore[call-overload]  # asyncpg carries no types
    permissions = None if values["permissions"] is None else frozenset(Permission(name) for name in values["permissions"])
    return ApiToken(**(values | {"role": Role(values["role"]), "permissions": permissions}))
