"""Adding a connection and changing one: a form drawn from the connector's settings, a real test, then saving."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from app.connections.models import Connection, ConnectionTest
from app.connectors.base import Connector, Setting
from app.errors import NotFound, Refusal
from portal.console.pages import connection_of, connector_of, staff_page
from portal.forms import Form, new_key, read_form
from portal.rendering import wants_fragment
from portal.session import actor, hub, see_other, visit

SECTION = "Connections"
PREFIX = "setting-"
WRONG = 422


@dataclass(frozen=True, slots=True)
class Given:
    """What stands in the form. `settings` has a text for every setting, secrets too while the form is being filled in."""

    name: str
    mode: str
    settings: Mapping[str, Any]


async def choose(request: Request) -> Response:
    return await staff_page(request, "providers.html", SECTION, connectors=hub(request).connections.connectors(actor(request)))


async def new(request: Request) -> Response:
    """An empty form, or one that is filled in for the provider's sandbox."""
    connector = _connector(request)
    sandbox = "sandbox" in request.query_params and hub(request).settings.sandboxes
    return await _form_page(request, connector, _sandbox(request, connector) if sandbox else _empty(connector))


async def create(request: Request) -> Response:
    """Save and test at once: a connection is used only after a test that succeeds."""
    connector, form = _connector(request), await read_form(request)
    given = _given(connector, form)
    settings, credentials = _parts(connector, given)
    try:
        connection = await hub(request).connections.create(
            actor(request),
            provider=connector.provider,
            name=given.name,
            mode=given.mode,
            settings=settings,
            credentials=credentials,
            idempotency_key=form.idempotency_key,
        )
    except Refusal as refusal:
        return await _form_page(request, connector, given, status=WRONG, problems=_problems(refusal))
    result = await hub(request).connections.test(actor(request), connection.id)
    return see_other(f"{visit(request).base}/connections/{connection.id}" + ("?done=created" if result.ok else ""))


async def test_new(request: Request) -> Response:
    """Try what stands in the form; nothing is saved."""
    connector = _connector(request)
    return await _test(request, connector, _given(connector, await read_form(request)))


async def edit(request: Request) -> Response:
    connection = await connection_of(request)
    return await _form_page(
        request, connector_of(request, connection), _known(connector_of(request, connection), connection), connection=connection
    )


async def update(request: Request) -> Response:
    connection, form = await connection_of(request), await read_form(request)
    connector = connector_of(request, connection)
    given = _given(connector, form, mode=connection.mode)
    settings, credentials = _parts(connector, given)
    try:
        await hub(request).connections.update(
            actor(request),
            connection.id,
            name=given.name,
            settings=settings,
            credentials=credentials,
            version=form.integer("version"),
            idempotency_key=form.idempotency_key,
        )
    except Refusal as refusal:
        return await _form_page(request, connector, given, status=WRONG, connection=connection, problems=_problems(refusal))
    return see_other(f"{visit(request).base}/connections/{connection.id}?done=saved")


async def test_changed(request: Request) -> Response:
    """Try a connection's settings as they stand in the form; kept secrets are used where none is given."""
    connection = await connection_of(request)
    connector = connector_of(request, connection)
    return await _test(request, connector, _given(connector, await read_form(request), mode=connection.mode), connection)


async def _test(request: Request, connector: Connector, given: Given, connection: Connection | None = None) -> Response:
    settings, credentials = _parts(connector, given)
    try:
        result = await hub(request).connections.test_settings(
            actor(request),
            connector.provider,
            settings,
            credentials,
            mode=given.mode,
            connection_id=connection.id if connection else None,
        )
    except Refusal as refusal:
        result = ConnectionTest(False, " ".join(_problems(refusal).values()), 0.0)
        if not wants_fragment(request):
            return await _form_page(request, connector, given, status=WRONG, connection=connection, problems=_problems(refusal))
    if wants_fragment(request):
        return await staff_page(request, "connection_form.html", SECTION, block="test", test=result, connector=connector)
    return await _form_page(request, connector, given, connection=connection, test=result)


async def _form_page(
    request: Request,
    connector: Connector,
    given: Given,
    *,
    status: int = 200,
    connection: Connection | None = None,
    problems: Mapping[str, str] | None = None,
    test: ConnectionTest | None = None,
) -> Response:
    base = visit(request).base
    action = f"{base}/connections/{connection.id}/settings" if connection else f"{base}/connections/new/{connector.provider}"
    return await staff_page(
        request,
        "connection_form.html",
        SECTION,
        status=status,
        connector=connector,
        connection=connection,
        version=connection.version if connection else None,
        given=given,
        action=action,
        test_action=f"{action}/test",
        sandboxes=hub(request).settings.sandboxes and bool(hub(request).settings.sandbox_urls),
        idempotency_key=new_key(),
        problems=dict(problems or {}),
        test=test,
    )


def _connector(request: Request) -> Connector:
    found: Connector | None = hub(request).connectors.get(request.path_params["provider"])
    if found is None:
        raise NotFound("There is no such provider.")
    return found


def _empty(connector: Connector) -> Given:
    return Given(connector.title, "live", {setting.name: _text(setting.default) for setting in connector.settings})


def _sandbox(request: Request, connector: Connector) -> Given:
    """The address of the provider's registered sandbox, and what it takes as credentials."""
    filled = {setting.name: _text(setting.sandbox or setting.default) for setting in connector.settings}
    filled |= {setting.name: _sandbox_url(request, setting) for setting in connector.settings if setting.kind == "url"}
    return Given(f"{connector.title} sandbox", "sandbox", filled)


def _sandbox_url(request: Request, setting: Setting) -> str:
    """Where the provider's sandbox usually listens, if that is registered; else the first address that is no other provider's usual one."""
    urls = hub(request).settings.sandbox_urls
    usual = {one.sandbox for connector in hub(request).connectors.values() for one in connector.settings if one.kind == "url"}
    return next((url for url in urls if url == setting.sandbox), next((url for url in urls if url not in usual), ""))


def _known(connector: Connector, connection: Connection) -> Given:
    return Given(
        connection.name, connection.mode, {setting.name: _text(connection.settings.get(setting.name)) for setting in connector.settings}
    )


def _text(value: Any) -> Any:
    """As it stands in a field: 30 and not 30.0, nothing for nothing."""
    if value is None:
        return ""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _given(connector: Connector, form: Form, *, mode: str | None = None) -> Given:
    values = {setting.name: _value(setting, form) for setting in connector.settings}
    return Given(form.text("name"), mode or form.text("mode") or "live", values)


def _value(setting: Setting, form: Form) -> Any:
    name = PREFIX + setting.name
    return form.checked(name) if setting.kind == "boolean" else form.text(name)


def _parts(connector: Connector, given: Given) -> tuple[dict[str, Any], dict[str, Any]]:
    """(settings, credentials); an empty field is not given."""
    settings = {name: value or None for name, value in given.settings.items() if name not in connector.secret_names}
    return settings, {name: value for name, value in given.settings.items() if name in connector.secret_names and value}


def _problems(refusal: Refusal) -> dict[str, str]:
    """Each problem at its field's id; what has no field stands for the whole form."""
    fields = getattr(refusal, "fields", {})
    return {name if name in ("name", "mode") else PREFIX + name: words for name, words in fields.items()} or {"": refusal.message}
