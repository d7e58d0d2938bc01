"""What a reply says: `opr_code` in a body that comes with HTTP 200 even for failures.

https://github.com/metakocka/metakocka_api_base/blob/master/docs/documents_concept.md
Texts mix English and Slovenian: the code decides, the text is shown. Partner calls have no code when they succeed.
"""

from typing import Any

import msgspec

from app.connectors.answers import Answers, Response, Verdict
from app.connectors.errors import (
    AddressRefused,
    ConnectorError,
    CredentialsRefused,
    ProviderUnavailable,
    RateLimited,
    RequestRejected,
    UnexpectedResponse,
)
from app.connectors.metakocka.values import text_of
from app.connectors.redaction import Redactor

OK, INTERNAL, INVALID, WRONG_KEY, WRONG_ADDRESS, QUOTA = "0", "1", "2", "3", "4", "5"
QUOTA_PAUSE_SECONDS = 180.0
"""The quota's window is not published; after so long it is tried again."""
NOT_METAKOCKA = Verdict(AddressRefused, "This address answers, but has no such call of Metakocka's; check the address")


class Refused(RequestRejected):
    """Metakocka refused this request."""

    def __init__(self, message: str, *, opr_code: str) -> None:
        super().__init__(message)
        self.opr_code = opr_code


class Reply(msgspec.Struct):
    """What every reply may carry."""

    opr_code: Any = OK
    opr_desc: Any = ""
    opr_desc_app: Any = ""


_reply = msgspec.json.Decoder(Reply)


class ReplyCodes(Answers):
    """Reads the code of a reply."""

    def error(self, response: Response, redactor: Redactor) -> ConnectorError | None:
        """The error that a reply is; None for a success."""
        if not 200 <= response.status < 300:
            return super().error(response, redactor)
        try:
            reply = _reply.decode(response.content)
        except (msgspec.DecodeError, RecursionError):
            return _no_reply(response, redactor)
        code = text_of(reply.opr_code) or OK
        return None if code == OK else _failure(code, redactor.quote(text_of(reply.opr_desc) or text_of(reply.opr_desc_app)))

    def leaves_in_doubt(self, response: Response, error: ConnectorError) -> bool:
        """A page instead of a reply, or an internal error, does not say what became of a write."""
        return response.status >= 500 or (response.status < 300 and isinstance(error, (ProviderUnavailable, UnexpectedResponse)))


def _no_reply(response: Response, redactor: Redactor) -> ConnectorError:
    text = response.content[:2000].decode("utf-8", "replace")
    if "html" in response.headers.get("content-type", "") or text.lstrip().startswith("<"):
        return ProviderUnavailable(
            "Metakocka answers with a page instead of data, as it does while it is upgraded; it will be tried again."
        )
    return UnexpectedResponse(f"Metakocka's answer is not complete JSON: “{redactor.quote(text, 120)}”")


def _failure(code: str, words: str) -> ConnectorError:
    said = f" (code {code})" + (f": “{words}”" if words else ".")
    if code == INTERNAL:
        return ProviderUnavailable(f"Metakocka has a problem; it will be tried again{said}")
    if code == WRONG_KEY:
        return CredentialsRefused(f"Metakocka does not accept the key for this company; reconnect with valid ones{said}")
    if code == WRONG_ADDRESS:
        return AddressRefused(f"Metakocka refuses our IP address: it is not allowed in the company's settings there{said}")
    if code == QUOTA:
        return RateLimited(f"Metakocka's quota of requests is used up{said}", retry_after=QUOTA_PAUSE_SECONDS)
    return Refused(f"Metakocka refused this{said}", opr_code=code)
