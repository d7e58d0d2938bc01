"""What a connection's settings must look like. Values in, value or refusal out; no message repeats a value."""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

import msgspec

from app.connections.models import Connection, ConnectionMode, ConnectionStatus
from app.connectors.base import Account, Connector, Setting
from app.errors import InvalidInput
from app.plain_text import is_one_line, one_line

LONGEST_VALUE = 4096
SHORTEST_SHOWN_SECRET = 12
_PORTS = {"https": 443, "http": 80}
_VALUE_WORDS = {
    "text": "Write this as text.",
    "secret": "This does not look complete; copy it again.",
    "url": "Write an address such as https://api.example.com.",
    "integer": "Write a whole number.",
    "seconds": "Write a number of seconds.",
    "boolean": "Choose yes or no.",
}


def decode_settings(connector: Connector, values: Mapping[str, Any]) -> Any:
    """The connector's settings from what was given, secrets among it. Raises InvalidInput with a sentence for each field."""
    types = {field.name: field.type for field in msgspec.structs.fields(connector.settings_class)}
    given = {name: value for name, value in values.items() if value is not None and value != ""}
    problems = {name: f"{connector.title} has no setting of this name." for name in given if name not in types}
    decoded: dict[str, Any] = {}
    for setting in connector.settings:
        try:
            if setting.name in given:
                decoded[setting.name] = _decode(setting, given[setting.name], types[setting.name])
            elif setting.required:
                raise ValueError("This is needed.")
        except ValueError as problem:
            problems[setting.name] = str(problem)
    if problems:
        raise InvalidInput(fields=problems)
    return _together(connector, decoded)


def _decode(setting: Setting, value: Any, kind: Any) -> Any:
    """Raises ValueError with a sentence that does not hold the value."""
    text = value.strip() if isinstance(value, str) else value
    if isinstance(text, str) and (len(text) > LONGEST_VALUE or not text.isprintable()):
        raise ValueError(f"Write one line of at most {LONGEST_VALUE} characters.")
    if setting.choices and text not in setting.choices:
        raise ValueError(f"Choose one of: {', '.join(setting.choices)}.")
    try:
        decoded = msgspec.convert(text, kind, strict=False)
    except msgspec.ValidationError:
        raise ValueError(_range_problem(setting, text) or _VALUE_WORDS.get(setting.kind, "This value cannot be used.")) from None
    if problem := _range_problem(setting, decoded):
        raise ValueError(problem)
    return _checked_url(decoded) if setting.kind == "url" else decoded


def _range_problem(setting: Setting, value: Any) -> str | None:
    low, high = setting.minimum, setting.maximum
    try:
        number = float(value)
    except (TypeError, ValueError):
        return None
    # Written this way round, a NaN is outside too.
    if (low is None or number >= low) and (high is None or number <= high):
        return None
    limits = [f"at least {low:g}" if low is not None else "", f"at most {high:g}" if high is not None else ""]
    return f"Write a number of {' and '.join(filter(None, limits))}."


def _checked_url(url: str) -> str:
    try:
        parts = urlsplit(url)
        usable = parts.scheme in _PORTS and parts.hostname and (parts.port is None or parts.port > 0)
    except ValueError:
        usable = False
    if not usable:
        raise ValueError(_VALUE_WORDS["url"])
    if re.search(r"[@?#\\]", url):
        raise ValueError("An address must hold no user name, no password, no query and no fragment.")
    return url.rstrip("/")


def _together(connector: Connector, decoded: Mapping[str, Any]) -> Any:
    try:
        return msgspec.convert(decoded, connector.settings_class)
    except msgspec.ValidationError:
        raise InvalidInput(f"These settings do not fit together for {connector.title}.") from None


def split(connector: Connector, decoded: Any) -> tuple[dict[str, Any], dict[str, str]]:
    """(what may be shown, what is sealed)."""
    values: dict[str, Any] = {setting.name: getattr(decoded, setting.name) for setting in connector.settings}
    secrets = {name: str(values.pop(name)) for name in connector.secret_names if values.get(name)}
    shown = {name: value for name, value in values.items() if name not in connector.secret_names}
    return msgspec.to_builtins(shown), secrets


def check_places(connector: Connector, settings: Mapping[str, Any], credentials: Mapping[str, Any]) -> None:
    """Secrets come as credentials and nothing else does: each side has its own way into logs. Raises InvalidInput."""
    problems = {name: "This is a secret; give it among the credentials." for name in settings if name in connector.secret_names}
    problems |= {name: "This is not a secret; give it among the settings." for name in credentials if name not in connector.secret_names}
    if problems:
        raise InvalidInput(fields=problems)


def check_mode(
    connector: Connector, settings: Mapping[str, Any], mode: ConnectionMode, *, sandboxes: bool, sandbox_urls: Sequence[str]
) -> None:
    """Real accounts and sandboxes are never mixed. Raises InvalidInput."""
    if mode is ConnectionMode.SANDBOX and not sandboxes:
        raise InvalidInput(fields={"mode": "This deployment has no sandboxes (CROSSWALK_SANDBOXES)."})
    known = set(map(endpoint, sandbox_urls))
    problems = {}
    for name, where in endpoints(connector, settings).items():
        if mode is ConnectionMode.SANDBOX and where not in known:
            problems[name] = "A sandbox connection can only use the address of a sandbox that this deployment registered."
        if mode is ConnectionMode.LIVE and where in known:
            problems[name] = "This is the address of a sandbox; a live connection cannot use it."
    if problems:
        raise InvalidInput(fields=problems)


def endpoints(connector: Connector, settings: Mapping[str, Any]) -> dict[str, tuple[str, int]]:
    """Host and port of each setting that is an address."""
    urls = {setting.name: settings.get(setting.name) for setting in connector.settings if setting.kind == "url"}
    return {name: endpoint(url) for name, url in urls.items() if url}


def endpoint(url: str) -> tuple[str, int]:
    parts = urlsplit(url)
    return (parts.hostname or "").rstrip(".").lower(), parts.port or _PORTS.get(parts.scheme, 0)


def hints(secrets: Mapping[str, str], now: datetime) -> dict[str, dict[str, str]]:
    """What may be shown of the secrets."""
    return {
        name: {"last_four": secret[-4:] if len(secret) >= SHORTEST_SHOWN_SECRET else "", "set_at": now.isoformat()}
        for name, secret in secrets.items()
    }


def name(text: str) -> str:
    """Raises InvalidInput."""
    cleaned = one_line(text)
    if not 1 <= len(cleaned) <= 100 or not is_one_line(cleaned):
        raise InvalidInput(fields={"name": "Write a name of 1 to 100 characters."})
    return cleaned


def mode(text: str) -> ConnectionMode:
    """Raises InvalidInput."""
    try:
        return ConnectionMode(text)
    except ValueError:
        raise InvalidInput(fields={"mode": "Choose live or sandbox."}) from None


def difference(known: Account, found: Account) -> str | None:
    """Why the account cannot be the one that this connection's records came from; None when it can."""
    if known.id != found.id:
        return (
            f"These credentials belong to another account ({found.name}); this connection holds the records of {known.name}. "
            "Add a new connection for the other account."
        )
    if known.currency != found.currency:
        return (
            f"The account's currency is now {found.currency} and was {known.currency}, which would change the meaning of every "
            "amount that was read. Add a new connection for it."
        )
    if known.time_zone != found.time_zone:
        return (
            f"The account's time zone is now {found.time_zone} and was {known.time_zone}, which would change the meaning of every "
            "time that was read. Add a new connection for it."
        )
    return None


def status_after_change(connection: Connection, *, retest: bool, enabled: bool | None) -> ConnectionStatus:
    """What people changed decides whether a connection must prove itself again."""
    if enabled is False or (enabled is None and connection.status is ConnectionStatus.DISABLED):
        return ConnectionStatus.DISABLED
    if retest:
        return ConnectionStatus.UNTESTED
    if connection.status is ConnectionStatus.DISABLED:
        return ConnectionStatus.ACTIVE if connection.tested_at else ConnectionStatus.UNTESTED
    return connection.status


def changes(before: Connection, name: str, settings: Mapping[str, Any]) -> dict[str, Any]:
    """What is different, for the audit log: {"name": [before, after], "settings": {…}}."""
    differing = {key: [before.settings.get(key), value] for key, value in settings.items() if before.settings.get(key) != value}
    return ({"name": [before.name, name]} if name != before.name else {}) | ({"settings": differing} if differing else {})
