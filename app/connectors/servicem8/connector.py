"""ServiceM8: what the hub knows of it."""

from datetime import UTC, datetime
from typing import Annotated, Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from app.connectors.answers import Answers, Response
from app.connectors.auth import api_key
from app.connectors.base import Account, ApiVersion, Connector, RateLimit, Session, Setting
from app.connectors.budget import Budget, Priority
from app.connectors.calls import CallLog
from app.connectors.client import ApiClient, Transport
from app.connectors.errors import QuotaExhausted, RateLimited, UnexpectedResponse
from app.connectors.servicem8.actions import APPROVE_QUOTE, APPROVE_QUOTE_PARTIALLY, REJECT_QUOTE
from app.connectors.servicem8.payloads import Vendor
from app.connectors.servicem8.streams import COMPANIES, JOBS, QUOTES

BASE_URL = "https://api.servicem8.com"
A_DAYS_QUOTA_IS_BACK_SECONDS = 3600.0
"""When the day's quota is used up, the hour at which it is renewed is not documented: it is tried again after this long."""


class ServiceM8Settings(msgspec.Struct, frozen=True, kw_only=True):
    """What a connection needs. Times in seconds."""

    api_key: Annotated[str, msgspec.Meta(min_length=8, max_length=500)]
    base_url: Annotated[str, msgspec.Meta(min_length=1, max_length=500)] = BASE_URL
    timeout_seconds: Annotated[float, msgspec.Meta(ge=1, le=300)] = 30.0
    attempts: Annotated[int, msgspec.Meta(ge=1, le=10)] = 3
    delay_seconds: Annotated[float, msgspec.Meta(ge=0, le=60)] = 1.0

    def __repr__(self) -> str:
        return f"ServiceM8Settings(base_url={self.base_url!r})"

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        # Tracebacks drawn by rich would show every field otherwise.
        return [("base_url", self.base_url)]


def make_client(
    settings: ServiceM8Settings, transport: Transport, budget: Budget, log: CallLog, *, priority: Priority = "bulk"
) -> ApiClient:
    """An ApiClient that sends the key. https://developer.servicem8.com/docs/authentication"""
    return ApiClient(
        settings.base_url,
        api_key("X-API-Key", settings.api_key),
        transport=transport,
        budget=budget,
        log=log,
        priority=priority,
        timeout_seconds=settings.timeout_seconds,
        attempts=settings.attempts,
        delay_seconds=settings.delay_seconds,
        answers=Answers(pause=pause),
    )


def pause(response: Response, words: str) -> RateLimited:
    """A 429 says in its text which limit it was; there is no Retry-After. https://developer.servicem8.com/docs/rate-limiting"""
    if "per day" in words:
        return QuotaExhausted(
            f"ServiceM8's daily quota is used up: “{words}”", retry_after=response.retry_after or A_DAYS_QUOTA_IS_BACK_SECONDS
        )
    seconds = response.retry_after or _until_the_next_minute(response)
    return RateLimited(f"ServiceM8 asks for a pause: “{words}”", retry_after=seconds)


async def check(session: Session) -> Account:
    """Read the account. https://developer.servicem8.com/reference/listvendors. Raises ConnectorError."""
    response = await session.client.get("/api_1.0/vendor.json")
    try:
        vendor = msgspec.json.decode(response.content, type=tuple[Vendor, ...])[0]
        zone = ZoneInfo(vendor.timezone_name or "UTC").key
    except (msgspec.MsgspecError, IndexError):
        raise UnexpectedResponse("This address answers, but not as ServiceM8 does: no account could be read.") from None
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise UnexpectedResponse("ServiceM8 names a time zone for the account that is not known here.") from None
    currency = vendor.currency.strip().upper()
    known = len(currency) == 3 and currency.isascii() and currency.isalpha()
    return Account(id=vendor.uuid, name=vendor.name, currency=currency if known else "XXX", time_zone=zone)


def _until_the_next_minute(response: Response) -> float:
    return 61.0 - (response.date or datetime.now(UTC)).second


connector = Connector(
    provider="servicem8",
    title="ServiceM8",
    description="Field service: clients, jobs and quotes. Clients' decisions on quotes are carried back to the job.",
    settings=(
        Setting(
            name="api_key",
            title="API key",
            kind="secret",
            required=True,
            help="Made by the account's owner in ServiceM8 under Settings, API Keys. It begins with smk-.",
            sandbox="smk-sandbox",
        ),
        Setting(
            name="base_url",
            title="Address",
            kind="url",
            default=BASE_URL,
            help="Only another one for a sandbox.",
            sandbox="http://127.0.0.1:8100",
        ),
        Setting(
            name="timeout_seconds",
            title="Time-out",
            kind="seconds",
            default=30,
            minimum=1,
            maximum=300,
            help="How long one request may take in all.",
        ),
        Setting(
            name="attempts",
            title="Attempts",
            kind="integer",
            default=3,
            minimum=1,
            maximum=10,
            help="How often a request is tried at most.",
        ),
        Setting(
            name="delay_seconds",
            title="Delay",
            kind="seconds",
            default=1,
            minimum=0,
            maximum=60,
            help="Before the second attempt; it doubles with each further one.",
        ),
    ),
    settings_class=ServiceM8Settings,
    rate_limits=(RateLimit("minute", 180, 60, 1), RateLimit("day", 20_000, 86_400, 400)),
    api_versions=(ApiVersion("1.0"),),
    documentation_url="https://developer.servicem8.com/reference",
    streams={stream.name: stream for stream in (COMPANIES, JOBS, QUOTES)},
    actions={action.name: action for action in (APPROVE_QUOTE, APPROVE_QUOTE_PARTIALLY, REJECT_QUOTE)},
    make_client=make_client,
    check=check,
)
