"""What a GraphQL query becomes in SQL: for whoever wonders why it is fast, or why it is not."""

from collections.abc import Iterator

import msgspec
from graphql import DocumentNode, OperationDefinitionNode, OperationType, parse, validate

from app.actors import PERMISSIONS, Role
from app.api.reads.plans import KnownDocument, Plan
from app.api.reads.statement import Viewer
from app.api.schema import schema


def explained(text: str, variables: str, role: str) -> Iterator[str]:
    """The statement of each query in the text, root fields that it could not hold, and why. Raises ValueError for bad input."""
    document, viewer = parse(text), Viewer(PERMISSIONS[Role(role)], role == Role.CLIENT_CONTACT)
    if mistakes := validate(schema()._schema, document):
        raise ValueError("; ".join(mistake.message for mistake in mistakes))
    for node in document.definitions:
        if isinstance(node, OperationDefinitionNode) and node.operation is OperationType.QUERY:
            yield from _explained(document, node, msgspec.json.decode(variables), viewer)


def _explained(document: DocumentNode, operation: OperationDefinitionNode, variables: dict[str, object], viewer: Viewer) -> Iterator[str]:
    known = KnownDocument(schema()._schema, document, operation)
    plan = known.plan(known.variables(variables), viewer)
    yield f"-- {operation.name.value if operation.name else 'query'}"
    if plan.sql:
        yield f"{_indented(plan.sql)};"
    yield from _left(plan)


def _left(plan: Plan) -> Iterator[str]:
    for key, reason in plan.reasons.items():
        yield f"-- {key}: {reason}"


_BREAKS = ("(SELECT ", " FROM ", " WHERE ", " ORDER BY ")


def _indented(sql: str) -> str:
    """The statement on several lines, each as deep as its brackets."""
    for word in _BREAKS:
        sql = sql.replace(word, f"\n{word.lstrip()}")
    lines, depth = [], 0
    for line in sql.split("\n"):
        lines.append("  " * depth + line.strip())
        depth += line.count("(") - line.count(")")
    return "\n".join(line for line in lines if line.strip())
