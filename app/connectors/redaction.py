"""Takes known secrets out of every text that leaves a connector: errors, logs, the call log.

A secret is looked for as it is and as URLs, JSON and Basic authentication write it. What a provider says may repeat a
credential back to us; that is why even its own words pass through here.
"""

import base64
import json
import re
from collections.abc import Iterable
from urllib.parse import quote, quote_plus

SHORTEST_SECRET = 4
"""Characters. Shorter values would blank ordinary words and protect nothing."""
SHOWN_CHARACTERS = 500
"""How much of a provider's own words is kept."""
HIDDEN = "[hidden]"


class Redactor:
    """Replaces known secrets by `[hidden]`."""

    __slots__ = ("_pattern",)

    def __init__(self, secrets: Iterable[str]) -> None:
        spellings = {spelling for secret in secrets if len(secret) >= SHORTEST_SECRET for spelling in _spellings(secret)}
        longest_first = sorted(spellings, key=len, reverse=True)
        self._pattern = re.compile("|".join(map(re.escape, longest_first)), re.IGNORECASE) if longest_first else None

    def clean(self, text: str) -> str:
        """The text without any known secret."""
        return self._pattern.sub(HIDDEN, text) if self._pattern else text

    def quote(self, text: str, length: int = SHOWN_CHARACTERS) -> str:
        """A provider's words on one line, without secrets and cut. Cleaned before it is cut: half a secret is one too."""
        line = " ".join(self.clean(_without_control_characters(text)).split())
        return line if len(line) <= length else line[: length - 1] + "…"


def _spellings(secret: str) -> set[str]:
    raw = secret.encode("utf-8", "surrogateescape")
    spellings = {secret, quote(secret, safe="", errors="replace"), quote_plus(secret, errors="replace"), quote(secret, errors="replace")}
    spellings |= {json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1], repr(secret)[1:-1]}
    return spellings | {base64.b64encode(raw).decode().rstrip("="), base64.urlsafe_b64encode(raw).decode().rstrip("=")}


def _without_control_characters(text: str) -> str:
    return "".join(character if character.isprintable() else " " for character in text)
