"""Text that the database could not keep: Postgres knows no character U+0000."""

import re
from typing import Any

from app.api.gate.limits import Excess, LimitExceeded, Limits
from app.errors import InvalidInput

SENTENCE = "Text here cannot hold the character U+0000."
# In a document it can only stand as an escape.
_NUL_ESCAPE = re.compile(r"\\u(?:0000|\{0+\})")


def holds_nul_escape(document: str) -> bool:
    return _NUL_ESCAPE.search(document) is not None


def require_legible(variables: dict[str, Any] | None, limits: Limits) -> None:
    """Raises InvalidInput for U+0000 in a variable, LimitExceeded for too many values."""
    values = 0
    pending: list[Any] = [variables] if variables else []
    while pending:
        value = pending.pop()
        if isinstance(value, str):
            if "\0" in value:
                raise InvalidInput(SENTENCE)
        elif isinstance(value, dict | list):
            values += len(value)
            if values > limits.values:
                raise LimitExceeded(Excess("values", limits.values, values))
            pending.extend(value)
            if isinstance(value, dict):
                pending.extend(value.values())
