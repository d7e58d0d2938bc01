"""Trying failed records again: one, those that are selected, or all that fail alike, part by part with progress."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response

from app.paging import MAXIMUM
from app.syncs.models import RetryResult
from portal.console.pages import staff_page
from portal.forms import Form, ids, own_path, read_form
from portal.rendering import wants_fragment
from portal.session import actor, hub, see_other, visit

PART = 100
"""Records that one answer waits for."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of all parts so far."""

    healed: int = 0
    still: int = 0
    queued: int = 0
    dismissed: int = 0

    @property
    def tried(self) -> int:
        return self.healed + self.still + self.queued

    def plus(self, part: RetryResult) -> "Outcome":
        return Outcome(self.healed + part.healed, self.still + part.still_failed, self.queued + part.queued)

    @property
    def query(self) -> str:
        return urlencode({"healed": self.healed, "still": self.still, "queued": self.queued})


def outcome_of(request: Request) -> Outcome | None:
    """What the address says of a retry that has just ended."""
    given = {name: request.query_params.get(name, "") for name in ("healed", "still", "queued", "dismissed")}
    if not any(text.isdigit() for text in given.values()):
        return None
    return Outcome(**{name: int(text) if text.isdigit() else 0 for name, text in given.items()})


async def retry(request: Request) -> Response:
    """Try a part of them again; until all were, the page goes on by itself, or by its button."""
    form = await read_form(request)
    connection_id, like = ids([form.text("connection")])[0], form.text("like")
    part = await hub(request).failed_records.retry(
        actor(request), connection_id, record_ids=_named(form), after=_after(form), limit=PART, **await _alike(request, like)
    )
    before = Outcome(**{name: _number(form, name) for name in ("healed", "still", "queued")})
    outcome = before.plus(part)
    back = own_path(form.text("back"), visit(request).base) if form.text("back") else f"{visit(request).base}/failed-records"
    if part.last is None and not wants_fragment(request):
        return see_other(f"{back}{'&' if '?' in back else '?'}{outcome.query}")
    return await staff_page(
        request,
        "failed_record_retry.html",
        "Failed records",
        block="retrying" if wants_fragment(request) else None,
        outcome=outcome,
        last=part.last,
        connection=connection_id,
        like=like,
        back=back,
        total=max(_number(form, "total"), outcome.tried),
    )


def _number(form: Form, name: str) -> int:
    text = form.text(name)
    return int(text) if text.isdecimal() else 0


def _named(form: Form) -> list[UUID] | None:
    return form.ids("record")[:MAXIMUM] or None


def _after(form: Form) -> UUID | None:
    return ids([form.text("after")])[0] if form.text("after") else None


async def _alike(request: Request, like: str) -> Any:
    """Those that fail like one of them; it may be well by now, its cause stays known."""
    if not like:
        return {}
    one = await hub(request).failed_records.get(actor(request), ids([like])[0])
    return {"stream": one.stream, "stage": one.stage, "error_code": one.error_code, "cause": one.cause}
