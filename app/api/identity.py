"""Who sends a request: an API token, or the browser of somebody who is signed in.

A browser attaches its cookie to requests that other sites cause, so a cookie counts only when the browser says that
the request comes from one of our own pages (or from an origin that the deployment allows).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from starlette.requests import HTTPConnection
from strawberry.http.websocket_origin import is_same_origin

from app.actors import Actor
from app.errors import NotSignedIn

if TYPE_CHECKING:
    from app.bootstrap import Hub

SESSION_COOKIE = "crosswalk_session"

_HOW = "Send an API token as `Authorization: Bearer cw_…`, or sign in."


@dataclass(frozen=True, slots=True)
class Credential:
    """What proves who asks, kept so that a long stream can prove it again."""

    secret: str = field(repr=False)
    is_token: bool
    ip: str | None = None
    user_agent: str | None = None

    async def actor(self, hub: "Hub") -> Actor:
        """Raises NotSignedIn when it is unknown, expired, revoked or its session has ended."""
        if self.is_token:
            return await hub.organizations.actor_for_token(self.secret, ip=self.ip, user_agent=self.user_agent)
        return (await hub.organizations.actor_for_session(self.secret, ip=self.ip, user_agent=self.user_agent)).actor


@dataclass(frozen=True, slots=True)
class Caller:
    """The parts of a request that say who sends it."""

    headers: Mapping[str, str]
    cookies: Mapping[str, str]
    ip: str | None
    allowed_origins: Sequence[str]

    @classmethod
    def of(cls, connection: HTTPConnection, allowed_origins: Sequence[str]) -> "Caller":
        ip = connection.client.host if connection.client else None
        return cls(connection.headers, connection.cookies, ip, allowed_origins)

    def credential(self) -> Credential:
        """Raises NotSignedIn, with a sentence that says what is missing."""
        authorization = self.headers.get("authorization")
        if authorization is not None:
            return self.token(authorization)
        if SESSION_COOKIE not in self.cookies:
            raise NotSignedIn(f"This needs to know who asks. {_HOW}")
        if not comes_from_own_page(self.headers, self.allowed_origins):
            raise NotSignedIn("A session counts only for requests from the hub's own pages; use an API token here.")
        return Credential(self.cookies[SESSION_COOKIE], False, self.ip, self.headers.get("user-agent"))

    def token(self, authorization: object) -> Credential:
        """From the value of an Authorization header, or the same text in a WebSocket's first message."""
        scheme, _, secret = authorization.strip().partition(" ") if isinstance(authorization, str) else ("", "", "")
        if scheme.lower() != "bearer" or not secret.strip():
            raise NotSignedIn(f"The authorization cannot be read. {_HOW}")
        return Credential(secret.strip(), True, self.ip, self.headers.get("user-agent"))


def comes_from_own_page(headers: Mapping[str, str], allowed_origins: Sequence[str]) -> bool:
    """Whether the browser says so; a request that says nothing is not believed.

    `Sec-Fetch-Site: none` is an address that a person typed or opened from a bookmark.
    """
    origin, site = headers.get("origin"), headers.get("sec-fetch-site")
    if origin is not None and origin.rstrip("/") in allowed_origins:
        return True
    if site is not None:
        return site in {"same-origin", "none"}
    return origin is not None and is_same_origin(origin, headers.get("host"))
