"""What every operation passes, whichever path answers it: which text it means, whether that is allowed, what it costs.

The library's view comes through here in app/api/execution.py, WebSockets in app/api/live/websocket.py. Each step is a function
of its own, so that a shorter path can take the same steps: `text`, `check`, `price`, `admit`.
"""

from typing import Any
from uuid import UUID
from weakref import WeakKeyDictionary

from graphql import GraphQLSchema

from app.actors import Actor
from app.api.asked import Asked, BadRequest
from app.api.context import Context
from app.api.gate.checks import Checked, Checker
from app.api.gate.documents import PREFIX, digest, trusted_documents
from app.api.gate.legible import require_legible
from app.api.gate.limits import Excess, LimitExceeded, Limits
from app.api.gate.persisted import PersistedDocuments
from app.api.gate.rates import Rates
from app.bootstrap import Hub
from app.errors import Refusal

MISTAKE = 50
"""What a document counts that is refused."""
CHARACTERS_FOR_ONE = 4
"""So many characters of a document that is new to the process count as one object: judging them takes as long as reading it."""


class DocumentRefused(Refusal):
    """This document is not answered here."""

    code = "document_refused"


class DocumentNotFound(DocumentRefused):
    """There is no document of this name or hash here."""

    code = "document_not_found"


class DocumentNotTrusted(DocumentRefused):
    """Only trusted documents are answered here: ask for one by its name or hash in `documentId`."""

    code = "document_not_trusted"


class PersistedQueryNotFound(DocumentRefused):
    """PersistedQueryNotFound"""

    code = "persisted_query_not_found"


class PersistedQueryNotSupported(DocumentRefused):
    """PersistedQueryNotSupported"""

    code = "persisted_query_not_supported"


class Gate:
    """One for each opened hub."""

    def __init__(self, hub: Hub) -> None:
        settings = hub.settings
        self.limits = Limits.of(settings)
        self.rates = Rates(hub.redis, settings.rate_cost_per_minute)
        hub.on_close(self.rates.settled)
        self.trusted_only = settings.trusted_documents_only
        self._trusted = trusted_documents(settings.trusted_documents_dir)
        self._persisted = PersistedDocuments(hub.redis, settings.persisted_documents)
        self._checker = Checker(self.limits)

    @classmethod
    def of(cls, hub: Hub) -> "Gate":
        if hub not in _gates:
            _gates[hub] = cls(hub)
        return _gates[hub]

    async def text(self, asked: Asked, context: Context, schema: GraphQLSchema) -> str | None:
        """The text that is meant, None where nothing names one. Waits for Redis only where a hash is new to the process.

        Raises BadRequest, DocumentNotFound, PersistedQueryNotFound, PersistedQueryNotSupported.
        """
        organization_id = context.actor.organization_id
        if asked.document_id is not None:
            if asked.query is not None:
                raise BadRequest("Send either `documentId` or `query`, not both.")
            return await self._named(asked.document_id, organization_id)
        persisted = (asked.extensions or {}).get("persistedQuery")
        if persisted is None:
            return asked.query
        sha256 = _hash_of(persisted)
        if asked.query is None:
            return await self._by_hash(sha256, organization_id)
        if digest(asked.query) != sha256:
            raise BadRequest("The request's `sha256Hash` is not the hash of its `query`.")
        await self._register(asked.query, sha256, context, schema)
        return asked.query

    def check(self, text: str, context: Context, schema: GraphQLSchema) -> Checked:
        """The verdict on a text; its `errors` are to be answered as they are.

        Raises DocumentNotTrusted, and RateLimited where the caller can ask for nothing more at the moment.
        """
        if self.trusted_only and text not in self._trusted:
            raise DocumentNotTrusted
        self.rates.require_room(context.actor)
        known = self._checker.known(text, may_look_inside=context.may_look_inside)
        if known is not None:
            return known
        if text not in self._trusted:
            self.rates.add(context.actor, min(len(text), self.limits.document) // CHARACTERS_FOR_ONE)
        return self._checker.check(schema, text, may_look_inside=context.may_look_inside)

    def price(self, checked: Checked, operation_name: str | None, variables: dict[str, Any] | None) -> int:
        """What a valid operation costs; counts nothing. Raises InvalidInput, LimitExceeded."""
        require_legible(variables, self.limits)
        bill = checked.bills.get(operation_name)
        cost = bill.total(variables) if bill else 1
        if cost > self.limits.cost:
            raise LimitExceeded(Excess("cost", self.limits.cost, cost))
        return cost

    async def admit(self, checked: Checked, operation_name: str | None, variables: dict[str, Any] | None, actor: Actor) -> int:
        """Count the operation for its caller; returns what it costs. It may run beside the reads that it is about.

        Raises InvalidInput, LimitExceeded, RateLimited.
        """
        if checked.errors:
            await self.rates.take(actor, MISTAKE)
            return MISTAKE
        try:
            cost = self.price(checked, operation_name, variables)
        except LimitExceeded:
            await self.rates.take(actor, 1)
            raise
        await self.rates.take(actor, cost)
        return cost

    def cost_report(self, cost: int, actor: Actor) -> dict[str, int]:
        """What `extensions.cost` says. `used` is what this process knows of the caller's minute."""
        report = {"operation": cost, "limit": self.limits.cost}
        return report | ({"used": self.rates.used(actor), "perMinute": self.rates.allowed} if self.rates.allowed else {})

    async def _named(self, document_id: str, organization_id: UUID) -> str:
        text = self._trusted.text(document_id)
        if text is None and document_id.startswith(PREFIX) and not self.trusted_only:
            text = await self._persisted.find(organization_id, document_id.removeprefix(PREFIX))
        if text is None:
            raise DocumentNotFound
        return text

    async def _by_hash(self, sha256: str, organization_id: UUID) -> str:
        text = self._trusted.text(PREFIX + sha256)
        if text is not None:
            return text
        if self.trusted_only:
            raise PersistedQueryNotSupported
        text = await self._persisted.find(organization_id, sha256)
        if text is None:
            raise PersistedQueryNotFound
        return text

    async def _register(self, text: str, sha256: str, context: Context, schema: GraphQLSchema) -> None:
        if text in self._trusted:
            return
        if self.trusted_only:
            raise PersistedQueryNotSupported
        if not self.check(text, context, schema).errors:
            await self._persisted.keep(context.actor.organization_id, sha256, text)


_gates: WeakKeyDictionary[Hub, Gate] = WeakKeyDictionary()


def _hash_of(persisted: Any) -> str:
    if not isinstance(persisted, dict) or persisted.get("version") != 1:
        raise PersistedQueryNotSupported
    sha256 = persisted.get("sha256Hash")
    if not isinstance(sha256, str) or len(sha256) != 64:
        raise BadRequest("`persistedQuery` needs a `sha256Hash` of 64 hexadecimal digits.")
    return sha256
