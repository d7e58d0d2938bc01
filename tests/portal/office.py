"""What browser tests do again and again: an organization, its people in their browsers, a client with a quote."""

import secrets
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

from playwright.async_api import Browser, BrowserContext, Locator, Page

from app.actors import Actor, ActorKind, Role, Scope
from app.bootstrap import Hub
from app.connections.models import Connection
from app.connectors.servicem8.sandbox.testing import RunningSandbox
from app.paging import PageRequest
from app.quotes.models import Quote
from tests import factories

LINES = (("Replace main switchboard", "1", "680.00"), ("Labour, two electricians", "6", "48.00"), ("Paint repair", "1", "140.00"))
"""Description, quantity, price before tax; the account taxes at 10 %."""


@dataclass(eq=False)
class Office:
    """One organization, and the browsers of those who work there and of its clients."""

    hub: Hub
    owner: Actor
    sandbox: RunningSandbox
    address: str
    browser: Browser
    slug: str = ""
    connection: Connection | None = None
    company: str = ""
    contact_id: UUID | None = None
    problems: list[str] = field(default_factory=list)
    contexts: list[BrowserContext] = field(default_factory=list)

    async def open(self) -> None:
        self.slug = (await self.hub.organizations.get(self.owner)).slug

    async def close(self) -> None:
        """What a browser complained about fails the test."""
        for context in self.contexts:
            await context.close()
        assert not self.problems, self.problems

    # Browsers.

    async def page(self, *, scripts: bool = True, width: int = 1280, height: int = 900, scheme: Any = "light") -> Page:
        """A new browser window that has visited nothing."""
        context = await self.browser.new_context(
            java_script_enabled=scripts, viewport={"width": width, "height": height}, color_scheme=scheme, reduced_motion="reduce"
        )
        self.contexts.append(context)
        page = await context.new_page()
        page.set_default_timeout(15_000)
        page.on("pageerror", lambda error: self.problems.append(str(error)))
        page.on("console", self._hear)
        return page

    def _hear(self, message: Any) -> None:
        """Refusals are no faults of a page, nor is a request that following a link cut off."""
        expected = ("status of 4", "Failed to fetch", "AbortError", "net::ERR_ABORTED")
        if message.type == "error" and not any(words in message.text for words in expected):
            self.problems.append(message.text)

    async def staff(self, **how: Any) -> Page:
        """The owner's browser, signed in at the console."""
        await self.open()
        link = await self.hub.organizations.make_link(self.owner, person_id=self.owner.id)
        return await self._signed_in(link, **how)

    async def client(self, **how: Any) -> Page:
        """The browser of the client's contact, signed in at the portal."""
        assert self.contact_id is not None
        link = await self.hub.organizations.make_link(self.owner, client_contact_id=self.contact_id, lifetime=timedelta(hours=1))
        return await self._signed_in(link, **how)

    async def _signed_in(self, link: str, **how: Any) -> Page:
        page = await self.page(**how)
        await page.goto(self.local(link))
        await follow(page, page.get_by_role("button", name="Continue as"))
        return page

    def local(self, link: str) -> str:
        """A link as the mail has it, at the test's own server."""
        return link.replace(self.hub.settings.public_url, self.address)

    def console(self, path: str = "/") -> str:
        return f"{self.address}/console/{self.slug}{path}"

    def portal(self, path: str = "/quotes") -> str:
        return f"{self.address}/portal/{self.slug}{path}"

    # The world behind the pages.

    async def connect(self) -> Connection:
        await self.open()
        self.connection = await factories.make_connection(self.hub, self.owner, self.sandbox, delay_seconds=0, name="ServiceM8 Perth")
        return self.connection

    async def add_quote(self, lines: Any = LINES, **values: Any) -> str:
        """A quote at the provider, not yet read by the hub; its job's id there."""
        if not self.company:
            self.company = (await self.sandbox.create("company", name="Žagar & Sons", address="1 High St"))["uuid"]
        job = {"company_uuid": self.company, "status": "Quote", "job_description": "Replace switchboard"} | values
        uuid = (await self.sandbox.create("job", **job))["uuid"]
        for name, quantity, price in lines:
            await self.sandbox.add_line(uuid, name=name, quantity=quantity, price=price)
        return str(uuid)

    async def sync(self) -> None:
        """Read the provider; a worker in the background may be faster."""
        assert self.connection is not None
        run = await self.hub.syncs.start(self.owner, self.connection.id)
        await factories.ended(self.hub, self.owner, run)

    async def invite(self, name: str = "Maja Novak") -> None:
        assert self.connection is not None
        found = await self.hub.records.contacts(self.owner, PageRequest(), connection_id=self.connection.id)
        (record,) = [record for record in found.items if record.external_id == self.company]
        email = f"{secrets.token_hex(6)}@client.test"
        self.contact_id = (await self.hub.clients.invite(self.owner, contact_record_id=record.id, email=email, name=name)).id

    async def contact(self) -> Actor:
        """The client's contact as an actor, within the client's walls."""
        assert self.contact_id is not None
        found = await self.hub.clients.clients(self.owner, PageRequest(100))
        (client_id,) = [client.id for client in found.items if any(contact.id == self.contact_id for contact in client.contacts)]
        scope = Scope(self.owner.organization_id, client_id)
        return Actor(scope, ActorKind.CLIENT_CONTACT, Role.CLIENT_CONTACT, "Maja Novak", self.contact_id)

    async def with_quote(self, **values: Any) -> str:
        """A connected provider, one quote that was read, and a contact who may decide it; the job's id there."""
        job = await self.add_quote(**values)
        await self.connect()
        await self.sync()
        await self.invite()
        return job

    async def quote(self, job: str) -> Quote:
        found = await self.hub.quotes.quotes(self.owner, PageRequest(100))
        (quote,) = [quote for quote in found.items if quote.external_id == job]
        return await self.hub.quotes.quote(self.owner, quote.id)


async def follow(page: Page, control: Locator) -> None:
    """Click and wait for the next page: a click alone returns while its document has no root yet."""
    async with page.expect_navigation(wait_until="load"):
        await control.click()


def open_office(hub: Hub, owner: Actor, sandbox: RunningSandbox, address: str, browser: Browser) -> Office:
    return Office(hub, owner, sandbox, address, browser)
