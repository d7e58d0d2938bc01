"""What the contract tests need to know of a provider's sandbox. Each connector has a `subject` in tests/connectors/<provider>/."""

import importlib
from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any, Protocol

from app.connectors.base import QuoteDecision


class Sandbox(Protocol):
    """A running sandbox; tests order faults through it."""

    @property
    def url(self) -> str: ...

    async def fault(self, kind: str, **options: Any) -> None: ...

    async def clear_faults(self) -> None: ...

    async def reset(self) -> None: ...


@dataclass(frozen=True)
class Effect:
    """What one write did at the provider."""

    object: str
    effect: str


class Subject(Protocol):
    """One provider's side of the contract tests."""

    provider: str
    faults: Mapping[str, str]
    """The sandbox's names of: too_many, broken, slow, cut, nonsense."""
    names: Sequence[str]
    """Texts in many scripts that stand in the records of every stream."""

    def start(self) -> AbstractAsyncContextManager[Any]: ...

    def settings(self, sandbox: Any) -> dict[str, Any]: ...

    def refused_settings(self, sandbox: Any) -> dict[str, Any]: ...

    async def fill(self, sandbox: Any) -> dict[str, set[str]]:
        """Make some records of every stream, over several pages; the ids that each stream must give."""
        ...

    async def change(self, sandbox: Any, stream: str) -> str:
        """Edit one record of a stream as somebody at the provider would; its id."""
        ...

    async def remove(self, sandbox: Any, stream: str) -> str | None:
        """Delete one record of a stream; its id, or None where the provider does not tell of deletions."""
        ...

    async def decision(self, sandbox: Any, action: str) -> QuoteDecision:
        """A decision for that action on a new quote, as the hub would make it."""
        ...

    async def effects(self, sandbox: Any, action: str, decision: QuoteDecision) -> tuple[list[Effect], list[Effect]]:
        """The effects that the writes of this decision had, and those that they must have had; both sorted."""
        ...


class WritingSubject(Subject, Protocol):
    """The same for a connector whose streams are written."""

    async def new_document(self, sandbox: Any, stream: str) -> dict[str, Any]:
        """Something new of a stream, in the provider's words as the field mapping pushes it; different each time."""
        ...

    def edit(self, stream: str, document: Mapping[str, Any]) -> tuple[dict[str, Any], frozenset[str]]:
        """The document with something changed, and the top-level names of that."""
        ...

    async def written(self, sandbox: Any, stream: str) -> list[tuple[str, str]]:
        """The effects of all writes so far on objects of a stream: created, changed or deleted, and the object's id."""
        ...


def subject_of(provider: str) -> Subject:
    """Raises ModuleNotFoundError for a connector without a subject: every connector keeps the contract."""
    found: Subject = importlib.import_module(f"tests.connectors.{provider}.subject").subject
    return found
