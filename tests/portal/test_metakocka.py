"""An operator connects Metakocka from its form, filled in for the sandbox."""

import pytest
from playwright.async_api import expect

from app.connectors.metakocka.sandbox.testing import RunningSandbox
from tests.portal.office import Office

pytestmark = pytest.mark.browser


async def test_an_operator_connects_metakocka_with_what_the_form_is_filled_with(office: Office, metakocka: RunningSandbox) -> None:
    page = await office.staff()
    await page.goto(office.console("/connections/new"))
    await page.get_by_role("link", name="Metakocka").click()
    await page.get_by_role("link", name="Try with a sandbox").click()
    await page.get_by_label("Address").fill(metakocka.url)  # it listens on a port of its own here

    await page.get_by_role("button", name="Test the connection").click()
    await expect(page.get_by_text("Connected to Metakocka company 16")).to_be_visible()
    await page.get_by_role("button", name="Save the connection").click()

    await expect(page.get_by_text("The connection is saved and tested")).to_be_visible()
    assert metakocka.secret_key not in await page.content()
