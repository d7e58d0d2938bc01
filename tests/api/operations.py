"""The named operations of graphql/operations, sent as a front end sends them."""

from functools import cache
from pathlib import Path
from typing import Any

from tests.api.client import GraphQLClient

FOLDER = Path(__file__).resolve().parents[2] / "graphql" / "operations"
NAMES = sorted(path.stem for path in FOLDER.glob("*.graphql"))


@cache
def text(name: str) -> str:
    return (FOLDER / f"{name}.graphql").read_text()


async def run(client: GraphQLClient, operation: str, /, **variables: Any) -> Any:
    """The answer of the operation's one root field."""
    data = await client.execute(text(operation), **variables)
    [answer] = data.values()
    return answer
