"""How requests are authorised: headers or body fields to send, and the secrets in them that must never be shown."""

import base64
from dataclasses import dataclass, field

from app.connectors.errors import CredentialsRefused


@dataclass(frozen=True, slots=True)
class Authorization:
    """Headers of every request of a connection, and fields of every JSON body. Its repr shows no value."""

    headers: dict[str, str] = field(default_factory=dict, repr=False)
    secrets: tuple[str, ...] = field(default=(), repr=False)
    body: dict[str, str] = field(default_factory=dict, repr=False)


def api_key(header: str, key: str) -> Authorization:
    """A key in a header of the provider's choice."""
    return Authorization({header: _sendable(key)}, (key,))


def bearer(token: str) -> Authorization:
    """RFC 6750."""
    return Authorization({"Authorization": f"Bearer {_sendable(token)}"}, (token,))


def basic(user: str, password: str) -> Authorization:
    """RFC 7617, in UTF-8."""
    pair = base64.b64encode(f"{user}:{password}".encode()).decode()
    return Authorization({"Authorization": f"Basic {pair}"}, (password, pair))


def in_body(secrets: dict[str, str], **names: str) -> Authorization:
    """Fields of every JSON body: secrets, and names that may be shown."""
    return Authorization(secrets=tuple(secrets.values()), body={**names, **{name: _sendable(secret) for name, secret in secrets.items()}})


def _sendable(secret: str) -> str:
    if secret.isascii() and secret.isprintable() and secret.strip() == secret:
        return secret
    raise CredentialsRefused("The credentials hold characters that no key has, such as blanks or line breaks; copy them again.")
