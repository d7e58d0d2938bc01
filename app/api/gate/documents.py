"""Trusted documents: the operations that the deployment knows by name and by hash.

They are the files of graphql/operations, which the wheel carries as app/api/operations, and those of the folder that
CROSSWALK_TRUSTED_DOCUMENTS_DIR names. A document is asked for by the name of its operation or file (`ApproveQuote`,
`approve_quote`), or by `sha256:` and the digest of its text: as it stands, without the white space around it, or as
graphql-js prints it, which is what clients that parse their documents send.
"""

import re
from collections.abc import Mapping
from functools import cache
from hashlib import sha256
from pathlib import Path

from graphql import parse, print_ast

PREFIX = "sha256:"

_OPERATION = re.compile(r"^(?:query|mutation|subscription)\s+(\w+)", re.MULTILINE)
PACKAGED = Path(__file__).parents[1] / "operations"
CHECKOUT = Path(__file__).resolve().parents[3] / "graphql" / "operations"


class TrustedDocuments:
    """Texts by name and by hash. The first text of a name counts."""

    def __init__(self, texts: Mapping[str, str]) -> None:
        self._by_id: dict[str, str] = {}
        self._texts: set[str] = set()
        for name, text in texts.items():
            forms = {text, text.strip(), print_ast(parse(text))}
            self._texts |= forms
            for document_id in (name, *_OPERATION.findall(text), *(PREFIX + digest(form) for form in forms)):
                self._by_id.setdefault(document_id, text)

    def text(self, document_id: str) -> str | None:
        return self._by_id.get(document_id)

    def __contains__(self, text: str) -> bool:
        """Whether this is the text of a trusted document."""
        return text in self._texts


def digest(text: str) -> str:
    """As `sha256sum` prints it."""
    return sha256(text.encode(errors="surrogatepass")).hexdigest()


@cache
def trusted_documents(more: Path | None) -> TrustedDocuments:
    """The hub's own operations and those of the folder `more`. Read once for each process."""
    folders = [PACKAGED if PACKAGED.is_dir() else CHECKOUT, *([more] if more else [])]
    files = [file for folder in reversed(folders) for file in sorted(folder.glob("*.graphql"))]
    return TrustedDocuments({file.stem: file.read_text() for file in files})
