"""Who may sign in how, for how long, and where to. Values in, values out."""

import re
from collections.abc import Iterable
from datetime import datetime, timedelta
from ipaddress import IPv6Address, ip_address
from zoneinfo import available_timezones

from app.actors import PERMISSIONS, Actor, ActorKind, Permission, Role, Scope
from app.errors import InvalidInput, PermissionDenied
from app.organizations.models import Door, Recipient
from app.plain_text import is_one_line, is_storable, one_line

LINK_LIFETIMES = {Door.CONSOLE: timedelta(minutes=15), Door.PORTAL: timedelta(minutes=30)}
"""Of a link that somebody asked for."""
INVITATION_LIFETIME = timedelta(days=7)
SESSION_LIFETIMES = {Door.CONSOLE: timedelta(hours=12), Door.PORTAL: timedelta(days=14)}
"""Since it was last used."""
SEEN_EVERY = timedelta(minutes=5)
"""How exactly the last use of a session or token is known: writing it down each time would double the work."""

_EMAIL = re.compile(r"[^@\s<>,;:\"()\[\]\\]+@[^@\s<>,;:\"()\[\]\\]+\.[^@\s<>,;:\"()\[\]\\.]+")
_SLUG = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
_COLOR = re.compile(r"#[0-9a-f]{6}")


def email_address(text: str) -> str:
    """The address as it is stored. Raises InvalidInput."""
    email = text.strip().lower()
    if len(email) > 254 or not email.isprintable() or not _EMAIL.fullmatch(email):
        raise InvalidInput(fields={"email": "This is not an e-mail address."})
    return email


def name(text: str, *, field: str = "name", maximum: int = 200) -> str:
    """One line, not empty. Raises InvalidInput."""
    cleaned = one_line(text)
    if not 1 <= len(cleaned) <= maximum or not is_one_line(cleaned):
        raise InvalidInput(fields={field: f"Write 1 to {maximum} characters."})
    return cleaned


def terms(text: str) -> str:
    """What clients agree to. Raises InvalidInput."""
    if len(text) > 20_000 or not is_storable(text):
        raise InvalidInput(fields={"terms": "Write at most 20,000 characters."})
    return text.strip()


def check_organization(slug: str, time_zone: str, accent_color: str) -> None:
    """Raises InvalidInput."""
    problems = {
        "slug": None if _SLUG.fullmatch(slug) else "Use 1 to 63 small letters, digits and hyphens, beginning with a letter or digit.",
        "time_zone": None if time_zone in available_timezones() else "This is not the name of a time zone, such as Europe/Ljubljana.",
        "accent_color": None if _COLOR.fullmatch(accent_color) else "Write a colour as #1f5f5b.",
    }
    if fields := {field: problem for field, problem in problems.items() if problem}:
        raise InvalidInput(fields=fields)


def person_role(role: str) -> Role:
    """Raises InvalidInput."""
    if role not in {Role.OWNER, Role.OPERATOR, Role.VIEWER}:
        raise InvalidInput(fields={"role": "Choose owner, operator or viewer."})
    return Role(role)


def permissions_of(role: Role, names: Iterable[str] | None) -> frozenset[Permission] | None:
    """What a token is limited to. Raises InvalidInput for what its role does not allow."""
    if names is None:
        return None
    allowed = {str(permission) for permission in PERMISSIONS[role]}
    given = {str(name) for name in names}
    if beyond := sorted(given - allowed):
        raise InvalidInput(fields={"permissions": f"The role {role} does not allow {', '.join(beyond)}."})
    return frozenset(Permission(name) for name in given)


def check_grant(actor: Actor, role: Role, permissions: frozenset[Permission] | None = None) -> None:
    """Nobody hands out more than they have. Raises PermissionDenied."""
    if not all(actor.may(permission) for permission in (PERMISSIONS[role] if permissions is None else permissions)):
        raise PermissionDenied("You cannot allow more than you are allowed yourself.")


def safe_next_path(door: Door, path: str | None) -> str | None:
    """A path behind the same door, or None: a link must not lead to somebody else's page."""
    if path is None or len(path) > 2000 or not path.isprintable() or "\\" in path or "/../" in path:
        return None
    return path if path == f"/{door}" or path.startswith(f"/{door}/") else None


def link_problem(*, now: datetime, expires_at: datetime, used: bool, disabled: bool) -> str | None:
    """Why a link cannot be used, or None."""
    if disabled:
        return "disabled"
    if used:
        return "used"
    return "expired" if now >= expires_at else None


def actor_of(recipient: Recipient, scope: Scope, *, ip: str | None, user_agent: str | None) -> Actor:
    """Who acts when this recipient is signed in."""
    kind = ActorKind.PERSON if recipient.client_id is None else ActorKind.CLIENT_CONTACT
    scope = Scope(scope.organization_id, recipient.client_id)
    return Actor(scope, kind, recipient.role, recipient.name, recipient.id, ip, user_agent)


def network_of(ip: str) -> str:
    """Whom to count requests for: an address, or the /64 that one IPv6 customer usually has."""
    try:
        address = ip_address(ip)
    except ValueError:
        return "unknown"
    if not isinstance(address, IPv6Address):
        return str(address)
    return str(address.ipv4_mapped or IPv6Address(int(address) >> 64 << 64))
