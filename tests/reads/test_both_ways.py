"""Reads compiled to SQL and reads resolved field by field give the same JSON, whatever is asked.

The suite asks 250 queries; `scripts/campaign reads` sets CROSSWALK_QUERIES.
"""

import os
from collections import Counter
from typing import Any

import hypothesis
import msgspec
import pytest
from graphql import parse, validate
from hypothesis import HealthCheck, strategies
from hypothesis_graphql import nodes, queries

from app.api.reads.sources import ROOTS
from app.api.schema import export_sdl, schema
from tests.reads.asking import Town
from tests.reads.conftest import SEED
from tests.reads.documents import dressed

QUERIES = int(os.environ.get("CROSSWALK_QUERIES", "250"))


def _scalars() -> dict[str, Any]:
    """Moments around which things were made and changed; no query takes any other scalar."""
    moments = strategies.sampled_from(["2026-01-02T03:04:05Z", "2026-11-21T09:30:00Z", "2099-01-01T00:00:00Z"])
    others = {name: strategies.just(nodes.String("x")) for name in ("Date", "Decimal", "JSON")}
    return {"DateTime": moments.map(nodes.String), **others}


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
    print(dict(seen), *different, sep="\n\n")
    assert not different, f"{len(different)} differ, the first:\n{different[0]}"
    assert seen["compiled"] > QUERIES / 4
