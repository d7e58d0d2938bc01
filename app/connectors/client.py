"""The one HTTP client of all connectors: authorised, within the budget, retried, logged, and silent about secrets.

Reads are repeated with exponential back-off and jitter after 429, 5xx, network errors and time-outs. A write is repeated only
where nothing can have happened (no connection, or refused with 429), or where the connector says that a repeat changes nothing;
otherwise OutcomeUnknown tells the connector to look before it writes again. Short waits are sat out here, longer ones are
raised with `retry_after`, so that the job gives its slot to others.
"""

import asyncio
import contextlib
import random
import ssl
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

import httpx
import msgspec

from app.connectors.answers import Answers, Response
from app.connectors.auth import Authorization
from app.connectors.budget import PATIENCE_SECONDS, Budget, Priority
from app.connectors.calls import CallLog, ProviderCall
from app.connectors.errors import (
    AddressRefused,
    ConnectorError,
    OutcomeUnknown,
    ProviderUnavailable,
    QuotaExhausted,
    RateLimited,
    UnexpectedResponse,
)
from app.connectors.redaction import Redactor

BODY_LIMIT = 32 * 1024 * 1024
"""Bytes of one answer, decompressed. The largest page that a provider was seen to send has 5,000 objects, about 10 MB."""
LONGEST_BACKOFF_SECONDS = 8.0
CONNECT_SECONDS = 10.0
HEADERS = {"accept": "application/json", "accept-encoding": "gzip", "user-agent": "Crosswalk"}
JSON = {"content-type": "application/json"}

Transport = httpx.AsyncBaseTransport
"""Where requests go out: GuardedTransport in a running hub."""

Check = Callable[[Response], None]
"""Raises UnexpectedResponse for an answer that cannot be used; a read is then tried again."""

# The request cannot have reached the provider.
_NOT_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol)


@dataclass(frozen=True, slots=True)
class _Call:
    """One request, however often it is sent."""

    method: str
    url: httpx.URL
    content: bytes | None
    headers: Mapping[str, str]
    repeatable: bool
    is_read: bool
    check: Check | None


@dataclass(slots=True)
class _Attempt:
    """What one sending came to."""

    number: int
    waited: float
    response: Response | None = None
    error: ConnectorError | None = None
    may_have_happened: bool = True

    @property
    def again(self) -> bool:
        """Whether another attempt can help."""
        return isinstance(self.error, (ProviderUnavailable, RateLimited, UnexpectedResponse)) and not isinstance(self.error, QuotaExhausted)


class ApiClient:
    """Requests below one base URL for one connection. Made for a piece of work; connections are pooled in the transport."""

    def __init__(
        self,
        base_url: str,
        authorization: Authorization,
        *,
        transport: Transport,
        budget: Budget,
        log: CallLog,
        priority: Priority = "bulk",
        timeout_seconds: float = 30.0,
        attempts: int = 3,
        delay_seconds: float = 1.0,
        answers: Answers | None = None,
        body_limit: int = BODY_LIMIT,
        patience_seconds: float = PATIENCE_SECONDS,
    ) -> None:
        self._base = base_url_of(base_url)
        self._authorization = authorization
        self.redactor = Redactor(authorization.secrets)
        self._transport = transport
        self._budget = budget
        self._log = log
        self._priority: Priority = priority
        self._timeout_seconds = timeout_seconds
        self._attempts = max(1, attempts)
        self._delay_seconds = delay_seconds
        self._answers = answers or Answers()
        self._body_limit = body_limit
        self._patience_seconds = patience_seconds

    def __repr__(self) -> str:
        return f"ApiClient({self.redactor.clean(self._base)!r})"

    async def get(self, path: str, params: Mapping[str, str] | None = None, *, check: Check | None = None) -> Response:
        """Read. `check` refuses answers that are complete but unusable. Raises ConnectorError."""
        return await self._send(_Call("GET", self._url(path, params), None, {}, True, True, check))

    async def read_by_post(self, path: str, body: Mapping[str, Any], *, check: Check | None = None) -> Response:
        """Read where the provider takes its questions as POST: repeated like any read. Raises ConnectorError."""
        return await self._send(_Call("POST", self._url(path), self._json(body), JSON, True, True, check))

    async def post(self, path: str, body: Any, *, replay_safe: bool = False, check: Check | None = None) -> Response:
        """Write a JSON body. `replay_safe` promises that sending it twice has one effect. Raises ConnectorError."""
        return await self._send(_Call("POST", self._url(path), self._json(body), JSON, replay_safe, False, check))

    async def delete(self, path: str, *, replay_safe: bool = False) -> Response:
        """Delete. Raises ConnectorError."""
        return await self._send(_Call("DELETE", self._url(path), None, {}, replay_safe, False, None))

    def _json(self, body: Any) -> bytes:
        return msgspec.json.encode({**self._authorization.body, **body} if self._authorization.body else body)

    def _url(self, path: str, params: Mapping[str, str] | None = None) -> httpx.URL:
        query = "&".join(f"{quote(name, safe='$')}={quote(value, safe='')}" for name, value in (params or {}).items())
        return httpx.URL(self._base + path + (f"?{query}" if query else ""))

    async def _send(self, call: _Call) -> Response:
        waited, doubtful = 0.0, False
        for number in range(1, self._attempts + 1):
            attempt = _Attempt(number, waited + await self._budget.acquire(self._priority))
            await self._try(call, attempt)
            if attempt.error is None and attempt.response:
                return attempt.response
            doubtful = doubtful or (attempt.may_have_happened and not call.is_read)
            await self._give_up(call, attempt, doubtful=doubtful)
            waited = self._delay(attempt)
            await asyncio.sleep(waited)
        raise AssertionError("the last attempt returns or raises")

    async def _give_up(self, call: _Call, attempt: _Attempt, *, doubtful: bool) -> None:
        """Raise what this attempt came to, unless another one may follow. A write in doubt is only repeated when that is safe."""
        error = attempt.error
        if isinstance(error, RateLimited) and error.retry_after > self._patience_seconds:
            await self._budget.pause(error.retry_after, quota=isinstance(error, QuotaExhausted))
            raise error
        if attempt.again and attempt.number < self._attempts and (call.repeatable or not doubtful):
            return
        if doubtful and isinstance(error, (ProviderUnavailable, UnexpectedResponse)):
            raise OutcomeUnknown(f"It is not known whether the provider took the change. {error.message}")
        if error is not None:
            raise error

    def _delay(self, attempt: _Attempt) -> float:
        """Seconds: what the provider asks for, else 1, 2, 4 … times the setting, each shortened at random by up to a half."""
        asked = attempt.error.retry_after if isinstance(attempt.error, RateLimited) else _asked_by(attempt.response)
        backoff = min(self._delay_seconds * 2.0 ** (attempt.number - 1), LONGEST_BACKOFF_SECONDS) * random.uniform(0.5, 1)
        return max(backoff, min(asked or 0.0, self._patience_seconds))

    async def _try(self, call: _Call, attempt: _Attempt) -> None:
        started, called_at = time.perf_counter(), datetime.now(UTC)
        cancelled = "The request was cancelled."
        try:
            attempt.response = await self._exchange(call)
            self._judge(call, attempt)
            cancelled = ""
        except ConnectorError as error:
            # The guard refuses before anything is sent; an unusable answer comes after.
            attempt.error, attempt.may_have_happened, cancelled = error, isinstance(error, UnexpectedResponse), ""
        except (httpx.TransportError, TimeoutError, httpx.DecodingError) as error:
            attempt.error, attempt.may_have_happened, cancelled = self._network_error(error), not isinstance(error, _NOT_SENT), ""
        finally:
            # Also a request that is cancelled half-way may have done its work: it is logged like any other.
            await self._log.add(self._logged(call, attempt, called_at, time.perf_counter() - started, cancelled))

    async def _exchange(self, call: _Call) -> Response:
        request = httpx.Request(
            call.method,
            call.url,
            headers={**HEADERS, **self._authorization.headers, **call.headers},
            content=call.content,
            extensions={"timeout": httpx.Timeout(self._timeout_seconds, connect=min(CONNECT_SECONDS, self._timeout_seconds)).as_dict()},
        )
        async with asyncio.timeout(self._timeout_seconds):
            response = await self._transport.handle_async_request(request)
            response.request = request
            try:
                content = await self._read(response)
            finally:
                with contextlib.suppress(httpx.TransportError):
                    await response.aclose()
        return Response(response.status_code, {name.lower(): value for name, value in response.headers.items()}, content)

    async def _read(self, response: httpx.Response) -> bytes:
        pieces, length = [], 0
        async for piece in response.aiter_bytes():
            length += len(piece)
            if length > self._body_limit:
                raise UnexpectedResponse(f"The provider's answer is larger than {self._body_limit // 1024} KiB.")
            pieces.append(piece)
        return b"".join(pieces)

    def _judge(self, call: _Call, attempt: _Attempt) -> None:
        response = attempt.response
        assert response is not None
        attempt.error = self._answers.error(response, self.redactor)
        # What was refused with a clear answer did not happen; after a 5xx nobody knows.
        attempt.may_have_happened = attempt.error is None or self._answers.leaves_in_doubt(response, attempt.error)
        if attempt.error is None and call.check:
            call.check(response)

    def _network_error(self, error: Exception) -> ConnectorError:
        if _cause(error, ssl.SSLCertVerificationError):
            return AddressRefused("The provider's certificate could not be verified; check the address.")
        if isinstance(error, (httpx.TimeoutException, TimeoutError)):
            return ProviderUnavailable(f"The provider did not answer within {self._timeout_seconds:g} seconds.")
        if isinstance(error, (httpx.RemoteProtocolError, httpx.ReadError, httpx.DecodingError)):
            return ProviderUnavailable("The provider's answer was cut off.")
        return ProviderUnavailable("The provider could not be reached.")

    def _logged(self, call: _Call, attempt: _Attempt, called_at: datetime, seconds: float, cancelled: str) -> ProviderCall:
        response, error = attempt.response, attempt.error.message if attempt.error else cancelled
        return ProviderCall(
            method=call.method,
            url=self.redactor.clean(str(call.url)),
            status=response.status if response else None,
            attempt=attempt.number,
            duration_ms=round(seconds * 1000, 3),
            waited_ms=round(attempt.waited * 1000, 3),
            bytes_received=len(response.content) if response else 0,
            error=self.redactor.quote(error) if error else None,
            called_at=called_at,
        )


def base_url_of(text: str) -> str:
    """A base URL without its last slash. Raises AddressRefused for anything that is not plainly scheme, host and path."""
    try:
        url = httpx.URL(text.strip())
    except (httpx.InvalidURL, ValueError):
        raise AddressRefused("This is not an address; it should look like https://api.example.com.") from None
    if url.scheme not in ("https", "http") or not url.host:
        raise AddressRefused("An address must begin with https:// and name a host.")
    if url.userinfo or url.query or url.fragment or "@" in text or "\\" in text or "?" in text or "#" in text:
        raise AddressRefused("An address must hold no user name, no password, no query and no fragment.")
    return str(url).rstrip("/")


def segment(identifier: str) -> str:
    """An identifier as one segment of a path; it cannot leave its place."""
    return quote(identifier, safe="").replace(".", "%2E") if set(identifier) <= {"."} else quote(identifier, safe="")


def _asked_by(response: Response | None) -> float | None:
    return response.retry_after if response else None


def _cause(error: BaseException | None, kind: type[BaseException]) -> bool:
    seen = 0
    while error is not None and seen < 10:
        if isinstance(error, kind):
            return True
        error, seen = error.__cause__ or error.__context__, seen + 1
    return False
