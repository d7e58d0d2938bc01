"""The environment, read once. `crosswalk doctor` explains every setting from the texts below."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Any

from app.errors import HubError

Network = IPv4Network | IPv6Network


class SettingInvalid(HubError):
    """A setting cannot be used as it is."""

    code = "setting_invalid"


class Secret(str):
    """A text that hides itself when printed."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "Secret('…')"


def _setting(default: Any, explanation: str) -> Any:
    metadata = {"explanation": explanation}
    if callable(default):
        return field(default_factory=default, metadata=metadata)
    return field(default=default, metadata=metadata)


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Each field `name` is read from the environment variable `CROSSWALK_NAME`."""

    database_url: Secret | None = _setting(
        None, "Postgres (15 to 18) as the application's login. Without it the hub starts its own server."
    )
    database_owner_url: Secret | None = _setting(
        None, "The login that owns the tables, for `crosswalk migrate`. Default: CROSSWALK_DATABASE_URL."
    )
    redis_url: Secret | None = _setting(None, "Redis 6.2 or later, or Valkey. Without it the hub starts its own server.")
    data_dir: Path = _setting(lambda: Path(".crosswalk"), "Where the hub's own servers, the master key and logs live.")
    master_key: Secret | None = _setting(
        None, "Fernet keys for credentials, newest first, separated by commas. Without it one is made in the data directory (mode 0600)."
    )
    host: str = _setting("127.0.0.1", "The address that `crosswalk serve` listens on.")
    port: int = _setting(8000, "The port that `crosswalk serve` listens on.")
    public_url: str = _setting("http://127.0.0.1:8000", "How people reach the hub; links in mails are built from it.")
    allowed_origins: tuple[str, ...] = _setting(
        (), "Other origins whose browsers may call the API and open WebSockets, separated by commas."
    )
    trusted_proxies: tuple[Network, ...] = _setting((), "Networks of proxies whose X-Forwarded-For is believed, separated by commas.")
    allowed_networks: tuple[Network, ...] = _setting(
        (), "Private networks that connections may reach (on-premises systems), separated by commas."
    )
    sandboxes: bool = _setting(False, "Whether connections in sandbox mode may be made. The demo and `crosswalk dev` turn it on.")
    sandbox_urls: tuple[str, ...] = _setting(
        (), "Addresses (scheme, host and port) of sandboxes that this deployment registered, separated by commas."
    )
    smtp_url: Secret | None = _setting(
        None, "smtp(s)://user:password@host:port for mail. Without it mail is kept and shown in the console."
    )
    mail_from: str = _setting("Crosswalk <crosswalk@localhost>", "The sender of mails.")
    database_connections: int = _setting(10, "How many database connections one process may open.")
    introspection: bool = _setting(
        False, "Whether an organization's people may ask the API for its schema; tools need it. `crosswalk dev` and the demo turn it on."
    )
    trusted_documents_only: bool = _setting(
        False, "Whether the API answers nothing but trusted documents: the files of graphql/operations and of the folder below."
    )
    trusted_documents_dir: Path | None = _setting(None, "A folder with more trusted documents: one operation in each *.graphql file.")
    limit_body: int = _setting(1_000_000, "How many bytes one request, or one message of a WebSocket, may have.")
    limit_document: int = _setting(50_000, "How many characters one GraphQL document may have.")
    limit_tokens: int = _setting(2000, "How many tokens one GraphQL document may have.")
    limit_nesting: int = _setting(60, "How many brackets of one GraphQL document may stand inside one another.")
    limit_directives: int = _setting(30, "How many directives one GraphQL document may have.")
    limit_directives_per_place: int = _setting(4, "How many directives one place of a GraphQL document may have.")
    limit_fragments: int = _setting(50, "How many fragments one GraphQL document may use in one place, and how many it may define.")
    limit_depth: int = _setting(12, "How many levels deep one GraphQL operation may be nested.")
    limit_aliases: int = _setting(30, "How many aliases one GraphQL operation may have.")
    limit_repeats: int = _setting(30, "How often one GraphQL operation may name the same field in one place.")
    limit_cost: int = _setting(5000, "How many objects one GraphQL operation could return at most.")
    limit_values: int = _setting(10_000, "How many values the variables of one GraphQL operation may hold.")
    limit_read_seconds: float = _setting(10.0, "How many seconds the database may work on one read of the API.")
    rate_cost_per_minute: int = _setting(
        1_000_000, "How many objects one token or session may ask for in a minute, summed over its operations. 0 counts nothing."
    )
    streams_per_caller: int = _setting(200, "How many live streams one token or session may have open in one web process.")
    streams_per_organization: int = _setting(5000, "How many live streams one organization may have open in one web process.")
    persisted_documents: int = _setting(1000, "How many documents that clients registered by their hash are kept for one organization.")
    debug: bool = _setting(False, "The GraphiQL page at /graphql; it loads its scripts from the network. Never in production.")
    log_level: str = _setting("info", "debug, info, warning or error.")
    worker_bulk_slots: int = _setting(4, "How many sync runs one worker advances at a time.")
    worker_decision_slots: int = _setting(8, "How many deliveries one worker sends at a time.")

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None, **overrides: Any) -> "Settings":
        """Read `CROSSWALK_*` once. Raises SettingInvalid with the variable's name and what it should look like."""
        environment = os.environ if environment is None else environment
        values: dict[str, Any] = {}
        for setting in fields(cls):
            text = environment.get(variable_name(setting.name), "").strip()
            if text:
                values[setting.name] = _read(setting.name, str(setting.type), text)
        return cls(**(values | overrides))


def variable_name(setting: str) -> str:
    """The environment variable of a setting."""
    return f"CROSSWALK_{setting.upper()}"


def _read(name: str, kind: str, text: str) -> Any:
    try:
        return _PARSERS_BY_NAME.get(name, _PARSERS[kind])(text)
    except ValueError as error:
        raise SettingInvalid(f"{variable_name(name)} cannot be read: {error}.") from None


def _greater_than_zero(text: str) -> float:
    value = float(text)
    if not 0 < value < float("inf"):
        raise ValueError("write a number greater than 0")
    return value


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise ValueError("write a whole number greater than 0")
    return int(text)


def _boolean(text: str) -> bool:
    if text.lower() in {"1", "true", "yes", "on"}:
        return True
    if text.lower() in {"0", "false", "no", "off"}:
        return False
    raise ValueError("write true or false")


def _list(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())


def _log_level(text: str) -> str:
    if text.lower() not in {"debug", "info", "warning", "error"}:
        raise ValueError("write debug, info, warning or error")
    return text.lower()


def _networks(text: str) -> tuple[Network, ...]:
    return tuple(ip_network(part, strict=False) for part in _list(text))


_PARSERS: dict[str, Any] = {
    "<class 'str'>": str,
    "<class 'int'>": int,
    "<class 'float'>": float,
    "<class 'bool'>": _boolean,
    "<class 'pathlib.Path'>": Path,
    "pathlib.Path": Path,
    "pathlib.Path | None": Path,
    "app.settings.Secret | None": Secret,
    "tuple[str, ...]": _list,
    "tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...]": _networks,
}

_PARSERS_BY_NAME: dict[str, Any] = {
    "log_level": _log_level,
    "limit_read_seconds": _greater_than_zero,
    **{limit.name: _count for limit in fields(Settings) if limit.name.startswith("limit_") and limit.type is int},
}
