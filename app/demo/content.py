"""Who and what the demo is made of. The accounts are those of the sandboxes' demo records."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from app.connectors.metakocka.sandbox import CompanyConfig
from app.connectors.servicem8.sandbox.seed import DEMO_ACCOUNTS

PERTH, LJUBLJANA = DEMO_ACCOUNTS
COMPANY = CompanyConfig()
SERVICEM8, METAKOCKA = "servicem8", "metakocka"
DIRECTIONS = {SERVICEM8: "pull", METAKOCKA: "two_way"}
"""Which way the demo syncs a provider's connections."""


@dataclass(frozen=True, slots=True)
class DemoConnection:
    """One account at a provider's sandbox, under the name that the console shows. `both_ways` are the streams of its standing sync."""

    name: str
    provider: str
    credentials: Mapping[str, str] = field(repr=False)
    settings: Mapping[str, Any] = field(default_factory=dict)
    both_ways: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class DemoOrganization:
    """One tenant of the demo."""

    slug: str
    name: str
    owner_email: str
    owner_name: str
    time_zone: str
    accent_color: str
    terms: str
    connections: tuple[DemoConnection, ...]


IN_PERTH = DemoConnection(f"ServiceM8 · {PERTH.name}", SERVICEM8, {"api_key": PERTH.api_keys[0]})
IN_LJUBLJANA = DemoConnection(f"ServiceM8 · {LJUBLJANA.name}", SERVICEM8, {"api_key": LJUBLJANA.api_keys[0]})
IN_METAKOCKA = DemoConnection(
    "Metakocka",
    METAKOCKA,
    {"secret_key": COMPANY.secret_key},
    {
        "company_id": COMPANY.company_id,
        "open_statuses": "open,sent",
        "accepted_status": "accepted",
        "rejected_status": "rejected",
        "requests_per_minute": 6000,
    },
    both_ways=("partners", "offers", "orders", "bills"),
)

# The first quotes in two currencies; the second exists so that the wall between organizations can be seen.
ORGANIZATIONS = (
    DemoOrganization(
        slug="sandgroper",
        name="Sandgroper Group",
        owner_email="olive@sandgroper.test",
        owner_name="Olive Okonkwo",
        time_zone="Australia/Perth",
        accent_color="#1f5f5b",
        terms="Quotes are valid for 30 days. Work starts within two weeks of approval. Payment is due 14 days after the invoice.",
        connections=(IN_PERTH, IN_LJUBLJANA, IN_METAKOCKA),
    ),
    DemoOrganization(
        slug="zarek",
        name="Elektro Žarek",
        owner_email="maja@zarek.test",
        owner_name="Maja Žnidaršič",
        time_zone="Europe/Ljubljana",
        accent_color="#8a3ffc",
        terms="Ponudba velja 30 dni.",
        connections=(DemoConnection("ServiceM8", SERVICEM8, {"api_key": LJUBLJANA.api_keys[0]}),),
    ),
)
