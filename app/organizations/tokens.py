"""Secrets that name their organization: `cw_<organization id>_<secret>`, for sessions, links and API tokens.

Whoever presents one can be looked up inside the organization's wall at once. Only its SHA-256 is stored: the secret
has 256 random bits, so there is nothing to guess, and looking a digest up in an index tells an attacker nothing
about it (the digest cannot be steered towards a prefix).
"""

import re
import secrets
from hashlib import sha256
from uuid import UUID

from app.errors import NotSignedIn

_TOKEN = re.compile(r"cw_([0-9a-f]{32})_([A-Za-z0-9_-]{43})")


def new_token(organization_id: UUID) -> str:
    return f"cw_{organization_id.hex}_{secrets.token_urlsafe(32)}"


def parse(token: str) -> UUID:
    """The organization that the token names. Raises NotSignedIn for anything that is not one of our tokens."""
    match = _TOKEN.fullmatch(token)
    if match is None:
        raise NotSignedIn
    return UUID(match[1])


def digest(token: str) -> bytes:
    """What is stored of a token."""
    return sha256(token.encode()).digest()


def without_tokens(text: str) -> str:
    """The text with every token in it made useless."""
    return _TOKEN.sub("cw_…", text)
