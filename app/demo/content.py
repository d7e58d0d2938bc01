"""Who and what the demo is made of. The accounts are those of the ServiceM8 sandbox's demo records."""

from dataclasses import dataclass

from app.connectors.servicem8.sandbox.seed import DEMO_ACCOUNTS

PERTH, LJUBLJANA = DEMO_ACCOUNTS
PROVIDER = "servicem8"


@dataclass(frozen=True, slots=True)
class DemoConnection:
    """One account at the sandbox, under the name that the console shows."""

    name: str
    api_key: str


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


IN_PERTH = DemoConnection(f"ServiceM8 · {PERTH.name}", PERTH.api_keys[0])
IN_LJUBLJANA = DemoConnection(f"ServiceM8 · {LJUBLJANA.name}", LJUBLJANA.api_keys[0])

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
        connections=(IN_PERTH, IN_LJUBLJANA),
    ),
    DemoOrganization(
        slug="zarek",
        name="Elektro Žarek",
        owner_email="maja@zarek.test",
        owner_name="Maja Žnidaršič",
        time_zone="Europe/Ljubljana",
        accent_color="#8a3ffc",
        terms="Ponudba velja 30 dni.",
        connections=(DemoConnection("ServiceM8", LJUBLJANA.api_keys[0]),),
    ),
)
