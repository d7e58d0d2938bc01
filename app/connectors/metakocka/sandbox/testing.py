"""Starts a sandbox for a test and speaks to its control routes.

In a test:

    async with running_sandbox(SandboxConfig(sizes=Sizes(partners=5))) as sandbox:
        connection = {"base_url": sandbox.url, "company_id": sandbox.company_id, "secret_key": sandbox.secret_key}
        await sandbox.fault("drop-answer", path="*/put_document:sales_order")
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import msgspec

from app.connectors.sandbox_kit.running import ControlRefused, Stop, start_process, start_thread
from app.connectors.sandbox_kit.running import RunningSandbox as AnyRunningSandbox

from .app import create_app
from .config import SandboxConfig
from .seed import document_id, partner_id

__all__ = ["ControlRefused", "RunningSandbox", "document_id", "partner_id", "running_sandbox", "start_sandbox"]


class RunningSandbox(AnyRunningSandbox):
    """A Metakocka that listens at `url`. A write in its ledger has operation, doc_type, sent, effects (each with effect,
    object, mk_id, fields), opr_code, status and answered."""

    control_path = "/sandbox"

    def __init__(self, url: str, config: SandboxConfig, stop: Stop) -> None:
        super().__init__(url, stop)
        self.config = config

    @property
    def company_id(self) -> str:
        """The first company."""
        return self.config.companies[0].company_id

    @property
    def secret_key(self) -> str:
        """The key of the first company."""
        return self.config.companies[0].secret_key

    async def effects(self, **wanted: str) -> list[dict[str, Any]]:
        """All effects of the writes so far that have the wanted texts: effect, object, mk_id."""
        effects = [one for write in await self.ledger(**wanted) for one in write["effects"]]
        names = {"effect", "object", "mk_id"} & wanted.keys()
        return [one for one in effects if all(one[name] == wanted[name] for name in names)]

    async def add_partner(self, **values: Any) -> dict[str, Any]:
        """Add a partner as an MK user; the whole partner."""
        return dict(await self.control("POST", "partners", values))

    async def partner(self, mk_id: str) -> dict[str, Any]:
        return dict(await self.control("GET", f"partners/{mk_id}"))

    async def edit_partner(self, mk_id: str, **values: Any) -> dict[str, Any]:
        """Edit a partner as an MK user, unchecked; None removes a field, lists replace those there."""
        return dict(await self.control("POST", f"partners/{mk_id}", values))

    async def delete_partner(self, mk_id: str) -> None:
        await self.control("DELETE", f"partners/{mk_id}")

    async def add_document(self, doc_type: str, **values: Any) -> dict[str, Any]:
        """Add a document as an MK user: header fields, status (a key), product_list, partner."""
        return dict(await self.control("POST", f"documents/{doc_type}", values))

    async def document(self, doc_type: str, mk_id: str) -> dict[str, Any]:
        """A document with its change log, payments and row ids."""
        return dict(await self.control("GET", f"documents/{doc_type}/{mk_id}"))

    async def documents(self, doc_type: str) -> list[dict[str, Any]]:
        """The ids, numbers and statuses of all documents of a type."""
        return list(await self.control("GET", f"documents/{doc_type}"))

    async def edit_document(self, doc_type: str, mk_id: str, **values: Any) -> dict[str, Any]:
        """Edit a document as an MK user, unchecked; `product_list` replaces the lines."""
        return dict(await self.control("POST", f"documents/{doc_type}/{mk_id}", values))

    async def delete_document(self, doc_type: str, mk_id: str) -> None:
        await self.control("DELETE", f"documents/{doc_type}/{mk_id}")

    async def show_percent(self, object: str, percent: float) -> int:
        """Let only so many percent of the first partners or documents be seen; 100 shows all again. How many there are now."""
        return int((await self.control("POST", "visibility", {"object": object, "percent": percent}))["visible"])

    async def count_stock(self, mk_id: str, **amounts: str) -> list[dict[str, Any]]:
        """Count a product by warehouse mark (GL, MB); its rows of stock."""
        return list(await self.control("POST", f"stock/{mk_id}", amounts))

    async def send_webhooks(self, url: str, client_secret: str, **credentials: str) -> None:
        """Send stock events there from now on."""
        await self.control("POST", "webhooks", {"url": url, "client_secret": client_secret, **credentials})

    async def webhook_attempts(self) -> list[dict[str, Any]]:
        """Every attempt to deliver an event: event_id, number, status, heard."""
        return list((await self.control("GET", "webhooks"))["attempts"])

    async def seeded(self) -> dict[str, Any]:
        """The sizes at the start and what of the records is `broken` on purpose."""
        return dict(await self.control("GET", "seed"))


@asynccontextmanager
async def running_sandbox(config: SandboxConfig | None = None, *, in_thread: bool = False) -> AsyncIterator[RunningSandbox]:
    """A sandbox on a free port with its control routes on; in a process of its own unless `in_thread`."""
    sandbox = await asyncio.to_thread(start_sandbox, config, in_thread=in_thread)
    try:
        yield sandbox
    finally:
        await asyncio.to_thread(sandbox.stop)


def start_sandbox(config: SandboxConfig | None = None, *, in_thread: bool = False) -> RunningSandbox:
    """The same for callers without an event loop; end it with `stop()`."""
    config = msgspec.structs.replace(config or SandboxConfig(), control=True)
    url, stop = start_thread(create_app(config)) if in_thread else start_process(str(__package__), config)
    return RunningSandbox(url, config, stop)
