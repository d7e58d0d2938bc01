"""The JSON of a reply: what comes before everything, and lists that hold one element."""

import orjson

from app.connectors.sandbox_kit.delivery import Answer

from .answers import Failed
from .config import SandboxConfig
from .partners import PartnerPage
from .wire import BARE_WHEN_SINGLE, Values, bare_singles


def success(config: SandboxConfig, reply: Values | PartnerPage, milliseconds: float, *, with_code: bool) -> Answer:
    """A success, with its code unless the call gives none."""
    if isinstance(reply, PartnerPage):
        bare = config.single_lists_as_objects == "all"
        return Answer(200, orjson.dumps(bare_singles(orjson.loads(reply.body), None)) if bare else reply.body)
    head = {"opr_code": "0", "opr_time_ms": _whole(milliseconds)} if with_code else {}
    whole = head | reply
    if config.single_lists_as_objects != "none":
        whole = bare_singles(whole, None if config.single_lists_as_objects == "all" else BARE_WHEN_SINGLE)
    return Answer(200, orjson.dumps(whole))


def failure(failed: Failed, milliseconds: float) -> Answer:
    """A failure, told with HTTP 200."""
    return Answer(200, orjson.dumps({"opr_code": failed.code, "opr_desc": failed.text, "opr_time_ms": _whole(milliseconds)}))


def opr_code_in(answer: Answer) -> str:
    """The code that an answer tells; "0" for a success without one, empty for a page."""
    if not answer.content_type.startswith("application/json"):
        return ""
    start = answer.body[:40]
    return start.split(b'"', 4)[3].decode() if start.startswith(b'{"opr_code"') else "0"


def _whole(milliseconds: float) -> str:
    return str(max(1, round(milliseconds)))
