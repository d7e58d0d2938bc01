"""How documents are checked and errors are logged."""

import re
from collections.abc import Iterator
from typing import Any

from graphql import ASTValidationRule, GraphQLError, NoSchemaIntrospectionCustomRule, specified_rules
from strawberry.extensions import SchemaExtension
from strawberry.schema import Schema

from app.api.limits import LimitsRule

# Built once: the validation cache knows a document by it and its rules. The limits come first and end a document's
# validation when it is past them.
OPEN_RULES: tuple[type[ASTValidationRule], ...] = (LimitsRule, *specified_rules)
RULES: tuple[type[ASTValidationRule], ...] = (LimitsRule, NoSchemaIntrospectionCustomRule, *specified_rules)

# Postgres text cannot hold this character. In a document it can only stand as an escape.
_NUL_ESCAPE = re.compile(r"\\u(?:0000|\{0+\})")
_SENTENCE = "Text here cannot hold the character U+0000."


class HubSchema(Schema):
    """Surprises are logged by app/api/masking.py under their reference; mistakes of callers are not ours to log."""

    def process_errors(self, errors: list[GraphQLError], execution_context: Any = None) -> None:
        return None


class Rules(SchemaExtension):
    """Chooses the rules for a document: introspection is for those who may look inside."""

    def on_operation(self) -> Iterator[None]:
        context = self.execution_context.context
        self.execution_context.validation_rules = OPEN_RULES if context.may_look_inside else RULES
        yield


class LegibleText(SchemaExtension):
    """Refuses text that the database could not keep. It comes after the validation, which would overwrite its verdict."""

    def on_validate(self) -> Iterator[None]:
        execution = self.execution_context
        if not execution.pre_execution_errors and (_NUL_ESCAPE.search(execution.query or "") or _holds_nul(execution.variables)):
            execution.pre_execution_errors = [GraphQLError(_SENTENCE, extensions={"code": "BAD_USER_INPUT"})]
        yield


def _holds_nul(values: Any) -> bool:
    pending = [values]
    while pending:
        value = pending.pop()
        if isinstance(value, str) and "\0" in value:
            return True
        if isinstance(value, dict):
            pending.extend(value)
            pending.extend(value.values())
        elif isinstance(value, list):
            pending.extend(value)
    return False
