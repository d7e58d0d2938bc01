"""The portal and console in a real browser, served by a real server, with a real worker behind them."""

import asyncio
import os
import shutil
import socket
from collections.abc import AsyncIterator

import pytest
import uvicorn
from playwright.async_api import Browser, async_playwright, expect

from app.actors import Actor
from app.bootstrap import Hub
from app.connectors.servicem8.sandbox.testing import RunningSandbox
from app.main import create_app
from app.queue import BULK_QUEUE, DECISIONS_QUEUE
from jobs.worker import work
from tests.portal.office import Office, open_office

ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@pytest.fixture(scope="session")
def chromium() -> str:
    """The browser's program: CROSSWALK_CHROMIUM, or the first that is found."""
    found = os.environ.get("CROSSWALK_CHROMIUM") or next(
        filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
    )
    if found is None and os.environ.get("CI") == "true":
        pytest.fail("The browser tests need a Chromium; install one or name it in CROSSWALK_CHROMIUM.")
    if found is None:
        pytest.skip("There is no Chromium on this machine; install one or name it in CROSSWALK_CHROMIUM to run the browser tests.")
    return found


WAIT_MILLISECONDS = 20_000
"""How long a page may take to show what is expected of it: often a worker and the provider must be through first, on a busy machine."""


@pytest.fixture(scope="session")
async def browser(chromium: str) -> AsyncIterator[Browser]:
    expect.set_options(timeout=WAIT_MILLISECONDS)
    async with async_playwright() as playwright:
        opened = await playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS)
        yield opened
        await opened.close()


@pytest.fixture(scope="session")
async def address(hub: Hub) -> AsyncIterator[str]:
    """Where the hub's web server listens: http://127.0.0.1:<port>."""
    listening = socket.socket()
    listening.bind(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(create_app(hub), lifespan="off", log_level="error", timeout_graceful_shutdown=1))
    task = asyncio.create_task(server.serve([listening]))
    while not server.started:
        await asyncio.sleep(0.01)
    yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    server.should_exit = True
    await task
    listening.close()


@pytest.fixture
async def worker(hub: Hub) -> AsyncIterator[None]:
    """A worker at work. What earlier tests rang for and nobody answered is not its business."""
    await hub.redis.delete(BULK_QUEUE, DECISIONS_QUEUE)
    stop = asyncio.Event()
    task = asyncio.create_task(work(hub, stop))
    yield
    stop.set()
    await task


@pytest.fixture
async def office(hub: Hub, owner: Actor, sandbox: RunningSandbox, address: str, browser: Browser) -> AsyncIterator[Office]:
    """An organization with a ServiceM8 that holds nothing but what the test puts there."""
    await sandbox.reset()
    opened = open_office(hub, owner, sandbox, address, browser)
    yield opened
    await opened.close()
