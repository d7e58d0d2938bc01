"""The same opened hub under other settings, as another deployment has it."""

import copy
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import httpx

from app.bootstrap import Hub
from app.main import create_app


def with_settings(hub: Hub, **settings: Any) -> Hub:
    varied = copy.copy(hub)
    varied.settings = replace(hub.settings, **settings)
    return varied


@asynccontextmanager
async def asking(hub: Hub, token: str, **headers: str) -> AsyncIterator[httpx.AsyncClient]:
    """A client of an application over this hub, in process."""
    transport = httpx.ASGITransport(create_app(hub), raise_app_exceptions=False, client=("192.0.2.9", 5000))
    known = {"Authorization": f"Bearer {token}", **headers}
    async with httpx.AsyncClient(transport=transport, base_url="http://hub.test", headers=known) as client:
        yield client
