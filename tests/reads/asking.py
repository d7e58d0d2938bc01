"""Questions to a town, asked of compiled reads and of resolvers."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import msgspec
from strawberry.types import ExecutionResult

from app.actors import PERMISSIONS, Actor, ActorKind, Permission, Role
from app.api.context import Context
from app.api.identity import Caller
from app.api.loaders import Loaders
from app.api.schema import schema
from app.api.types.records import TYPE_NAMES
from app.bootstrap import Hub
from tests.api.client import gid
from tests.factories import colleague
from tests.reads.documents import Drawn, Names
from tests.reads.town import TEXTS, Place

_TYPES = {
    "connection": "Connection",
    "client": "Client",
    "conflict": "Conflict",
    "quote": "Quote",
    "sync": "Sync",
    "sync_run": "SyncRun",
    "delivery": "Delivery",
}


@dataclass
class Town:
    hub: Hub
    here: Place
    abroad: Place

    def viewers(self) -> list[Actor]:
        owner = self.here.owner
        clients = [self.here.contact_of(client) for client in self.here.ids("client")]
        return [owner, colleague(owner, Role.OPERATOR), colleague(owner, Role.VIEWER), *clients, *self.tokens()]

    def tokens(self) -> Iterator[Actor]:
        """API tokens that may read all but one kind of thing, and such as may read one kind alone."""
        every, kinds = PERMISSIONS[Role.OWNER], sorted(each for each in Permission if each.endswith(":read"))
        for permissions in (*(every - {each} for each in kinds), *(frozenset({each}) for each in kinds)):
            yield replace(self.here.owner, kind=ActorKind.API_TOKEN, name="A token", scopes=permissions)

    def names(self) -> Names:
        """Ids of both organizations: what is abroad must not be found, either way."""
        ids: dict[str, list[str]] = {}
        for place in (self.here, self.abroad):
            for table, name in _TYPES.items():
                ids.setdefault(name, []).extend(gid(name, id) for id in place.ids(table))
            for row in place.rows["record"]:
                name = TYPE_NAMES[row["entity"]]
                ids.setdefault(name, []).extend([gid(name, row["id"])])
        return Names(ids, texts=[*TEXTS, *(f"c-{number}" for number in range(6)), "z", "Ž"])

    async def answer(self, drawn: Drawn, actor: Actor, *, compiled: bool) -> tuple[Any, ExecutionResult]:
        """As JSON, and as it came."""
        context = Context(self.hub, Caller({}, {}, None, []))
        context.known_actor, context.compiles_reads = actor, compiled
        context.loaders = Loaders(context)
        result = await schema().execute(drawn.query, variable_values=drawn.variables, context_value=context)
        whole = {"data": result.data, "errors": [error.formatted for error in result.errors or []]}
        return json.loads(msgspec.json.encode(whole)), result
