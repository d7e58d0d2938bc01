"""Signing in at either door: a mail with a link, a page with one button. Opening a link changes nothing."""

from starlette.requests import Request
from starlette.responses import Response

from app.errors import InvalidInput, NotFound, Refusal
from app.organizations.models import LinkView
from portal.forms import own_path, read_form
from portal.rendering import page
from portal.session import actor, forget_session, hub, keep_session, see_other, visit

_FOLDERS = {"portal": "client", "console": "console"}


async def ask(request: Request) -> Response:
    """The form that asks for an address."""
    return _form(request, next_path=request.query_params.get("next"))


async def send_link(request: Request) -> Response:
    """The same answer whether the address is known or not."""
    form, here = await read_form(request), visit(request)
    ip = request.client.host if request.client else None
    next_path = own_path(form.text("next"), here.base) if form.text("next") else None
    try:
        await hub(request).organizations.ask_for_link(
            here.organization.slug, form.text("email"), door=here.door, ip=ip, next_path=next_path
        )
    except InvalidInput as refusal:
        return _form(request, email=form.text("email"), next_path=next_path, problems=refusal.fields, status=422)
    return _form(request, email=form.text("email"), sent=True)


def _form(
    request: Request, *, email: str = "", sent: bool = False, next_path: str | None = None, problems: object = None, status: int = 200
) -> Response:
    template = f"{_FOLDERS[visit(request).door]}/sign_in.html"
    return page(request, template, status=status, email=email, sent=sent, next_path=next_path, problems=problems or {})


async def look(request: Request) -> Response:
    """One button. Whoever scans links in mails finds nothing to change."""
    link = await _link(request)
    return page(request, f"{_FOLDERS[link.door]}/link.html", link=link, headers={"Cache-Control": "no-store"})


async def _link(request: Request) -> LinkView:
    """The link, if it leads through this door of this organization. Raises NotFound."""
    link = await hub(request).organizations.look_at_link(request.path_params["token"])
    if (link.door, link.organization.slug) != (visit(request).door, visit(request).organization.slug):
        raise NotFound
    return link


async def use(request: Request) -> Response:
    """Signs in, or shows why the link cannot be used any more."""
    here, agent = visit(request), request.headers.get("user-agent")
    ip = request.client.host if request.client else None
    await _link(request)
    try:
        result = await hub(request).organizations.use_link(request.path_params["token"], ip=ip, user_agent=agent)
    except Refusal:
        return await look(request)
    response = see_other(own_path(result.next_path or "", here.base))
    keep_session(response, request, here.door, here.organization.slug, result.cookie)
    return response


async def sign_out(request: Request) -> Response:
    here = visit(request)
    await hub(request).organizations.sign_out(actor(request), here.session.id)
    response = see_other(f"{here.base}/sign-in")
    forget_session(response, request, here.door, here.organization.slug)
    return response
