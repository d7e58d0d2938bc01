"""Metakocka: what the hub knows of it."""

import math
from typing import Annotated, Any

import msgspec

from app.connectors.auth import in_body
from app.connectors.base import Account, ApiVersion, Connector, RateLimit, Session, Setting
from app.connectors.budget import Budget, Priority
from app.connectors.calls import CallLog
from app.connectors.client import ApiClient, Transport
from app.connectors.errors import UnexpectedResponse
from app.connectors.metakocka.actions import ACTIONS
from app.connectors.metakocka.calls import read
from app.connectors.metakocka.replies import NOT_METAKOCKA, OK, Reply, ReplyCodes
from app.connectors.metakocka.streams import STREAMS

BASE_URL = "https://main.metakocka.si"
RESERVED = 20
"""Of a minute's requests, so many are kept for decisions, at most a tenth: two approvals take them. More is kept while decisions wait."""
PACE_SECONDS = 5
"""All other work may send a minute's requests no faster than evenly, looked at in stretches of this length. Sent all at once they would
leave nothing for decisions until the minute is over.
"""


class MetakockaSettings(msgspec.Struct, frozen=True, kw_only=True):
    """What a connection needs. Times in seconds; statuses are keys of the company's register for offers."""

    company_id: Annotated[str, msgspec.Meta(min_length=1, max_length=50)]
    secret_key: Annotated[str, msgspec.Meta(min_length=4, max_length=500)]
    base_url: Annotated[str, msgspec.Meta(min_length=1, max_length=500)] = BASE_URL
    currency: Annotated[str, msgspec.Meta(pattern="^[A-Z]{3}$")] = "EUR"
    open_statuses: Annotated[str, msgspec.Meta(max_length=500)] = "open"
    accepted_status: Annotated[str, msgspec.Meta(max_length=100)] = ""
    rejected_status: Annotated[str, msgspec.Meta(max_length=100)] = ""
    requests_per_minute: Annotated[int, msgspec.Meta(ge=2, le=100_000)] = 60
    page_size: Annotated[int, msgspec.Meta(ge=2, le=1000)] = 1000
    timeout_seconds: Annotated[float, msgspec.Meta(ge=1, le=300)] = 120.0
    attempts: Annotated[int, msgspec.Meta(ge=1, le=10)] = 3
    delay_seconds: Annotated[float, msgspec.Meta(ge=0, le=60)] = 1.0

    def __repr__(self) -> str:
        return f"MetakockaSettings(base_url={self.base_url!r}, company_id={self.company_id!r})"

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        # Tracebacks drawn by rich would show every field otherwise.
        return [("base_url", self.base_url), ("company_id", self.company_id)]


def make_client(
    settings: MetakockaSettings, transport: Transport, budget: Budget, log: CallLog, *, priority: Priority = "bulk"
) -> ApiClient:
    """An ApiClient that puts company and key into every body.

    https://github.com/metakocka/metakocka_api_base/blob/master/docs/documents_concept.md
    """
    return ApiClient(
        settings.base_url,
        in_body({"secret_key": settings.secret_key}, company_id=settings.company_id),
        transport=transport,
        budget=budget,
        log=log,
        priority=priority,
        timeout_seconds=settings.timeout_seconds,
        attempts=settings.attempts,
        delay_seconds=settings.delay_seconds,
        answers=ReplyCodes(table={404: NOT_METAKOCKA, 405: NOT_METAKOCKA}),
    )


async def check(session: Session) -> Account:
    """Read the warehouses: no call names the account, and this is the cheapest. Raises ConnectorError.

    https://github.com/metakocka/metakocka_api_base/blob/master/docs/warehouse_list.md
    """
    reply = await read(session, "warehouse_list", {}, _Warehouses)
    if reply.opr_code != OK:
        raise UnexpectedResponse("This address answers, but not as Metakocka does.")
    settings: MetakockaSettings = session.settings
    return Account(
        id=settings.company_id, name=f"Metakocka company {settings.company_id}", currency=settings.currency, time_zone="Europe/Ljubljana"
    )


class _Warehouses(Reply):
    opr_code: Any = ""


def limits_of(settings: MetakockaSettings) -> tuple[RateLimit, ...]:
    """The provider's own limit is not published; this one is the customer's to choose. Decisions need not keep the pace."""
    requests = settings.requests_per_minute
    even = math.ceil(requests * PACE_SECONDS / 60)
    return (
        RateLimit("minute", requests, 60, max(1, min(RESERVED, requests // 10))),
        RateLimit("pace", requests, PACE_SECONDS, requests - even),
    )


connector = Connector(
    provider="metakocka",
    title="Metakocka",
    description="ERP: partners, offers, orders, bills, products and stock. Clients decide on offers; an approved one becomes an order.",
    settings=(
        Setting(
            name="company_id",
            title="Company id",
            required=True,
            help="The number of the company in Metakocka, shown beside the API key.",
            sandbox="16",
        ),
        Setting(
            name="secret_key",
            title="API key",
            kind="secret",
            required=True,
            help="The secret key from the company's settings in Metakocka. It gives full access to the company.",
            sandbox="mk-sandbox-secret",
        ),
        Setting(
            name="base_url",
            title="Address",
            kind="url",
            default=BASE_URL,
            help="Another one for an installation on a server of your own, the development server, or a sandbox.",
            sandbox="http://127.0.0.1:8110",
        ),
        Setting(name="currency", title="Currency", default="EUR", help="Of prices that name none, as three capital letters."),
        Setting(
            name="open_statuses",
            title="Statuses of open offers",
            default="open",
            help="Keys of the statuses in which clients may decide on an offer, separated by commas. An offer without a status is open.",
            sandbox="open,sent",
        ),
        Setting(
            name="accepted_status",
            title="Status of accepted offers",
            default="",
            help="The key that an approved offer gets. Empty: the order alone tells that it was approved.",
            sandbox="accepted",
        ),
        Setting(
            name="rejected_status",
            title="Status of rejected offers",
            default="",
            help="The key that a rejected offer gets. Empty: only a note in the offer tells it.",
            sandbox="rejected",
        ),
        Setting(
            name="requests_per_minute",
            title="Requests per minute",
            kind="integer",
            default=60,
            minimum=2,
            maximum=100_000,
            help="Metakocka does not publish its quota. Bulk work spreads it evenly, and leaves some for decisions.",
            sandbox=6000,
        ),
        Setting(
            name="page_size",
            title="Records per page",
            kind="integer",
            default=1000,
            minimum=2,
            maximum=1000,
            help="At most; Metakocka gives documents a hundred at a time.",
        ),
        Setting(
            name="timeout_seconds",
            title="Time-out",
            kind="seconds",
            default=120,
            minimum=1,
            maximum=300,
            help="How long one request may take in all. Metakocka takes up to a minute for some.",
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
    settings_class=MetakockaSettings,
    rate_limits=limits_of(MetakockaSettings(company_id="-", secret_key="none")),
    limits_of=limits_of,
    api_versions=(ApiVersion("v1"),),
    documentation_url="https://github.com/metakocka/metakocka_api_base",
    streams={stream.name: stream for stream in STREAMS},
    actions={action.name: action for action in ACTIONS},
    make_client=make_client,
    check=check,
)
