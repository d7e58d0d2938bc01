"""What can be told of a document before it is parsed: its tokens, how deep its brackets go, its directives.

The parser of graphql-core works in Python, token by token, and calls itself for each bracket. This scan runs in the
regular expression engine and takes a hundredth of the time, so a document that is past a limit never reaches the parser.
"""

import re

from app.api.gate.limits import Excess, Limits

_TOKEN = re.compile(r'"""(?:[^"\\]|\\.|"(?!""))*+"""|"(?:[^"\\\n]|\\.)*+"|#[^\n]*+|\.\.\.|\w++|-?\d[\w.+-]*+|[^\s,\ufeff]', re.DOTALL)
_OPENING, _CLOSING = "{[(", "}])"


def past_limits(text: str, limits: Limits) -> Excess | None:
    """The first limit that the text itself passes."""
    if len(text) > limits.document:
        return Excess("document", limits.document, len(text))
    tokens = [token for token in _TOKEN.findall(text) if token[0] != "#"]
    if len(tokens) > limits.tokens:
        return Excess("tokens", limits.tokens, len(tokens))
    measured = {"nesting": _nesting(tokens), "directives": tokens.count("@")}
    return next(limits.excesses(measured), None)


def _nesting(tokens: list[str]) -> int:
    depth = deepest = 0
    for token in tokens:
        if token in _OPENING:
            depth += 1
            deepest = max(deepest, depth)
        elif token in _CLOSING:
            depth -= 1
    return deepest
