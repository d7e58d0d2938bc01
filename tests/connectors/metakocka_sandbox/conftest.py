"""One sandbox process for all tests of this folder, put back to its start before each of them."""

from collections.abc import AsyncIterator

import httpx
import pytest

from app.connectors.metakocka.sandbox import CompanyConfig, SandboxConfig
from app.connectors.metakocka.sandbox.testing import RunningSandbox, running_sandbox

from .provider import Provider

FIRST = CompanyConfig()
SECOND = CompanyConfig(company_id="17", secret_key="mk-second-secret", name="Žarek d.o.o.")
FENCED = CompanyConfig(company_id="18", secret_key="mk-fenced-secret", name="Ograja d.o.o.", allowed_ips=("203.0.113.7",))


@pytest.fixture(scope="session")
async def process() -> AsyncIterator[RunningSandbox]:
    async with running_sandbox(SandboxConfig(companies=(FIRST, SECOND, FENCED), create_invoice_seconds=0)) as sandbox:
        yield sandbox


@pytest.fixture
async def sandbox(process: RunningSandbox) -> RunningSandbox:
    await process.reset()
    return process


@pytest.fixture
async def http(sandbox: RunningSandbox) -> AsyncIterator[httpx.AsyncClient]:
    """A client without credentials."""
    async with httpx.AsyncClient(base_url=sandbox.url, timeout=20) as client:
        yield client


@pytest.fixture
def provider(http: httpx.AsyncClient, sandbox: RunningSandbox) -> Provider:
    """The first company."""
    return Provider(http, sandbox.company_id, sandbox.secret_key)


@pytest.fixture
def second(http: httpx.AsyncClient) -> Provider:
    return Provider(http, "17", "mk-second-secret")
