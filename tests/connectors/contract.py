"""The parts that the contract tests share: every connector found, with its subject and its running sandbox."""

from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any

import pytest

from app.connectors.base import Account, Connector, Item, Page, Part
from app.connectors.registry import find_connectors
from tests.connectors.kit import Opened, Wrap, open_session
from tests.connectors.subject import Subject

CONNECTORS = find_connectors()
STREAMS = [(provider, name) for provider, connector in CONNECTORS.items() for name in connector.streams]
WRITERS = [(provider, name) for provider, name in STREAMS if CONNECTORS[provider].streams[name].writer]
ACTIONS = [(provider, name) for provider, connector in CONNECTORS.items() for name in connector.actions]

each_provider = pytest.mark.parametrize("provider", list(CONNECTORS), indirect=True)
each_stream = pytest.mark.parametrize(("provider", "stream"), STREAMS, indirect=["provider"])
each_writer = pytest.mark.parametrize(("provider", "stream"), WRITERS, indirect=["provider"])
each_action = pytest.mark.parametrize(("provider", "action"), ACTIONS, indirect=["provider"])


@dataclass
class Provider:
    """A connector, its subject and its running sandbox."""

    connector: Connector
    subject: Subject
    sandbox: Any

    def session(
        self, *, wrap: Wrap = lambda it: it, account: Account | None = None, **settings: Any
    ) -> AbstractAsyncContextManager[Opened]:
        given = self.subject.settings(self.sandbox) | settings
        return open_session(self.connector, self.sandbox.url, given, wrap=wrap, account=account)

    def session_of(self, settings: dict[str, Any]) -> AbstractAsyncContextManager[Opened]:
        return open_session(self.connector, self.sandbox.url, settings, account=Account(id="", name=""))


def items_of(pages: list[Page]) -> dict[str, Item]:
    return {item.external_id: item for page in pages for item in page.items}


def parts_of(pages: list[Page]) -> dict[tuple[str, str], Part]:
    return {(part.kind, part.external_id): part for page in pages for part in page.parts}


def parts_for(pages: list[Page], item: Item) -> list[Part]:
    return [part for part in parts_of(pages).values() if part.parent_id == item.external_id]
