"""One sandbox process for all tests of this folder, put back to its start before each of them."""

from collections.abc import AsyncIterator

import httpx
import pytest

from app.connectors.servicem8.sandbox import AccountConfig, SandboxConfig, TaxRate
from app.connectors.servicem8.sandbox.testing import RunningSandbox, running_sandbox

from .provider import Provider

PERTH = AccountConfig(api_keys=("smk-perth", "smk-perth-2"))
LJUBLJANA = AccountConfig(
    api_keys=("smk-ljubljana",),
    uuid="5a2d8c10-0000-4000-8000-000000000002",
    name="Žarek",
    currency="EUR",
    timezone_name="Europe/Ljubljana",
    country="Slovenia",
    tax_rates=(TaxRate(name="DDV", percent="22"),),
)


@pytest.fixture(scope="session")
async def process() -> AsyncIterator[RunningSandbox]:
    async with running_sandbox(SandboxConfig(accounts=(PERTH, LJUBLJANA), limits_factor=None)) as sandbox:
        yield sandbox


@pytest.fixture
async def sandbox(process: RunningSandbox) -> RunningSandbox:
    await process.reset()
    return process


@pytest.fixture
async def http(sandbox: RunningSandbox) -> AsyncIterator[httpx.AsyncClient]:
    """A client without credentials."""
    async with httpx.AsyncClient(base_url=sandbox.url) as client:
        yield client


@pytest.fixture
def provider(http: httpx.AsyncClient, sandbox: RunningSandbox) -> Provider:
    """The Perth account."""
    return Provider(http, sandbox.api_key)


@pytest.fixture
def ljubljana(http: httpx.AsyncClient) -> Provider:
    return Provider(http, "smk-ljubljana")
