"""Finds the connectors: every folder here that holds a `connector.py` with a `connector` in it."""

import importlib
import importlib.util
import pkgutil
from collections.abc import Iterable
from types import ModuleType

import app.connectors
from app.connectors.base import Connector
from app.errors import HubError

# The contract that connectors keep, and what the providers' sandboxes share.
NO_PROVIDERS = {"base", "sandbox_kit"}


class ConnectorInvalid(HubError):
    """A connector's folder cannot be used as it is."""

    code = "connector_invalid"


def find_connectors(package: ModuleType = app.connectors) -> dict[str, Connector]:
    """All connectors by provider, in the order of their names. Raises ConnectorInvalid with the folder's name."""
    folders = sorted({module.name for module in pkgutil.iter_modules(package.__path__) if module.ispkg} - NO_PROVIDERS)
    return {folder: load_connector(f"{package.__name__}.{folder}") for folder in folders}


def load_connector(name: str) -> Connector:
    """The connector in one folder, checked. Raises ConnectorInvalid."""
    folder = name.rpartition(".")[2]
    try:
        module = importlib.import_module(f"{name}.connector")
    except Exception as error:
        raise ConnectorInvalid(f"The connector folder {folder!r} cannot be imported: {type(error).__name__}: {error}.") from error
    connector = getattr(module, "connector", None)
    if not isinstance(connector, Connector):
        raise ConnectorInvalid(f"The connector folder {folder!r} has no `connector` in its connector.py.")
    for fault in _faults(folder, connector):
        raise ConnectorInvalid(f"The connector {folder!r} {fault}.")
    return connector


def _faults(folder: str, connector: Connector) -> Iterable[str]:
    if connector.provider != folder:
        yield f"calls its provider {connector.provider!r}; it must have the folder's name"
    if not connector.streams and not connector.actions:
        yield "has neither streams nor actions"
    yield from _faults_of_settings(connector)
    yield from _faults_of_streams(connector)
    yield from (
        f"keeps the action {action.name!r} under the name {name!r}" for name, action in connector.actions.items() if action.name != name
    )
    for limit in connector.rate_limits:
        if limit.requests < 1 or limit.seconds <= 0 or not 0 <= limit.reserved < limit.requests:
            yield f"has the rate limit {limit.name!r}, which allows nothing or reserves everything"


def _faults_of_settings(connector: Connector) -> Iterable[str]:
    described = {setting.name for setting in connector.settings}
    typed = set(getattr(connector.settings_class, "__struct_fields__", ()))
    if not typed:
        yield "needs a msgspec.Struct as its settings_class"
    elif described != typed:
        yield f"describes other settings than its class has: {', '.join(sorted(described ^ typed))}"
    if not connector.secret_names & described:
        yield "has no secret setting; credentials must be marked as secret"


def _faults_of_streams(connector: Connector) -> Iterable[str]:
    for name, stream in connector.streams.items():
        if stream.name != name:
            yield f"keeps the stream {stream.name!r} under the name {name!r}"
        if stream.record_stream not in connector.streams:
            yield f"maps the stream {name!r} under the unknown stream {stream.record_stream!r}"
        if unknown := set(stream.after) - set(connector.streams):
            yield f"wants the stream {name!r} after the unknown {', '.join(sorted(unknown))}"
        if not stream.fields.rows:
            yield f"has no field mapping for the stream {name!r}"
