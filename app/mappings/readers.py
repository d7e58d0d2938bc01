"""How a row reads a document: its path and its transforms, put together once, as few calls as possible.

Each row reads each object that a provider sends.
"""

from collections.abc import Callable, Sequence
from typing import Any

from app.connectors.base import Account, FieldRow
from app.mappings import expressions, paths
from app.mappings.transforms.pairs import Pair, Step
from app.mappings.transforms.texts import text

Reader = Callable[[Any, Any, Account], Any]
"""The row's value of a document; None for nothing. Raises ValueError with a sentence.

The second argument is the record's Evaluation, which only expressions need.
"""


def reader(row: FieldRow, path: str, pairs: Sequence[Pair]) -> Reader:
    """Of a row, at its path within the document or within an element of a list, with its transforms."""
    if not paths.is_plain(path):
        read, steps = _by_expression(path), pairs
    elif len(row.transforms) > 1 and row.transforms[0] == ("trim",) and row.transforms[1][0] == "text":
        read, steps = _trimmed_text(path, *row.transforms[1][1:]), pairs[2:]
    else:
        read, steps = _at(path), pairs
    for pair in steps:
        read = _then(read, pair.pull)
    return read if row.default is None else _or(read, row.default)


def _by_expression(path: str) -> Reader:
    search = expressions.reader(path)
    return lambda document, evaluation, account: search(document, evaluation)


def _at(path: str) -> Reader:
    get = paths.getter(path)
    return lambda document, evaluation, account: get(document)


def _trimmed_text(path: str, maximum: str = "10000") -> Reader:
    """`trim` and then `text`, with which nearly every row begins, in one step with the path."""
    get, limit, whole = paths.getter(path), int(maximum), text(maximum).pull

    def read(document: Any, evaluation: Any, account: Account) -> Any:
        value = get(document)
        if isinstance(value, str):
            value = value.strip()
            if len(value) <= limit and "\x00" not in value:
                return value
        return whole(value, account)

    return read


def _then(read: Reader, step: Step) -> Reader:
    return lambda document, evaluation, account: step(read(document, evaluation, account), account)


def _or(read: Reader, default: Any) -> Reader:
    def read_or(document: Any, evaluation: Any, account: Account) -> Any:
        value = read(document, evaluation, account)
        return default if value is None else value

    return read_or
