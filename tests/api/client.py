"""What a program that uses the API does, and a look at the statements that it causes."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
from strawberry.relay import GlobalID

from app import database
from tests import factories


@dataclass
class GraphQLClient:
    http: httpx.AsyncClient
    token: str

    async def send(self, query: str, variables: dict[str, Any] | None = None, **headers: str) -> httpx.Response:
        return await self.http.post(
            "/graphql", json={"query": query, "variables": variables or {}}, headers={"Authorization": f"Bearer {self.token}", **headers}
        )

    async def execute(self, query: str, **variables: Any) -> Any:
        """The data. Any error is the test's failure."""
        body = (await self.send(query, variables)).json()
        assert "errors" not in body, body["errors"]
        return body["data"]

    async def errors(self, query: str, **variables: Any) -> list[dict[str, Any]]:
        body = (await self.send(query, variables)).json()
        found: list[dict[str, Any]] = body["errors"]
        return found

    async def change(self, field: str, arguments: str, selection: str, **variables: Any) -> Any:
        """The answer of one mutation with a new idempotency key, its type and any refusal's fields included."""
        declared = ", ".join(f"${name}: {kind}" for name, (kind, _) in variables.items())
        values = {name: value for name, (_, value) in variables.items()} | {"key": factories.key()}
        query = f"""mutation ({declared}{", " if declared else ""}$key: String!) {{ {field}({arguments}, idempotencyKey: $key) {{
            __typename ... on Refusal {{ message code fixBy }} {selection} }} }}"""
        return (await self.execute(query, **values))[field]


def gid(type_name: str, value: object) -> str:
    return str(GlobalID(type_name, str(value)))


@dataclass
class Statements:
    """The SQL that was sent on connections that were open already: run a thing once before it is counted."""

    sent: list[str] = field(default_factory=list)

    @contextmanager
    def counted(self) -> Iterator[None]:
        connections = [holder._con for holder in database._pool()._holders if holder._con is not None]

        def note(record: Any) -> None:
            self.sent.append(record.query)

        for connection in connections:
            connection.add_query_logger(note)
        try:
            yield
        finally:
            for connection in connections:
                connection.remove_query_logger(note)

    def __len__(self) -> int:
        return len(self.sent)
