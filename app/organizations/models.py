"""What the organization services return."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple
from uuid import UUID

from app.actors import Actor, Permission, Role


class Door(StrEnum):
    """Where one signs in: people of the organization at the console, contacts of its clients at the portal."""

    CONSOLE = "console"
    PORTAL = "portal"


@dataclass(frozen=True, slots=True)
class Organization:
    """One tenant."""

    id: UUID
    slug: str
    """Its part of an address: `/portal/<slug>/…`."""
    name: str
    time_zone: str
    accent_color: str
    terms: str
    """What a client agrees to when it approves a quote; may be empty."""
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Person:
    """Someone who works for the organization."""

    id: UUID
    email: str
    name: str
    role: Role
    created_at: datetime
    disabled_at: datetime | None


@dataclass(frozen=True, slots=True)
class ApiToken:
    """What may be shown of an API token; the secret itself was shown once."""

    id: UUID
    name: str
    role: Role
    permissions: frozenset[Permission] | None
    """None: everything that the role allows."""
    last_four: str
    created_at: datetime
    last_used_at: datetime | None
    expires_at: datetime | None
    revoked_at: datetime | None


@dataclass(frozen=True, slots=True)
class Session:
    """A browser that is signed in."""

    id: UUID
    csrf_token: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class SignedIn:
    """Who a session cookie belongs to."""

    actor: Actor
    session: Session
    organization: Organization


@dataclass(frozen=True, slots=True)
class LinkView:
    """What a sign-in link is, before anybody uses it."""

    organization: Organization
    recipient_name: str
    door: Door
    usable: bool
    reason: str | None
    """Why it is not usable: expired, used or disabled."""


class SignInResult(NamedTuple):
    """What using a link gives: the value of the session cookie, and where to go."""

    cookie: str
    next_path: str | None
    door: Door


@dataclass(frozen=True, slots=True)
class Recipient:
    """Whom a sign-in link is for: a person, or with `client_id` a client's contact."""

    id: UUID
    name: str
    email: str
    role: Role
    client_id: UUID | None

    @property
    def door(self) -> Door:
        return Door.CONSOLE if self.client_id is None else Door.PORTAL

    @property
    def person_id(self) -> UUID | None:
        return self.id if self.client_id is None else None

    @property
    def client_contact_id(self) -> UUID | None:
        return None if self.client_id is None else self.id
