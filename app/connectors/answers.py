"""What an HTTP status means: one table, which a connector may extend where its provider differs.

The sentences say what is true and who can fix it; the provider's own words are quoted, without secrets and cut.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import msgspec

from app.connectors.errors import (
    AddressRefused,
    ConnectorError,
    CredentialsRefused,
    ObjectMissing,
    ProviderUnavailable,
    RateLimited,
    RequestRejected,
)
from app.connectors.redaction import Redactor

DEFAULT_PAUSE_SECONDS = 60.0
"""How long a 429 without Retry-After stops a connection."""


@dataclass(frozen=True, slots=True)
class Response:
    """A provider's answer; `headers` has lower-case names, `content` is decompressed and complete."""

    status: int
    headers: Mapping[str, str]
    content: bytes = field(repr=False)

    @property
    def retry_after(self) -> float | None:
        """Seconds that the provider asks for (RFC 9110, 10.2.3), counted by its own clock where it gives a time."""
        return _retry_after(self.headers)

    @property
    def date(self) -> datetime | None:
        """The provider's clock when it answered."""
        return _http_time(self.headers.get("date", ""))


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a status means: the error's class and the sentence before the provider's words."""

    error: type[ConnectorError]
    sentence: str


TABLE: Mapping[int, Verdict] = {
    400: Verdict(RequestRejected, "The provider refused the request"),
    401: Verdict(CredentialsRefused, "The provider does not accept the credentials; reconnect with valid ones"),
    402: Verdict(CredentialsRefused, "The account at the provider is not in good standing; settle it there, then reconnect"),
    403: Verdict(CredentialsRefused, "The credentials do not allow this; reconnect with ones that do"),
    404: Verdict(ObjectMissing, "The provider does not have this"),
    407: Verdict(AddressRefused, "A proxy in between asks for a sign-in"),
    408: Verdict(ProviderUnavailable, "The provider waited too long for the request"),
    409: Verdict(RequestRejected, "The provider says that this is there already or was changed"),
    410: Verdict(ObjectMissing, "The provider does not have this any more"),
    421: Verdict(ProviderUnavailable, "The provider could not serve this request"),
    425: Verdict(ProviderUnavailable, "The provider was not ready for the request"),
    426: Verdict(AddressRefused, "The provider wants an encrypted connection; use its https address"),
    429: Verdict(RateLimited, "The provider asks for fewer requests"),
}
_REDIRECT = Verdict(AddressRefused, "The provider sent the request on to another address, which is not followed; use the final address")
_REFUSED = Verdict(RequestRejected, "The provider refused the request")
_FAILED = Verdict(ProviderUnavailable, "The provider has a problem; it will be tried again")


def words_in(response: Response) -> str:
    """A provider's own words, wherever common error bodies hold them; plain text as it is."""
    text = response.content[:20_000].decode("utf-8", "replace")
    if not text.lstrip().startswith(("{", "[")):
        return "" if "html" in response.headers.get("content-type", "") else text
    try:
        return _message_in(msgspec.json.decode(response.content)) or text
    except (msgspec.DecodeError, RecursionError):
        return text


@dataclass(frozen=True, slots=True)
class Answers:
    """Reads a provider's answers; a connector overrides what is different at its provider."""

    table: Mapping[int, Verdict] = field(default_factory=dict)
    words: Callable[[Response], str] = words_in
    pause: Callable[[Response, str], RateLimited | None] | None = None
    """For a 429 with the provider's words in it: how long to stay away, where the provider says it in another way than Retry-After."""

    def error(self, response: Response, redactor: Redactor) -> ConnectorError | None:
        """The error that an answer is; None for a success."""
        if 200 <= response.status < 300:
            return None
        words = redactor.quote(self.words(response))
        verdict = self._verdict(response.status)
        message = f"{verdict.sentence} (HTTP {response.status})" + (f": “{words}”" if words else ".")
        if issubclass(verdict.error, RateLimited):
            own = self.pause(response, words) if self.pause else None
            return own or verdict.error(message, retry_after=response.retry_after or DEFAULT_PAUSE_SECONDS)
        if issubclass(verdict.error, RequestRejected):
            return verdict.error(message, status=response.status)
        return verdict.error(message)

    def leaves_in_doubt(self, response: Response, error: ConnectorError) -> bool:
        """Whether a write with this answer may have happened all the same."""
        return response.status >= 500

    def _verdict(self, status: int) -> Verdict:
        known = self.table.get(status) or TABLE.get(status)
        if known:
            return known
        if status < 400:
            return _REDIRECT
        return _REFUSED if status < 500 else _FAILED


def _message_in(body: Any) -> str:
    """The first text under a name that error bodies use."""
    if isinstance(body, list) and body:
        body = body[0]
    if not isinstance(body, dict):
        return body if isinstance(body, str) else ""
    for name in ("message", "error_description", "detail", "title", "error", "errors"):
        value = body.get(name)
        if value:
            return value if isinstance(value, str) else _message_in(value)
    return ""


def _retry_after(headers: Mapping[str, str]) -> float | None:
    text = headers.get("retry-after", "").strip()
    if not text:
        return None
    try:
        seconds = float(text)
    except ValueError:
        then, now = _http_time(text), _http_time(headers.get("date", "")) or datetime.now(UTC)
        return max(0.0, (then - now).total_seconds()) if then else None
    return seconds if 0 <= seconds < float("inf") else None


def _http_time(text: str) -> datetime | None:
    try:
        found = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError):
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)
