"""Who asks, within which walls, and what each role may do.

A scope is what can be reached: one organization and, for a client's contact, one client of it. An actor is who asks.
The permission matrix below is the only one; every service method names the permission that it needs.
"""

from dataclasses import dataclass, field
from enum import StrEnum
from uuid import UUID

from app.errors import PermissionDenied


@dataclass(frozen=True, slots=True)
class Scope:
    """One organization; with `client_id`, only what belongs to that client of it."""

    organization_id: UUID
    client_id: UUID | None = None


class Role(StrEnum):
    OWNER = "owner"
    OPERATOR = "operator"
    VIEWER = "viewer"
    CLIENT_CONTACT = "client_contact"
    SYSTEM = "system"


class ActorKind(StrEnum):
    PERSON = "person"
    CLIENT_CONTACT = "client_contact"
    API_TOKEN = "api_token"
    SYSTEM = "system"


class Permission(StrEnum):
    """What can be allowed. One name for a thing that one can ask for."""

    READ_CONNECTIONS = "connections:read"
    MANAGE_CONNECTIONS = "connections:manage"
    READ_SYNCS = "syncs:read"
    RUN_SYNCS = "syncs:run"
    READ_RECORDS = "records:read"
    MANAGE_RECORDS = "records:manage"
    READ_QUOTES = "quotes:read"
    DECIDE_QUOTES = "quotes:decide"
    READ_CLIENTS = "clients:read"
    MANAGE_CLIENTS = "clients:manage"
    READ_AUDIT = "audit:read"
    MANAGE_PEOPLE = "people:manage"


_READ = frozenset(
    {
        Permission.READ_CONNECTIONS,
        Permission.READ_SYNCS,
        Permission.READ_RECORDS,
        Permission.READ_QUOTES,
        Permission.READ_CLIENTS,
    }
)
_OPERATE = _READ | {
    Permission.MANAGE_CONNECTIONS,
    Permission.RUN_SYNCS,
    Permission.MANAGE_RECORDS,
    Permission.DECIDE_QUOTES,
    Permission.MANAGE_CLIENTS,
    Permission.READ_AUDIT,
}

PERMISSIONS: dict[Role, frozenset[Permission]] = {
    Role.OWNER: frozenset(Permission),
    Role.OPERATOR: frozenset(_OPERATE),
    Role.VIEWER: _READ,
    Role.CLIENT_CONTACT: frozenset({Permission.READ_QUOTES, Permission.DECIDE_QUOTES}),
    Role.SYSTEM: frozenset(Permission),
}


@dataclass(frozen=True, slots=True)
class Actor:
    """Who asks. `id` is the person, client contact or API token; None for the system itself."""

    scope: Scope
    kind: ActorKind
    role: Role
    name: str
    id: UUID | None = None
    ip: str | None = None
    user_agent: str | None = None
    scopes: frozenset[Permission] | None = field(default=None)

    def may(self, permission: Permission) -> bool:
        """Whether the role allows it and, for an API token with scopes, the token does too."""
        return permission in PERMISSIONS[self.role] and (self.scopes is None or permission in self.scopes)

    def require(self, permission: Permission) -> None:
        """Raise PermissionDenied unless the actor may."""
        if not self.may(permission):
            raise PermissionDenied

    @property
    def organization_id(self) -> UUID:
        return self.scope.organization_id


def system_actor(organization_id: UUID, name: str = "Crosswalk") -> Actor:
    """The hub itself, acting within one organization."""
    return Actor(Scope(organization_id), ActorKind.SYSTEM, Role.SYSTEM, name)
