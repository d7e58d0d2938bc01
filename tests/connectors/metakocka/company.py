"""Short ways to fill a Metakocka sandbox, and sessions on it."""

import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx

from app.connectors.base import Account
from app.connectors.metakocka.connector import connector
from app.connectors.metakocka.sandbox.config import CompanyConfig, SandboxConfig, Sizes
from app.connectors.metakocka.sandbox.testing import RunningSandbox
from tests.connectors.kit import Opened, Wrap, open_session

NO_RECORDS = Sizes(partners=0, offers=0, orders=0, bills=0, products=12)
SECOND = CompanyConfig(company_id="17", secret_key="mk-second-secret", name="Druga d.o.o.")
CONFIG = SandboxConfig(companies=(CompanyConfig(), SECOND), sizes=NO_RECORDS, broken_records=False)
ACCOUNT = Account(id="16", name="Metakocka company 16", currency="EUR", time_zone="Europe/Ljubljana")


def settings_of(sandbox: RunningSandbox) -> dict[str, Any]:
    return {
        "company_id": sandbox.company_id,
        "secret_key": sandbox.secret_key,
        "base_url": sandbox.url,
        "open_statuses": "open,sent",
        "accepted_status": "accepted",
        "rejected_status": "rejected",
        "requests_per_minute": 100_000,
        "page_size": 4,
        "delay_seconds": 0.01,
    }


@asynccontextmanager
async def metakocka(sandbox: RunningSandbox, *, wrap: Wrap = lambda it: it, **settings: Any) -> AsyncIterator[Opened]:
    """A session on the sandbox's first company."""
    async with open_session(connector, sandbox.url, settings_of(sandbox) | settings, wrap=wrap, account=ACCOUNT) as opened:
        yield opened


async def ask(sandbox: RunningSandbox, path: str, **body: Any) -> dict[str, Any]:
    """A call of the API by a plain client."""
    keys = {"secret_key": sandbox.secret_key, "company_id": sandbox.company_id}
    async with httpx.AsyncClient(base_url=sandbox.url, timeout=30) as client:
        response = await client.post(f"/rest/eshop/v1/{path}", json={**keys, **body})
    return dict(response.json())


async def product_codes(sandbox: RunningSandbox, *, services: bool = False) -> list[str]:
    found = await ask(sandbox, "json/product_list", limit="1000", service="true" if services else "false")
    return [one["code"] for one in found["product_list"]]


async def add_partner(sandbox: RunningSandbox, name: str = "", **values: Any) -> dict[str, Any]:
    """A partner with one address and one contact, as an MK user adds it."""
    unique = secrets.token_hex(3)
    given = {
        "customer": name or f"Naročnik {unique}",
        "business_entity": "true",
        "taxpayer": "true",
        "foreign_county": "false",
        "buyer": "true",
        "supplier": "false",
        "tax_id_number": f"SI{secrets.randbelow(10**8):08d}",
        "partner_delivery_address_list": [
            {"address_type": "Račun", "street": "Dunajska 1", "post_number": "1000", "city": "Ljubljana", "country": "Slovenija"}
        ],
        "partner_contact_list": [{"name": "Ana Žagar", "phone": "01 234 56 78", "gsm": "051 123 456", "email": f"ana-{unique}@acme.test"}],
    }
    return await sandbox.add_partner(**(given | values))


async def add_document(sandbox: RunningSandbox, doc_type: str, partner: dict[str, Any] | None = None, **values: Any) -> dict[str, Any]:
    """A document with three lines for a partner, as an MK user adds it."""
    partner = partner or await add_partner(sandbox)
    codes = await product_codes(sandbox)
    address = partner["partner_delivery_address_list"]
    address = address[0] if isinstance(address, list) else address
    lines = [
        {"code": codes[0], "amount": "2", "price": "100", "tax": "EX4", "tax_factor": "0.22", "doc_desc": "Montaža ž"},
        {"code": codes[1], "amount": "1.5", "price": "40.5", "discount": "10", "tax": "EX4", "tax_factor": "0.22"},
        {"code": codes[2], "amount": "3", "price": "7", "tax": "095", "tax_factor": "0.095", "doc_desc": "Drobni material"},
    ]
    given = {
        "doc_date": "2026-03-01",
        "currency_code": "EUR",
        "warehouse": "GL",
        "title": "Prenova kopalnice",
        "partner": {"mk_id": partner["mk_id"], "mk_address_id": address["mk_id"]},
        "product_list": lines,
    }
    return await sandbox.add_document(doc_type, **(given | values))


async def add_offer(sandbox: RunningSandbox, partner: dict[str, Any] | None = None, **values: Any) -> dict[str, Any]:
    return await add_document(sandbox, "sales_offer", partner, **({"status": "open", "valid_to": "2099-12-31"} | values))


def new_partner(name: str = "Šmarnica d.o.o.", *, email: str = "info@smarnica.test", **values: Any) -> dict[str, Any]:
    """A partner in the words of the field mapping."""
    return {
        "customer": name,
        "is_person": False,
        "buyer": True,
        "supplier": False,
        "tax_id_number": "",
        "registration_number": "",
        "address": {"street": "Cesta 1", "city": "Koper", "post_number": "6000", "province": "", "country": "Slovenija"},
        "contact": {"email": email, "phone": "05 123 45 67", "gsm": ""},
    } | values


async def new_document(sandbox: RunningSandbox, **values: Any) -> dict[str, Any]:
    """An offer, order or bill in the words of the field mapping; the second line's article is not known to Metakocka yet."""
    partner = await add_partner(sandbox)
    code = (await product_codes(sandbox))[0]
    line = {
        "code": code,
        "doc_desc": "Ročno delo č",
        "amount": "2.5",
        "unit": "kos",
        "price": "19.99",
        "discount": "5",
        "tax_percent": "9.5",
    }
    return {
        "kind": "invoice",
        "title": "Popravilo strehe",
        "notes": "Prosimo, pokličite",
        "currency_code": "EUR",
        "partner_mk_id": partner["mk_id"],
        "doc_date": "2026-01-15",
        "duo_payment": "",
        "discount_percent": "2",
        "lines": [line, {**line, "code": "NOV-1", "discount": "0"}],
    } | values
