"""Pages and their fragments: one template, rendered whole or by one of its named blocks."""

import hashlib
from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, pass_context
from jinja2.runtime import Context
from jinja2_fragments import render_block
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import HTMLResponse

from portal import formats, statuses
from portal.assets import asset_url
from portal.branding import stylesheet

TEMPLATES = Path(__file__).parent / "templates"


def page(
    request: Request, template: str, *, block: str | None = None, status: int = 200, headers: dict[str, str] | None = None, **context: Any
) -> HTMLResponse:
    """The whole page or, with `block`, only that part of it (what htmx swaps in)."""
    return HTMLResponse(render(template, page_context(request) | context, block=block), status_code=status, headers=headers)


def render(template: str, context: dict[str, Any], *, block: str | None = None) -> str:
    if block is None:
        return environment().get_template(template).render(context)
    return str(render_block(environment(), template, block, context))


def page_context(request: Request) -> dict[str, Any]:
    """What every template may count on; a page that is open to all has no actor."""
    visit = getattr(request.state, "visit", None)
    hub = getattr(request.app.state, "hub", None)
    return {
        "request": request,
        "organization": visit and visit.organization,
        "actor": visit and visit.actor,
        "csrf_token": visit.session.csrf_token if visit and visit.session else None,
        "base": visit.base if visit else "",
        "now": hub.now() if hub else datetime.now(UTC),
        "zone": visit.organization.time_zone if visit else "UTC",
        "done": request.query_params.get("done"),
        "problems": {},
    }


def wants_fragment(request: Request) -> bool:
    """Whether htmx asks for a part of the page; without JavaScript, or for a whole page, it does not."""
    return request.headers.get("HX-Request") == "true" and request.headers.get("HX-Request-Type") != "full"


@cache
def environment() -> Environment:
    made = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        auto_reload=False,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= _value_filters() | {name: _in_zone(format_) for name, format_ in _TIMES.items()}
    made.globals |= {"asset_url": asset_url, "branding_url": branding_url, "plural": formats.plural}
    made.globals |= {name: look for name, look in vars(statuses).items() if name.endswith("_look")}
    made.globals["ui"] = made.get_template("components.html").module
    return made


def _value_filters() -> dict[str, Callable[..., Any]]:
    return {
        "money": formats.money,
        "unit_price": formats.unit_price,
        "quantity": formats.number,
        "number": formats.number,
        "percent": formats.percent,
        "duration": formats.duration,
        "milliseconds": formats.milliseconds,
        "initials": formats.initials,
        "call_path": formats.call_path,
        "date": formats.plain_date,
        "as_options": lambda values: [(value, value) for value in values],
    }


def _when(moment: datetime | None, now: datetime, zone: str) -> Markup:
    """A relative time whose exact one is a hover and a machine's read away."""
    if moment is None:
        return Markup('<span class="muted">never</span>')
    return Markup('<time datetime="{}" title="{}">{}</time>').format(
        moment.isoformat(), formats.exact(moment, zone), formats.relative(moment, now, zone)
    )


def _day(moment: datetime | None, now: datetime, zone: str) -> Markup:
    if moment is None:
        return Markup("—")
    return Markup('<time datetime="{}" title="{}">{}</time>').format(
        moment.isoformat(), formats.exact(moment, zone), formats.day(moment, zone)
    )


_TIMES: dict[str, Callable[[datetime | None, datetime, str], Markup]] = {
    "when": _when,
    "day": _day,
    "exact": lambda moment, now, zone: Markup("{}").format(formats.exact(moment, zone) if moment else "—"),
}


def _in_zone(format_: Callable[[datetime | None, datetime, str], Markup]) -> Callable[..., Markup]:
    """A filter that reads the organization's time zone and the clock from the page's context."""

    @pass_context
    def with_context(context: Context, moment: datetime | None) -> Markup:
        return format_(moment, context["now"], context["zone"])

    return with_context


def branding_url(organization: Any) -> str:
    """The organization's colours, under an address that changes with them."""
    digest = hashlib.sha256(stylesheet(organization.accent_color).encode()).hexdigest()[:12]
    return f"/static/branding/{organization.accent_color.removeprefix('#')}-{digest}.css"
