"""Reads compiled to SQL and reads resolved field by field give the same JSON, whatever is asked."""

import json
import os
from collections import Counter
from dataclasses import dataclass
from typing import Any

import hypothesis
import msgspec
import pytest
from graphql import parse, validate
from hypothesis import HealthCheck, strategies
from hypothesis_graphql import nodes, queries

from app.actors import Actor, Role
from app.api.context import Context
from app.api.identity import Caller
from app.api.loaders import Loaders
from app.api.reads.sources import ROOTS
from app.api.schema import export_sdl, schema
from app.bootstrap import Hub
from tests.api.client import gid
from tests.factories import colleague
from tests.reads.documents import Drawn, Names, dressed
from tests.reads.town import TEXTS, Place, build

QUERIES = int(os.environ.get("CROSSWALK_QUERIES", "250"))
SEED = int(os.environ.get("CROSSWALK_SEED", "20261121"))

_TYPES = {"connection": "Connection", "client": "Client", "quote": "Quote", "sync": "Sync", "sync_run": "SyncRun", "delivery": "Delivery"}


@dataclass
class Town:
    hub: Hub
    here: Place
    abroad: Place

    def viewers(self) -> list[Actor]:
        owner = self.here.owner
        clients = [self.here.contact_of(client) for client in self.here.ids("client")]
        return [owner, colleague(owner, Role.OPERATOR), colleague(owner, Role.VIEWER), *clients]

    def names(self) -> Names:
        """Ids of both organizations: what is abroad must not be found, either way."""
        ids: dict[str, list[str]] = {}
        for place in (self.here, self.abroad):
            for table, name in _TYPES.items():
                ids.setdefault(name, []).extend(gid(name, id) for id in place.ids(table))
            for row in place.rows["record"]:
                name = row["entity"].capitalize()
                ids.setdefault(name, []).extend([gid(name, row["id"])])
        return Names(ids, texts=[*TEXTS, *(f"c-{number}" for number in range(6)), "z", "Ž"])

    async def answer(self, drawn: Drawn, actor: Actor, *, compiled: bool) -> Any:
        context = Context(self.hub, Caller({}, {}, None, []))
        context.known_actor, context.compiles_reads = actor, compiled
        context.loaders = Loaders(context)
        result = await schema().execute(drawn.query, variable_values=drawn.variables, context_value=context)
        whole = {"data": result.data, "errors": [error.formatted for error in result.errors or []]}
        return json.loads(msgspec.json.encode(whole)), result


@pytest.fixture(scope="module")
async def town(hub: Hub) -> Town:
    return Town(hub, await build(hub, SEED), await build(hub, SEED + 1))


def _scalars() -> dict[str, Any]:
    return {name: strategies.just(nodes.String("x")) for name in ("DateTime", "Date", "Decimal", "JSON")}


def _drawn_queries(count: int) -> list[str]:
    """As many queries as hypothesis draws for the seed."""
    drawn: list[str] = []
    names = [name for name in schema()._schema.query_type.fields if _python(name) in ROOTS]

    @hypothesis.seed(SEED)
    @hypothesis.settings(
        max_examples=count, database=None, deadline=None, suppress_health_check=list(HealthCheck), phases=[hypothesis.Phase.generate]
    )
    @hypothesis.given(queries(export_sdl(), fields=names, custom_scalars=_scalars(), allow_x00=False))
    def draw(query: str) -> None:
        drawn.append(query)

    draw()
    return drawn


def _python(name: str) -> str:
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name)


@pytest.mark.timeout(3600)
async def test_compiled_and_resolved_reads_give_the_same_json(town: Town):
    names, viewers, seen = town.names(), town.viewers(), Counter[str]()
    different: list[str] = []
    for number, base in enumerate(_drawn_queries(QUERIES)):
        drawn = dressed(schema()._schema, base, SEED + number, names)
        if validate(schema()._schema, parse(drawn.query)):
            seen["invalid"] += 1
            continue
        actor = viewers[number % len(viewers)]
        plain, _ = await town.answer(drawn, actor, compiled=False)
        compiled, result = await town.answer(drawn, actor, compiled=True)
        if compiled != plain:
            different.append(f"{drawn.query}\n{drawn.variables}\n{actor.role}\n{compiled}\n{plain}")
        names.learn(plain["data"])
        seen["with errors" if plain["errors"] else "answered"] += 1
        seen["compiled"] += any(isinstance(value, msgspec.Raw) for value in (result.data or {}).values())
    print(dict(seen))
    assert not different, f"{len(different)} differ, the first:\n{different[0]}"
    assert seen["compiled"] > QUERIES / 4
